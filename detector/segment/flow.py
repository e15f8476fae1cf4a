"""The text of canonical markup, its blanks collapsed, and where in it every tag stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.segment.tags import CELL, VERBATIM, Tags

_GREATER, _AMPERSAND, _BLANK = b">& "

_PLAIN, _WHITESPACE, _WIDE, _ENTITY = range(4)
_KINDS = np.zeros(256, np.uint8)
_KINDS[list(b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f >")] = _WHITESPACE
"""What Python takes for whitespace; and the bracket, which structural tags leave in the text to divide words."""

_WIDE_SPACES = (
    "\x85\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""The rest of it, but for the no-break space: that one is written as an entity."""

_KINDS[[char.encode()[0] for char in _WIDE_SPACES]] = _WIDE
_KINDS[_AMPERSAND] = _ENTITY
_WIDE_PLACES = np.arange(3)[:, None]
_WIDE_KEYS = np.array([int.from_bytes(char.encode().ljust(3, b"\0")) for char in _WIDE_SPACES], np.int32)
_TWO_BYTES = 0xC2
"""What the only one of these begins with that has two bytes and not three."""

_FIRST_WIDE = 0x80
_LOWEST_START = -0x40
"""As signed numbers, the bytes that continue a character are those below."""

_ENTITIES = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&nbsp;": "\xa0".encode()}
"""All that there are in the text of canonical markup; the letter after the ampersand tells them apart."""

_ENTITY_PLACES = np.arange(max(map(len, _ENTITIES)))
_ENTITY_BYTES = np.full((256, 2), _AMPERSAND, np.uint8)
_IS_SURPLUS = np.zeros((256, len(_ENTITY_PLACES)), bool)
for _entity, _char in _ENTITIES.items():
    _ENTITY_BYTES[_entity[1], : len(_char)] = list(_char)
    _IS_SURPLUS[_entity[1], len(_char) : len(_entity)] = True
_NO_BREAK = ord("n")


@dataclass(frozen=True, slots=True)
class Flow:
    """The text of a page: its visible characters, and one blank wherever there is any whitespace or structural tag.

    Attributes:
        codes: (n_bytes,) uint8, the text in UTF-8; it begins with no blank.
        bytes_before: (n_tags,) int32, bytes up to each tag, with the blank that it leaves there if it is structural.
        chars_before: (n_tags,) int32, the same in characters.
        is_verbatim: (n_tags,) bool, whether whitespace was kept before the tag, as it is in `<pre>`; None if nowhere.
    """

    codes: NDArray[np.uint8]
    bytes_before: NDArray[np.int32]
    chars_before: NDArray[np.int32]
    is_verbatim: NDArray[np.bool_] | None


def read_flow(codes: NDArray[np.uint8], tags: Tags, covered: NDArray[np.bool_] | None) -> Flow:
    """Join what stands between the tags.

    Args:
        codes: The markup.
        tags: Its tags.
        covered: (n_tags,) bool, the tags after which text is left out; None for none.
    """
    structural = tags.roles >= CELL
    text, places = _between(codes, tags, structural, covered)
    is_ascii = bool(text.max(initial=0) < _FIRST_WIDE)
    kinds = _KINDS.take(text)
    blank = kinds == _WHITESPACE
    if not is_ascii:
        _add_wide_spaces(text, (kinds == _WIDE).nonzero()[0], blank)
    entities = (kinds == _ENTITY).nonzero()[0]
    letters = text.take(entities + 1, mode="clip")
    blank[entities[letters == _NO_BREAK, None] + _ENTITY_PLACES] = True
    is_verbatim = _keep_verbatim(tags, text, blank, places)
    surplus = _resolve(text, entities, letters)
    is_ascii &= is_verbatim is None
    # Arithmetic is several times quicker than to put blanks where a mask says.
    text *= ~blank
    text += blank.view(np.uint8) * np.uint8(_BLANK)
    kept = _first_blanks_only(blank)
    kept[surplus] = False
    places = places[:-1] + structural
    bytes_before = chars_before = _running_count(kept).take(places)
    if not is_ascii:
        chars_before = _running_count(kept & (text.view(np.int8) >= _LOWEST_START)).take(places)
    return Flow(text[kept], bytes_before, chars_before, is_verbatim)


def _between(
    codes: NDArray[np.uint8], tags: Tags, structural: NDArray[np.bool_], covered: NDArray[np.bool_] | None
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The text after every tag, with a bracket before it if the tag is structural; and where each of these pieces begins."""
    begins = tags.ends + 1
    begins -= structural
    sizes = np.empty(len(begins), np.int32)
    np.subtract(tags.starts[1:], begins[:-1], out=sizes[:-1])
    sizes[-1:] = structural[-1:]
    if covered is not None:
        sizes[covered] = 0
    places = np.zeros(len(begins) + 1, np.int32)
    np.add.accumulate(sizes, out=places[1:])
    at = (begins - places[:-1]).repeat(sizes)
    at += np.arange(len(at), dtype=np.int32)
    return codes.take(at), places


def _add_wide_spaces(text: NDArray[np.uint8], at: NDArray[np.int64], blank: NDArray[np.bool_]) -> None:
    """Count as blank the wide spaces among the characters that begin at some places."""
    first, second, third = text.take(at + _WIDE_PLACES, mode="clip").astype(np.int32)
    third[first == _TWO_BYTES] = 0
    keys = (first << 16) + (second << 8) + third
    found = _WIDE_KEYS.take(_WIDE_KEYS.searchsorted(keys), mode="clip") == keys
    blank[at[found] + _WIDE_PLACES[:2]] = True
    blank[at[found & (third > 0)] + 2] = True


def _resolve(text: NDArray[np.uint8], entities: NDArray[np.int64], letters: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Put the characters that entities stand for in their places; the bytes that are left over."""
    text[entities] = _ENTITY_BYTES[letters, 0]
    spaces = entities[letters == _NO_BREAK]
    text[spaces + 1] = _ENTITY_BYTES[_NO_BREAK, 1]
    surplus: NDArray[np.int64] = (entities[:, None] + _ENTITY_PLACES)[_IS_SURPLUS.take(letters, axis=0)]
    return surplus


def _keep_verbatim(
    tags: Tags, text: NDArray[np.uint8], blank: NDArray[np.bool_], places: NDArray[np.int32]
) -> NDArray[np.bool_] | None:
    """Let no whitespace in `<pre>` count as blank; whether each tag stands in such an element, None if there is none."""
    verbatim = tags.roles == VERBATIM
    if not verbatim.any():
        return None
    inside = np.cumsum(tags.steps(verbatim), dtype=np.int32) > 0
    edges = np.diff(inside.view(np.int8), prepend=0, append=0).nonzero()[0]
    for first, last in places.take(edges).reshape(-1, 2).tolist():
        blank[first:last] = text[first:last] == _GREATER
    return np.append(False, inside[:-1])


def _first_blanks_only(blank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All but the blanks that follow a blank, or that stand first."""
    kept = ~blank
    # Of booleans, "less" is "and, but not the first".
    kept[1:] |= blank[:-1] < blank[1:]
    return kept


def _running_count(chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many of the chosen stand before each place; (n + 1,) int32."""
    counts = np.zeros(len(chosen) + 1, np.int32)
    np.add.accumulate(chosen, dtype=np.int32, out=counts[1:])
    return counts
