"""Sub-topics of comments."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("comments", sa.Column("subtopic_id", sa.Integer(), nullable=True))
