"""HTML to segments: the text of block-level elements in document order, with the DOM as spans over them.

The only file that knows the HTML parser (turbohtml; `decode.py` uses its detection of encodings). It builds the tree, takes out what is never seen, and writes the rest
as canonical markup, all in C; that is read as an array of bytes. To be called back by the parser for every element took
twice as long in all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import numpy as np

from detector.amplification import with_reopening_bounded
from detector.data import SegmentedPage
from detector.segment.elements import elements_of
from detector.segment.flow import read_flow
from detector.segment.hiding import SUSPECTS, Hidden, cover_unseen, how_hidden
from detector.segment.lines import divide
from detector.segment.tags import DROPPED_TAGS, PADDING, RAW, RAW_TAGS, read_tags

if TYPE_CHECKING:
    from turbohtml import Comment, Document

NOSCRIPT = re.compile("<noscript", re.IGNORECASE)
FEW_CHARS = 1000
"""A page that shows less than this may be an application whose text, for readers without scripts, is in `noscript`."""

NOSCRIPT_CHARS = 500
"""Characters that `noscript` must add: less is a request to turn scripts on."""

_DROPPED = ",".join(DROPPED_TAGS)
_DROPPED_WITHOUT_SCRIPTS = ",".join(tag for tag in DROPPED_TAGS if tag != "noscript")

_PLACES = ":is(a,a_)[name]:not([href],[onclick],[hidden])"
"""Anchors that give a place a name and lead nowhere: old pages leave them open, and all that follows would stand in a link. Others
without an address are buttons of scripts, which is what links are here."""

_PLACES_AND_RAW = ",".join((_PLACES, *RAW_TAGS))

_LEFT_OUT = f'[hidden="{Hidden.LEFT_OUT.value}"]'


def segment_html(html: str, tags: int | None = None) -> SegmentedPage:
    """Split an HTML page into segments, one a block of visible text.

    Whitespace inside a segment is collapsed, except in `<pre>`. `<br>` ends a segment, so that a list of links
    divided by breaks is a list of segments. Inline elements and cells that are not displayed are left out, and inline
    elements that are unseen as far as the next block, which may undo it; hidden blocks are segments, and their elements
    say so. A page that shows next to nothing is read as browsers without scripts show it: forums of the kind put all
    their posts in `noscript`. Any input is accepted.

    Args:
        html: The page's markup.
        tags: Its opening brackets, if they are counted already.

    Returns:
        The page; its `text` is the segments joined by newlines, its `elements` the DOM as spans over segments.
    """
    html = with_reopening_bounded(html, html.count("<") if tags is None else tags)
    page = _read(html, _DROPPED)
    if len(page.text) < FEW_CHARS and NOSCRIPT.search(html):
        without_scripts = _read(html, _DROPPED_WITHOUT_SCRIPTS)
        if len(without_scripts.text) >= len(page.text) + NOSCRIPT_CHARS:
            return without_scripts
    return page


def _read(html: str, dropped: str) -> SegmentedPage:
    """The segments of a page without the elements of some tags."""
    markup, any_unseen = _canonical(html, dropped)
    codes = np.frombuffer(markup, np.uint8)
    tags = read_tags(markup, codes)
    if (tags.roles == RAW).any():
        markup, any_unseen = _canonical(html, dropped, _PLACES_AND_RAW)
        codes = np.frombuffer(markup, np.uint8)
        tags = read_tags(markup, codes)
    covered = cover_unseen(markup, tags) if any_unseen else None
    lines = divide(tags, read_flow(codes, tags, covered))
    return SegmentedPage(lines.text, lines.starts, lines.ends, elements_of(markup, tags, lines))


def _canonical(html: str, dropped: str, unwrapped: str = _PLACES) -> tuple[bytes, bool]:
    """The page as its tree says, with hidden elements marked and without comments; and whether any element is unseen."""
    # A process that reads plain text only starts a fifth sooner without the parser.
    from turbohtml import parse

    try:
        document = parse(html).remove(dropped)
        ways = _mark_hidden(document)
        if Hidden.LEFT_OUT in ways:
            document.remove(_LEFT_OUT)
        document.strip_tags(unwrapped)
        for comment in cast("list[Comment]", document.xpath("//comment()")):
            comment.decompose()
        # In pieces, and joined when the tree is gone, which is large: what it takes is what a page takes at most.
        pieces = [piece.encode() for piece in document.serialize_iter()]
    except UnicodeError:
        # Lone surrogates: the parser takes none in names of attributes, and none may reach the text.
        return _canonical(html.encode("utf-8", "replace").decode(), dropped, unwrapped)
    del document
    return b"".join([*pieces, PADDING]), Hidden.UNSEEN in ways


def _mark_hidden(document: Document) -> set[Hidden]:
    """Have an attribute of hidden elements, their last, say how they are hidden; the ways there are."""
    ways = set()
    for element in document.select(SUSPECTS):
        attributes = element.attrs
        hidden = attributes.pop("hidden", None) is not None
        way = how_hidden(element.tag, str(attributes.get("style") or ""), hidden=hidden)
        if way is not None:
            attributes["hidden"] = way.value
            ways.add(way)
    return ways
