"""Where a segment stands: its place in the page, its distance to prose, its length beside its neighbours'.

The model's networks see for themselves what the neighbours are like. Running sums are taken of fixed-point integers:
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

_AT = {name: place for place, name in enumerate(POSITION_NAMES)}
_LOGS = [
    _AT[name]
    for name in (
        "log_segments_before",
        "log_segments_after",
        "log_segments",
        "log_distance_to_prose_before",
        "log_distance_to_prose_after",
        "log_non_prose_run",
    )
]
_TO_MEANS = slice(_AT["log_chars_to_page_mean"], _AT["log_chars_to_neighbours"] + 1)

PROSE_WORDS = 10
"""Words from which a segment with the end of a sentence in it is prose."""

_NEIGHBOURS = 4
"""Segments on each side that a segment's length is compared to."""

_UNIT = 1 << 20
"""Fixed-point steps in 1.0."""


def position_features(
    batch: Batch, words: NDArray[np.float64], sentences: NDArray[np.int64], log_chars: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Position in the page and relation to its prose; (len(POSITION_NAMES), n_segments) float64.

    Args:
        batch: The pages, at least one segment.
        words: (n_segments,) number of words.
        sentences: (n_segments,) number of sentences.
        log_chars: (n_segments,) natural logarithm of one more than the number of characters.
    """
    n = len(batch)
    sizes = batch.offsets[1:] - batch.offsets[:-1]
    first, end = batch.offsets[:-1].repeat(sizes), batch.offsets[1:].repeat(sizes)
    index = np.arange(n)
    size = end - first
    prose = (words >= PROSE_WORDS) & (sentences >= 1)

    # Of the segments before each: how many are prose, their characters, those of prose, and their logarithms.
    before = np.zeros((4, n + 1), np.int64)
    before[0, 1:] = prose
    before[1, 1:] = batch.lengths
    np.multiply(batch.lengths, prose, out=before[2, 1:])
    before[3, 1:] = np.rint(log_chars.astype(np.float64) * _UNIT)
    np.add.accumulate(before, axis=1, out=before)
    prose_before, _, prose_chars_before, _ = before

    firsts, ends = _page_and_neighbours(index, first, end)
    at_firsts, at_ends = before.take(firsts, axis=1), before.take(ends, axis=1)
    page_prose, page_chars, page_prose_chars, _ = (at_ends - at_firsts)[:, 0]
    mean_log_chars = (at_ends[3] - at_firsts[3]) / ((ends - firsts) * float(_UNIT))

    # The last prose segment up to each segment and the first from it on, by the number of prose segments before.
    where = np.concatenate(([-1], prose.nonzero()[0], [n]))
    previous, following = where.take(prose_before[1:]), where.take(prose_before[:-1] + 1)
    previous_inside, following_inside = previous >= first, following < end
    run_start = np.where(previous_inside, previous + 1, first)
    run = np.where(following_inside, following, end) - run_start
    run *= ~prose

    share = 1.0 / np.maximum(page_prose_chars, 1)
    columns = np.empty((len(POSITION_NAMES), n))
    columns[_AT["log_segments_before"]] = index - first
    columns[_AT["position"]] = columns[_AT["log_segments_before"]] / size
    columns[_AT["log_segments_after"]] = end - 1 - index
    columns[_AT["log_segments"]] = size
    columns[_AT["is_prose"]] = prose
    columns[_AT["log_distance_to_prose_before"]] = np.where(previous_inside, index - previous, size)
    columns[_AT["log_distance_to_prose_after"]] = np.where(following_inside, following - index, size)
    columns[_AT["prose_chars_before"]] = (prose_chars_before[:-1] - at_firsts[2, 0]) * share
    columns[_AT["prose_chars_after"]] = (at_ends[2, 0] - prose_chars_before[1:]) * share
    columns[_AT["log_non_prose_run"]] = run
    columns[_AT["position_in_non_prose_run"]] = (index - run_start) * ~prose / np.maximum(run, 1)
    columns[_AT["page_prose_ratio"]] = page_prose / size
    columns[_AT["page_prose_char_ratio"]] = page_prose_chars / page_chars
    np.subtract(log_chars, mean_log_chars, out=columns[_TO_MEANS])
    columns[_LOGS] = np.log1p(columns[_LOGS])
    return columns


def _page_and_neighbours(
    index: NDArray[np.int64], first: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where two stretches around each segment begin and end: its page, and its neighbours; (2, n_segments) int64 each.

    Args:
        index: (n_segments,) int64, the segment.
        first: (n_segments,) int64, the first segment of its page.
        end: (n_segments,) int64, one past the last segment of its page.
    """
    firsts, ends = np.empty((2, 2, len(index)), np.int64)
    firsts[0], ends[0] = first, end
    np.maximum(index - _NEIGHBOURS, first, out=firsts[1])
    np.minimum(index + (_NEIGHBOURS + 1), end, out=ends[1])
    return firsts, ends
