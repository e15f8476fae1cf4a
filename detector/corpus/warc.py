"""WARC and WET files: their records, and where to go on after damage."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from detector.corpus.packing import DAMAGE
from detector.corpus.records import Item, Problem, Record, Skipped, Trouble
from detector.corpus.warc_pages import address_of, fastwarc

_SCAN_BYTES = 1 << 20
_GZIP_MEMBER = b"\x1f\x8b\x08"
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
_PLAIN_RECORD = b"WARC/1."
_BOMB_FACTOR = 100
"""A record this many times over the limit is not read to its end; reading goes on at the next one."""

_PAGE_TYPES = ("response", "conversion", "resource")
_OF_THE_CRAWLER = "metadata:"
"""How addresses begin under which wget writes down its own log and arguments."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A record: where it begins, its header, its block, or None if that is over the limit."""

    position: int
    header: dict[str, str]
    block: bytes | None

    @property
    def content_length(self) -> int:
        """Bytes of the block, as the header has it; -1 if it has no number."""
        length = self.header.get("content-length", "")
        return int(length) if length.isdecimal() and len(length) < 20 else -1


@dataclass(frozen=True, slots=True)
class _Broken:
    """Where reading came to grief: in the record that begins at `position`, or somewhere behind it if None."""

    position: int | None
    reason: str


def read_warc(raw: BinaryIO, name: str, max_bytes: int) -> Iterator[Item]:
    """The records of a WARC file, packed by record or not.

    After damage reading goes on at the next record that can be found, if the stream can be rewound.

    Args:
        raw: The file as it is on disk.
        name: Of the source.
        max_bytes: Largest block to read.
    """
    for number, found in enumerate(_records_and_damage(raw, max_bytes), 1):
        if isinstance(found, _Found):
            yield Item(_classified(found, name, number, max_bytes), number)
        else:
            yield Item(Problem(name, number, *found), number)


def _records_and_damage(raw: BinaryIO, max_bytes: int) -> Iterator[_Found | tuple[Trouble, str]]:
    """The sound records of a file, and what is wrong between them."""
    begin: int | None = 0
    search = _Search(raw, max_bytes)
    lenient = raw.seekable() and _needs_leniency(raw, max_bytes)
    while begin is not None:
        # A record is held back until it is known whether the damage behind it began inside it.
        held: _Found | None = None
        broken: _Broken | None = None
        for step in _scan(raw, begin, max_bytes, lenient):
            if isinstance(step, _Broken):
                broken = step
                break
            if held is not None:
                yield held
            held = step
        last = held.position if held else begin
        if broken is None:
            if held is not None:
                yield held
            if raw.seekable() and not _ends_whole(raw, last):
                yield Trouble.TRUNCATED, "the last gzip member is cut off"
            return
        begin = search.next_record((last if broken.position is None else broken.position) + 1)
        if held is not None and (broken.position is not None or _is_whole(raw, held, begin)):
            yield held
        elif held is not None and not search.may_waste(held.content_length):
            begin = None
        after = "nothing more could be read" if begin is None else f"reading went on at byte {begin}"
        cut_off = begin is None and broken.position is not None
        yield Trouble.TRUNCATED if cut_off else Trouble.CORRUPT, f"{broken.reason}; {after}"


def _is_whole(raw: BinaryIO, found: _Found, following: int | None) -> bool:
    """Whether the record before the damage is sound; if its length lies, it is the damage itself.

    A gzip member must end with the record. In a plain file the next record must not begin inside the block.
    """
    if not raw.seekable() or found.block is None:
        return True
    raw.seek(found.position)
    packed = raw.read(_SCAN_BYTES)
    if not packed.startswith(_GZIP_MEMBER):
        return following is None or following >= found.position + found.content_length
    member, content = zlib.decompressobj(wbits=31), b""
    while packed and not member.eof and len(content) <= len(found.block) + _SCAN_BYTES:
        content += member.decompress(packed, _SCAN_BYTES)
        packed = member.unconsumed_tail or raw.read(_SCAN_BYTES)
    return content.rstrip(b"\r\n").endswith(found.block.rstrip(b"\r\n"))


def _needs_leniency(raw: BinaryIO, max_bytes: int) -> bool:
    """Whether the first record is only read leniently, as where somebody turned CRLF into LF.

    Not for every file: the lenient reader passes over damage without a word.
    """
    strict, lenient = (next(_scan(raw, 0, max_bytes, mode), None) for mode in (False, True))
    return isinstance(strict, _Broken) and isinstance(lenient, _Found)


def _scan(
    raw: BinaryIO, begin: int, max_bytes: int, lenient: bool = False, size: int | None = None
) -> Iterator[_Found | _Broken]:
    """Records from a place on; at most one `_Broken`, the last.

    Args:
        raw: The file as it is on disk.
        begin: In bytes.
        max_bytes: Largest block to read.
        lenient: Whether line ends may be those of other systems.
        size: Of a plain file, in bytes, so that a block that would end behind it is not read; or None.
    """
    library = fastwarc()
    if raw.seekable():
        raw.seek(begin)
    position: int | None = None
    try:
        for record in library.ArchiveIterator(raw, parse_http=False, quirks_mode=lenient, fsspec_args=False):
            position = record.stream_pos
            found = _Found(position, {key.lower(): value for key, value in record.headers.items()}, None)
            length = found.content_length
            if length < 0:
                yield _Broken(position, "a record without a length")
                return
            if length > max_bytes * _BOMB_FACTOR:
                yield _Broken(position, f"a record that claims {length:,} bytes")
                return
            if size is not None and position + length > size:
                yield _Broken(position, f"a record that claims {length:,} bytes, more than are left")
                return
            block = record.reader.read(length) if length <= max_bytes else None
            found_bytes = len(block) if block is not None else record.reader.consume()
            if found_bytes < length:
                yield _Broken(position, f"a record of {found_bytes:,} bytes that claims {length:,}")
                return
            position = None
            yield _Found(found.position, found.header, block)
    except DAMAGE as error:
        yield _Broken(position, str(error))
    except BaseException as error:
        # A panic of the library's native code does not derive from Exception, and has no public name to catch it by.
        if type(error).__name__ != "PanicException":
            raise
        yield _Broken(position, "the WARC reader gave up on it")


class _Search:
    """Where reading can go on behind damage: what looks like the beginning of a record is tried until one can be read.

    Args:
        raw: The file as it is on disk.
        max_bytes: Largest block to read.
    """

    MOST_TRIED_BYTES = 1 << 30
    """Packed bytes read in vain in a whole file until the search is given up: beginnings without end are made up in no time."""

    def __init__(self, raw: BinaryIO, max_bytes: int) -> None:
        self._raw = raw
        self._max_bytes = max_bytes
        self._left = self.MOST_TRIED_BYTES
        self._mark, self._size = _PLAIN_RECORD, 0
        if raw.seekable():
            self._size = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            head = raw.read(4)
            packed = (mark for mark in (_GZIP_MEMBER, _ZSTD_FRAME) if head.startswith(mark[:2]))
            self._mark = next(packed, _PLAIN_RECORD)

    def next_record(self, begin: int) -> int | None:
        """Where the next readable record begins."""
        if not self._raw.seekable():
            return None
        room = self._size if self._mark == _PLAIN_RECORD else None
        for place in _occurrences(self._raw, self._mark, begin):
            if isinstance(next(_scan(self._raw, place, self._max_bytes, size=room), None), _Found):
                return place
            if not self.may_waste(self._raw.tell() - place):
                return None
        return None

    def may_waste(self, size: int) -> bool:
        """Whether so many bytes may have been read in vain, beside all those before."""
        self._left -= size
        return self._left >= 0


def _occurrences(raw: BinaryIO, mark: bytes, begin: int) -> Iterator[int]:
    """Offsets of a byte string, from a place on."""
    base, window = begin, b""
    while True:
        raw.seek(base + len(window))
        chunk = raw.read(_SCAN_BYTES)
        if not chunk:
            return
        window += chunk
        place = window.find(mark)
        while place >= 0:
            yield base + place
            place = window.find(mark, place + 1)
        keep = len(mark) - 1
        base, window = base + len(window) - keep, window[-keep:]


def _ends_whole(raw: BinaryIO, position: int) -> bool:
    """Whether the gzip members from a record to the end of the file are all complete."""
    raw.seek(position)
    member: Any = None
    packed = raw.read(_SCAN_BYTES)
    if not packed.startswith(_GZIP_MEMBER):
        return True
    while packed:
        if member is None:
            if not packed.startswith(_GZIP_MEMBER[: len(packed)]):
                return True
            member = zlib.decompressobj(wbits=31)
        try:
            member.decompress(packed, _SCAN_BYTES)
        except zlib.error:
            return False
        packed = member.unused_data if member.eof else member.unconsumed_tail
        member = None if member.eof else member
        packed = packed or raw.read(_SCAN_BYTES)
    return member is None


def _classified(found: _Found, name: str, number: int, max_bytes: int) -> Record | Problem | Skipped:
    """What a record is: a page, something else on purpose, or a problem."""
    header = found.header
    kind = header.get("warc-type", "").lower()
    if kind not in _PAGE_TYPES:
        return Skipped(f"WARC {kind or 'record without a type'}")
    url = address_of(header)
    if url is not None and url.startswith(_OF_THE_CRAWLER):
        return Skipped("WARC metadata of the crawler")
    if found.block is None:
        detail = f"{found.content_length:,} bytes; at most {max_bytes:,} are read"
        return Problem(name, number, Trouble.TOO_LARGE, detail, url)
    return Record(name, number, "warc", found.block, header)
