"""Markers: bracketed or dated phrases that recur from segment to segment, whatever their wording or language.

A marker is found by its shape, in any language: "[Last Updated On: June 16th, 2016]", "【最后更新：2016年6月16日】". Each
is a few tokens, a bracket or a number among them, that stand alike in one segment after the other.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import shapes as sh
from detector.features.batch import Batch
from detector.features.recurrence import counts_of_many_in_page

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

_AT = {name: place for place, name in enumerate(NAMES)}
_LOGS = [
    _AT[name]
    for name in (
        "log_phrase_recurrence",
        "log_marker_recurrence",
        "log_markers",
        "recurring_head",
        "recurring_tail",
    )
]

PHRASE = 3
"""Tokens in a phrase."""

RECURS = 3
"""Occurrences in a page from which a phrase recurs."""

_FIRST, _SECOND, _THIRD = (np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_IS_PHRASE, _IS_MARKER = 1, 2


def marker_features(batch: Batch) -> NDArray[np.float64]:
    """One column a segment; (len(NAMES), n_segments) float64."""
    tokens = batch.tokens
    firsts = tokens.firsts
    recurrence = _recurrence(batch)
    most_phrases, most_markers = np.maximum.reduceat(recurrence, firsts, axis=1)
    phrases, markers = np.add.reduceat((recurrence >= RECURS).astype(np.int16), firsts, axis=1)
    counts = tokens.offsets[1:] - firsts
    page_segments = (batch.offsets[1:] - batch.offsets[:-1]).take(batch.page_of)
    columns = np.empty((len(NAMES), len(batch)))
    columns[_AT["recurring_phrase_ratio"]] = phrases / counts
    columns[_AT["log_phrase_recurrence"]] = most_phrases
    columns[_AT["recurring_marker_ratio"]] = markers / counts
    columns[_AT["log_marker_recurrence"]] = most_markers
    columns[_AT["marker_recurrence_in_page"]] = np.minimum(most_markers / page_segments, 2.0)
    columns[_AT["log_markers"]] = markers
    # A segment of fewer tokens than a phrase has no phrase at its first token either.
    last_phrases = np.maximum(tokens.offsets[1:] - PHRASE, firsts)
    columns[_AT["recurring_head"]] = recurrence[0].take(firsts)
    columns[_AT["recurring_tail"]] = recurrence[0].take(last_phrases)
    columns[_LOGS] = np.log1p(columns[_LOGS])
    return columns


def _recurrence(batch: Batch) -> NDArray[np.int32]:
    """How often the phrase, and the marker, that begins at each token occurs in its page; (2, n_tokens) int32.

    0 where none begins.
    """
    tokens = batch.tokens
    page_tokens = tokens.offsets.take(batch.offsets)
    kinds = _phrase_kinds().take(tokens.trigrams)
    recurrence = np.zeros((2, len(kinds)), np.int32)

    def count(row: int, keys: NDArray[np.uint64], at: NDArray[np.int64]) -> None:
        bounds = at.searchsorted(page_tokens)
        recurrence[row, at] = counts_of_many_in_page(_phrase_keys(keys, at), bounds[1:] - bounds[:-1])

    count(0, tokens.hashes, (kinds != 0).nonzero()[0])
    # In a marker's key stand the words themselves but the shapes of numbers and marks: the dates in a template differ.
    spelled = sh.shape_hashes().take(tokens.shapes)
    np.copyto(spelled, tokens.hashes, where=tokens.shapes <= sh.MIXED)
    count(1, spelled, (kinds == _IS_PHRASE | _IS_MARKER).nonzero()[0])
    return recurrence


@cache
def _phrase_kinds() -> NDArray[np.uint8]:
    """Flags of each trigram: a phrase if it has three tokens, and a marker if one is a bracket or a number.

    Returns:
        (N_TRIGRAMS,) uint8.
    """
    trigrams = sh.all_trigrams()
    marks = sh.shape_set(sh.OPEN, sh.CLOSE, *range(sh.NUMBER_1, sh.ALPHANUMERIC + 1))
    whole = trigrams[2] != sh.NO_SHAPE
    return (whole * _IS_PHRASE + (whole & marks[trigrams].any(axis=0)) * _IS_MARKER).astype(np.uint8)


def _phrase_keys(keys: NDArray[np.uint64], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A key for the phrase that begins at each chosen token; (len(at),) uint64.

    Args:
        keys: (n_tokens,) uint64, well mixed, so that a sum of their products with odd factors is too.
        at: The tokens where phrases begin.
    """
    phrases = keys.take(at)
    phrases *= _FIRST
    for step, factor in ((1, _SECOND), (2, _THIRD)):
        following = keys.take(at + step)
        following *= factor
        phrases += following
    return phrases
