"""Plain text to segments: every non-blank line, with exact offsets into the input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage

NEWLINES = "\n\r\x0b\x0c\x85\u2028\u2029"
"""The newline functions of Unicode (UAX 14, mandatory breaks)."""

INVISIBLE = (
    "".join(map(chr, [*range(0x21), *range(0x7F, 0xA1), 0xAD, 0x1680, *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F]))
    + "\u205f\u2060\u3000\ufeff"
)
"""Whitespace, control and zero-width characters: a segment of nothing else is blank."""

_OTHER_NEWLINES = NEWLINES.replace("\n", "")

_STRETCH_CHARS = 1 << 20
"""About what is cut into lines at a time: a blank line takes fifty bytes while it is looked at, so that a page of nothing else
would take fifty times its size."""


def segment_text(text: str) -> SegmentedPage:
    r"""Split plain text into its non-blank lines.

    A line of nothing but whitespace, control characters and zero-width characters is blank.

    >>> page = segment_text("One.\r\n\r\n  Two.\n")
    >>> page.segment_texts()
    ['One.', '  Two.']

    Args:
        text: Any string; it is not changed.

    Returns:
        The page; `text[starts[i]:ends[i]]` is line i without its newline.
    """
    lines = text
    for mark in _OTHER_NEWLINES:
        if mark in lines:
            lines = lines.replace(mark, "\n")
    found = [_visible_lines(lines, begin, end) for begin, end in _stretches(lines)]
    starts, ends = found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
    return SegmentedPage(text, starts, ends)


def _stretches(lines: str) -> Iterator[tuple[int, int]]:
    """Where some lines begin and end, without the newline behind the last."""
    begin = 0
    while (end := lines.find("\n", begin + _STRETCH_CHARS)) >= 0:
        yield begin, end
        begin = end + 1
    yield begin, len(lines)


def _visible_lines(lines: str, begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The offsets of the lines of a stretch that are not blank."""
    pieces = lines[begin:end].split("\n")
    # A letter or digit at its head shows most lines not to be blank.
    visible = [line[:1].isalnum() or bool(line.strip(INVISIBLE)) for line in pieces]
    lengths = np.array([len(line) for line in pieces])
    ends = np.arange(begin, begin + len(pieces))
    ends += lengths.cumsum()
    ends = ends[visible]
    return ends - lengths[visible], ends
