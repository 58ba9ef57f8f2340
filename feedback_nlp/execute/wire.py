"""Batches as bytes between processes: one Arrow IPC stream each."""

import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch


def to_bytes(batch: CommentBatch) -> pa.Buffer:
    """Write a batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.table.schema) as writer:
        writer.write_table(batch.table.combine_chunks())
    return sink.getvalue()


def from_bytes(content: bytes | pa.Buffer) -> CommentBatch:
    """Read a batch written by :func:`to_bytes`, without copying its columns."""
    with pa.ipc.open_stream(content) as reader:
        return CommentBatch(reader.read_all().combine_chunks())
