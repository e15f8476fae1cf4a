"""What tags do to the text, and where they stand in canonical markup.

Canonical markup is a tree written out in UTF-8: every element is closed but those that hold no text, values stand in
double quotes, and neither values nor text hold an angle bracket as it is. So a tag is whatever stands between the first
"<" after a ">" and the next ">", and tags are found without reading the markup in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

DROPPED_TAGS = (
    "script style noscript template head svg iframe object embed noembed noframes canvas audio video datalist "
    "textarea annotation annotation-xml"
).split()
"""Elements whose text a reader never sees as text."""

BLOCK_TAGS = (
    "html body address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup legend li main menu nav noscript ol p section search select optgroup "
    "option button summary table caption thead tbody tfoot tr ul"
).split()
"""Elements that start and end a line, after the rendering section of the HTML standard; controls stand alone."""

CELL_TAGS = ("td", "th")
"""Simple cells of a row make one segment; a cell that holds blocks of its own is split."""

BREAK_TAGS = ("br", "hr")

INLINE_TAGS = (
    "abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark picture q s samp small span strike strong "
    "sub sup time title tt u var"
).split()
"""Elements that do nothing to the text, as unknown ones do: named because most tags of a page are of these."""

EMPTY_TAGS = "area base basefont bgsound col frame img input keygen link meta param source track wbr".split()
"""Elements that hold no text."""

RAW_TAGS = ("xmp", "plaintext")
"""Elements whose text is written as it is, brackets and all."""

EMPTY, INLINE, LINK, CELL, BREAK, BLOCK, VERBATIM, RAW = range(8)
"""Roles. From CELL on they are structural: words on both sides of the tag are different words."""


class _Roles(dict[bytes, int]):
    """The role of a tag; custom elements are blocks, other unknown ones inline, and declarations are no elements."""

    def __missing__(self, name: bytes) -> int:
        if name[:1] in b"!?":
            return EMPTY
        return BLOCK if b"-" in name else INLINE


_ROLES = _Roles(
    {
        name.encode(): role
        for role, names in (
            (EMPTY, EMPTY_TAGS),
            (INLINE, INLINE_TAGS),
            (LINK, ["a", "a_"]),
            (CELL, CELL_TAGS),
            (BREAK, BREAK_TAGS),
            (BLOCK, BLOCK_TAGS),
            (VERBATIM, ["pre"]),
            (RAW, RAW_TAGS),
        )
        for name in names
    }
)


def role_of(name: bytes) -> int:
    """What a tag does to the text."""
    return _ROLES[name]


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a page in order.

    Attributes:
        starts: (n_tags,) int32, where the opening bracket stands in the markup.
        ends: (n_tags,) int32, where the closing bracket stands.
        roles: (n_tags,) uint8.
        closing: (n_tags,) bool, whether it is an end tag.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    roles: NDArray[np.uint8]
    closing: NDArray[np.bool_]

    def steps(self, chosen: NDArray[np.bool_]) -> NDArray[np.int8]:
        """By how much each tag changes the number of open elements, if only the chosen ones count; (n_tags,) int8."""
        return chosen.view(np.int8) * STEPS.take(self.closing)


STEPS = np.array([1, -1], np.int8)
"""By how much start tags and end tags change the number of open elements."""

_LESS, _GREATER, _SLASH, _BLANK = b"<>/ "
_EITHER = np.uint8(0xFF ^ _LESS ^ _GREATER)
"""The bits in which the two brackets do not differ."""

_ROWS = 1 << 14
_KEY_BYTES = 8
PADDING = b" " * (_KEY_BYTES + 2)
"""What must stand after the markup: a few bytes are read past the last tag."""


def read_tags(markup: bytes, codes: NDArray[np.uint8]) -> Tags:
    """Find the tags.

    Args:
        markup: Canonical markup, padded.
        codes: The same as an array.
    """
    brackets = ((codes & _EITHER) == _LESS).nonzero()[0].astype(np.int32)
    starts, ends = brackets[0::2], brackets[1::2]
    if len(starts) != len(ends) or (codes.take(starts) != _LESS).any() or (codes.take(ends) != _GREATER).any():
        starts, ends = _odd_tags(brackets, codes.take(brackets) == _GREATER)
    closing = codes.take(starts + 1) == _SLASH
    return Tags(starts, ends, _roles(markup, starts + closing + 1, ends), closing)


def _odd_tags(brackets: NDArray[np.int32], closing: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where tags start and end if names of tags and attributes hold a "<": the first one after a ">" counts."""
    ends = brackets[closing]
    # Raw text may hold anything, and is read only to be found.
    return brackets[np.append(True, closing[:-1])][: len(ends)], ends


def pairs(levels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which start tag belongs to which end tag, ordered by level and then by place.

    Args:
        levels: (n_tags,) how many elements are open inside the element each tag starts or ends.

    Returns:
        Places of start tags, and of their end tags; each (n_tags / 2,) int64.
    """
    # At one level start and end tags take turns. Small integers are sorted in linear time.
    deepest = int(levels.max(initial=0))
    order = levels.astype(np.int16 if deepest < 1 << 15 else np.int64).argsort(kind="stable")
    return order[0::2], order[1::2]


def rows(*columns: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of columns of equal lengths, of which only some at a time are Python's numbers: those take much memory."""
    size = len(columns[0])
    return chain.from_iterable(
        zip(*(column[first : first + _ROWS].tolist() for column in columns), strict=True)
        for first in range(0, size, _ROWS)
    )


def _each(byte: int) -> np.uint64:
    """A 64-bit number of eight equal bytes."""
    return np.uint64(byte * 0x0101010101010101)


def _roles(markup: bytes, names_at: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The role of each tag, by one look-up of the first eight bytes of its name; (n_tags,) uint8."""
    windows = np.ndarray(len(markup) - _KEY_BYTES + 1, "<u8", markup, strides=(1,))
    keys = windows[names_at]
    # The lowest bit of `stops` marks the blank or bracket that ends the name: what follows is blotted out.
    stops = _zero_bytes(keys ^ _each(_BLANK)) | _zero_bytes(keys ^ _each(_GREATER))
    lowest = stops & (~stops + np.uint64(1))
    keys &= (lowest >> np.uint64(7)) - np.uint64(1)
    slots = keys * _FACTOR >> _SHIFT
    roles = _ROLE_AT.take(slots.view(np.int64))
    unknown = (_KEY_AT.take(slots.view(np.int64)) != keys).nonzero()[0]
    for tag, start, end in rows(unknown, names_at[unknown], ends[unknown]):
        roles[tag] = _ROLES[markup[start:end].partition(b" ")[0]]
    return roles


def _zero_bytes(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Words whose lowest set bit is the top bit of the lowest zero byte (Warren, Hacker's Delight, 6-1)."""
    return (words - _each(0x01)) & ~words & _each(0x80)


_TABLE_BITS = 12
_SHIFT = np.uint64(64 - _TABLE_BITS)


def _role_table() -> tuple[np.uint64, NDArray[np.uint64], NDArray[np.uint8]]:
    """A factor that hashes all short names apart, and the table it makes: names as numbers, and their roles."""
    short = {int.from_bytes(name, "little"): role for name, role in _ROLES.items() if len(name) < _KEY_BYTES}
    keys = np.array(list(short), np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    while len(set((slots := keys * factor >> _SHIFT).tolist())) < len(keys):
        factor = np.uint64(int(factor) * 0xD1342543DE82EF95 % (1 << 64))
    key_at, role_at = np.zeros(1 << _TABLE_BITS, np.uint64), np.zeros(1 << _TABLE_BITS, np.uint8)
    key_at[slots] = keys
    role_at[slots] = list(short.values())
    return factor, key_at, role_at


_FACTOR, _KEY_AT, _ROLE_AT = _role_table()
