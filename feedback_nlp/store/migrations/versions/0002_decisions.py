"""Analysts' decisions, the topics and comments they touch, and what follows from them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of decisions."""
    _create_decisions()
    _create_states()


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("comment_id", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["decisions.decision"], name=op.f("fk_decisions_undoes")),
        sa.PrimaryKeyConstraint("decision", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_undoes", "decisions", ["undoes"], unique=False)
    op.create_table(
        "decision_subjects",
        sa.Column("decision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("comment_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["decision"], ["decisions.decision"], name=op.f("fk_decision_subjects_decision")),
        sa.PrimaryKeyConstraint("decision", "position", name=op.f("pk_decision_subjects")),
    )
    op.create_index("ix_decision_subjects_topic_id", "decision_subjects", ["topic_id"], unique=False)
    op.create_index("ix_decision_subjects_comment_id", "decision_subjects", ["comment_id"], unique=False)


def _create_states() -> None:
    op.create_table(
        "topic_states",
        sa.Column("topic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("into", sa.Integer(), nullable=True),
        sa.Column("root", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("split_from", sa.Integer(), nullable=True),
        sa.Column("assigned", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("topic_id", name=op.f("pk_topic_states")),
    )
    op.create_table(
        "comment_states",
        sa.Column("comment_id", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("sentiment", sa.String(length=16), nullable=True),
        sa.Column("drivers", sa.Text(), nullable=True),
        sa.Column("text", sa.String(length=16), nullable=True),
        sa.Column("assigned", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_comment_states")),
    )
    op.create_index("ix_comment_states_topic_id", "comment_states", ["topic_id"], unique=False)
