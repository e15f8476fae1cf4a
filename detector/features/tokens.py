"""Characters cut into tokens, with the hashes and shapes of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch
from detector.features import shapes as sh
from detector.features.hashing import affixed_hashes


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, single characters of unspaced scripts, and single punctuation marks, in order.

    Attributes:
        affixed: (3, n_tokens) uint64, hashes of the lower-cased token with digits folded: of all of it, of its first
            `PREFIX_CHARS` characters, and of its last `SUFFIX_CHARS`.
        shapes: (n_tokens,) int64, in 0..N_SHAPES - 1.
        trigrams: (n_tokens,) int64, the shapes of the token and of the two after it, as `shapes.trigram` packs them.
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
    shapes = sh.shapes_of(classes, starts, lengths)
    return Tokens(
        affixed=affixed_hashes(codes, starts, ends, segment_starts),
        shapes=shapes,
        trigrams=_trigrams(shapes, offsets),
        lengths=lengths,
        starts=starts,
        segments=np.arange(len(segment_starts)).repeat(offsets[1:] - offsets[:-1]),
        offsets=offsets,
    )


def token_bounds(classes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where tokens begin and end; each (n_tokens,) int64.

    Args:
        classes: (n_chars,) uint8 character classes.
    """
    word = ch.in_words(classes)
    joins = np.zeros(len(classes) + 1, bool)
    np.logical_and(word[1:], word[:-1], out=joins[1:-1])
    visible = classes != ch.SPACE
    # Of booleans, "greater" is "and not".
    starts = (visible > joins[:-1]).nonzero()[0]
    ends = (visible > joins[1:]).nonzero()[0]
    ends += 1
    return starts, ends


def _trigrams(shapes: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shape of each token and of the two after it in its segment, packed; (n_tokens,) int64."""
    if not len(shapes):
        return shapes
    following = np.empty((2, len(shapes)), np.int64)
    ends = offsets[1:] - 1
    for row, values in zip(following, (shapes, following[0]), strict=True):
        row[:-1] = values[1:]
        # A segment without tokens has the end of the one before it; the first has place -1, the end of them all.
        row[ends] = sh.NO_SHAPE
    return sh.trigram(shapes, following[0], following[1])
