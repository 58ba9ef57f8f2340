"""Parquet files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.connectors.base import RawRow
from feedback_nlp.ingest.encoding import MARK_ERRORS
from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.inputs import InputFile
from feedback_nlp.ingest.settings import IngestSettings

_BATCH = 2048
# pandas writes its row numbers as a column of this name.
_INDEX = re.compile(r"__index_level_\d+__")


def _values(array: pa.Array) -> list[object]:
    """Turn a column into Python values; bytes that are no UTF-8 become a lone surrogate in a string."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        try:
            return list(array.to_pylist())
        except UnicodeDecodeError:
            array = array.cast(pa.large_binary())
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return [value if value is None else value.decode("utf-8", MARK_ERRORS) for value in array.to_pylist()]
    return list(array.to_pylist())


@contextmanager
def _damage_named(file: InputFile) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise BadDataError(f"{file.source} is a damaged or cut-off Parquet file; copy or export it again.") from error


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file; see :class:`~feedback_nlp.ingest.connectors.base.RawTable`."""

    file: InputFile
    columns: tuple[HeaderColumn, ...]
    format: str = "parquet"
    encoding: None = None
    delimiter: None = None

    def rows(self) -> Iterator[RawRow]:
        """Read all rows from the start.

        :raises BadDataError: when a page is damaged.
        """
        names = [column.name for column in self.columns]
        number = 0
        with _damage_named(self.file), pq.ParquetFile(self.file.path) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH):
                values = [_values(batch.column(name)) for name in names]
                for cells in zip(*values, strict=True):
                    number += 1
                    yield RawRow(number, dict(zip(names, cells, strict=True)))


def open_table(file: InputFile, settings: IngestSettings) -> ParquetTable:
    """Open a Parquet file.

    :raises BadDataError: when it is damaged, or two of its columns share a name.
    """
    with _damage_named(file), pq.ParquetFile(file.path) as parquet:
        names = list(parquet.schema_arrow.names)
    if len(set(names)) < len(names):
        raise BadDataError(f"{file.source} has two columns of one name; rename one.")
    return ParquetTable(file, tuple(HeaderColumn(name, (name,)) for name in names if not _INDEX.fullmatch(name)))
