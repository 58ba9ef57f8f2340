"""Users of the review page with their sessions, tokens and log-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "review_users",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'analyst', 'admin')", name=op.f("ck_review_users_role")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_users")),
    )
    op.create_table(
        "review_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        *_owned("review_sessions"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_review_sessions")),
    )
    op.create_index("ix_review_sessions_user", "review_sessions", ["user"], unique=False)
    op.create_table(
        "review_tokens",
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *_owned("review_tokens"),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_review_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_review_tokens_digest")),
    )
    op.create_index("ix_review_tokens_user", "review_tokens", ["user"], unique=False)
    op.create_table(
        "review_logins",
        sa.Column("login", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=128), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_review_logins")),
    )


def _owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("user", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["review_users.name"], name=op.f(f"fk_{table}_user"), ondelete="CASCADE"),
    ]
