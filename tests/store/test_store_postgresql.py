"""What can be checked of PostgreSQL without a server: the words we would send it."""

from io import StringIO

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from feedback_nlp.store.migrate import MIGRATIONS
from feedback_nlp.store.rows import DRIVER_NAMES
from feedback_nlp.store.schema import COMMENTS, DRIVERS, metadata


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_tables_speak_postgresql(table: Table) -> None:
    words = str(CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "ON DELETE CASCADE" in words or table.name in ("runs", "lease", "current_run")
    if table is DRIVERS:
        assert '"end" INTEGER' in words
    if table is COMMENTS:
        assert "lang_score REAL" in words
        assert "sentiment_abstained BOOLEAN" in words


def test_migrations_speak_postgresql() -> None:
    words = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": words})
    namespace: dict[str, object] = {}
    for path in sorted((MIGRATIONS / "versions").glob("0*.py")):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
        with Operations.context(context):
            namespace["upgrade"]()  # type: ignore[operator]
    for table in metadata.sorted_tables:
        assert f"CREATE TABLE {table.name} (" in words.getvalue()
    assert "run SERIAL NOT NULL" in words.getvalue()


def test_bulk_rows_go_by_name_where_the_driver_takes_names() -> None:
    compiled = insert(DRIVERS).compile(dialect=postgresql.dialect(), column_keys=["run", "chunk", *DRIVER_NAMES])
    assert compiled.positiontup is None
    assert "%(evidence)s" in str(compiled)
