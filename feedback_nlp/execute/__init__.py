"""execute: runs chunks of comments through the row-wise stages, in this process or in worker processes."""

from feedback_nlp.execute.local import ChunkResult as ChunkResult
from feedback_nlp.execute.local import run_chunks as run_chunks

__all__ = ["ChunkResult", "run_chunks"]
