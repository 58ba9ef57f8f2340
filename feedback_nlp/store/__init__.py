"""store: runs, results, topics and rejects in a database; part files between the passes; the result as Parquet."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from feedback_nlp.store.settings import StoreSettings as StoreSettings

if TYPE_CHECKING:
    from feedback_nlp.store.decisions import Decision as Decision
    from feedback_nlp.store.lease import Lease as Lease
    from feedback_nlp.store.lease import born as born
    from feedback_nlp.store.parts import parts_done as parts_done
    from feedback_nlp.store.parts import read_parts as read_parts
    from feedback_nlp.store.parts import write_part as write_part
    from feedback_nlp.store.results import FULL as FULL
    from feedback_nlp.store.results import ResultWriter as ResultWriter
    from feedback_nlp.store.results import as_results as as_results
    from feedback_nlp.store.results import open_results as open_results
    from feedback_nlp.store.results import whole_file as whole_file
    from feedback_nlp.store.rows import driver_frame as driver_frame
    from feedback_nlp.store.runs import RunRecord as RunRecord
    from feedback_nlp.store.runs import rfc3339 as rfc3339
    from feedback_nlp.store.store import Store as Store
    from feedback_nlp.store.store import open_store as open_store

_HOMES = {
    "Decision": "decisions",
    "FULL": "results",
    "Lease": "lease",
    "ResultWriter": "results",
    "RunRecord": "runs",
    "Store": "store",
    "as_results": "results",
    "born": "lease",
    "driver_frame": "rows",
    "open_results": "results",
    "open_store": "store",
    "parts_done": "parts",
    "read_parts": "parts",
    "rfc3339": "runs",
    "whole_file": "results",
    "write_part": "parts",
}
__all__ = [
    "FULL",
    "Decision",
    "Lease",
    "ResultWriter",
    "RunRecord",
    "Store",
    "StoreSettings",
    "as_results",
    "born",
    "driver_frame",
    "open_results",
    "open_store",
    "parts_done",
    "read_parts",
    "rfc3339",
    "whole_file",
    "write_part",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute may be anything
    """Load a public name on first use, so that the settings cost neither SQLAlchemy nor pyarrow."""
    if name not in _HOMES:
        raise AttributeError(f"module 'feedback_nlp.store' has no attribute '{name}'. It has: {', '.join(__all__)}.")
    return getattr(import_module(f"feedback_nlp.store.{_HOMES[name]}"), name)
