"""Markers: bracketed or dated phrases that recur from segment to segment, whatever their wording or language.

A marker is found by its shape. "[Last Updated On: June 16th, 2016]" and "【最后更新：2016年6月16日】" have in common that
the same few tokens, with a bracket or a number among them, stand in one segment after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.features import batch as b
from detector.features import characters as ch
from detector.features.batch import Batch
from detector.features.recurrence import sketched_counts_in_page

NAMES = (
    "recurring_phrase_ratio",
    "log_phrase_recurrence",
    "recurring_marker_ratio",
    "log_marker_recurrence",
    "marker_recurrence_in_page",
    "log_markers",
    "recurring_head",
    "recurring_tail",
)

PHRASE = 3
"""Tokens in a phrase."""

RECURS = 3
"""Occurrences in a page from which a phrase recurs."""

_MARKS = b.shape_set(16 + ch.OPEN, 16 + ch.CLOSE, *range(b.NUMBER_1, b.ALPHANUMERIC + 1))
_FIRST, _SECOND, _THIRD = (np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def marker_features(batch: Batch) -> NDArray[np.float32]:
    """One row a segment; (n_segments, len(NAMES)) float32."""
    tokens, n = batch.tokens, len(batch)
    page_tokens = tokens.offsets[batch.offsets]
    counts = np.maximum(np.diff(tokens.offsets), 1)
    whole = np.zeros(len(tokens.hashes), bool)
    if len(whole) >= PHRASE:
        whole[: -(PHRASE - 1)] = tokens.segments[PHRASE - 1 :] == tokens.segments[: -(PHRASE - 1)]

    is_mark = _MARKS[tokens.shapes]
    # In a marker's key, words are spelled out and numbers, brackets and marks are shapes: dates differ, templates don't.
    spelled = np.where(tokens.shapes <= b.MIXED, tokens.hashes, b.shape_hashes()[tokens.shapes])
    holds_mark = is_mark.copy()
    holds_mark[:-1] |= is_mark[1:]
    holds_mark[:-2] |= is_mark[2:]
    phrases = sketched_counts_in_page(_phrase_keys(tokens.hashes), whole, page_tokens)
    markers = sketched_counts_in_page(_phrase_keys(spelled), whole & holds_mark, page_tokens)

    page_segments = np.maximum(np.diff(batch.offsets), 1)[batch.page_of]
    most_marker = _max_by_segment(markers, tokens.offsets)
    recurring = markers >= RECURS
    columns = (
        _sum_by_segment(phrases >= RECURS, tokens.offsets) / counts,
        np.log1p(_max_by_segment(phrases, tokens.offsets)),
        _sum_by_segment(recurring, tokens.offsets) / counts,
        np.log1p(most_marker),
        np.minimum(most_marker / page_segments, 2.0),
        np.log1p(_sum_by_segment(recurring, tokens.offsets)),
        np.log1p(_at(phrases, tokens.offsets[:-1], tokens.offsets)),
        np.log1p(_at(phrases, tokens.offsets[1:] - PHRASE, tokens.offsets)),
    )
    return np.stack(columns, axis=1).astype(np.float32).reshape(n, len(NAMES))


def _phrase_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A key for each token and the two after it; keys of tokens are well mixed, so sums of products are."""
    phrase = keys * _FIRST
    phrase[:-1] += keys[1:] * _SECOND
    phrase[:-2] += keys[2:] * _THIRD
    return phrase


def _sum_by_segment(values: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]


def _max_by_segment(values: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(values):
        return np.zeros(len(offsets) - 1, np.int64)
    most = np.maximum.reduceat(values, np.minimum(offsets[:-1], len(values) - 1))
    return np.where(np.diff(offsets) > 0, most, 0)


def _at(values: NDArray[np.int64], positions: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The value at one position of each segment, 0 where the segment is too short to have it."""
    inside = (positions >= offsets[:-1]) & (positions < offsets[1:])
    return np.where(inside, values[np.clip(positions, 0, max(len(values) - 1, 0))], 0) if len(values) else inside * 0
