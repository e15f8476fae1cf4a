"""A batch of segmented pages as flat arrays: characters, segments, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage
from detector.features import characters as ch
from detector.features.tokens import Tokens, tokenize

HEAD_CHARS = 320
TAIL_CHARS = 120
"""What is looked at of a longer segment: enough to show what it is, and it bounds the cost."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages side by side. Segments are numbered through the batch; each has at least one token.

    Attributes:
        pages: The pages as segmented.
        offsets: (n_pages + 1,) int64; the segments of page i are `offsets[i]:offsets[i + 1]`.
        page_of: (n_segments,) int64, the page of each segment.
        starts: (n_segments,) int64, offset of each clipped segment into `codes`.
        lengths: (n_segments,) int64, characters of the whole segment. Ignorable ones do not count, except in the middle
            that is clipped.
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
        # A segment of characters without a class, of icons for example, gets a symbol, so that it has a token.
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
    """Replace the middle of long segments by one line break; the text, and the new starts, (n_segments,) int64."""
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
    """Remove ignorable characters, except a segment's first; the new codes, starts and lengths."""
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
