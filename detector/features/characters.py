"""What kind of character each code point is, as tables over the Basic Multilingual Plane."""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

(
    SPACE,
    LOWER,
    UPPER,
    LETTER,
    DIGIT,
    UNSPACED,
    TERMINAL,
    COMMA,
    OPEN,
    CLOSE,
    SEPARATOR,
    QUOTE,
    SYMBOL,
    ADDRESS,
    OTHER,
) = range(15)
"""Character classes. LETTER is a letter or mark of a caseless, spaced script; UNSPACED one of a script without spaces."""

N_CLASSES = 15

TERMINAL_MARKS = ".!?…。！？｡।॥؟۔።։་။៕"
COMMA_MARKS = ",;:،؛、，；：﹐﹑"
SEPARATOR_MARKS = "|¦•·‣◦●○■□▪▫►▶▸▹»«›‹→←⇒-–—―‐‑_~*+/\\＞＜｜・"
QUOTE_MARKS = "\"'`´‘’‚‛“”„‟′″"
ADDRESS_MARKS = "@#&"

UNSPACED_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3100, 0x312F),  # Bopomofo
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0xF900, 0xFAFF),  # CJK compatibility
    (0xFF66, 0xFF9F),  # half-width Katakana
)
"""Code-point ranges of the scripts that are written without spaces between words (Unicode UAX 14, classes ID and SA)."""

_TABLE_SIZE = 0x10001
"""The BMP, and one entry for everything above it."""

_CATEGORY_CLASSES = {
    "Ll": LOWER,
    "Lu": UPPER,
    "Lt": UPPER,
    "Lo": LETTER,
    "Lm": LETTER,
    "Mn": LETTER,
    "Mc": LETTER,
    "Nd": DIGIT,
    "Nl": DIGIT,
    "No": DIGIT,
    "Ps": OPEN,
    "Pi": OPEN,
    "Pe": CLOSE,
    "Pf": CLOSE,
    "Pd": SEPARATOR,
    "Sm": SYMBOL,
    "Sc": SYMBOL,
    "Sk": SYMBOL,
    "So": SYMBOL,
    "Po": OTHER,
    "Pc": OTHER,
}


@cache
def class_table() -> NDArray[np.uint8]:
    """Character class by code point; (65537,) uint8, the last entry stands for every code point above the BMP."""
    table = np.array(
        [_CATEGORY_CLASSES.get(unicodedata.category(chr(code)), SPACE) for code in range(0x10000)] + [SYMBOL]
    )
    for first, last in UNSPACED_SCRIPTS:
        block = table[first : last + 1]
        block[block == LETTER] = UNSPACED
    for marks, kind in (
        (TERMINAL_MARKS, TERMINAL),
        (COMMA_MARKS, COMMA),
        (SEPARATOR_MARKS, SEPARATOR),
        (QUOTE_MARKS, QUOTE),
        (ADDRESS_MARKS, ADDRESS),
    ):
        table[[ord(mark) for mark in marks]] = kind
    return table.astype(np.uint8)


@cache
def hash_codes() -> NDArray[np.uint64]:
    """What a character counts in a hash: one more than the code point of its lower-case form, which is "0" for digits."""
    table = np.arange(_TABLE_SIZE, dtype=np.uint64)
    for code in range(0x10000):
        lowered = chr(code).lower()
        if len(lowered) == 1:
            table[code] = ord(lowered)
    table[class_table() == DIGIT] = ord("0")
    return table + np.uint64(1)


def places(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where code points stand in the tables."""
    at = codes.astype(np.int64)
    return np.minimum(at, _TABLE_SIZE - 1, out=at)
