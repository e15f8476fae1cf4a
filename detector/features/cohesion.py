"""Whether a segment's words occur elsewhere in its page, and in its prose above all.

An article's headings, captions and lists share its words; headlines of other stories do not, even where they are full
sentences (lexical cohesion; Hearst, "TextTiling", Computational Linguistics 23(1), 1997). Words are compared whole, and
by their first characters, which takes the place of a stemmer in any language.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import shapes as sh
from detector.features.batch import Batch

NAMES = (
    "words_in_prose_before",
    "words_in_prose_after",
    "words_in_prose",
    "words_in_page",
    "names_in_prose",
    "names_in_page",
    "log_words_in_prose",
    "stems_in_prose_before",
    "stems_in_prose_after",
    "stems_in_prose",
    "stems_in_page",
    "name_stems_in_prose",
    "name_stems_in_page",
    "log_stems_in_prose",
    "log_long_words",
)
_PER_KEY = NAMES.index("stems_in_prose_before")

LEAST_CHARS = 4
"""Length of a word from which it counts: shorter ones are mostly grammar."""

SLOTS_PER_WORD = 4
LEAST_SLOTS, MOST_SLOTS = 1 << 6, 1 << 18
"""Slots in the table of a page's words. Words in one slot are taken for the same. The size of the table depends on the
page alone, so that its features do not depend on the batch."""

_FIELD_BITS = 9
_SHIFTS = np.arange(0, 7 * _FIELD_BITS, _FIELD_BITS)[:, None]
"""Bits by which each of seven counts is shifted in a packed integer: a clipped segment has fewer than 2^9 words."""

_NO_SEGMENT = np.int32(np.iinfo(np.int32).max)
_HASH_SHIFT = np.uint64(20)

_LOG_UNIT = 1 << 10
"""Fixed-point steps in a logarithm of 1: sums of them are exact."""

_MOST_OCCURRENCES = 255

_WORDS = sh.shape_set(*range(sh.NUMBER_1), sh.ALPHANUMERIC)
_NAMES = sh.shape_set(sh.TITLE, sh.CAPS, sh.MIXED)
_PAIR = np.uint64(3)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a batch that count: long ones, and pairs of characters of unspaced scripts.

    Attributes:
        segments: (n_words,) int32, the segment of each word, ascending; 32 bits halve the tables made of it.
        keys: (2, n_words) uint64, hashes of the word and of its first `PREFIX_CHARS` characters.
        names: (n_words,) bool, whether the word is capitalised, as names are.
        offsets: (n_segments + 1,) int64; the words of segment i are `offsets[i]:offsets[i + 1]`.
    """

    segments: NDArray[np.int32]
    keys: NDArray[np.uint64]
    names: NDArray[np.bool_]
    offsets: NDArray[np.int64]


def cohesion_features(batch: Batch, prose: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What share of each segment's words occurs in other segments; (len(NAMES), n_segments) float64.

    Args:
        batch: The pages.
        prose: (n_segments,) bool, which segments are prose.
    """
    words = _words_of(batch)
    bases, masks = _tables(words, batch)
    counts = words.offsets[1:] - words.offsets[:-1] + 1
    page_of = batch.page_of.take(words.segments)
    first_slots, own_slots = bases.take(page_of), masks.take(page_of)
    in_prose = prose.take(words.segments).nonzero()[0]
    columns = np.empty((len(NAMES), len(batch)))
    for row, keys in enumerate(words.keys):
        slots = (keys >> _HASH_SHIFT).view(np.int64)
        slots &= own_slots
        slots += first_slots
        found, occurrences = _found(words, slots, in_prose, int(bases[-1]))
        sums = np.zeros((2, len(found) + 1), np.int64)
        np.add.accumulate((_packed_counts().take(found), _logs().take(occurrences)), axis=1, out=sums[:, 1:])
        # Sums may wrap around; their differences do not.
        packed, logs = sums.take(words.offsets[1:], axis=1) - sums.take(words.offsets[:-1], axis=1)
        fields = packed >> _SHIFTS
        fields &= (1 << _FIELD_BITS) - 1
        part = columns[row * _PER_KEY : (row + 1) * _PER_KEY]
        np.divide(fields[:4], counts, out=part[:4])
        np.divide(fields[4:6], fields[6] + 1, out=part[4:6])
        np.divide(logs, counts * float(_LOG_UNIT), out=part[6])
    columns[-1] = np.log(counts)
    return columns


def _words_of(batch: Batch) -> _Words:
    """The words that count, of all segments."""
    tokens = batch.tokens
    counted = (tokens.lengths >= LEAST_CHARS) & _WORDS.take(tokens.shapes)
    keys = tokens.affixed[:2]
    unspaced = (tokens.shapes == sh.IDEOGRAPH).nonzero()[0]
    if len(unspaced):
        unspaced = unspaced[unspaced < len(tokens.shapes) - 1]
        following = unspaced + 1
        in_segment = tokens.segments.take(following) == tokens.segments.take(unspaced)
        pairs = unspaced[in_segment & (tokens.shapes.take(following) == sh.IDEOGRAPH)]
        counted[pairs] = True
        keys = keys.copy()
        keys[:, pairs] = tokens.hashes[pairs] * _PAIR + tokens.hashes[pairs + 1]
    places = counted.nonzero()[0]
    return _Words(
        segments=tokens.segments.take(places).astype(np.int32),
        keys=keys.take(places, axis=1),
        names=_NAMES.take(tokens.shapes.take(places)),
        offsets=places.searchsorted(tokens.offsets),
    )


def _tables(words: _Words, batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The tables of words, page after page, of sizes that are powers of two.

    Returns:
        Where the slots of each page begin, and the number of all slots, (n_pages + 1,) int64; the number of each page's
        slots less one, a mask for hashes, (n_pages,) int64.
    """
    bounds = words.offsets.take(batch.offsets)
    _, bits = np.frexp((bounds[1:] - bounds[:-1]) * SLOTS_PER_WORD)
    slots = np.clip(1 << bits.astype(np.int64), LEAST_SLOTS, MOST_SLOTS)
    return np.concatenate(([0], np.cumsum(slots))), slots - 1


def _found(
    words: _Words, slots: NDArray[np.int64], in_prose: NDArray[np.int64], n_slots: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where else each word occurs, and how often in prose.

    Args:
        words: The words.
        slots: (n_words,) int64, the slot of each in the pages' tables.
        in_prose: (n_prose_words,) int64, the places of the words that stand in prose.
        n_slots: Number of slots of all tables.

    Returns:
        Flags as `_packed_counts` takes them, and occurrences in prose, at most `_MOST_OCCURRENCES`; (n_words,) int64
        each.
    """
    prose_slots = slots.take(in_prose)
    sides = (
        *_sides(slots, words.segments, prose_slots, words.segments.take(in_prose), n_slots),
        *_sides(slots, words.segments, slots, words.segments, n_slots),
        words.names,
    )
    flags = np.zeros(len(slots), np.int64)
    for place, side in enumerate(sides):
        flags += side.view(np.int8) << np.int64(place)
    occurrences = np.bincount(prose_slots, minlength=n_slots).take(slots)
    return flags, np.minimum(occurrences, _MOST_OCCURRENCES)


def _sides(
    slots: NDArray[np.int64],
    segments: NDArray[np.int32],
    among_slots: NDArray[np.int64],
    among_segments: NDArray[np.int32],
    n_slots: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each word is among other words in an earlier segment, and in a later one; (n_words,) bool each."""
    first, last = np.full(n_slots, _NO_SEGMENT), np.full(n_slots, np.int32(-1))
    np.minimum.at(first, among_slots, among_segments)
    np.maximum.at(last, among_slots, among_segments)
    return first.take(slots) < segments, last.take(slots) > segments


@cache
def _packed_counts() -> NDArray[np.int64]:
    """What a word adds to the packed counts of its segment, by its five flags; (32,) int64."""
    before, after, earlier, later, name = np.arange(32) >> np.arange(5)[:, None] & 1
    prose, page = before | after, earlier | later
    counts = np.stack((before, after, prose, page, prose & name, page & name, name))
    packed: NDArray[np.int64] = (counts << _SHIFTS).sum(axis=0)
    return packed


@cache
def _logs() -> NDArray[np.int64]:
    """Binary logarithm of a number of occurrences plus one, times `_LOG_UNIT`; (_MOST_OCCURRENCES + 1,) int64."""
    return np.rint(np.log2(np.arange(_MOST_OCCURRENCES + 1) + 1) * _LOG_UNIT).astype(np.int64)
