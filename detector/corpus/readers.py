"""Sources to records, and records to work units: lazily, in one order, from any place on."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from detector.corpus.inputs import Source, sniff_form
from detector.corpus.packing import DAMAGE, packing_of, sniff_packing, unpack
from detector.corpus.parquet import read_parquet
from detector.corpus.records import Item, Position, Problem, Record, Skipped, Trouble, Unit
from detector.corpus.warc import read_warc
from detector.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNIT_RECORDS = 256
UNIT_BYTES = 2 << 20
"""A unit is full at this many bytes: some 50 ms of work, so that the workers end together and little is in memory."""

_DRAIN_BYTES = 1 << 20
_BOMB_FACTOR = 100
"""A line of a packed file this many times over the limit ends the reading of the file."""
_HEAD_BYTES = 512
_END_OF_SOURCE = -1
"""In place of a record's number: whoever reads on from here begins with the next source."""


def read_units(sources: Iterable[Source], start: Position, max_bytes: int) -> Iterator[Unit]:
    """Cut the records of all sources into units; where one ends depends on the input alone.

    Args:
        sources: In their order.
        start: The end of an earlier unit, or the beginning.
        max_bytes: Largest record to read.
    """
    unit, size, done_bytes = Unit(0), 0, 0
    for index, source in enumerate(sources):
        if index < start.source:
            done_bytes += source.size
            continue
        begin = start if index == start.source else Position(index)
        reader = _SourceReader(source, begin, max_bytes)
        for found, record, offset in reader:
            size += _add(unit, found)
            unit.end = Position(index + 1) if record == _END_OF_SOURCE else Position(index, record, offset)
            if size >= UNIT_BYTES or len(unit.records) + len(unit.problems) >= UNIT_RECORDS:
                unit.bytes_read = done_bytes + reader.bytes_read
                yield unit
                unit, size = Unit(unit.number + 1), 0
        done_bytes += source.size
        unit.end, unit.bytes_read = Position(index + 1), done_bytes
    if unit.end != Position():
        yield unit


def _add(unit: Unit, found: Record | Problem | Skipped) -> int:
    """Put what was read where it belongs; its size in bytes, roughly."""
    if isinstance(found, Record):
        unit.records.append(found)
        return len(found.content) + _size(found.fields)
    if isinstance(found, Problem):
        unit.problems.append(found)
    else:
        unit.skipped[found.reason] += 1
    return 0


def _size(value: object) -> int:
    """The bytes of a cell, roughly."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 8


class _SourceReader:
    """The records of one source; what cannot be read becomes a problem."""

    def __init__(self, source: Source, begin: Position, max_bytes: int) -> None:
        self.source = source
        self.begin = begin
        self.max_bytes = max_bytes
        self._raw: BinaryIO | None = None

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, packed as they are."""
        if self._raw is None or self._raw.closed:
            return self.source.size
        return self._raw.tell() if self._raw.seekable() else 0

    def __iter__(self) -> Iterator[Item]:
        begin, source = self.begin, self.source
        record = begin.record
        try:
            with self._open() as raw:
                self._raw = raw
                for item in self._items(raw):
                    # Readers that cannot begin in the middle are read again up to there.
                    if item.record > begin.record:
                        record = item.record
                        yield item
        except DAMAGE as error:
            cut_off = isinstance(error, EOFError)
            trouble = Trouble.TRUNCATED if cut_off else Trouble.CORRUPT if record else Trouble.UNREADABLE
            detail = f"cannot be read beyond record {record} ({getattr(error, 'strerror', None) or error})"
            yield Item(Problem(source.name, 0, trouble, detail), _END_OF_SOURCE)

    def _open(self) -> BinaryIO:
        if self.source.path is not None:
            return self.source.path.open("rb")
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return _forward(sys.stdin.buffer)

    def _items(self, raw: BinaryIO) -> Iterator[Item]:
        name, on_disk = self.source.name, self.source.path is not None
        packing = (packing_of(name) if on_disk else "") or sniff_packing(_peek(raw))
        content = unpack(raw, packing)
        form = self.source.form or sniff_form(_peek(content))
        if form == "warc":
            if not on_disk:
                content = _forward(content)
            # The library unpacks these by itself, and then knows where each packed record begins.
            by_itself = on_disk and packing in ("", ".gz", ".zst")
            return read_warc(raw if by_itself else content, name, self.max_bytes)
        if form == "parquet":
            return read_parquet(content, name, self.begin.record)
        if form == "page":
            return _read_page(content, name, self.max_bytes)
        return _read_lines(content, name, self.begin, self.max_bytes, bool(packing))


class _Forward(io.RawIOBase):
    """A stream that cannot be rewound but knows how far it is; pipes don't, and the WARC reader asks."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._offset = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def readinto(self, buffer: Buffer) -> int:
        with memoryview(buffer) as view:
            # What there is, rather than waiting for a whole buffer: the next page may take its time.
            content = cast(io.BufferedReader, self._stream).read1(len(view))
            view[: len(content)] = content
        self._offset += len(content)
        return len(content)


def _forward(stream: BinaryIO) -> BinaryIO:
    return io.BufferedReader(cast(io.RawIOBase, _Forward(stream)))


def _peek(stream: BinaryIO) -> bytes:
    return cast(io.BufferedReader, stream).peek(_HEAD_BYTES)[:_HEAD_BYTES]


def _read_page(content: BinaryIO, name: str, max_bytes: int) -> Iterator[Item]:
    page = content.read(max_bytes + 1)
    if len(page) > max_bytes:
        yield Item(Problem(name, 1, Trouble.TOO_LARGE, f"over {max_bytes:,} bytes"), 1)
    elif not page.strip():
        yield Item(Problem(name, 1, Trouble.EMPTY, "the file is empty"), 1)
    else:
        yield Item(Record(name, 1, "page", page), 1)


def _read_lines(content: BinaryIO, name: str, begin: Position, max_bytes: int, packed: bool) -> Iterator[Item]:
    """The lines of a file as records; a line that is too long is passed over without being held."""
    number, offset = begin.record, begin.offset
    if offset:
        content.seek(offset)
    while line := content.readline(max_bytes + 1):
        number += 1
        size = len(line)
        if size > max_bytes and not line.endswith(b"\n"):
            while rest := content.readline(_DRAIN_BYTES):
                size += len(rest)
                if rest.endswith(b"\n"):
                    break
                if packed and size > max_bytes * _BOMB_FACTOR:
                    raise OSError(f"line {number} unpacks to more than {size:,} bytes")
            offset += size
            yield Item(
                Problem(name, number, Trouble.TOO_LARGE, f"{size:,} bytes; at most {max_bytes:,} are read"),
                number,
                offset,
            )
            continue
        offset += size
        if not line.isspace():
            yield Item(Record(name, number, "jsonl", line), number, offset)


def check_readers(sources: Iterable[Source]) -> None:
    """Ask for the libraries that the sources need before the work begins.

    Raises:
        InputError: One is missing; the message has the line that installs it.
    """
    from detector.corpus.packing import zstandard
    from detector.corpus.parquet import pyarrow_parquet
    from detector.corpus.warc_pages import fastwarc

    asked: set[str] = set()
    needs = {"warc": fastwarc, "parquet": pyarrow_parquet, ".zst": zstandard}
    for source in sources:
        for key in (source.form, packing_of(source.name)):
            if key in needs and key not in asked:
                asked.add(key)
                try:
                    needs[key]()
                except InputError as error:
                    raise InputError(f"{source.name}: {error}") from error
