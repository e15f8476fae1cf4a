"""Packed streams: .gz, .xz, .bz2 and .zst, read lazily whatever they hold, and written a frame at a time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from detector.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer

PACKINGS = (".gz", ".xz", ".bz2", ".zst")
WRITABLE = {"none": "", "gz": ".gz", "zst": ".zst"}
"""Packings whose frames can be appended to one another, by the name the command line gives them."""

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, MemoryError)
"""What reading a damaged stream raises: EOFError where it is cut off, the others where it is altered; MemoryError where an
.xz file of a few bytes asks for four gigabytes."""

MAGIC = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\0": ".xz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}

_STEP_BYTES = 1 << 20
"""About what one step of unpacking may give."""
_CHUNK_BYTES = (256, 1 << 16)
"""Least and most packed bytes taken in a step. A zstd stream can hold 128 KiB in four bytes, so the least is small."""


def packing_of(path: str | PurePath) -> str:
    """The suffix of a packed file, or "".

    >>> packing_of("a.warc.gz"), packing_of("a.jsonl")
    ('.gz', '')
    """
    suffix = PurePath(path).suffix.lower()
    return suffix if suffix in PACKINGS else ""


def sniff_packing(head: bytes) -> str:
    """The packing of a stream by its first bytes, or ""."""
    return next((packing for magic, packing in MAGIC.items() if head.startswith(magic)), "")


def unpack(raw: BinaryIO, packing: str) -> BinaryIO:
    """The content of a packed stream as a stream; members and frames that follow one another are read as one.

    Reading it raises one of `DAMAGE` where the stream is cut off or altered. Closing it leaves `raw` open.

    Args:
        raw: Where the packed bytes come from.
        packing: One of `PACKINGS`, or "" for a stream that is not packed.

    Raises:
        InputError: `.zst`, and zstandard is not installed.
    """
    if packing == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb"))
    if packing == ".xz":
        return cast(BinaryIO, lzma.LZMAFile(raw))
    if packing == ".bz2":
        return cast(BinaryIO, bz2.BZ2File(raw))
    if packing == ".zst":
        return io.BufferedReader(_ZstdFrames(raw))
    return raw


def pack(content: bytes, packing: str) -> bytes:
    """Bytes as one frame: frames one after the other unpack to their contents one after the other.

    >>> gzip.decompress(pack(b"a", ".gz") + pack(b"b", ".gz"))
    b'ab'

    Args:
        content: What to pack; nothing gives nothing.
        packing: A value of `WRITABLE`.
    """
    if not packing or not content:
        return content
    if packing == ".gz":
        return gzip.compress(content, 6, mtime=0)
    packed: bytes = zstandard().ZstdCompressor(level=3).compress(content)
    return packed


def zstandard() -> Any:
    """The library behind `.zst`.

    Raises:
        InputError: It is not installed.
    """
    return load_library("zstandard", ".zst needs zstandard")


def load_library(module: str, need: str) -> Any:
    """A module of the extra `run`.

    Args:
        module: Its full name.
        need: What to say of it where it is absent.

    Raises:
        InputError: It is not installed; the message has the line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(f"{need}; run: pip install 'link-farm-detector[run]'") from error


class _ZstdFrames(io.RawIOBase):
    """Every frame of a stream, one after the other.

    The library's own reader takes a stream that is cut off for one that ends, and its decompressor gives all that a
    chunk holds at once: chunks shrink here as the stream proves denser, so that no stream can fill the memory.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._library = zstandard()
        self._frame: Any = None
        self._packed = b""
        self._content = memoryview(b"")
        self._chunk = 1024
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go forward to an offset; back is not possible."""
        if whence != io.SEEK_SET or offset < self._offset:
            raise io.UnsupportedOperation("a zstd stream is only read forward")
        while self._offset < offset and self.readinto(bytearray(min(offset - self._offset, _STEP_BYTES))):
            pass
        return self._offset

    def readinto(self, buffer: Buffer) -> int:
        while not self._content and self._step():
            pass
        with memoryview(buffer) as view:
            size = min(len(self._content), len(view))
            view[:size] = self._content[:size]
        self._content = self._content[size:]
        self._offset += size
        return size

    def _step(self) -> bool:
        """Unpack one chunk; False at the end of the stream."""
        chunk, self._packed = self._packed[: self._chunk], self._packed[self._chunk :]
        if not chunk and not (chunk := self._raw.read(self._chunk)):
            if self._frame is not None:
                raise EOFError("the zstd stream is cut off")
            return False
        if self._frame is None:
            self._frame = self._library.ZstdDecompressor().decompressobj()
        try:
            content = self._frame.decompress(chunk)
        except self._library.ZstdError as error:
            raise OSError(str(error)) from error
        if self._frame.eof:
            self._packed = self._frame.unused_data + self._packed
            self._frame = None
        low, high = _CHUNK_BYTES
        self._chunk = min(max(_STEP_BYTES * len(chunk) // max(len(content), 1), low), high, self._chunk * 2)
        self._content = memoryview(content)
        return True
