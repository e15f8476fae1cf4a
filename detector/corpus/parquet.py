"""Parquet files: rows as records, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from detector.corpus.packing import load_library
from detector.corpus.records import Item, Problem, Record, Trouble

_BATCH_BYTES = 4 << 20
_BATCH_ROWS = 256
_MOST_BATCH_BYTES = 256 << 20
"""A value that recurs stands in the file once, and in every row of a batch: so many bytes a batch may have if all rows
hold all of a column."""


def pyarrow_parquet() -> Any:
    """The library that reads Parquet.

    Raises:
        InputError: It is not installed.
    """
    return load_library("pyarrow.parquet", "Parquet needs pyarrow")


def read_parquet(stream: BinaryIO, name: str, skip: int) -> Iterator[Item]:
    """The rows of a file; a row group that cannot be read is a problem, and the next is gone on with.

    Dates and times become text as Arrow writes them: JSON has none.

    Args:
        stream: The file; a Parquet file is read from its end, so it cannot be a pipe.
        name: Of the source.
        skip: Rows to pass over.
    """
    library = pyarrow_parquet()
    import pyarrow as pa

    if not stream.seekable():
        raise OSError("Parquet cannot be read from a pipe; give the file")
    try:
        parquet = library.ParquetFile(stream, pre_buffer=False)
    except pa.ArrowException as error:
        raise OSError(f"not a whole Parquet file: {error}") from error
    row = 0
    for index in range(parquet.metadata.num_row_groups):
        group = parquet.metadata.row_group(index)
        end = row + group.num_rows
        if end <= skip:
            row = end
            continue
        widest = max((group.column(i).total_uncompressed_size for i in range(group.num_columns)), default=0)
        mean_rows = _BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1)
        rows = max(1, min(_BATCH_ROWS, mean_rows, _MOST_BATCH_BYTES // max(widest, 1)))
        try:
            for batch in parquet.iter_batches(batch_size=rows, row_groups=[index]):
                for fields in _as_text(batch).to_pylist():
                    row += 1
                    yield Item(Record(name, row, "parquet", b"", fields), row)
        except (pa.ArrowException, OSError) as error:
            detail = f"rows {row + 1} to {end} cannot be read ({error})"
            yield Item(Problem(name, row + 1, Trouble.CORRUPT, detail), end)
        row = end


def _as_text(batch: Any) -> Any:
    """The batch with its columns of dates and times as text."""
    import pyarrow as pa

    for index, column in enumerate(batch.schema):
        if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
            batch = batch.set_column(index, column.name, batch.column(index).cast(pa.string()))
    return batch
