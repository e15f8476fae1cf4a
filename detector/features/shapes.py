"""Token shapes: case and length of a word, number of digits, kind of mark; and trigrams of shapes.

What depends on shapes alone is looked up in a table: of all shapes (`shape_set`), or of all trigrams (`all_trigrams`).
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch
from detector.features.hashing import BASE, mix

(
    LOWER_SHORT,
    LOWER_MEDIUM,
    LOWER_LONG,
    TITLE,
    CAPS,
    MIXED,
    INITIAL,
    CASELESS_SHORT,
    CASELESS_LONG,
    NUMBER_1,
    NUMBER_2,
    NUMBER_3,
    NUMBER_4,
    NUMBER_LONG,
    ALPHANUMERIC,
    IDEOGRAPH,
) = range(16)
"""Shapes of words, numbers and single characters of unspaced scripts. Those of marks follow."""

N_WORD_SHAPES = 16
N_SHAPES = N_WORD_SHAPES + ch.N_CLASSES

NO_SHAPE = N_SHAPES
"""Stands in a trigram where the segment has no further token."""

WORDS = range(N_WORD_SHAPES)
LOWER_WORDS = (LOWER_SHORT, LOWER_MEDIUM, LOWER_LONG)
CAPITALISED_WORDS = (TITLE, MIXED, INITIAL)
NUMBERS = range(NUMBER_1, NUMBER_LONG + 1)
SHORT_NUMBERS = (NUMBER_1, NUMBER_2)

SHAPE_BITS = 5
"""Bits of a shape, or of `NO_SHAPE`, in a packed trigram."""

N_TRIGRAMS = 1 << 3 * SHAPE_BITS

_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT = 1, 2, 4, 8
_N_FLAGS = 16
_LENGTH_STEPS = 8

_FLAGS = np.zeros(ch.N_CLASSES, np.int64)
"""The flag of each character class."""
_FLAGS[[ch.LOWER, ch.UPPER, ch.LETTER, ch.DIGIT]] = (_HAS_LOWER, _HAS_UPPER, _HAS_LETTER, _HAS_DIGIT)


def mark_shape(character_class: int) -> int:
    """The shape of a token that is one character of a class without letters and digits."""
    return N_WORD_SHAPES + character_class


TERMINAL, COMMA, OPEN, CLOSE, SEPARATOR, QUOTE, SYMBOL, ADDRESS, OTHER = map(
    mark_shape,
    (ch.TERMINAL, ch.COMMA, ch.OPEN, ch.CLOSE, ch.SEPARATOR, ch.QUOTE, ch.SYMBOL, ch.ADDRESS, ch.OTHER),
)
"""Shapes of punctuation marks, called as their character classes are."""


def shape_set(*shapes: int) -> NDArray[np.bool_]:
    """A table that is True at the given shapes; (NO_SHAPE + 1,) bool."""
    table = np.zeros(NO_SHAPE + 1, bool)
    table[list(shapes)] = True
    return table


@cache
def shape_hashes() -> NDArray[np.uint64]:
    """A hash of each shape; (N_SHAPES,) uint64."""
    return mix(np.arange(1, N_SHAPES + 1, dtype=np.uint64) * np.uint64(BASE))


def trigram(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pack three shapes, any of them `NO_SHAPE`, into a number below `N_TRIGRAMS`."""
    return (first << 2 * SHAPE_BITS) + (second << SHAPE_BITS) + third


@cache
def all_trigrams() -> NDArray[np.uint8]:
    """The three shapes of every packed trigram; (3, N_TRIGRAMS) uint8."""
    packed = np.arange(N_TRIGRAMS)
    mask = (1 << SHAPE_BITS) - 1
    return np.stack((packed >> 2 * SHAPE_BITS, packed >> SHAPE_BITS & mask, packed & mask)).astype(np.uint8)


def shapes_of(classes: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The shape of each token; (n_tokens,) int64.

    Args:
        classes: (n_chars,) uint8 character classes.
        starts: (n_tokens,) int64, ascending offsets into `classes`.
        lengths: (n_tokens,) int64, in characters.
    """
    if not len(starts):
        return np.empty(0, np.int64)
    # In few words does the class change after the second character: flags are added only where it does.
    word = ch.in_words(classes)
    changes = (classes[2:] != classes[1:-1]) & word[2:] & word[1:-1] & word[:-2]
    at = changes.nonzero()[0] + 2
    rest = _FLAGS.take(classes.take(starts + 1, mode="clip"))
    rest[lengths == 1] = 0
    np.bitwise_or.at(rest, starts.searchsorted(at, "right") - 1, _FLAGS.take(classes.take(at)))
    key = classes.take(starts).astype(np.int64)
    key *= _N_FLAGS
    key += rest
    key *= _LENGTH_STEPS
    key += np.minimum(lengths, _LENGTH_STEPS - 1)
    return _shape_table().take(key)


@cache
def _shape_table() -> NDArray[np.int64]:
    """The shape by class of the first character, flags of the others, and length, of which the last step is open."""
    steps = product(range(ch.N_CLASSES), range(_N_FLAGS), range(_LENGTH_STEPS))
    return np.array([_shape_of(first, rest, length) for first, rest, length in steps])


def _shape_of(first: int, rest: int, length: int) -> int:
    """The shape of one token, by the class of its first character, the flags of the others, and its length."""
    if first == ch.UNSPACED:
        return IDEOGRAPH
    flags = rest | int(_FLAGS[first])
    if not flags:
        return mark_shape(first)
    if flags == _HAS_DIGIT:
        return NUMBER_1 + max(min(length, 5), 1) - 1
    if flags & _HAS_DIGIT:
        return ALPHANUMERIC
    if first == ch.UPPER and not rest & _HAS_UPPER:
        return INITIAL if length == 1 else TITLE
    if flags & _HAS_UPPER:
        return CAPS if flags == _HAS_UPPER else MIXED
    if not flags & _HAS_LOWER:
        return CASELESS_LONG if length > 3 else CASELESS_SHORT
    return LOWER_SHORT + (length > 3) + (length > 6)
