"""Operations: what a nightly job tells those who watch it - drift, warnings, metrics."""

from feedback_nlp.operations.metrics import render_metrics, write_metrics
from feedback_nlp.operations.watch import read_mix_columns, watch

__all__ = ["read_mix_columns", "render_metrics", "watch", "write_metrics"]
