"""Frozen counts of signatures: sorted keys beside their counts, in memory or mapped from one file.

A file is a header of `HEADER_BYTES` (a magic number and one line of JSON), the keys (uint64, ascending) and the counts
(uint32), little-endian. Nothing in it is ever run. A table of key prefixes, made when the file is opened, leads to a
handful of neighbouring keys, so that a look-up costs a tenth of a binary search over the whole array; SQLite, LMDB and
DuckDB were measured and are at least twenty times slower (`docs/site-memory.md`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from detector.errors import SignatureError, UsageError
from detector.files import renamed_when_whole
from detector.signatures.keys import KIND_MASK, PRUNED, KeyKind, kinds_of

MAGIC = b"LFDSIGS\n"
HEADER_BYTES = 4096
FORMAT = 1
_KEY, _COUNT = np.dtype("<u8"), np.dtype("<u4")
MOST_COUNT = int(np.iinfo(_COUNT).max)

_KEYS_A_BUCKET = 4
_CHUNK = 1 << 20
"""Keys checked, digested or copied at a time."""

_MERGED_AT_A_TIME = 1 << 22
"""Keys merged in memory at a time: about 100 MB."""

Part = tuple[NDArray[np.uint64], NDArray[np.uint32]]


class SignatureStore:
    """On how many distinct pages each signature was found; immutable, and shared by threads.

    >>> store = SignatureStore(np.array([3, 7], np.uint64), np.array([1, 20], np.uint32), "a scheme")
    >>> store.lookup(np.array([7, 5], np.uint64)).tolist()
    [20, 0]

    Args:
        keys: (n,) uint64, strictly ascending.
        counts: (n,) uint32.
        scheme: Names the way the keys were made; stores of different schemes cannot be used together.

    Raises:
        UsageError: The arrays are not what is said above.
    """

    def __init__(self, keys: NDArray[np.uint64], counts: NDArray[np.uint32], scheme: str) -> None:
        if keys.dtype != _KEY or counts.dtype != _COUNT or keys.ndim != 1 or keys.shape != counts.shape:
            raise UsageError("a signature store takes as many uint64 keys as uint32 counts")
        if not _is_ascending(keys):
            raise UsageError("the keys of a signature store are in strictly ascending order")
        self.keys = keys.view()
        self.counts = counts.view()
        self.keys.flags.writeable = self.counts.flags.writeable = False
        self.scheme = scheme
        bits = max(1, (len(keys) // _KEYS_A_BUCKET).bit_length())
        self._shift = np.uint64(64 - bits)
        sizes = np.zeros(1 << bits, np.int64)
        for chunk in _chunks(keys):
            sizes += np.bincount((chunk >> self._shift).astype(np.int64), minlength=len(sizes))
        self._firsts = np.cumsum(sizes) - sizes
        self._steps = int(sizes.max()).bit_length()

    def __len__(self) -> int:
        return len(self.keys)

    def lookup(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The count of each key, 0 for one that is not there; an array of the same shape."""
        if not len(self.keys):
            return np.zeros(keys.shape, np.int64)
        at = self._firsts[keys >> self._shift]
        last = len(self.keys) - 1
        # A binary search of all queries side by side, within their buckets; a step too far meets a greater key.
        for power in reversed(range(self._steps)):
            step = 1 << power
            at += (self.keys[np.minimum(at + (step - 1), last)] < keys) * step
        at = np.minimum(at, last)
        return np.where(self.keys[at] == keys, self.counts[at], 0).astype(np.int64)

    def totals(self) -> dict[KeyKind, tuple[int, int]]:
        """For each kind the number of keys, and the sum of their counts."""
        keys = np.zeros(int(KIND_MASK) + 1, np.int64)
        pages = np.zeros_like(keys)
        for start in range(0, len(self.keys), _CHUNK):
            kinds = kinds_of(self.keys[start : start + _CHUNK])
            counts = self.counts[start : start + _CHUNK].astype(np.int64)
            np.add.at(keys, kinds, 1)
            np.add.at(pages, kinds, counts)
        return {kind: (int(keys[kind]), int(pages[kind])) for kind in KeyKind}

    def save(self, path: Path) -> None:
        """Write the store to a file, whole or not at all.

        Raises:
            SignatureError: The file cannot be written.
        """
        _write(path, iter([(self.keys, self.counts)]), self.scheme)

    @classmethod
    def open(cls, path: Path, scheme: str) -> SignatureStore:
        """Map a file into memory, after checking all of it.

        Args:
            path: A file written by `save` or `merge_to_file`.
            scheme: The scheme its keys must be of.

        Raises:
            SignatureError: The file is missing, cut short, damaged, or of another scheme; the message says which.
        """
        try:
            header = _read_header(path)
            if header["scheme"] != scheme:
                raise SignatureError(
                    f"{path}: its signatures were made by another version of this package; build it again"
                )
            size: int = header["signatures"]
            if path.stat().st_size != HEADER_BYTES + size * (_KEY.itemsize + _COUNT.itemsize):
                raise SignatureError(f"{path}: cut short, or longer than its header says; build it again")
            if not size:
                return cls(np.empty(0, _KEY), np.empty(0, _COUNT), scheme)
            keys = np.memmap(path, _KEY, "r", HEADER_BYTES, (size,))
            counts = np.memmap(path, _COUNT, "r", HEADER_BYTES + keys.nbytes, (size,))
        except OSError as error:
            raise SignatureError(f"{path}: cannot be read ({error.strerror}); name a signature file") from error
        if _digest(scheme, [keys, counts]) != header["sha256"]:
            raise SignatureError(f"{path}: damaged or altered since it was written; build it again")
        try:
            # Indexing a plain view of the map is several times faster than indexing the memmap object.
            return cls(keys.view(np.ndarray), counts.view(np.ndarray), scheme)
        except UsageError as error:
            raise SignatureError(f"{path}: {error}; build it again") from error

    @staticmethod
    def digest_of(path: Path) -> str:
        """The digest of a file's content, as its header gives it; `open` checks that the content is so.

        Raises:
            SignatureError: The file is missing or no signature file.
        """
        try:
            digest: str = _read_header(path)["sha256"]
        except OSError as error:
            raise SignatureError(f"{path}: cannot be read ({error.strerror}); name a signature file") from error
        return digest

    @classmethod
    def merge(cls, stores: Sequence[SignatureStore], min_pages: int = 1) -> SignatureStore:
        """The sum of stores of one scheme, in memory; arguments as for `merge_to_file`."""
        parts = list(_merged(stores, min_pages))
        keys = np.concatenate([part[0] for part in parts] or [np.empty(0, _KEY)])
        counts = np.concatenate([part[1] for part in parts] or [np.empty(0, _COUNT)])
        return cls(keys, counts, stores[0].scheme)


def merge_to_file(stores: Sequence[SignatureStore], path: Path, min_pages: int = 1) -> None:
    """Write the sum of stores, in flat memory whatever their size.

    The order of the stores does not matter, and the file is the same to the byte.

    Args:
        stores: At least one, all of one scheme. They should be of different pages: a page in two of them counts twice
            (but is taken out of its own counts as often).
        path: The file to write.
        min_pages: Forget lines found on fewer pages; 2 makes a file several times smaller, at the cost that a line
            of a new page that stands on one other page looks unique. Not to be merged further.

    Raises:
        UsageError: No stores, stores of different schemes, or `min_pages` below 1.
        SignatureError: The file cannot be written.
    """
    parts = _merged(stores, min_pages)
    _write(path, parts, stores[0].scheme)


def _merged(stores: Sequence[SignatureStore], min_pages: int) -> Iterator[Part]:
    """The merged keys and counts, one range of keys after the other."""
    if not stores:
        raise UsageError("nothing to merge: give at least one signature store")
    if len({store.scheme for store in stores}) > 1:
        raise UsageError("signature stores made in different ways cannot be merged; build them again")
    if min_pages < 1:
        raise UsageError(f"min_pages is {min_pages}; give 1 (keep all) or more")
    return _merged_ranges(stores, min_pages)


def _merged_ranges(stores: Sequence[SignatureStore], min_pages: int) -> Iterator[Part]:
    ranges = -(-sum(map(len, stores)) // _MERGED_AT_A_TIME)
    edges = np.array([(number << 64) // max(ranges, 1) for number in range(1, ranges)], np.uint64)
    cuts = [[0, *np.searchsorted(store.keys, edges).tolist(), len(store)] for store in stores]
    for number in range(ranges):
        slices = [slice(cut[number], cut[number + 1]) for cut in cuts]
        keys = np.concatenate([store.keys[part] for store, part in zip(stores, slices, strict=True)])
        counts = np.concatenate([store.counts[part] for store, part in zip(stores, slices, strict=True)])
        order = np.argsort(keys, kind="stable")
        keys, firsts = np.unique(keys[order], return_index=True)
        if not len(keys):
            continue
        summed = np.minimum(np.add.reduceat(counts[order].astype(np.int64), firsts), MOST_COUNT).astype(_COUNT)
        kept = (summed >= min_pages) | ~np.isin(kinds_of(keys), [int(kind) for kind in PRUNED])
        yield keys[kept], summed[kept]


def _write(path: Path, parts: Iterator[Part], scheme: str) -> None:
    """Keys go to the file and counts to another, which is then appended; the header is written last."""
    # Imported here because a process that only looks up starts sooner without them.
    import shutil
    import tempfile

    try:
        with (
            renamed_when_whole(path) as temporary,
            temporary.open("w+b") as stream,
            tempfile.TemporaryFile(dir=path.parent) as tail,
        ):
            stream.write(b" " * HEADER_BYTES)
            digest, size = _start_digest(scheme), 0
            for keys, counts in parts:
                size += len(keys)
                for chunk in _chunks(keys):
                    digest.update(chunk.tobytes())
                    stream.write(chunk.tobytes())
                counts.tofile(tail)
            tail.seek(0)
            digest = _update_from(digest, tail)
            tail.seek(0)
            shutil.copyfileobj(tail, stream)
            header = {"format": FORMAT, "scheme": scheme, "signatures": size, "sha256": digest.hexdigest()}
            line = MAGIC + json.dumps(header).encode()
            stream.seek(0)
            stream.write(line.ljust(HEADER_BYTES - 1) + b"\n")
    except OSError as error:
        raise SignatureError(
            f"{path}: cannot be written ({error.strerror}); make room, or name another file"
        ) from error


def _read_header(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        raise SignatureError(f"{path}: not a signature file; make one with 'detector signatures build'")
    try:
        header = json.loads(head[len(MAGIC) :])
    except (ValueError, RecursionError) as error:
        raise SignatureError(f"{path}: damaged header ({error}); build it again") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SignatureError(f"{path}: of a format that this version does not read; build it again")
    size = header.get("signatures")
    named = isinstance(header.get("scheme"), str) and isinstance(header.get("sha256"), str)
    if not named or type(size) is not int or not 0 <= size < 1 << 48:
        raise SignatureError(f"{path}: damaged header; build it again")
    return header


def _start_digest(scheme: str) -> hashlib._Hash:
    return hashlib.sha256(f"{FORMAT} {scheme}\n".encode())


def _digest(scheme: str, arrays: Iterable[NDArray[Any]]) -> str:
    digest = _start_digest(scheme)
    for array in arrays:
        for chunk in _chunks(array):
            digest.update(chunk.tobytes())
    return digest.hexdigest()


def _update_from(digest: hashlib._Hash, stream: BinaryIO) -> hashlib._Hash:
    while block := stream.read(_CHUNK):
        digest.update(block)
    return digest


def _chunks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(array), _CHUNK):
        yield array[start : start + _CHUNK]


def _is_ascending(keys: NDArray[np.uint64]) -> bool:
    # Chunks share their border key, so that the step across it is looked at as well.
    return all(
        bool((part[1:] > part[:-1]).all()) for part in (keys[i : i + _CHUNK + 1] for i in range(0, len(keys), _CHUNK))
    )
