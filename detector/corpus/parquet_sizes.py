"""How much a Parquet file may unpack to, by the headers of its pages.

Arrow goes by these, too. The footer sums them up, and may lie: a list of a billion values takes a kilobyte, and a footer that
calls it one value is believed. The footer is read here as well, because Arrow's own view of a damaged one ends the process.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, NamedTuple

from detector.corpus.thrift import Wanted, read_struct

_CHUNK: Wanted = {5: None, 7: None, 9: None, 11: None}
"""Of a column in a row group: its values, its bytes in the file, where its first page of values is, and its dictionary."""
_FOOTER: Wanted = {2: [{5: None}], 4: [{1: [{3: _CHUNK}], 3: None}]}
"""Of the file: its schema, and of each element how many children it has; its row groups, their columns and rows."""
_PAGE: Wanted = {1: None, 2: None, 3: None, 5: {1: None, 2: None}, 8: {1: None, 4: None}}
"""Of a page: its type, its bytes unpacked and packed, and of data pages of either version how many values they have, and
their encoding."""
_DATA = {0: (5, 2), 3: (8, 4)}
"""Where number and encoding of the values stand, by the type of the page; pages of other types have none that count."""
_DELTAS = {6, 7}
"""Encodings of text that Arrow cannot read as a dictionary."""

_TAIL_BYTES = 8
_MAGIC = b"PAR1"
_DEEPEST = 100
"""Before 26.0, Arrow's stack overflows on deep schemas; from then on it refuses them at this depth."""


class Chunk(NamedTuple):
    """A column in a row group, as the footer has it.

    Attributes:
        begin: Offset of its first page.
        packed: Bytes of its pages in the file.
        values: Of all rows.
    """

    begin: int
    packed: int
    values: int


class RowGroup(NamedTuple):
    """Rows whose columns stand together.

    Attributes:
        rows: How many.
        chunks: A column each.
    """

    rows: int
    chunks: list[Chunk]


class ColumnSize(NamedTuple):
    """How large a column in a row group is.

    Attributes:
        values: Of all rows; lists count as often as they have values, and once if they have none.
        widest_page: Bytes of the largest page, unpacked; no value is larger.
        unpacked: Bytes of all pages.
        packed: Bytes of all pages in the file.
        has_deltas: Some of its text says how it differs from the one before.
    """

    values: int
    widest_page: int
    unpacked: int
    packed: int
    has_deltas: bool


def read_footer(stream: BinaryIO) -> list[RowGroup]:
    """The row groups of a file.

    Raises:
        ValueError: It is no Parquet file, its footer is damaged, or its schema nested too deeply for Arrow to open it.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(size - _TAIL_BYTES, 0))
    footer_bytes = int.from_bytes(stream.read(4), "little")
    if stream.read(4) != _MAGIC or footer_bytes > size - _TAIL_BYTES:
        raise ValueError("it does not end as one")
    stream.seek(size - _TAIL_BYTES - footer_bytes)
    footer = read_struct(io.BytesIO(stream.read(footer_bytes)), _FOOTER)
    _check_depth([element.get(5, 0) for element in footer.get(2, [])])
    return [
        RowGroup(group.get(3, 0), [_chunk(column.get(3, {})) for column in group.get(1, [])])
        for group in footer.get(4, [])
    ]


def _check_depth(children: list[int]) -> None:
    """Refuse a schema by the numbers of children of its elements, which stand in depth-first order."""
    to_come: list[int] = []
    for number in children:
        while to_come and to_come[-1] == 0:
            to_come.pop()
        if to_come:
            to_come[-1] -= 1
        to_come.append(number)
        if len(to_come) > _DEEPEST:
            raise ValueError(f"the schema is nested more than {_DEEPEST} levels deep")


def _chunk(column: dict[int, Any]) -> Chunk:
    values, packed, data, dictionary = (column.get(number, 0) for number in _CHUNK)
    return Chunk(dictionary if 0 < dictionary < data else data, packed, values)


def column_size(stream: BinaryIO, chunk: Chunk) -> ColumnSize:
    """Add up the pages of a column in a row group; none of them is unpacked.

    Raises:
        ValueError: The header of a page is damaged.
        OSError: The file cannot be read.
    """
    at, end = chunk.begin, chunk.begin + chunk.packed
    values = widest = unpacked = packed = 0
    has_deltas = False
    # Arrow goes by the values, and some writers say too few bytes; whatever either makes of the other is counted.
    while at < end or values < chunk.values:
        stream.seek(at)
        page = read_struct(stream, _PAGE)
        sizes = page.get(2, -1), page.get(3, -1)
        number = 0
        if page.get(1) in _DATA:
            header, encoding = _DATA[page[1]]
            number = page.get(header, {}).get(1, -1)
            has_deltas |= page.get(header, {}).get(encoding) in _DELTAS
        if not all(0 <= count < 1 << 31 for count in (*sizes, number)):
            raise ValueError("damaged header: a page of impossible size")
        at = stream.tell() + sizes[1]
        values += number
        widest = max(widest, *sizes)
        unpacked += max(sizes)
        packed += sizes[1]
    return ColumnSize(values, widest, unpacked, packed, has_deltas)
