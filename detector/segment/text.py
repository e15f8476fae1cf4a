"""Plain text to segments: every non-blank line, with exact offsets into the input."""

from __future__ import annotations

import numpy as np

from detector.data import SegmentedPage

NEWLINES = "\n\r\x0b\x0c\x85\u2028\u2029"
"""The newline functions of Unicode (UAX 14, mandatory breaks)."""

INVISIBLE = (
    "".join(map(chr, [*range(0x21), *range(0x7F, 0xA1), 0xAD, 0x1680, *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F]))
    + "\u205f\u2060\u3000\ufeff"
)
"""Whitespace, control and zero-width characters: a segment of nothing else is blank."""

_OTHER_NEWLINES = NEWLINES.replace("\n", "")


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
    pieces = lines.split("\n")
    # A letter or digit at its head shows most lines not to be blank.
    visible = [line[:1].isalnum() or bool(line.strip(INVISIBLE)) for line in pieces]
    lengths = np.array([len(line) for line in pieces])
    ends = np.arange(len(pieces))
    ends += lengths.cumsum()
    ends = ends[visible]
    return SegmentedPage(text, ends - lengths[visible], ends)
