"""How a segment looks to a reader: heading, paragraph, list item and so on, from its place in the DOM."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from detector.data import Elements, SegmentedPage

SHOWN_TAGS = frozenset(
    "h1 h2 h3 h4 h5 h6 p li dt dd pre blockquote figcaption caption tr button option summary legend".split()
)
"""Elements a reader tells apart; a segment looks like the nearest of them around it."""

NESTING_TAGS = frozenset(("ul", "ol", "menu", "dir", "dl", "blockquote"))
DEEPEST = 6
"""Indentation stops here: a page of nested lists must not run off the sheet."""

LINK_SHARE = 0.5
"""Share of a segment's characters inside links from which it is shown as a link."""

SHORT_LINE = 90
"""Characters below which a line of plain text that does not end like a sentence is set tight, as in a list."""

_SENTENCE_ENDS = tuple('.!?…。！？:;"”»’)')


@dataclass(frozen=True, slots=True)
class Block:
    """How one segment is set.

    Attributes:
        tag: One of `SHOWN_TAGS`, `"p"` or `"line"`.
        depth: Lists and quotations around it, at most `DEEPEST`.
        marker: What stands before it: a bullet, a number with a full stop, or nothing.
        linked: Whether it reads as a link.
    """

    tag: str
    depth: int = 0
    marker: str = ""
    linked: bool = False


def blocks_of(page: SegmentedPage) -> list[Block]:
    """How each segment of the page is set, in page order."""
    if page.elements is None:
        return [Block("line" if _is_short(text) else "p") for text in page.segment_texts()]
    elements = page.elements
    shown, depths = _shown_and_depths(elements)
    markers = _markers(elements)
    linked = (elements.link_chars > LINK_SHARE * (page.ends - page.starts)).tolist()
    return [
        Block(shown[element], depths[element], markers.get(segment, ""), linked[segment])
        if element >= 0
        else Block("p", linked=linked[segment])
        for segment, element in enumerate(elements.innermost.tolist())
    ]


def _is_short(text: str) -> bool:
    return len(text) < SHORT_LINE and not text.rstrip().endswith(_SENTENCE_ENDS)


def _shown_and_depths(elements: Elements) -> tuple[list[str], list[int]]:
    """For each element the tag it is shown as and its depth; a parent comes before its children."""
    shown: list[str] = []
    depths: list[int] = []
    for tag, parent in zip(elements.tags, elements.parents.tolist(), strict=True):
        above, depth = (shown[parent], depths[parent]) if parent >= 0 else ("p", 0)
        shown.append(tag if tag in SHOWN_TAGS else above)
        depths.append(min(depth + (tag in NESTING_TAGS), DEEPEST))
    return shown, depths


def _markers(elements: Elements) -> dict[int, str]:
    """The bullet or number of each segment that opens a list item."""
    tags, parents = elements.tags, elements.parents.tolist()
    items: Counter[int] = Counter()
    markers: dict[int, str] = {}
    for element, segment in enumerate(elements.first.tolist()):
        if tags[element] == "li":
            parent = parents[element]
            items[parent] += 1
            ordered = parent >= 0 and tags[parent] == "ol"
            markers[segment] = f"{items[parent]}." if ordered else "•"
    return markers
