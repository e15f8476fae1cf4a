"""Where a segment stands: its place in the page, its distance to prose, its length beside its neighbours'.

What the neighbours are like, the model's networks see for themselves. Sums over stretches run in fixed-point integers:
they are exact, so the features of a page are the same to the bit whatever else is in the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.features.batch import Batch

POSITION_NAMES = (
    "position",
    "log_segments_before",
    "log_segments_after",
    "log_segments",
    "is_prose",
    "log_distance_to_prose_before",
    "log_distance_to_prose_after",
    "prose_chars_before",
    "prose_chars_after",
    "log_non_prose_run",
    "position_in_non_prose_run",
    "page_prose_ratio",
    "page_prose_char_ratio",
    "log_chars_to_page_mean",
    "log_chars_to_neighbours",
)

_UNIT = 1 << 20
"""Fixed-point steps in 1.0."""

PROSE_WORDS = 10
_NEAR = 4
"""Half-width of the stretch whose lengths a segment's is compared to."""

_POSITION_LOGS = [place for place, name in enumerate(POSITION_NAMES) if name.startswith("log_") and "_to_" not in name]
_POSITION_LOGS += [POSITION_NAMES.index(f"log_distance_to_prose_{side}") for side in ("before", "after")]


def _spans(first: NDArray[np.int64], last: NDArray[np.int64], reaches: tuple[int, ...]) -> NDArray[np.int64]:
    """The stretch of each reach around each segment, and the page.

    Args:
        first: (n_segments,) where each segment's page begins.
        last: (n_segments,) where it ends.
        reaches: Half-widths.

    Returns:
        (2, len(reaches) + 1, n_segments) int64, beginnings and ends.
    """
    spans = np.empty((2, len(reaches) + 1, len(first)), np.int64)
    index = np.arange(len(first))
    for row, reach in enumerate(reaches):
        np.maximum(index - reach, first, out=spans[0, row])
        np.minimum(index + (reach + 1), last, out=spans[1, row])
    spans[0, -1] = first
    spans[1, -1] = last
    return spans


def position_features(
    batch: Batch, words: NDArray[np.float64], sentences: NDArray[np.int64], log_chars: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Position in the page and relation to its prose; (len(POSITION_NAMES), n_segments) float64.

    Args:
        batch: The pages.
        words: (n_segments,) number of words.
        sentences: (n_segments,) number of sentences.
        log_chars: (n_segments,) log of the number of characters.
    """
    n = len(batch)
    sizes = batch.offsets[1:] - batch.offsets[:-1]
    first, last = batch.offsets[:-1].repeat(sizes), batch.offsets[1:].repeat(sizes)
    index = np.arange(n)
    size = last - first
    prose = (words >= PROSE_WORDS) & (sentences >= 1)

    sums = np.zeros((4, n + 1), np.int64)
    sums[0, 1:] = prose
    sums[1, 1:] = batch.lengths
    np.multiply(batch.lengths, prose, out=sums[2, 1:])
    sums[3, 1:] = np.rint(log_chars.astype(np.float64) * _UNIT)
    np.add.accumulate(sums, axis=1, out=sums)
    spans = _spans(first, last, (_NEAR,))
    at_first, at_last = sums.take(spans[0], axis=1), sums.take(spans[1], axis=1)
    totals = at_last - at_first
    mean_log_chars = totals[3] / ((spans[1] - spans[0]) * float(_UNIT))
    _, page_chars, page_prose_chars, _ = totals[:, 1]

    # The last prose segment up to each segment and the first from it on, by the number of prose segments before.
    where = np.concatenate(([-1], prose.nonzero()[0], [n]))
    previous, following = where.take(sums[0, 1:]), where.take(sums[0, :-1] + 1)
    previous_inside, following_inside = previous >= first, following < last
    run_start = np.where(previous_inside, previous + 1, first)
    run = np.where(following_inside, following, last) - run_start
    run *= ~prose
    share = 1.0 / np.maximum(page_prose_chars, 1)
    columns = np.empty((len(POSITION_NAMES), n))
    np.subtract(index, first, out=columns[1])
    np.divide(columns[1], size, out=columns[0])
    np.subtract(last - 1, index, out=columns[2])
    columns[3] = size
    columns[4] = prose
    columns[5] = np.where(previous_inside, index - previous, size)
    columns[6] = np.where(following_inside, following - index, size)
    np.multiply(sums[2, :-1] - at_first[2, 1], share, out=columns[7])
    np.multiply(at_last[2, 1] - sums[2, 1:], share, out=columns[8])
    columns[9] = run
    np.divide((index - run_start) * ~prose, np.maximum(run, 1), out=columns[10])
    np.divide(totals[0, 1], size, out=columns[11])
    np.divide(page_prose_chars, page_chars, out=columns[12])
    np.subtract(log_chars, mean_log_chars[::-1], out=columns[13:])
    columns[_POSITION_LOGS] = np.log1p(columns[_POSITION_LOGS])
    return columns
