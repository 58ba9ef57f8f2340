"""Small tables of any columns (topics, rejects), kept as one JSON object a row beside their Arrow schema."""

import base64

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Table, delete, insert, select

from feedback_nlp.store.bulk import insert_table
from feedback_nlp.store.jsontext import from_json, to_json
from feedback_nlp.store.schema import RECORDS


def write_records(connection: Connection, target: Table, run: int, table: pa.Table) -> None:
    """Store a table in place of the one stored for this run before.

    :raises StageContractError: when a column's type has no JSON.
    """
    rows = to_json(table.to_struct_array().combine_chunks())
    schema = base64.b64encode(table.schema.remove_metadata().serialize()).decode("ascii")
    kind = RECORDS.c.kind == target.name
    connection.execute(delete(target).where(target.c.run == run))
    connection.execute(delete(RECORDS).where(RECORDS.c.run == run, kind))
    connection.execute(insert(RECORDS).values(run=run, kind=target.name, columns=schema))
    places = np.arange(len(rows), dtype=np.int32)
    insert_table(connection, target, pa.table({"run": np.full_like(places, run), "position": places, "body": rows}))


def read_records(connection: Connection, source: Table, run: int) -> pa.Table:
    """Return the table stored for a run with the types it had; without rows or columns where none was stored."""
    stored = connection.execute(
        select(RECORDS.c.columns).where(RECORDS.c.run == run, RECORDS.c.kind == source.name)
    ).scalar_one_or_none()
    if stored is None:
        return pa.table({})
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored)))
    bodies = connection.execute(select(source.c.body).where(source.c.run == run).order_by(source.c.position)).scalars()
    rows = from_json(list(bodies), pa.struct(list(schema)))
    return pa.Table.from_arrays([rows.field(i) for i in range(len(schema))], schema=schema)
