"""Further topics of comments."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("comments", sa.Column("topics_also", sa.Text(), nullable=True))
