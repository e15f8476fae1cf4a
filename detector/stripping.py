"""From labels to text: which segments stay, and the text they make."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage


def kept_texts(pages: Sequence[SegmentedPage], offsets: NDArray[np.int64], kept: NDArray[np.bool_]) -> list[str]:
    """The text of the kept segments of each page, in order.

    Segments that were neighbours keep what stood between them (blank lines, for example); a gap where something
    was removed becomes one newline.

    Args:
        pages: The pages.
        offsets: (n_pages + 1,) int64; the segments of page i are `offsets[i]:offsets[i + 1]`.
        kept: (n_segments,) bool.
    """
    opens, closes = kept.copy(), kept.copy()
    # Of booleans, "greater" is "and not": a run opens where the segment before it was removed.
    np.greater(kept[1:], kept[:-1], out=opens[1:])
    np.greater(kept[:-1], kept[1:], out=closes[:-1])
    seams = offsets[(offsets > 0) & (offsets < len(kept))]
    opens[seams] = kept[seams]
    closes[seams - 1] = kept[seams - 1]
    firsts, lasts = opens.nonzero()[0], closes.nonzero()[0]
    starts = np.concatenate([page.starts for page in pages])[firsts].tolist()
    ends = np.concatenate([page.ends for page in pages])[lasts].tolist()
    texts = []
    for page, (first, last) in zip(pages, pairwise(firsts.searchsorted(offsets).tolist()), strict=True):
        text = page.text
        texts.append("\n".join([text[s:e] for s, e in zip(starts[first:last], ends[first:last], strict=True)]))
    return texts
