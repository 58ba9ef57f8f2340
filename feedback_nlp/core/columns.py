"""Every column of a comment table, declared once: name, type, nullability, allowed values, range, meaning.

Offsets count Unicode code points, end exclusive. Scores lie in [0, 1].
"""

from dataclasses import dataclass

import pyarrow as pa

LANGS = ("ar", "fa", "en", "other", "und")
SCRIPTS = ("native", "latin", "mixed")
SPAN_LANGS = ("ar", "fa", "en", "ar-Latn", "fa-Latn", "other")
POLARITIES = ("negative", "neutral", "positive")
SENTIMENTS = (*POLARITIES, "mixed")
DRIVERS = ("policy", "employee")
SIGNS = ("-", "+")
ROOT_CAUSES = ("policy", "employee", "both", "other", "none")
OTHER_CAUSES = ("product", "external")
EMOTIONS = (
    "anger",
    "frustration",
    "disappointment",
    "sadness",
    "worry",
    "surprise",
    "joy",
    "gratitude",
    "trust",
    "none",
)
EFFORTS = ("high", "low", "na")
RESOLUTIONS = ("yes", "no", "na")
INTENTS = ("churn", "loyal", "na")
STAGES = ("discover", "purchase", "delivery", "use", "payment", "support", "return", "none")

_SCORE = pa.float32()
_SPAN = [("start", pa.int32()), ("end", pa.int32())]


@dataclass(frozen=True)
class Column:
    """One declared column.

    :param name: the column's name in every table and file.
    :param dtype: Arrow type; a list type also accepts a fixed-size list of the same values.
    :param doc: one line of meaning.
    :param nullable: whether a row may have no value.
    :param allowed: the only values a string column may hold.
    :param low: smallest numeric value, inclusive.
    :param high: largest numeric value, inclusive.
    :param public: whether the column is part of a result (False: only passed between stages).
    """

    name: str
    dtype: pa.DataType
    doc: str
    nullable: bool = False
    allowed: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None
    public: bool = True

    def accepts(self, dtype: pa.DataType) -> bool:
        """Tell whether an array of ``dtype`` may stand in this column."""
        if dtype == self.dtype:
            return True
        lists = pa.types.is_fixed_size_list(dtype) and pa.types.is_list(self.dtype)
        return bool(lists and dtype.value_type == self.dtype.value_type)


def _reading(name: str, doc: str, allowed: tuple[str, ...]) -> tuple[Column, Column]:
    return (
        Column(name, pa.string(), doc, nullable=True, allowed=allowed),
        Column(f"{name}_score", _SCORE, f"calibrated score of {name}", nullable=True, low=0, high=1),
    )


COMMENT_ID = Column("comment_id", pa.string(), "given, or made from content and occurrence")
TEXT = Column("text", pa.string(), "the comment as given, never changed")
CREATED_AT = Column("created_at", pa.timestamp("us", tz="UTC"), "when the customer wrote it", nullable=True)
SOURCE = Column("source", pa.string(), "name of the file or connector it came from")
META = Column("meta", pa.string(), "the dump's other columns as one JSON object", nullable=True)

LANG = Column("lang", pa.string(), "language; und = nothing to judge", allowed=LANGS)
LANG_SCRIPT = Column("lang_script", pa.string(), "native letters, Latin letters or both", allowed=SCRIPTS)
LANG_SCORE = Column("lang_score", _SCORE, "calibrated score of lang", low=0, high=1)
LANG_SPANS = Column(
    "lang_spans",
    pa.list_(pa.struct([*_SPAN, ("lang", pa.string())])),
    "language spans in text, in order, not overlapping; values of SPAN_LANGS",
)

CLEAN = Column("clean", pa.string(), "normalised text, romanised words in native letters", nullable=True)
CLEAN_STARTS = Column(
    "clean_starts", pa.list_(pa.int32()), "where each code point of clean begins in text", nullable=True, public=False
)
CLEAN_ENDS = Column(
    "clean_ends", pa.list_(pa.int32()), "where each code point of clean ends in text", nullable=True, public=False
)
CLAUSE_SPANS = Column("clause_spans", pa.list_(pa.struct(_SPAN)), "clauses as spans in text", public=False)
REDACTIONS = Column(
    "redactions", pa.list_(pa.struct([*_SPAN, ("kind", pa.string())])), "personal data found in text, in order"
)

VECTOR = Column("vector", pa.list_(pa.float32()), "unit-length meaning vector", nullable=True, public=False)
READING = Column(
    "reading", pa.list_(_SCORE), "scores of the comment in the order of READING_LABELS", nullable=True, public=False
)
CLAUSE_READINGS = Column(
    "clause_readings",
    pa.list_(pa.list_(_SCORE)),
    "for each of clause_spans its scores in the order of READING_LABELS",
    nullable=True,
    public=False,
)
TOKEN_SPANS = Column(
    "token_spans", pa.list_(pa.struct(_SPAN)), "the tokens read, as spans in clean", nullable=True, public=False
)
TOKEN_READINGS = Column(
    "token_readings",
    pa.list_(pa.list_(_SCORE)),
    "for each of token_spans its scores in the order of TOKEN_LABELS",
    nullable=True,
    public=False,
)

SENTIMENT = Column("sentiment", pa.string(), "the writer's attitude", nullable=True, allowed=SENTIMENTS)
SENTIMENT_PROBS = Column(
    "sentiment_probs",
    pa.struct([(name, _SCORE) for name in POLARITIES]),
    "calibrated probabilities, summing to 1",
    nullable=True,
)
SENTIMENT_SCORE = Column("sentiment_score", _SCORE, "score of the sentiment given", nullable=True, low=0, high=1)
SENTIMENT_ABSTAINED = Column("sentiment_abstained", pa.bool_(), "the score is below the abstention threshold")
CLAUSES = Column(
    "clauses",
    pa.list_(pa.struct([*_SPAN, ("sentiment", pa.string()), ("score", _SCORE)])),
    "sentiment clause by clause",
)

TOPIC_ID = Column("topic_id", pa.int32(), "topic; -1 = none", low=-1)
TOPIC_SCORE = Column("topic_score", _SCORE, "how well the comment fits its topic", low=0, high=1)
TOPICS_ALSO = Column(
    "topics_also", pa.list_(pa.int32()), "further topics that its clauses speak of, the likeliest first", nullable=True
)
SUBTOPIC_ID = Column(
    "subtopic_id", pa.int32(), "sub-topic of topic_id; null where the topic is not divided", nullable=True, low=0
)

DRIVER_SPANS = Column(
    "drivers",
    pa.list_(
        pa.struct(
            [
                ("driver", pa.string()),
                ("cause", pa.string()),
                ("sign", pa.string()),
                ("score", _SCORE),
                *_SPAN,
            ]
        )
    ),
    "root causes with sign and evidence text[start:end]",
)
ROOT_CAUSE = Column(
    "root_cause", pa.string(), "the comment as a whole, complaints first", nullable=True, allowed=ROOT_CAUSES
)
OTHER_CAUSE_LIST = Column("other_causes", pa.list_(pa.string()), "product, external")
EMOTION, EMOTION_SCORE = _reading("emotion", "dominant emotion", EMOTIONS)
EFFORT, EFFORT_SCORE = _reading("effort", "effort the customer spent", EFFORTS)
RESOLVED, RESOLVED_SCORE = _reading("resolved", "whether the problem told was solved", RESOLUTIONS)
INTENT, INTENT_SCORE = _reading("intent", "stated future intent", INTENTS)
STAGE, STAGE_SCORE = _reading("stage", "journey stage", STAGES)
PYRAMID = Column("pyramid", pa.int8(), "level of the CX pyramid, 0 none to 5 evolution", nullable=True, low=0, high=5)
PYRAMID_SCORE = Column("pyramid_score", _SCORE, "calibrated score of pyramid", nullable=True, low=0, high=1)

PROBLEMS = Column("problems", pa.list_(pa.string()), "why a value is null")

INPUT_COLUMNS = (COMMENT_ID, TEXT, CREATED_AT, SOURCE, META)
READINGS = (
    EMOTION,
    EMOTION_SCORE,
    EFFORT,
    EFFORT_SCORE,
    RESOLVED,
    RESOLVED_SCORE,
    INTENT,
    INTENT_SCORE,
    STAGE,
    STAGE_SCORE,
    PYRAMID,
    PYRAMID_SCORE,
)
RESULT_COLUMNS = (
    *INPUT_COLUMNS,
    LANG,
    LANG_SCRIPT,
    LANG_SCORE,
    LANG_SPANS,
    CLEAN,
    REDACTIONS,
    SENTIMENT,
    SENTIMENT_PROBS,
    SENTIMENT_SCORE,
    SENTIMENT_ABSTAINED,
    CLAUSES,
    TOPIC_ID,
    TOPIC_SCORE,
    TOPICS_ALSO,
    SUBTOPIC_ID,
    DRIVER_SPANS,
    ROOT_CAUSE,
    OTHER_CAUSE_LIST,
    *READINGS,
    PROBLEMS,
)
READER_COLUMNS = (READING, CLAUSE_READINGS, TOKEN_SPANS, TOKEN_READINGS)
ALL_COLUMNS = (*RESULT_COLUMNS, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS, VECTOR, *READER_COLUMNS)


def columns_as_markdown() -> str:
    """Return the result columns as a Markdown page."""
    lines = [
        "# Columns of a result",
        "",
        "Of `comments.parquet`, of `classify --format jsonl` and of the DataFrames. Offsets count Unicode code points",
        "of `text`, end exclusive; scores lie in [0, 1]. Written by `python -m feedback_nlp.core.columns`.",
        "",
        "| column | type | may be null | values | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for column in RESULT_COLUMNS:
        values = " ".join(f"`{value}`" for value in column.allowed or ())
        if column.low is not None:
            values = f"{column.low:g} to {'…' if column.high is None else f'{column.high:g}'}"
        null = "yes" if column.nullable else ""
        lines.append(f"| `{column.name}` | {column.dtype} | {null} | {values} | {column.doc} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(columns_as_markdown())
