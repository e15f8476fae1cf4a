"""A batch of segmented pages as flat arrays: characters, segments, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage
from detector.features import characters as ch
from detector.features.hashing import BASE, affixed_hashes, mix

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
NO_SHAPE = N_SHAPES
"""Stands for the shape of a token that there is not."""
N_TRIGRAMS = 1 << 15
LAST_WORD_SHAPE = IDEOGRAPH


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, single characters of unspaced scripts, and single punctuation marks, in order.

    Attributes:
        affixed: (3, n_tokens) uint64, hashes of the lower-cased token with digits folded: of all of it, of its first
            `PREFIX_CHARS` characters, and of its last `SUFFIX_CHARS`.
        shapes: (n_tokens,) int64, one of the token shapes.
        trigrams: (n_tokens,) int64, the shapes of the token and of the two after it, as `trigram` packs them.
        lengths: (n_tokens,) int64, in characters.
        starts: (n_tokens,) int64, offset into the batch's characters.
        segments: (n_tokens,) int64, the segment each token is in.
        offsets: (n_segments + 1,) int64; the tokens of segment i are `offsets[i]:offsets[i + 1]`.
    """

    affixed: NDArray[np.uint64]
    shapes: NDArray[np.int64]
    trigrams: NDArray[np.int64]
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]
    segments: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """(n_tokens,) uint64, hash of the lower-cased token with digits folded."""
        return self.affixed[0]

    @property
    def firsts(self) -> NDArray[np.int64]:
        """(n_segments,) int64, the first token of each segment."""
        return self.offsets[:-1]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages side by side; segments are numbered through the batch, and each has a token.

    Attributes:
        pages: The pages as segmented.
        offsets: (n_pages + 1,) int64; the segments of page i are `offsets[i]:offsets[i + 1]`.
        page_of: (n_segments,) int64.
        starts: (n_segments,) int64, offset of each clipped segment into `codes`.
        lengths: (n_segments,) int64, characters of the whole segment, without ignorable ones where it is not clipped.
        codes: (n_chars,) uint32 code points of the clipped segments, apart from each other by at least one blank.
        tokens: The tokens of the clipped segments.
    """

    pages: Sequence[SegmentedPage]
    offsets: NDArray[np.int64]
    page_of: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    codes: NDArray[np.uint32]
    tokens: Tokens

    def __len__(self) -> int:
        return len(self.lengths)


def build_batch(pages: Sequence[SegmentedPage]) -> Batch:
    """Lay the pages side by side and cut them into tokens."""
    counts = [len(page) for page in pages]
    offsets = np.array([0, *accumulate(counts)])
    bases = np.repeat([0, *accumulate(len(page.text) + 1 for page in pages)][:-1], counts)
    text = "\n".join([page.text for page in pages])
    starts = np.concatenate([page.starts for page in pages] or [np.empty(0, np.int64)]) + bases
    ends = np.concatenate([page.ends for page in pages] or [np.empty(0, np.int64)]) + bases
    lengths = ends - starts
    text, starts = _clip(text, starts, ends)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if not text.isascii():
        codes, starts, lengths = _without_ignorable(codes, starts, lengths)
    classes = ch.class_table().take(ch.places(codes))
    if len(starts):
        # Characters of no class, icon glyphs for example: one symbol, so that no sum is over nothing.
        classes[starts[np.maximum.reduceat(classes, starts) == ch.SPACE]] = ch.SYMBOL
    tokens = tokenize(codes, classes, starts)
    return Batch(
        pages=pages,
        offsets=offsets,
        page_of=np.repeat(np.arange(len(pages)), counts),
        starts=starts,
        lengths=lengths,
        codes=codes,
        tokens=tokens,
    )


def _clip(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
    """Cut the middle out of long segments, leaving one line break in its place; the text and the new starts."""
    lengths = ends - starts
    long = (lengths > HEAD_CHARS + TAIL_CHARS + 1).nonzero()[0]
    if not len(long):
        return text, starts
    pieces = []
    at = 0
    for start, end in zip((starts[long] + HEAD_CHARS).tolist(), (ends[long] - TAIL_CHARS).tolist(), strict=True):
        pieces.append(text[at:start])
        at = end
    pieces.append(text[at:])
    excess = np.maximum(lengths - (HEAD_CHARS + TAIL_CHARS + 1), 0)
    return "\n".join(pieces), starts - (np.cumsum(excess) - excess)


def _without_ignorable(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Take out the characters that show nothing, but for a segment's first: codes, starts and lengths without them."""
    if not len(starts):
        return codes, starts, lengths
    suspects = (codes >= ch.FIRST_IGNORABLE).nonzero()[0]
    places = suspects[ch.is_ignorable(codes.take(suspects))]
    places = places[starts.take(starts.searchsorted(places), mode="clip") != places]
    if not len(places):
        return codes, starts, lengths
    before = places.searchsorted(starts)
    inside = places.searchsorted(starts + np.minimum(lengths, HEAD_CHARS + TAIL_CHARS + 1)) - before
    return np.delete(codes, places), starts - before, lengths - inside


def token_bounds(classes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where tokens begin and end; each (n_tokens,) int64.

    Args:
        classes: (n_chars,) uint8 character classes.
    """
    word = in_words(classes)
    joins = np.zeros(len(classes) + 1, bool)
    np.logical_and(word[1:], word[:-1], out=joins[1:-1])
    visible = classes != ch.SPACE
    # Of booleans, "greater" is "and not".
    starts = (visible > joins[:-1]).nonzero()[0]
    ends = (visible > joins[1:]).nonzero()[0]
    ends += 1
    return starts, ends


def in_words(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether characters are letters of spaced scripts, or digits: one comparison, as what lies below LOWER wraps around."""
    return classes - np.uint8(ch.LOWER) <= ch.DIGIT - ch.LOWER


def tokenize(codes: NDArray[np.uint32], classes: NDArray[np.uint8], segment_starts: NDArray[np.int64]) -> Tokens:
    """Cut characters into tokens: runs of letters and digits, and every other visible character by itself.

    Args:
        codes: (n_chars,) uint32 code points; segments stand apart by blanks.
        classes: (n_chars,) uint8 character classes.
        segment_starts: (n_segments,) int64, ascending offsets into `codes`.
    """
    starts, ends = token_bounds(classes)
    lengths = ends - starts
    offsets = np.empty(len(segment_starts) + 1, np.int64)
    offsets[:-1] = starts.searchsorted(segment_starts)
    offsets[-1] = len(starts)
    shapes = _shapes(classes, starts, lengths)
    return Tokens(
        affixed=affixed_hashes(codes, starts, ends, segment_starts),
        shapes=shapes,
        trigrams=_trigrams(shapes, offsets),
        lengths=lengths,
        starts=starts,
        segments=np.arange(len(segment_starts)).repeat(offsets[1:] - offsets[:-1]),
        offsets=offsets,
    )


_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT = 1, 2, 4, 8
_LENGTH_STEPS = 8


_FLAGS = np.zeros(ch.N_CLASSES, np.int64)
"""What each character class adds to a token's flags."""
_FLAGS[[ch.LOWER, ch.UPPER, ch.LETTER, ch.DIGIT]] = (_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT)


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
    flags = rest | int(_FLAGS[first])
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
    # Few words are of more than one class after their first character: those change within.
    word = in_words(classes)
    changes = (classes[2:] != classes[1:-1]) & word[2:] & word[1:-1] & word[:-2]
    at = changes.nonzero()[0] + 2
    rest = _FLAGS.take(classes.take(starts + 1, mode="clip"))
    rest[lengths == 1] = 0
    np.bitwise_or.at(rest, starts.searchsorted(at, "right") - 1, _FLAGS.take(classes.take(at)))
    key = classes.take(starts).astype(np.int64)
    key *= 16
    key += rest
    key *= _LENGTH_STEPS
    key += np.minimum(lengths, _LENGTH_STEPS - 1)
    return _shape_table().take(key)


def _trigrams(shapes: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shape of each token and of the two after it in its segment, packed; (n_tokens,) int64."""
    if not len(shapes):
        return shapes
    following = np.empty((2, len(shapes)), np.int64)
    ends = offsets[1:] - 1
    for row, values in zip(following, (shapes, following[0]), strict=True):
        row[:-1] = values[1:]
        # The end of a segment without tokens is that of the one before it, or of them all.
        row[ends] = NO_SHAPE
    return trigram(shapes, following[0], following[1])


def trigram(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]) -> NDArray[np.int64]:
    """Three shapes, any of them `NO_SHAPE`, in one number below `N_TRIGRAMS`."""
    return (first << 10) + (second << 5) + third


@cache
def all_trigrams() -> NDArray[np.uint8]:
    """The three shapes of every trigram, (3, N_TRIGRAMS) uint8: what follows from shapes alone is a table over them."""
    packed = np.arange(N_TRIGRAMS)
    return np.stack((packed >> 10, (packed >> 5) & 31, packed & 31)).astype(np.uint8)


@cache
def shape_hashes() -> NDArray[np.uint64]:
    """A 64-bit hash of each token shape; (N_SHAPES,) uint64."""
    return mix(np.arange(1, N_SHAPES + 1, dtype=np.uint64) * np.uint64(BASE))


def shape_set(*shapes: int) -> NDArray[np.bool_]:
    """A table that says of each shape whether it is one of the given; (NO_SHAPE + 1,), the last False."""
    table = np.zeros(NO_SHAPE + 1, bool)
    table[list(shapes)] = True
    return table
