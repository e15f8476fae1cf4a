"""HTML to segments: the text of block-level elements in document order, with the DOM as spans over them.

The only file that knows the HTML parser (turbohtml). Its SAX interface builds the WHATWG tree in C and calls
back once an element or run of text: callbacks that do nothing take as long again as parsing, and ours again as long.
Its annotated-text call is quicker and sees no class names and no table cells; to have it write the tree as canonical
markup, without what does nothing to segments, and to read that with a regular expression was slower.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from detector.data import HIDDEN_TOKEN, Elements, SegmentedPage
from detector.segment.text import INVISIBLE

DROPPED_TAGS = (
    "script style noscript template head svg iframe object embed noembed noframes canvas audio video datalist "
    "textarea annotation annotation-xml"
).split()
"""Elements whose text a reader never sees as text."""

BLOCK_TAGS = (
    "html body address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup legend li main menu nav ol p pre section search select optgroup "
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

LONG_CELL = 80
"""Characters in a row's earlier cells above which the next cell starts a segment: layout, not data."""

TOKEN_ATTRIBUTES = frozenset(("class", "id", "role", "itemprop"))
NOT_DISPLAYED = re.compile(r"display\s*:\s*none", re.IGNORECASE)
UNSEEN = re.compile(r"visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
"""What a child may undo: newsletters give cells a size of 0 and the blocks in them one of their own."""

NOSCRIPT = re.compile("<noscript", re.IGNORECASE)
FEW_CHARS = 1000
"""A page that shows less than this may be an application whose text, for readers without scripts, is in `noscript`."""

NOSCRIPT_CHARS = 500
"""Characters that `noscript` must add: less is a request to turn scripts on."""

Attributes = tuple[tuple[str, str | None], ...]


_EMPTY, _INLINE, _LINK, _CELL, _BREAK, _BLOCK, _DROPPED = range(7)


class _Roles(dict[str, int]):
    """What a tag does to the text; custom elements are blocks, everything unknown is inline."""

    def __missing__(self, tag: str) -> int:
        return _BLOCK if "-" in tag else _INLINE


_ROLES = _Roles(
    {
        **dict.fromkeys(EMPTY_TAGS, _EMPTY),
        **dict.fromkeys(INLINE_TAGS, _INLINE),
        **dict.fromkeys(BLOCK_TAGS, _BLOCK),
        **dict.fromkeys(CELL_TAGS, _CELL),
        **dict.fromkeys(BREAK_TAGS, _BREAK),
        **dict.fromkeys(DROPPED_TAGS, _DROPPED),
        "a": _LINK,
    }
)
_ROLES_WITHOUT_SCRIPTS = _Roles({**_ROLES, "noscript": _BLOCK})


def _numbers() -> array[int]:
    return array("i")


@dataclass(frozen=True, slots=True)
class _Walk:
    """What one pass over the page collects: by segment, and by element.

    Numbers are packed, and names kept once: a hostile page has an element for every three of its bytes.
    """

    texts: list[str] = field(default_factory=list)
    link_chars: array[int] = field(default_factory=_numbers)
    links: array[int] = field(default_factory=_numbers)
    innermost: array[int] = field(default_factory=_numbers)
    names: dict[tuple[str, Attributes], int] = field(default_factory=dict)
    name_of: array[int] = field(default_factory=_numbers)
    first: array[int] = field(default_factory=_numbers)
    last: array[int] = field(default_factory=_numbers)
    parents: array[int] = field(default_factory=_numbers)


def segment_html(html: str) -> SegmentedPage:
    """Split an HTML page into segments, one a block of visible text.

    Whitespace inside a segment is collapsed, except in `<pre>`. `<br>` ends a segment, so that a list of links
    divided by breaks is a list of segments. Inline elements and cells that are not displayed are left out, and inline
    elements that are unseen as far as the next block, which may undo it; hidden blocks are segments, and their elements
    say so. A page that shows next to nothing is read as browsers without scripts show it: forums of the kind put all
    their posts in `noscript`. Any input is accepted.

    Args:
        html: The page's markup.

    Returns:
        The page; its `text` is the segments joined by newlines, its `elements` the DOM as spans over segments.
    """
    try:
        walk, text = _walk_and_text(html)
    except UnicodeError:
        # Lone surrogates: the parser takes none in names of attributes, and none may reach the text.
        walk, text = _walk_and_text(html.encode("utf-8", "replace").decode())
    lengths = np.fromiter(map(len, walk.texts), np.int64, len(walk.texts))
    ends = np.cumsum(lengths + 1) - 1
    return SegmentedPage(text, ends - lengths, ends, _elements(walk))


def _walk_and_text(html: str) -> tuple[_Walk, str]:
    """What a walk collects, and its segments joined; raises UnicodeError where a lone surrogate is in the way."""
    walk = _walk(html)
    text = "\n".join(walk.texts)
    if len(text) < FEW_CHARS and NOSCRIPT.search(html):
        without_scripts = _walk(html, _ROLES_WITHOUT_SCRIPTS)
        fuller = "\n".join(without_scripts.texts)
        if len(fuller) >= len(text) + NOSCRIPT_CHARS:
            walk, text = without_scripts, fuller
    # Only what is kept is looked at: a page's markup is many times its text.
    if not text.isascii():
        text.encode()
    return walk, text


def _walk(html: str, roles: dict[str, int] = _ROLES) -> _Walk:
    """Collect segments and element spans in one pass.

    Every callback is constant time, amortised. They are closures and not methods: this is the hottest Python of the
    package, and attribute access was a third of it.
    """
    # A process that reads plain text only starts a fifth sooner without the parser.
    from turbohtml.saxparse import SaxHandler, sax_parse

    walk = _Walk()
    texts, names, first, last, parents = walk.texts, walk.names, walk.first, walk.last, walk.parents
    name_of, opened = walk.name_of, [-1]
    buffer: list[str] = []
    chars = link_chars = links = link_depth = pre_depth = dropped_depth = 0
    unseen = False

    def flush() -> None:
        nonlocal chars, link_chars, links
        raw = "".join(buffer)
        text = raw.strip("\n\r").rstrip() if pre_depth else " ".join(raw.split())
        if text[:1].isalnum() or text.strip(INVISIBLE):
            texts.append(text)
            walk.link_chars.append(min(link_chars, len(text)))
            walk.links.append(links)
            walk.innermost.append(opened[-1])
            links = 0
        buffer.clear()
        chars = link_chars = 0

    def start_element(tag: str, attributes: Attributes) -> None:
        nonlocal links, link_depth, pre_depth, dropped_depth, unseen
        role = roles[tag]
        if dropped_depth:
            unseen = unseen and role != _DROPPED
            if not unseen or role != _BLOCK:
                dropped_depth += 1
                return
            dropped_depth = 0
        if role <= _CELL:
            if role == _EMPTY:
                return
            if attributes and (style := _hiding_style(attributes)) is not None:
                unseen = style is UNSEEN
                if not (unseen and role == _CELL):
                    dropped_depth = 1
                    return
            if role == _INLINE:
                return
            if role == _LINK:
                link_depth += 1
                links += 1
                return
            if chars > LONG_CELL:
                flush()
            elif buffer:
                buffer.append(" ")
        elif role == _DROPPED:
            dropped_depth, unseen = 1, False
            return
        else:
            if buffer:
                flush()
            if not link_depth:
                links = 0
            if role == _BREAK:
                return
            if tag == "pre":
                pre_depth += 1
        parents.append(opened[-1])
        opened.append(len(first))
        name_of.append(names.setdefault((tag, attributes), len(names)))
        first.append(len(texts))
        last.append(0)

    def end_element(tag: str) -> None:
        nonlocal links, link_depth, pre_depth, dropped_depth
        if dropped_depth:
            dropped_depth -= 1
            return
        role = roles[tag]
        if role == _BLOCK:
            if buffer:
                flush()
            if not link_depth:
                links = 0
            if tag == "pre":
                pre_depth -= 1
        elif role == _CELL:
            if buffer and len(texts) > first[opened[-1]]:
                flush()
        else:
            # A link within unseen text was not counted, and a block has since ended that.
            if role == _LINK and link_depth:
                link_depth -= 1
            return
        last[opened.pop()] = len(texts)

    def characters(data: str) -> None:
        nonlocal chars, link_chars
        if dropped_depth or (not buffer and not pre_depth and data.isspace()):
            return
        buffer.append(data)
        chars += len(data)
        if link_depth:
            link_chars += len(data)

    handler = SaxHandler()
    handler.start_element = start_element  # type: ignore[method-assign, assignment]
    handler.end_element = end_element  # type: ignore[method-assign]
    handler.characters = characters  # type: ignore[method-assign]
    sax_parse(html, handler)
    if buffer:
        flush()
    return walk


def _elements(walk: _Walk) -> Elements:
    """Keep the elements that cover a segment, renumbering parents and innermost elements."""
    first, last, parents, innermost, link_chars, links, names_of = (
        np.frombuffer(numbers, np.int32)
        for numbers in (walk.first, walk.last, walk.parents, walk.innermost, walk.link_chars, walk.links, walk.name_of)
    )
    kept = (last > first).nonzero()[0]
    # One number more than there are elements, for -1.
    number = np.full(len(first) + 1, -1, np.int32)
    number[kept] = np.arange(len(kept))
    name_of = names_of[kept]
    is_used = np.zeros(len(walk.names), bool)
    is_used[name_of] = True
    return Elements(
        names=[(tag, _tokens(attributes)) for tag, attributes in compress(walk.names, is_used.tolist())],
        name_of=(np.cumsum(is_used, dtype=np.int32) - 1)[name_of],
        parents=number[parents[kept]],
        first=first[kept],
        last=last[kept],
        innermost=number[innermost],
        link_chars=link_chars,
        links=links,
    )


def _hiding_style(attributes: Attributes) -> re.Pattern[str] | None:
    """How one of an element's attributes hides it: `NOT_DISPLAYED`, `UNSEEN`, or not at all."""
    for name, value in attributes:
        if name == "hidden":
            return NOT_DISPLAYED
        if name == "style" and value:
            return next((style for style in (NOT_DISPLAYED, UNSEEN) if style.search(value)), None)
    return None


def _tokens(attributes: Attributes) -> str:
    """The words by which page authors name an element: class, id, role, itemprop, and whether it is hidden."""
    tokens = [value for name, value in attributes if name in TOKEN_ATTRIBUTES and value]
    if _hiding_style(attributes) is not None:
        tokens.append(HIDDEN_TOKEN)
    return " ".join(tokens)
