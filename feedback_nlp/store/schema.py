"""The database's tables: times are RFC 3339 texts in UTC and nested values JSON texts, which any database can hold."""

import pyarrow as pa
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy import Column as SqlColumn
from sqlalchemy.types import TypeEngine

from feedback_nlp.core.columns import RESULT_COLUMNS, Column

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def sql_type(column: Column) -> TypeEngine[bool] | TypeEngine[float] | TypeEngine[int] | TypeEngine[str]:
    """Return the SQL type of a result column; times and nested values are texts."""
    if pa.types.is_boolean(column.dtype):
        return Boolean()
    if pa.types.is_floating(column.dtype):
        return REAL()
    if pa.types.is_integer(column.dtype):
        return SmallInteger() if column.dtype.bit_width < 32 else Integer()
    return Text() if column.allowed is None else String(16)


def _of_run() -> SqlColumn[int]:
    return SqlColumn("run", ForeignKey("runs.run", ondelete="CASCADE"), primary_key=True, autoincrement=False)


def _key(name: str) -> SqlColumn[int]:
    return SqlColumn(name, Integer, primary_key=True, autoincrement=False)


RUNS = Table(
    "runs",
    metadata,
    SqlColumn("run", Integer, primary_key=True),
    SqlColumn("run_id", String(64), nullable=False, unique=True),
    SqlColumn("state", String(16), nullable=False),
    SqlColumn("fingerprint", String(64), nullable=False),
    SqlColumn("input_fingerprint", String(64), nullable=False),
    SqlColumn("code_version", String(64), nullable=False),
    SqlColumn("config", Text, nullable=False),
    SqlColumn("models", Text, nullable=False),
    SqlColumn("inputs", Text, nullable=False),
    SqlColumn("started_at", String(32), nullable=False),
    SqlColumn("finished_at", String(32)),
    SqlColumn("summary", Text),
    SqlColumn("error", Text),
    CheckConstraint("state IN ('running', 'failed', 'finished')", name="state"),
)
"""One row a run; ``run`` is its number inside the database, ``run_id`` its name outside."""

CHUNKS = Table("chunks", metadata, _of_run(), _key("chunk"), SqlColumn("rows", Integer, nullable=False))
"""The ledger: a chunk stands here exactly when all its comments are stored."""

COMMENTS = Table(
    "comments",
    metadata,
    _of_run(),
    _key("chunk"),
    _key("row"),
    *[SqlColumn(column.name, sql_type(column)) for column in RESULT_COLUMNS],
)
"""One row a comment and run; nullable throughout, as a run may leave stages out."""

for _name in ("comment_id", "lang", "topic_id", "root_cause", "sentiment"):
    Index(f"ix_comments_{_name}", COMMENTS.c.run, COMMENTS.c[_name])

DRIVERS = Table(
    "drivers",
    metadata,
    _of_run(),
    _key("chunk"),
    _key("row"),
    _key("position"),
    SqlColumn("comment_id", Text, nullable=False),
    SqlColumn("driver", String(16), nullable=False),
    SqlColumn("cause", String(64)),
    SqlColumn("sign", String(1), nullable=False),
    SqlColumn("score", REAL, nullable=False),
    SqlColumn("start", Integer, nullable=False),
    SqlColumn("end", Integer, nullable=False),
    SqlColumn("evidence", Text, nullable=False),
    Index("ix_drivers_cause", "run", "driver", "cause"),
)
"""One row a driver: the comments' ``drivers`` with their evidence, for counting in SQL."""

RECORDS = Table(
    "records",
    metadata,
    _of_run(),
    SqlColumn("kind", String(16), primary_key=True),
    SqlColumn("columns", Text, nullable=False),
)
"""The Arrow schema of a run's topics and rejects, base64."""


def _records(name: str) -> Table:
    return Table(name, metadata, _of_run(), _key("position"), SqlColumn("body", Text, nullable=False))


TOPICS = _records("topics")
"""One row a topic, its values as one JSON object."""

REJECTS = _records("rejects")
"""One row a rejected input row, its values as one JSON object."""

CURRENT_RUN = Table(
    "current_run",
    metadata,
    SqlColumn("slot", SmallInteger, primary_key=True, autoincrement=False),
    SqlColumn("run", ForeignKey("runs.run"), nullable=False),
    SqlColumn("published_at", String(32), nullable=False),
    CheckConstraint("slot = 1", name="single"),
)
"""The run that readers see: one row or none."""

LEASE = Table(
    "lease",
    metadata,
    SqlColumn("slot", SmallInteger, primary_key=True, autoincrement=False),
    SqlColumn("token", String(32), nullable=False),
    SqlColumn("host", Text, nullable=False),
    SqlColumn("pid", Integer, nullable=False),
    SqlColumn("born", BigInteger, nullable=False),
    SqlColumn("beat", BigInteger, nullable=False),
    CheckConstraint("slot = 1", name="single"),
)
"""Who may write: one row or none; ``born`` is the process's start in clock ticks, ``beat`` seconds since 1970."""

DECISIONS = Table(
    "decisions",
    metadata,
    SqlColumn("decision", Integer, primary_key=True, autoincrement=False),
    SqlColumn("at", String(32), nullable=False),
    SqlColumn("author", String(200), nullable=False),
    SqlColumn("act", String(32), nullable=False),
    SqlColumn("topic_id", Integer),
    SqlColumn("comment_id", Text),
    SqlColumn("before", Text, nullable=False),
    SqlColumn("after", Text, nullable=False),
    SqlColumn("undoes", ForeignKey("decisions.decision")),
    Index("ix_decisions_undoes", "undoes"),
)
"""What analysts decided, in order; rows are only ever added. ``before`` and ``after`` are JSON."""

DECISION_SUBJECTS = Table(
    "decision_subjects",
    metadata,
    SqlColumn("decision", ForeignKey("decisions.decision"), primary_key=True, autoincrement=False),
    _key("position"),
    SqlColumn("topic_id", Integer),
    SqlColumn("comment_id", Text),
    Index("ix_decision_subjects_topic_id", "topic_id"),
    Index("ix_decision_subjects_comment_id", "comment_id"),
)
"""Every topic and comment that a decision touches, one of the two a row."""

TOPIC_STATES = Table(
    "topic_states",
    metadata,
    _key("topic_id"),
    SqlColumn("into", Integer),
    SqlColumn("root", Integer, nullable=False),
    SqlColumn("gone", Boolean, nullable=False),
    SqlColumn("hidden", Boolean, nullable=False),
    SqlColumn("locked", Boolean, nullable=False),
    SqlColumn("labels", Text, nullable=False),
    SqlColumn("split_from", Integer),
    SqlColumn("assigned", Text),
)
"""What stands decided about topics; follows from ``decisions``. ``root`` is the topic that its comments belong to."""

COMMENT_STATES = Table(
    "comment_states",
    metadata,
    SqlColumn("comment_id", Text, primary_key=True),
    SqlColumn("topic_id", Integer),
    SqlColumn("sentiment", String(16)),
    SqlColumn("drivers", Text),
    SqlColumn("text", String(16)),
    SqlColumn("assigned", Text),
    Index("ix_comment_states_topic_id", "topic_id"),
)
"""What stands decided about comments; follows from ``decisions``."""

ERASED = Table(
    "erased",
    metadata,
    SqlColumn("mark", String(64), primary_key=True),
    SqlColumn("at", String(32), nullable=False),
)
"""Comments that were erased and never come back: a keyed hash of each one's id, and when; neither id nor text."""

SECRETS = Table(
    "secrets",
    metadata,
    SqlColumn("name", String(32), primary_key=True),
    SqlColumn("value", String(64), nullable=False),
)
"""Random keys of this store, hexadecimal."""
