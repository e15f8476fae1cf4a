"""The class of each character, whether it is visible, and what it counts in hashes.

Each is a table over the Basic Multilingual Plane (BMP), with one entry more for all code points above it.
"""

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
"""Character classes. LETTER is a letter or mark of a script without case; UNSPACED, of a script without spaces."""

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
"""Code points, first and last, of scripts without spaces between words (Unicode UAX 14, classes ID and SA)."""

IGNORABLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),  # zero-width space, non-joiner and joiner, marks of direction
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
)
"""Code points that are not shown (Unicode property Default_Ignorable_Code_Point). They are left out of words."""

FIRST_IGNORABLE = IGNORABLE[0][0]

IGNORABLE_PLANE = (0xE0000, 0xE0FFF)
"""The same above the BMP, first and last: tags and more variation selectors."""

_TABLE_SIZE = 0x10001
"""Entries for the BMP, and one for everything above it."""

UNIFORM = (
    (0x3400, 0x4DBF, "Lo"),
    (0x4E00, 0x9FFF, "Lo"),
    (0xAC00, 0xD7A3, "Lo"),
    (0xD800, 0xDFFF, "Cs"),
    (0xE000, 0xF8FF, "Co"),
)
"""Ranges of one general category each (Unicode, UnicodeData.txt): three quarters of the BMP, not looked up."""

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


def _text_of(codes: NDArray[np.int64]) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@cache
def class_table() -> NDArray[np.uint8]:
    """Character class by code point; (65537,) uint8, the last entry stands for every code point above the BMP."""
    # The two letters of a category are read as one number: a loop over characters would take half of a cold start.
    codes = np.arange(0x10000)
    categories = np.empty(0x10000, ">u2")
    asked = np.ones(0x10000, bool)
    for first, last, name in UNIFORM:
        asked[first : last + 1] = False
        categories[first : last + 1] = int.from_bytes(name.encode(), "big")
    names = "".join(map(unicodedata.category, _text_of(codes[asked])))
    categories[asked] = np.frombuffer(names.encode(), ">u2")
    by_category = np.full(0x10000, SPACE, np.uint8)
    for name, kind in _CATEGORY_CLASSES.items():
        by_category[int.from_bytes(name.encode(), "big")] = kind
    table = np.append(by_category[categories], np.uint8(SYMBOL))
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
    return table


@cache
def ignorable_table() -> NDArray[np.bool_]:
    """Whether a code point is in `IGNORABLE`; (65537,) bool, False above the BMP."""
    table = np.zeros(_TABLE_SIZE, bool)
    for first, last in IGNORABLE:
        table[first : last + 1] = True
    return table


def is_ignorable(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether each code point is in `IGNORABLE` or `IGNORABLE_PLANE`; bool, of the shape of `codes`."""
    first, last = IGNORABLE_PLANE
    return ignorable_table().take(places(codes)) | ((codes >= first) & (codes <= last))


@cache
def hash_codes() -> NDArray[np.uint64]:
    """What a character counts in a hash; (65537,) uint64.

    It is the code point of its lower-case form, of "0" for digits, plus one. U+0130 stands for itself: it alone has a
    lower-case form of two characters.
    """
    # The lower-case form of a sigma depends on what follows: a blank after each character makes them independent.
    spaced = _text_of(np.insert(np.arange(0x10000), np.arange(1, 0x10000), ord(" ")))
    lowered = "\u0130".join(part.lower() for part in spaced.split("\u0130"))
    table = np.arange(_TABLE_SIZE, dtype=np.uint64)
    table[:-1] = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32)[::2]
    table[class_table() == DIGIT] = ord("0")
    return table + np.uint64(1)


def places(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The place of each code point in the tables; int64, of the shape of `codes`."""
    at = codes.astype(np.int64)
    return np.minimum(at, _TABLE_SIZE - 1, out=at)


def in_words(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether characters are letters of spaced scripts, or digits; (n_chars,) bool.

    Args:
        classes: (n_chars,) uint8 character classes.
    """
    # One comparison does: in eight bits, the classes below LOWER wrap around to large numbers.
    return classes - np.uint8(LOWER) <= DIGIT - LOWER
