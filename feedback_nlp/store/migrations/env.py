"""Alembic's environment: migrations run on the connection, and inside the transaction, that the caller gives."""

from alembic import context

from feedback_nlp.store.migrate import VERSION_TABLE
from feedback_nlp.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
