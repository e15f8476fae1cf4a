"""Where a segment stands: its neighbours, the stretch around it, its distance to prose, and the page as a whole.

Neighbours matter most (dragnet, boilerpipe and jusText all found so). Sums over stretches run in fixed-point
integers: they are exact, so the features of a page are the same to the bit whatever else is in the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.features.batch import Batch

STEPS = (-2, -1, 1, 2)
REACHES = (3, 10)
"""Half-widths, in segments, of the stretches averaged over."""

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


def context_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns `context_features` makes from the given ones."""
    shifted = tuple(f"{name}[{step:+d}]" for step in STEPS for name in names)
    averaged = tuple(f"{name}[~{reach}]" for reach in REACHES for name in names)
    return shifted + averaged + tuple(f"{name}[page]" for name in names)


def context_features(columns: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """The given columns at the neighbours, averaged over stretches, and averaged over the page.

    Args:
        columns: (n_segments, k) float32.
        offsets: (n_pages + 1,) int64.

    Returns:
        (n_segments, k * (len(STEPS) + len(REACHES) + 1)) float32; 0 beyond the page's ends.
    """
    n = len(columns)
    page_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    first, last = offsets[:-1][page_of], offsets[1:][page_of]
    index = np.arange(n)
    parts = []
    for step in STEPS:
        at = index + step
        inside = (at >= first) & (at < last)
        parts.append(columns[np.clip(at, 0, max(n - 1, 0))] * inside[:, None])
    sums = np.zeros((n + 1, columns.shape[1]), np.int64)
    np.cumsum(np.rint(columns * np.float32(_UNIT)).astype(np.int64), axis=0, out=sums[1:])
    for reach in REACHES:
        parts.append(_mean(sums, np.maximum(index - reach, first), np.minimum(index + reach + 1, last)))
    parts.append(_mean(sums, offsets[:-1], offsets[1:])[page_of])
    return np.concatenate(parts, axis=1).astype(np.float32)


def _mean(sums: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float32]:
    totals = (sums[last] - sums[first]).astype(np.float64)
    return (totals / (np.maximum(last - first, 1)[:, None] * float(_UNIT))).astype(np.float32)


def position_features(
    batch: Batch, words: NDArray[np.float32], sentences: NDArray[np.float32], log_chars: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Position in the page and relation to its prose; (n_segments, len(POSITION_NAMES)) float32.

    Args:
        batch: The pages.
        words: (n_segments,) number of words.
        sentences: (n_segments,) number of sentences.
        log_chars: (n_segments,) log of the number of characters.
    """
    n = len(batch)
    sizes = np.diff(batch.offsets)
    page_of = batch.page_of
    first, last = batch.offsets[:-1][page_of], batch.offsets[1:][page_of]
    index = np.arange(n)
    size = sizes[page_of]
    prose = (words >= PROSE_WORDS) & (sentences >= 1)

    previous = np.maximum.accumulate(np.where(prose, index, -1)) if n else index
    previous_inside = previous >= first
    following = np.minimum.accumulate(np.where(prose, index, n)[::-1])[::-1] if n else index
    following_inside = following < last
    before = np.where(previous_inside, index - previous, size)
    after = np.where(following_inside, following - index, size)
    run_start = np.where(previous_inside, previous + 1, first)
    run_end = np.where(following_inside, following, last)
    run = np.where(prose, 0, run_end - run_start)

    prose_chars = np.zeros(n + 1, np.int64)
    np.cumsum(batch.lengths * prose, out=prose_chars[1:])
    all_chars = np.zeros(n + 1, np.int64)
    np.cumsum(batch.lengths, out=all_chars[1:])
    page_prose = prose_chars[last] - prose_chars[first]
    share = 1.0 / np.maximum(page_prose, 1)
    prose_count = np.zeros(n + 1, np.int64)
    np.cumsum(prose, out=prose_count[1:])
    mean_log_chars = context_means(log_chars, first, last)
    near_log_chars = context_means(log_chars, np.maximum(index - 4, first), np.minimum(index + 5, last))
    columns = (
        (index - first) / np.maximum(size, 1),
        np.log1p(index - first),
        np.log1p(last - 1 - index),
        np.log1p(size),
        prose,
        np.log1p(before),
        np.log1p(after),
        (prose_chars[:-1] - prose_chars[first]) * share,
        (prose_chars[last] - prose_chars[1:]) * share,
        np.log1p(run),
        np.where(prose, 0, (index - run_start) / np.maximum(run, 1)),
        (prose_count[last] - prose_count[first]) / np.maximum(size, 1),
        page_prose / np.maximum(all_chars[last] - all_chars[first], 1),
        log_chars - mean_log_chars,
        log_chars - near_log_chars,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def context_means(
    values: NDArray[np.float32], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The mean of the values over `first[i]:last[i]`, exactly rounded in fixed point; (n_segments,) float64."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.rint(values.astype(np.float64) * _UNIT).astype(np.int64), out=sums[1:])
    return (sums[last] - sums[first]) / (np.maximum(last - first, 1) * float(_UNIT))
