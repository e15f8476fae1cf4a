"""What stands inside a segment: ends of sentences, dates, times, years, web addresses, the name of a source."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch
from detector.features import shapes as sh
from detector.features.batch import Batch
from detector.features.tokens import tokenize

_MOST_SOURCE_TOKENS = 6
"""Of the name of a source at the end of a headline."""

_NAME_LIKE = sh.shape_set(sh.TITLE, sh.CAPS, sh.MIXED, sh.IDEOGRAPH, sh.CASELESS_LONG)

_URL_WORDS = ("http", "https", "www")

_COUNT_BITS = 10
"""Bits of each count of several that are summed in one integer: a clipped segment has fewer than 2^10 tokens."""


def count_patterns(batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the ends of sentences, the pairs of numbers as in dates, and the times of day; (n_segments,) int64 each."""
    counts = np.add.reduceat(_pattern_table().take(batch.tokens.trigrams), batch.tokens.firsts)
    mask = (1 << _COUNT_BITS) - 1
    return counts & mask, counts >> _COUNT_BITS & mask, counts >> 2 * _COUNT_BITS


@cache
def _pattern_table() -> NDArray[np.int64]:
    """What a trigram adds to the counts of `count_patterns`, packed; (N_TRIGRAMS,) int64."""
    first, second, third = sh.all_trigrams()
    numbers = sh.shape_set(*sh.NUMBERS)
    begins_anew = sh.shape_set(*range(sh.TITLE, sh.CASELESS_LONG + 1), sh.IDEOGRAPH, sh.QUOTE, sh.NO_SHAPE)[second]
    sentence = (first == sh.TERMINAL) & begins_anew
    joint = sh.shape_set(sh.SEPARATOR, sh.TERMINAL)[second]
    date_pair = numbers[first] & joint & numbers[third]
    short = sh.shape_set(*sh.SHORT_NUMBERS)[first]
    time = short & (second == sh.COMMA) & numbers[third]
    return sentence + (date_pair.astype(np.int64) << _COUNT_BITS) + (time.astype(np.int64) << 2 * _COUNT_BITS)


def count_years(batch: Batch) -> NDArray[np.int64]:
    """Count the numbers of four digits from 1600 to 2099; (n_segments,) int64."""
    tokens = batch.tokens
    at = (tokens.shapes == sh.NUMBER_4).nonzero()[0]
    starts = tokens.starts.take(at)
    first, second = batch.codes.take(starts), batch.codes.take(starts + 1)
    year = ((first == ord("1")) & (second >= ord("6"))) | ((first == ord("2")) & (second == ord("0")))
    return np.bincount(tokens.segments.take(at[year]), minlength=len(batch))


def has_url(batch: Batch) -> NDArray[np.bool_]:
    """Whether a word is one that web addresses begin with; (n_segments,) bool."""
    tokens = batch.tokens
    found = np.zeros(len(tokens.shapes), bool)
    for known in _url_hashes():
        found |= tokens.hashes == known
    has = np.zeros(len(batch), bool)
    has[tokens.segments[found]] = True
    return has


@cache
def _url_hashes() -> list[np.uint64]:
    return [_word_hash(word) for word in _URL_WORDS]


def _word_hash(word: str) -> np.uint64:
    codes = np.array([ord(c) for c in word], np.uint32)
    return tokenize(codes, ch.class_table()[codes], np.zeros(1, np.int64)).hashes[0]


def has_source_suffix(batch: Batch) -> NDArray[np.bool_]:
    """Whether a segment ends with the name of its source, as in "Headline - Some Paper"; (n_segments,) bool.

    That is a separator, after at least three tokens, and then up to six tokens of which at least half are capitalised.
    """
    tokens = batch.tokens
    result = np.zeros(len(batch), bool)
    separators = (tokens.shapes == sh.SEPARATOR).nonzero()[0]
    if not len(separators):
        return result
    ends = tokens.offsets[1:]
    last = separators.take(separators.searchsorted(ends) - 1, mode="clip")
    after = ends - 1 - last
    rows = ((last >= tokens.firsts + 3) & (after >= 1) & (after <= _MOST_SOURCE_TOKENS)).nonzero()[0]
    after = after.take(rows)
    steps = np.arange(1, _MOST_SOURCE_TOKENS + 1)[:, None]
    shapes = tokens.shapes.take(last.take(rows) + steps, mode="clip")
    capitals = (_NAME_LIKE.take(shapes) & (steps <= after)).sum(axis=0)
    result[rows] = capitals * 2 >= after
    return result
