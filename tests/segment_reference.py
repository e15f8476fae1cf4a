"""How HTML is cut into segments, element by element and character by character: slow, and short enough to be believed."""

from __future__ import annotations

from dataclasses import dataclass, field

from turbohtml.saxparse import SaxHandler, sax_parse

from detector.segment import html as segment
from detector.segment.hiding import Hidden, how_hidden
from detector.segment.lines import LONG_CELL
from detector.segment.tags import BLOCK, BREAK, CELL, DROPPED_TAGS, INLINE, LINK, RAW, VERBATIM, role_of
from detector.segment.text import INVISIBLE

NAMING = ("class", "id", "role", "itemprop")
CELL_EDGE = "\0"
"""In the buffer: it divides words. No page holds it, for the parser drops it."""

GONE = (Hidden.LEFT_OUT, Hidden.UNSEEN)


@dataclass(slots=True)
class Element:
    """An element: what it does, and what of the text it covers."""

    tag: str
    attributes: dict[str, str]
    role: int
    way: Hidden | None
    parent: Element | None
    is_gone: bool
    first: int = 0
    last: int = 0

    @property
    def name(self) -> tuple[str, str]:
        words = [value for name, value in self.attributes.items() if name in NAMING and value]
        return self.tag, " ".join(words + [Hidden.SAYS_SO.value] * (self.way is not None))


@dataclass(slots=True)
class Line:
    """A segment."""

    text: str
    link_chars: int
    links: int
    innermost: Element | None


@dataclass
class Reference(SaxHandler):
    """Hears of every element and text in order."""

    dropped: frozenset[str]
    lines: list[Line] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    opened: list[Element] = field(default_factory=list)
    buffer: list[tuple[str, bool]] = field(default_factory=list)
    """Characters since the last division, and whether they stand in a link."""
    links: int = 0

    def start_element(self, tag: str, attributes: tuple[tuple[str, str | None], ...]) -> None:
        values = {name: value or "" for name, value in attributes}
        # What keeps its text raw is inline.
        role, way = role_of(tag.encode()) % RAW, how_hidden(tag, values.get("style", ""), hidden="hidden" in values)
        if role == LINK and way is None and "name" in values and not {"href", "onclick"} & values.keys():
            role = INLINE
        outside = any(element.tag in self.dropped or element.way is Hidden.LEFT_OUT for element in self.opened)
        if role >= BLOCK and not outside and tag not in self.dropped:
            for element in self.opened:
                element.way = None if element.way is Hidden.UNSEEN else element.way
        is_gone = self.is_hidden() or tag in self.dropped or way in GONE
        element = Element(tag, values, role, way, self.innermost(), is_gone)
        if not is_gone:
            self.begin(element)
        self.opened.append(element)

    def begin(self, element: Element) -> None:
        """An element that shows begins."""
        if element.role == LINK:
            self.links += 1
        if element.role > CELL:
            self.divide()
        elif element.role == CELL:
            if len(self.uncut()) > LONG_CELL:
                self.flush()
            self.buffer.append((CELL_EDGE, self.in_link()))
        if element.role >= CELL and element.role != BREAK:
            element.first = len(self.lines)
            self.elements.append(element)

    def end_element(self, tag: str) -> None:
        element = self.opened[-1]
        assert element.tag == tag
        if not element.is_gone and element.role >= BLOCK:
            self.divide()
        elif not element.is_gone and element.role == CELL:
            self.buffer.append((CELL_EDGE, self.in_link()))
            if len(self.lines) > element.first:
                self.flush()
        element.last = len(self.lines)
        self.opened.pop()

    def characters(self, data: str) -> None:
        if not self.is_hidden():
            self.buffer.extend((char, self.in_link()) for char in data)

    def innermost(self) -> Element | None:
        """The innermost block or cell."""
        return next((e for e in reversed(self.opened) if not e.is_gone and e.role >= CELL and e.role != BREAK), None)

    def in_link(self) -> bool:
        return any(element.role == LINK and not element.is_gone for element in self.opened)

    def is_hidden(self) -> bool:
        return any(element.tag in self.dropped or element.way in GONE for element in self.opened)

    def divide(self) -> None:
        """A block begins or ends, or a line breaks."""
        self.flush()
        if not self.in_link():
            self.links = 0

    def flush(self) -> None:
        """End a segment, if there is anything to see."""
        chars = self.collapsed()
        text = "".join(char for char, _ in chars)
        if text.strip(INVISIBLE):
            self.lines.append(Line(text, sum(linked for _, linked in chars), self.links, self.innermost()))
            self.links = 0
        self.buffer.clear()

    def uncut(self) -> list[tuple[str, bool]]:
        """The buffer with its whitespace collapsed, unless it is kept; it begins and ends with no edge of a cell."""
        verbatim = any(element.role == VERBATIM and not element.is_gone for element in self.opened)
        chars: list[tuple[str, bool]] = []
        edge = True
        for char, linked in self.buffer:
            is_edge = char == CELL_EDGE or (char.isspace() and not verbatim)
            if not (is_edge and edge):
                chars.append((" " if is_edge else char, linked))
            edge = is_edge
        return chars[:-1] if chars and edge else chars

    def collapsed(self) -> list[tuple[str, bool]]:
        """That without whitespace around it."""
        chars = self.uncut()
        text = "".join(char for char, _ in chars)
        start = len(text) - len(text.lstrip("\n\r"))
        return chars[start : len(text.rstrip())]


def reference(html: str) -> Reference:
    """A page read as it shows, or as it shows without scripts."""
    page = read(html, frozenset(DROPPED_TAGS))
    size = size_of(page)
    if size < segment.FEW_CHARS and segment.NOSCRIPT.search(html):
        fuller = read(html, frozenset(DROPPED_TAGS) - {"noscript"})
        if size_of(fuller) >= size + segment.NOSCRIPT_CHARS:
            return fuller
    return page


def size_of(page: Reference) -> int:
    return max(sum(len(line.text) + 1 for line in page.lines) - 1, 0)


def read(html: str, dropped: frozenset[str]) -> Reference:
    page = Reference(dropped)
    sax_parse(html, page)
    page.elements = [element for element in page.elements if element.last > element.first]
    return page
