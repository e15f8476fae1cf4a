"""From labels to text: which segments stay, and the text they make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage


def kept_text(page: SegmentedPage, kept: NDArray[np.bool_]) -> str:
    """The text of the kept segments, in order.

    Segments that were neighbours keep what stood between them (blank lines, for example); a gap where something
    was removed becomes one newline.

    Args:
        page: The page.
        kept: (n_segments,) bool.
    """
    edges = np.diff(np.concatenate(([0], kept.astype(np.int8), [0])))
    firsts = np.flatnonzero(edges == 1)
    lasts = np.flatnonzero(edges == -1) - 1
    spans = zip(page.starts[firsts].tolist(), page.ends[lasts].tolist(), strict=True)
    return "\n".join([page.text[start:end] for start, end in spans])
