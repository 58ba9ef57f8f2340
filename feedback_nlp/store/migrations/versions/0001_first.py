"""The first schema: runs, chunk ledger, comments, drivers, topics, rejects, the current run and the lease."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    _create_runs()
    _create_comments()
    _create_drivers()
    _create_records()
    _create_lease()


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("input_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("code_version", sa.String(length=64), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'failed', 'finished')", name=op.f("ck_runs_state")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_runs")),
        sa.UniqueConstraint("run_id", name=op.f("uq_runs_run_id")),
    )
    op.create_table(
        "chunks",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_chunks_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "chunk", name=op.f("pk_chunks")),
    )
    op.create_table(
        "current_run",
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("slot = 1", name=op.f("ck_current_run_single")),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_current_run_run")),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_current_run")),
    )


def _create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("comment_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("meta", sa.Text(), nullable=True),
        sa.Column("lang", sa.String(length=16), nullable=True),
        sa.Column("lang_script", sa.String(length=16), nullable=True),
        sa.Column("lang_score", sa.REAL(), nullable=True),
        sa.Column("lang_spans", sa.Text(), nullable=True),
        sa.Column("clean", sa.Text(), nullable=True),
        sa.Column("redactions", sa.Text(), nullable=True),
        sa.Column("sentiment", sa.String(length=16), nullable=True),
        sa.Column("sentiment_probs", sa.Text(), nullable=True),
        sa.Column("sentiment_score", sa.REAL(), nullable=True),
        sa.Column("sentiment_abstained", sa.Boolean(), nullable=True),
        sa.Column("clauses", sa.Text(), nullable=True),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("topic_score", sa.REAL(), nullable=True),
        sa.Column("drivers", sa.Text(), nullable=True),
        sa.Column("root_cause", sa.String(length=16), nullable=True),
        sa.Column("other_causes", sa.Text(), nullable=True),
        sa.Column("emotion", sa.String(length=16), nullable=True),
        sa.Column("emotion_score", sa.REAL(), nullable=True),
        sa.Column("effort", sa.String(length=16), nullable=True),
        sa.Column("effort_score", sa.REAL(), nullable=True),
        sa.Column("resolved", sa.String(length=16), nullable=True),
        sa.Column("resolved_score", sa.REAL(), nullable=True),
        sa.Column("intent", sa.String(length=16), nullable=True),
        sa.Column("intent_score", sa.REAL(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("stage_score", sa.REAL(), nullable=True),
        sa.Column("pyramid", sa.SmallInteger(), nullable=True),
        sa.Column("pyramid_score", sa.REAL(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_comments_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "chunk", "row", name=op.f("pk_comments")),
    )
    op.create_index("ix_comments_comment_id", "comments", ["run", "comment_id"], unique=False)
    op.create_index("ix_comments_lang", "comments", ["run", "lang"], unique=False)
    op.create_index("ix_comments_root_cause", "comments", ["run", "root_cause"], unique=False)
    op.create_index("ix_comments_sentiment", "comments", ["run", "sentiment"], unique=False)
    op.create_index("ix_comments_topic_id", "comments", ["run", "topic_id"], unique=False)


def _create_drivers() -> None:
    op.create_table(
        "drivers",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("comment_id", sa.Text(), nullable=False),
        sa.Column("driver", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("sign", sa.String(length=1), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_drivers_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "chunk", "row", "position", name=op.f("pk_drivers")),
    )
    op.create_index("ix_drivers_cause", "drivers", ["run", "driver", "cause"], unique=False)


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_records_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "kind", name=op.f("pk_records")),
    )
    op.create_table(
        "topics",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_topics_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "position", name=op.f("pk_topics")),
    )
    op.create_table(
        "rejects",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name=op.f("fk_rejects_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "position", name=op.f("pk_rejects")),
    )


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slot = 1", name=op.f("ck_lease_single")),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_lease")),
    )
