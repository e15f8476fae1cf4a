"""Bounds on two ways in which a small page makes the parser build a huge tree.

Reopening: links and formatting that a page leaves open are opened again, with all their attributes, in every block that
follows (HTML standard, 13.2.4.3, the list of active formatting elements). So `<p>`, five hundred different `<b a=1>` and a
thousand `<p>x` make half a million elements, sixty megabytes of eleven kilobytes; one link with fifty thousand attributes and
ten thousand paragraphs make twelve gigabytes of half a megabyte.

Merging: the attributes of a second `<html>` or `<body>` are given to the first, unless it has them (13.2.6.4.7), so that each
is compared with all.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

FEW_NODES = 300_000
"""Nodes that the tree of any page may have: some thirty megabytes."""

NODES_A_TAG = 3
"""Nodes a tag may make: its element, a text, and one link that is opened again (a second link takes its place in the list)."""

NODE_BYTES = 100
"""What an element takes without its attributes, or a text without its characters."""

MOST_CHAR_BYTES = 30
"""What a character of a tag takes at most, in the tree and written out."""

_WRITTEN = 4
"""What a byte takes that is written out: it is held in pieces and joined, then as an array."""

_ATTRIBUTE_BYTES, _ESCAPED_BYTES = 24 + 3 * _WRITTEN, 5 * _WRITTEN
"""An attribute besides its characters: in the tree, and the `=""` of one without a value; what `"` or `&` takes more as `&quot;` or
`&amp;`."""

MOST_MERGED = 2000
"""Attributes of `<html>` and `<body>` that are compared with one another: of 3,231 crawled pages none has more than 50."""

_SPACE = r"[\t\n\f\r ]"
_AFTER_NAME = r"(?=[\t\n\f\r />])"
_LINK = "[aA]"
_FORMATTING = r"[bcefinstuBCEFINSTU](?i:ig|ode|m|ont|obr|trike|mall|trong|t|electedcontent)?"
"""b, big, code, em, font, i, nobr, s, small, strike, strong, tt and u, and some that are no elements: three times as fast as
their names. And selectedcontent, of which below."""

_VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?+"""
_ATTRIBUTE = rf"(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)(?:{_SPACE}*+={_SPACE}*+{_VALUE})?+"
_REST = rf"(?:{_ATTRIBUTE}|[\t\n\f\r /]++)*+>?"
"""Of a start tag behind its name, as the standard finds it (13.2.5.32 to 13.2.5.40)."""

_OUTER = "[hH][tT][mM][lL]|[bB][oO][dD][yY]"
_OUTER_BEGIN = frozenset(("ht", "hT", "Ht", "HT", "bo", "bO", "Bo", "BO"))
"""The first two letters of html and body, and of nothing else that is looked for."""

_STARTS = rf"{_LINK}|{_OUTER}|{_FORMATTING}"
_START_TAG = re.compile(rf"<(?:{_STARTS}){_AFTER_NAME}{_REST}")
_START_NAME = re.compile(rf"<(?:{_STARTS}){_AFTER_NAME}")
_OUTER_NAME = re.compile(rf"<({_OUTER}){_AFTER_NAME}")
_TO_END = re.compile(_REST)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_LINK_NAME = re.compile(rf"</?{_LINK}{_AFTER_NAME}")
_FORMATTING_NAME = re.compile(rf"</?{_FORMATTING}{_AFTER_NAME}")
_RENAMED = r"\g<0>_"

_MOST_ALIKE = 3
"""Of start tags that are alike, the last three are opened again: the Noah's Ark clause (13.2.4.3)."""

_CLONED = "selectedcontent"
"""The parser copies the chosen option into this element, whatever is in it."""


def most_nodes(size: int) -> int:
    """As many nodes as a page may make of its characters: at `NODE_BYTES` each, they are fifty times its size."""
    return max(FEW_NODES, size // 2)


def with_reopening_bounded(html: str, tags: int) -> str:
    """The page, or one of which the parser makes fewer nodes: with links or formatting under names that it does not know.

    Elements of unknown names end with the block they stand in and are not opened again. Only pages that could grow beyond bounds
    are renamed, for in `<xmp>` and `<plaintext>` the new names can be read. Of 3,231 crawled pages none comes out otherwise with
    formatting renamed; 31 have attributes so long that links are renamed. Where too many attributes would be merged, the first
    `<html>` and the first `<body>` alone stay.

    Args:
        html: The page.
        tags: Its opening brackets.
    """
    # Every opening bracket may be that of a block which opens everything again.
    allowed = NODE_BYTES * (most_nodes(len(html)) - NODES_A_TAG * tags)
    found = _amplified(html, allowed // max(tags, 1))
    if found.merged > MOST_MERGED:
        html = _with_first_outer_tags(html)
    if found.copied or (found.link + found.formatting) * tags > allowed:
        html = _FORMATTING_NAME.sub(_RENAMED, html)
    if found.link * tags > allowed:
        html = _LINK_NAME.sub(_RENAMED, html)
    return html


def _with_first_outer_tags(html: str) -> str:
    """The page with all `<html>` but the first, and all `<body>` but the first, as end tags of no element, which parsers pass over."""
    seen = set()

    def passed_over(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        if name in seen:
            return f"</{name}_"
        seen.add(name)
        return tag[0]

    return _OUTER_NAME.sub(passed_over, html)


class _Amplified(NamedTuple):
    """What may be multiplied on a page, at most.

    Attributes:
        link: Bytes that the largest link takes each time it is opened again.
        formatting: Bytes that all formatting takes each time.
        merged: Attributes of `<html>` and `<body>`.
        copied: Whether an option of a `<select>` may be copied.
    """

    link: int
    formatting: int
    merged: int
    copied: bool


def _amplified(html: str, few: int) -> _Amplified:
    """What may be multiplied on a page.

    Args:
        html: The page.
        few: Bytes that do not matter: estimates below them, and beyond them, are not made any closer.
    """
    found = _START_TAG.findall(html)
    # What only looks like a tag, in a comment or a script, may hide others from the search.
    if "".join(found).count("<") > len(found):
        return _Amplified(*_hidden_too(html, few), _CLONED in html.lower())
    no_links = [tag for tag in found if tag[1] not in "aA"]
    outer = [tag for tag in no_links if tag[1:3] in _OUTER_BEGIN]
    formatting = Counter(no_links)
    for tag in set(outer):
        del formatting[tag]
    merged = sum(map(_attributes_of, outer)) if len(outer) > 1 else 0
    copied = any(tag[1:16].lower() == _CLONED for tag in formatting)
    # The longest tag is hardly ever one of formatting.
    link = _at_most(1, max(map(len, found), default=0))
    others = _MOST_ALIKE * _at_most(len(formatting), sum(map(len, formatting)))
    if link + others > few:
        others = sum(min(count, _MOST_ALIKE) * _bytes_of(tag) for tag, count in formatting.items())
        # Shorter links decide nothing.
        room = few - others if others <= few else few
        links = (tag for tag in found if _at_most(1, len(tag)) > room and tag[1] in "aA")
        link = max(map(_bytes_of, links), default=0)
    return _Amplified(link, others, merged, copied)


def _at_most(tags: int, chars: int) -> int:
    """What elements of so many start tags of so many characters in all can take."""
    return NODE_BYTES * tags + MOST_CHAR_BYTES * chars


def _hidden_too(html: str, few: int) -> tuple[int, int, int]:
    """Link, formatting and merged attributes as in `_Amplified`, of all that may be a start tag, even inside others; no more is
    read than decides."""
    link, formatting, merged = 0, 0, 0
    seen: Counter[str] = Counter()
    for name in _START_NAME.finditer(html):
        is_link, is_outer = name[0] in ("<a", "<A"), name[0][1:3] in _OUTER_BEGIN
        decided = merged > MOST_MERGED if is_outer else link > few if is_link else link + formatting > few
        if decided:
            continue
        end = _TO_END.match(html, name.end())
        tag = name[0] + (end[0] if end else "")
        if is_outer:
            merged += _attributes_of(tag)
        elif is_link:
            link = max(link, _bytes_of(tag))
        else:
            seen[tag] += 1
            if seen[tag] <= _MOST_ALIKE:
                formatting += _bytes_of(tag)
    return link, formatting, merged


def _attributes_of(tag: str) -> int:
    """How many attributes a start tag has; its name looks like one."""
    return len(_ATTRIBUTES.findall(tag)) - 1


def _bytes_of(tag: str) -> int:
    """What an element of this start tag takes, in the tree and as it is written out."""
    escaped = tag.count('"') + tag.count("&") + tag.count("\xa0") + tag.count("<") + tag.count(">")
    written = len(tag.encode("utf-8", "replace"))
    return NODE_BYTES + _WRITTEN * written + _ESCAPED_BYTES * escaped + _ATTRIBUTE_BYTES * len(_ATTRIBUTES.findall(tag))
