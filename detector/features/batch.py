"""A batch of segmented pages as flat arrays: characters, segments, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage
from detector.features import characters as ch

HEAD_CHARS = 320
TAIL_CHARS = 120
"""A longer segment is seen through its head and tail: a paragraph shows what it is by then, and cost stays bounded."""

(
    LOWER_SHORT,
    LOWER_MEDIUM,
    LOWER_LONG,
    TITLE,
    CAPS,
    MIXED,
    INITIAL,
    CASELESS_SHORT,
    CASELESS_LONG,
    NUMBER_1,
    NUMBER_2,
    NUMBER_3,
    NUMBER_4,
    NUMBER_LONG,
    ALPHANUMERIC,
    IDEOGRAPH,
) = range(16)
"""Token shapes; a punctuation token's shape is 16 plus its character class."""
N_SHAPES = 16 + ch.N_CLASSES
LAST_WORD_SHAPE = IDEOGRAPH

_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, single characters of unspaced scripts, and single punctuation marks, in order.

    Attributes:
        hashes: (n_tokens,) uint64, hash of the lower-cased token with digits folded.
        shapes: (n_tokens,) int64, one of the token shapes.
        lengths: (n_tokens,) int64, in characters.
        starts: (n_tokens,) int64, offset into the batch's characters.
        segments: (n_tokens,) int64, the segment each token is in.
        offsets: (n_segments + 1,) int64; the tokens of segment i are `offsets[i]:offsets[i + 1]`.
        running: (n_chars + 1,) uint64, running sum from which the hash of any span follows; see `_span_hashes`.
    """

    hashes: NDArray[np.uint64]
    shapes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]
    segments: NDArray[np.int64]
    offsets: NDArray[np.int64]
    running: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages side by side; segments are numbered through the batch.

    Attributes:
        pages: The pages as segmented.
        offsets: (n_pages + 1,) int64; the segments of page i are `offsets[i]:offsets[i + 1]`.
        page_of: (n_segments,) int64.
        starts: (n_segments,) int64, offset of each clipped segment into `codes`.
        lengths: (n_segments,) int64, characters of the whole segment.
        codes: (n_chars,) uint32 code points of the clipped segments, apart from each other by at least one blank.
        classes: (n_chars,) uint8 character classes.
        tokens: The tokens of the clipped segments.
    """

    pages: Sequence[SegmentedPage]
    offsets: NDArray[np.int64]
    page_of: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    codes: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    tokens: Tokens

    def __len__(self) -> int:
        return len(self.lengths)


def build_batch(pages: Sequence[SegmentedPage]) -> Batch:
    """Lay the pages side by side and cut them into tokens."""
    counts = np.array([len(page) for page in pages], np.int64)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    sizes = np.array([len(page.text) + 1 for page in pages], np.int64)
    bases = np.repeat(np.cumsum(sizes) - sizes, counts)
    text = "\n".join([page.text for page in pages])
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    starts = np.concatenate([page.starts for page in pages] or [np.empty(0, np.int64)]) + bases
    ends = np.concatenate([page.ends for page in pages] or [np.empty(0, np.int64)]) + bases
    lengths = ends - starts
    codes, starts, ends = _clip(codes, starts, ends)
    classes = ch.class_table()[np.minimum(codes, 0x10000)]
    return Batch(
        pages=pages,
        offsets=offsets,
        page_of=np.repeat(np.arange(len(pages)), counts),
        starts=starts,
        lengths=lengths,
        codes=codes,
        classes=classes,
        tokens=tokenize(codes, classes, starts),
    )


def _clip(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Cut the middle out of long segments, leaving one blank in its place."""
    lengths = ends - starts
    excess = np.maximum(lengths - (HEAD_CHARS + TAIL_CHARS + 1), 0)
    long = np.flatnonzero(excess)
    if not len(long):
        return codes, starts, ends
    edges = np.zeros(len(codes) + 1, np.int8)
    edges[starts[long] + HEAD_CHARS + 1] = 1
    edges[ends[long] - TAIL_CHARS] = -1
    kept = np.cumsum(edges[:-1], dtype=np.int8) == 0
    codes = codes.copy()
    codes[starts[long] + HEAD_CHARS] = ord("\n")
    removed_before = np.cumsum(excess) - excess
    return codes[kept], starts - removed_before, ends - removed_before - excess


def tokenize(codes: NDArray[np.uint32], classes: NDArray[np.uint8], segment_starts: NDArray[np.int64]) -> Tokens:
    """Cut characters into tokens: runs of letters and digits, and every other visible character by itself.

    Args:
        codes: (n_chars,) uint32 code points; segments stand apart by blanks.
        classes: (n_chars,) uint8 character classes.
        segment_starts: (n_segments,) int64, ascending offsets into `codes`.
    """
    word = (classes >= ch.LOWER) & (classes <= ch.DIGIT)
    visible = classes != ch.SPACE
    joins = np.zeros(len(codes) + 1, bool)
    joins[1:-1] = word[1:] & word[:-1]
    starts = np.flatnonzero(visible & ~joins[:-1])
    lengths = np.flatnonzero(visible & ~joins[1:]) + 1 - starts
    offsets = np.concatenate((np.searchsorted(starts, segment_starts), [len(starts)]))
    running = _running_hash(ch.lower_table()[np.minimum(codes, 0x10000)])
    return Tokens(
        hashes=_span_hashes(running, starts, starts + lengths),
        shapes=_shapes(classes, starts, lengths),
        lengths=lengths,
        starts=starts,
        segments=np.repeat(np.arange(len(segment_starts)), np.diff(offsets)),
        offsets=offsets,
        running=running,
    )


def affix_hashes(tokens: Tokens, prefix: int, suffix: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The hashes of the first `prefix` and of the last `suffix` characters of each token, or of all it has."""
    ends = tokens.starts + tokens.lengths
    return (
        _span_hashes(tokens.running, tokens.starts, np.minimum(tokens.starts + prefix, ends)),
        _span_hashes(tokens.running, np.maximum(ends - suffix, tokens.starts), ends),
    )


@cache
def _powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers of the hash base and of its inverse, modulo 2^64."""
    factors = np.full(size, _BASE, np.uint64)
    inverses = np.full(size, _BASE_INVERSE, np.uint64)
    factors[0] = inverses[0] = 1
    return np.multiply.accumulate(factors), np.multiply.accumulate(inverses)


def _running_hash(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """The sum of code times base^position, modulo 2^64, before each character; (n_chars + 1,)."""
    powers, _ = _powers(_table_size(len(codes)))
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers[: len(codes)], out=sums[1:])
    return sums


def _span_hashes(running: NDArray[np.uint64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Polynomial hash of each span: (running[end] - running[start]) / base^start, modulo 2^64.

    The base is odd, so it has an inverse, and the hash does not depend on where in the batch the span stands.
    """
    _, inverses = _powers(_table_size(len(running) - 1))
    return mix((running[ends] - running[starts]) * inverses[starts])


def _table_size(n_chars: int) -> int:
    return 1 << max(16, n_chars.bit_length())


def pick(values: NDArray[Any], at: NDArray[np.int64]) -> NDArray[Any]:
    """`values[at]` with positions beyond the ends moved inside; zeros where there are no values at all."""
    if not len(values):
        return np.zeros(len(at), values.dtype)
    return values[np.clip(at, 0, len(values) - 1)]


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of a 64-bit hash (the finalizer of SplitMix64)."""
    mixed = hashes >> np.uint64(30)
    mixed ^= hashes
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT = 1, 2, 4, 8
_LENGTH_STEPS = 8


@cache
def _flag_table() -> NDArray[np.uint8]:
    """What each character class adds to a token's flags."""
    table = np.zeros(ch.N_CLASSES, np.uint8)
    table[[ch.LOWER, ch.UPPER, ch.LETTER, ch.DIGIT]] = (_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT)
    return table


@cache
def _shape_table() -> NDArray[np.int64]:
    """The shape for each first class, flags of the other characters, and length (7 stands for more)."""
    shapes = [
        _shape_of(first, rest, length)
        for first in range(ch.N_CLASSES)
        for rest in range(16)
        for length in range(_LENGTH_STEPS)
    ]
    return np.array(shapes)


def _shape_of(first: int, rest: int, length: int) -> int:
    """The shape of a token: case and length of words, number of digits, kind of mark."""
    if first == ch.UNSPACED:
        return IDEOGRAPH
    flags = rest | int(_flag_table()[first])
    if not flags:
        return 16 + first
    if flags == _HAS_DIGIT:
        return NUMBER_1 + max(min(length, 5), 1) - 1
    if flags & _HAS_DIGIT:
        return ALPHANUMERIC
    if first == ch.UPPER and not rest & _HAS_UPPER:
        return INITIAL if length == 1 else TITLE
    if flags & _HAS_UPPER:
        return CAPS if flags == _HAS_UPPER else MIXED
    if not flags & _HAS_LOWER:
        return CASELESS_LONG if length > 3 else CASELESS_SHORT
    return LOWER_SHORT + (length > 3) + (length > 6)


def _shapes(classes: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shape of each token, (n_tokens,) int64."""
    if not len(starts):
        return np.empty(0, np.int64)
    flags = _flag_table()[classes]
    flags[starts] = 0
    rest = np.bitwise_or.reduceat(flags, starts)
    key = (classes[starts].astype(np.int64) * 16 + rest) * _LENGTH_STEPS + np.minimum(lengths, _LENGTH_STEPS - 1)
    return _shape_table()[key]


@cache
def shape_hashes() -> NDArray[np.uint64]:
    """A 64-bit hash of each token shape; (N_SHAPES,) uint64."""
    return mix(np.arange(1, N_SHAPES + 1, dtype=np.uint64) * np.uint64(_BASE))


def shape_set(*shapes: int) -> NDArray[np.bool_]:
    """A table that says of each shape whether it is one of the given; (N_SHAPES + 1,), the last, for "none", False."""
    table = np.zeros(N_SHAPES + 1, bool)
    table[list(shapes)] = True
    return table
