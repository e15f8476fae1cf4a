"""Links and formatting that a page leaves open: the parser opens them again in every block that follows, attributes and all.

As the HTML standard says (13.2.4.3, the list of active formatting elements). So `<p>`, five hundred different `<b a=1>` and a
thousand `<p>x` are half a million elements, sixty megabytes for eleven kilobytes; one link with fifty thousand attributes and
ten thousand paragraphs are twelve gigabytes for half a megabyte.
"""

from __future__ import annotations

import re

FEW_NODES = 300_000
"""Nodes of a tree that any page may have: some thirty megabytes."""

NODES_A_TAG = 3
"""A tag opens an element, may begin a text, and may have a link opened again: one, for another takes its place in the list."""

_CHARS_A_NODE = 12
"""So many characters of attributes take as much as a node: the parser keeps 24 bytes of each, and they are written out."""

_SPACE = r"[\t\n\f\r ]"
_LINK = "[aA]"
_FORMATTING = r"[bcefinstuBCEFINSTU](?i:ig|ode|m|ont|obr|trike|mall|trong|t)?"
"""b, big, code, em, font, i, nobr, s, small, strike, strong, tt and u, and some that are no elements: three times as fast as
their names."""
_VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?+"""
_ATTRIBUTES = rf"(?:=?+[^\t\n\f\r />=]++(?:{_SPACE}*+={_SPACE}*+{_VALUE})?+|[\t\n\f\r /]++)*+"
_START_TAG = re.compile(rf"<(?:{_LINK}|{_FORMATTING})(?:>|(?=[\t\n\f\r /]){_ATTRIBUTES}>?)")
"""To its end, as the standard finds it (13.2.5.32 to 13.2.5.40). What only looks like a tag is no shorter than those that it
hides."""
_LINK_NAME = re.compile(rf"</?{_LINK}(?=[\t\n\f\r />])")
_FORMATTING_NAME = re.compile(rf"</?{_FORMATTING}(?=[\t\n\f\r />])")
_RENAMED = r"\g<0>_"


def most_nodes(size: int) -> int:
    """As many nodes as a page may make of its characters: at a hundred bytes each, they are fifty times its size."""
    return max(FEW_NODES, size // 2)


def opened_once(html: str, tags: int) -> str:
    """The page, or one that the parser makes fewer nodes of: with links or formatting under names that it does not know.

    Elements of unknown names end with the block they stand in. Of 3,231 crawled pages none comes out otherwise with formatting
    renamed; links are renamed on 81 of them, and on 2 one ends elsewhere for it.

    Args:
        html: The page.
        tags: Its opening brackets: no more blocks can open anything again.
    """
    longest_link, formatting = 0, 0
    for tag in _START_TAG.findall(html):
        if tag[1] in "aA":
            longest_link = max(longest_link, len(tag))
        else:
            formatting += _CHARS_A_NODE + len(tag)
    allowed = _CHARS_A_NODE * (most_nodes(len(html)) - NODES_A_TAG * tags)
    if (longest_link + formatting) * tags > allowed:
        html = _FORMATTING_NAME.sub(_RENAMED, html)
    if longest_link * tags > allowed:
        html = _LINK_NAME.sub(_RENAMED, html)
    return html
