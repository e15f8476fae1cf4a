"""Parquet files: rows as records, a few at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from detector.corpus.packing import load_library
from detector.corpus.parquet_sizes import ColumnSize, RowGroup, column_size, read_footer
from detector.corpus.records import Item, Problem, Record, Trouble

_BATCH_BYTES = 4 << 20
_BATCH_ROWS = 256
_MOST_BATCH_BYTES = 256 << 20
"""A value that recurs stands in the file once, and in every row of a batch: so many bytes a batch may have if all rows
hold the largest values there are. No row is given that takes more as Python's objects."""
_MOST_PAGE_BYTES = 2 << 30
"""Of the largest pages of all columns together. Arrow holds them whole, and itself writes a thousand values to a page, however
large they are."""
_MOST_LIST_BYTES = 1 << 30
_MOST_LIST_FACTOR = 16
"""What the lists of a row group may take as Arrow's arrays, or as many times their bytes in the file. Where in the pages a row
of lists ends is known only once it has been read, so that one row may be as large as all of them."""

_OBJECT_BYTES = 64
"""Of a Python object, with room for it in a list; what text and bytes hold is counted besides."""
_STRUCT_BYTES = 256
"""Of a dictionary of a few keys."""

_NO_OBJECTS = (ValueError, ArithmeticError, LookupError)
"""What values raise that Python has no objects for: text that is not UTF-8, a day in the year 5,000,000, an unknown time zone."""


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
        groups = read_footer(stream)
        parquet = library.ParquetFile(stream, pre_buffer=False)
    except (pa.ArrowException, ValueError) as error:
        raise OSError(f"not a whole Parquet file: {error}") from error
    row = 0
    for index, group in enumerate(groups):
        end = row + group.rows
        if end <= skip:
            row = end
            continue
        try:
            sizes = [column_size(stream, chunk) for chunk in group.chunks]
            recurring = _recurring_text(parquet.schema, sizes)
            if detail := _too_large(parquet.schema, sizes, recurring.keys()):
                yield Item(Problem(name, row + 1, Trouble.TOO_LARGE, f"rows {row + 1} to {end}: {detail}"), end)
            else:
                reader = parquet
                if recurring:
                    reader = library.ParquetFile(
                        stream, metadata=parquet.metadata, pre_buffer=False, read_dictionary=list(recurring.values())
                    )
                for batch in reader.iter_batches(batch_size=_batch_rows(group, sizes), row_groups=[index]):
                    for found in _rows(_as_text(batch)):
                        row += 1
                        yield Item(_record(name, row, found), row)
        except (pa.ArrowException, OSError, ValueError) as error:
            detail = f"rows {row + 1} to {end} cannot be read ({error})"
            yield Item(Problem(name, row + 1, Trouble.CORRUPT, detail), end)
        row = end


def _record(name: str, row: int, found: dict[str, Any] | tuple[Trouble, str]) -> Record | Problem:
    return Problem(name, row, *found) if isinstance(found, tuple) else Record(name, row, "parquet", b"", found)


def _recurring_text(schema: Any, sizes: list[ColumnSize]) -> dict[int, str]:
    """The columns of text in lists that Arrow can hold with each different text once, by number."""
    columns = {i: schema.column(i) for i, size in enumerate(sizes) if not size.has_deltas}
    return {
        i: column.path
        for i, column in columns.items()
        if column.max_repetition_level and column.physical_type == "BYTE_ARRAY"
    }


def _too_large(schema: Any, sizes: list[ColumnSize], recurring: Collection[int]) -> str:
    """Why a row group is not read: one row of it might fill the memory; or ""."""
    if sum(size.widest_page for size in sizes) > _MOST_PAGE_BYTES:
        return f"pages of more than {_MOST_PAGE_BYTES:,} bytes"
    taken = packed = 0
    for i, size in enumerate(sizes):
        column = schema.column(i)
        if column.max_repetition_level:
            width = 8
            if column.physical_type == "BYTE_ARRAY" and i not in recurring:
                width = size.widest_page
            elif column.physical_type == "FIXED_LEN_BYTE_ARRAY":
                width = column.length
            taken += size.values * (width + 8 + 4 * column.max_repetition_level)
            packed += size.packed
    if taken > max(_MOST_LIST_BYTES, _MOST_LIST_FACTOR * packed):
        return f"lists that may take {taken:,} bytes; write fewer rows to a group"
    return ""


def _batch_rows(group: RowGroup, sizes: list[ColumnSize]) -> int:
    widest = sum(size.widest_page for size in sizes)
    mean_rows = _BATCH_BYTES * group.rows // max(sum(size.unpacked for size in sizes), 1)
    return max(1, min(_BATCH_ROWS, mean_rows, _MOST_BATCH_BYTES // max(widest, 1)))


def _rows(batch: Any) -> Iterator[dict[str, Any] | tuple[Trouble, str]]:
    """The rows of a batch as Python's objects, or why there are none of a row."""
    if _object_bytes(batch) <= _MOST_BATCH_BYTES:
        try:
            rows = batch.to_pylist()
        except _NO_OBJECTS:
            pass  # which of them it is, is seen below
        else:
            yield from rows
            return
    for index in range(len(batch)):
        row = batch.slice(index, 1)
        try:
            if _object_bytes(row) <= _MOST_BATCH_BYTES:
                yield row.to_pylist()[0]
            else:
                yield Trouble.TOO_LARGE, f"a row of more than {_MOST_BATCH_BYTES:,} bytes"
        except _NO_OBJECTS as error:
            yield Trouble.CORRUPT, f"a value that cannot be had ({error})"


def _object_bytes(batch: Any) -> int:
    """About what a batch takes as Python's objects; told without making them."""
    return sum(map(_column_object_bytes, batch.columns))


def _column_object_bytes(array: Any) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(array.dictionary).take(array.indices)
        return _OBJECT_BYTES * len(array) + (pc.sum(lengths).as_py() or 0)
    if pa.types.is_struct(kind):
        return _STRUCT_BYTES * len(array) + sum(map(_column_object_bytes, array.flatten()))
    if pa.types.is_map(kind):
        begin, end = array.offsets[0].as_py(), array.offsets[-1].as_py()
        parts = [part.slice(begin, end - begin) for part in (array.keys, array.items)]
        return _STRUCT_BYTES * len(array) + 2 * _OBJECT_BYTES * (end - begin) + sum(map(_column_object_bytes, parts))
    if isinstance(
        array, (pa.ListArray, pa.LargeListArray, pa.FixedSizeListArray, pa.ListViewArray, pa.LargeListViewArray)
    ):
        return _OBJECT_BYTES * len(array) + _column_object_bytes(array.flatten())
    return _OBJECT_BYTES * len(array) + array.nbytes


def _as_text(batch: Any) -> Any:
    """The batch with its columns of dates and times as text."""
    import pyarrow as pa

    for index, column in enumerate(batch.schema):
        if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
            batch = batch.set_column(index, column.name, batch.column(index).cast(pa.string()))
    return batch
