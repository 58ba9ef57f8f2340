"""Corpus: one run's comments in memory, as the machine judged them, ready to be counted and shown.

A page over 100,000 comments must answer in milliseconds while a nightly run writes to the same store, so a run is read
once; whatever analysts decided lies over it in :mod:`feedback_nlp.review.snapshot`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES, SENTIMENTS
from feedback_nlp.review.search import SearchIndex

if TYPE_CHECKING:
    from feedback_nlp.store import Store

Ints = np.ndarray[Any, np.dtype[np.int32]]
Codes = np.ndarray[Any, np.dtype[np.int8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

FIELDS = ("branch", "product", "channel", "employee")
MARKS = ("policy-", "employee-", "policy+", "employee+")
NO_DAY = -1
_SECONDS = 86_400
_NOTHING = ""
_SHOWN = (
    "comment_id",
    "text",
    "created_at",
    "source",
    "meta",
    "lang",
    "lang_script",
    "redactions",
    "sentiment",
    "sentiment_score",
    "sentiment_abstained",
    "topic_id",
    "topic_score",
    "topics_also",
    "subtopic_id",
    "drivers",
    "root_cause",
    "other_causes",
    "intent",
)


@dataclass(frozen=True, eq=False)
class Field:
    """Values of one of the dump's own columns.

    :param values: the different values in order; the first is empty and stands for none.
    :param codes: int32 array, one place in ``values`` a comment.
    """

    values: tuple[str, ...]
    codes: Ints


@dataclass(frozen=True, eq=False)
class Corpus:
    """A run's comments; every array has one value a comment, in the order of the run.

    :param run_id: the run.
    :param comments: what is needed to show a comment.
    :param rows: row of each comment id.
    :param topic: topic ids as the machine found them, -1 = none.
    :param subtopic: sub-topic ids, -1 = none.
    :param sentiment: places in ``SENTIMENTS``, -1 = none; likewise ``lang`` in ``LANGS``, ``root`` in
        ``ROOT_CAUSES``.
    :param marks: by driver and sign (``policy-``), whether the comment names it.
    :param days: days since 1970, -1 = no date.
    :param fields: the dump's own columns by which comments can be filtered.
    :param index: full-text search.
    """

    run_id: str
    comments: pa.Table
    rows: Mapping[str, int]
    topic: Ints
    subtopic: Ints
    sentiment: Codes
    lang: Codes
    root: Codes
    marks: Mapping[str, Bools]
    days: Ints
    fields: Mapping[str, Field]
    index: SearchIndex

    def __len__(self) -> int:
        return len(self.topic)

    def take(self, rows: Sequence[int] | Ints) -> list[dict[str, Any]]:
        """Return comments as dictionaries, in the order of ``rows``."""
        return self.comments.take(pa.array(rows, pa.int64())).to_pylist()  # type: ignore[no-any-return]


def open_corpus(store: "Store", run_id: str) -> Corpus:
    """Read a run's comments from the store.

    :raises FeedbackError: when there is no such run, or it is not finished.
    """
    table = store.comments(run_id, columns=[*_SHOWN, "clean"], decided=False)
    texts, cleans = table.column("text").to_pylist(), table.column("clean").to_pylist()
    shown = table.select(list(_SHOWN)).combine_chunks()
    return Corpus(
        run_id=run_id,
        comments=shown,
        rows={comment: row for row, comment in enumerate(shown.column("comment_id").to_pylist())},
        topic=np.asarray(pc.fill_null(_one(shown, "topic_id"), -1), dtype=np.int32),
        subtopic=np.asarray(pc.fill_null(_one(shown, "subtopic_id"), -1), dtype=np.int32),
        sentiment=codes_of(_one(shown, "sentiment"), SENTIMENTS),
        lang=codes_of(_one(shown, "lang"), LANGS),
        root=codes_of(_one(shown, "root_cause"), ROOT_CAUSES),
        marks=_marks(_one(shown, "drivers")),
        days=_days(_one(shown, "created_at")),
        fields=_fields(_one(shown, "meta")),
        index=SearchIndex.of(texts, cleans),
    )


def _one(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def codes_of(values: pa.Array, known: Sequence[str]) -> Codes:
    """Return each value's place in ``known``, -1 where it is null."""
    found = pc.index_in(values, value_set=pa.array(known, pa.string()))
    return np.asarray(pc.fill_null(found, -1), dtype=np.int8)


def _marks(drivers: pa.Array) -> dict[str, Bools]:
    parents = np.asarray(pc.list_parent_indices(drivers), dtype=np.int64)
    flat = pc.list_flatten(drivers)
    names = pc.binary_join_element_wise(flat.field("driver"), flat.field("sign"), "")
    marks = {}
    for name in MARKS:
        marks[name] = np.zeros(len(drivers), dtype=bool)
        marks[name][parents[np.asarray(pc.equal(names, name), dtype=bool)]] = True
    return marks


def _days(moments: pa.Array) -> Ints:
    seconds = moments.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64())
    return (np.asarray(pc.fill_null(seconds, _SECONDS * NO_DAY)) // _SECONDS).astype(np.int32)


def _fields(metas: pa.Array, names: Sequence[str] = FIELDS) -> dict[str, Field]:
    from feedback_nlp.insights import meta_values

    frame = meta_values(pa.table({"meta": metas}), names)
    return {name: _field(frame[name].to_numpy(dtype=object, na_value=_NOTHING)) for name in names}


def _field(values: Any) -> Field:  # noqa: ANN401 - an object array of texts
    different = sorted({value for value in values if value})
    place: Callable[[str], int] = {_NOTHING: 0, **{value: at for at, value in enumerate(different, 1)}}.__getitem__
    return Field((_NOTHING, *different), np.fromiter(map(place, values), np.int32, len(values)))
