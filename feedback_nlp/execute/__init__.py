"""execute: runs chunks of comments through the row-wise stages: here, in worker processes, or on a Ray cluster."""

from feedback_nlp.execute.local import ChunkResult as ChunkResult
from feedback_nlp.execute.local import run_chunks as run_chunks
from feedback_nlp.execute.ray_actors import run_on_ray as run_on_ray

__all__ = ["ChunkResult", "run_chunks", "run_on_ray"]
