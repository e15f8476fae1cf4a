"""Formatting elements that a page leaves open: the parser opens them again in every block that follows.

As the HTML standard says (13.2.4.3, the list of active formatting elements). So `<p>`, five hundred different `<b a=1>` and a
thousand `<p>x` are half a million elements, sixty megabytes for eleven kilobytes.
"""

from __future__ import annotations

import re
from collections import Counter

DEEPEST = 512
"""So many elements the parser nests at most."""

_OPENED = re.compile(r"<[bcefistuBCEFISTU](?i:ig|ode|m|ont|trike|mall|trong|t)?(?=[\s/>])")
"""b, big, code, em, font, i, s, small, strike, strong, tt and u, and some that are no elements: three times as fast as their
names. Without `a` and `nobr`, of which the list holds one at a time."""

_APART = (
    "annotation-xml|applet|body|caption|colgroup|desc|foreignobject|frameset|head|html|iframe|marquee|math|mi|mn|mo|ms|mtext|nobr|noembed|"
    "noframes|noscript|object|optgroup|option|plaintext|script|select|style|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|xmp"
)
"""Elements within which an end tag may not close what was opened outside, or is no end tag at all."""
_ATTRIBUTES = r"""(?:\s++[\w:-]++(?:=(?:"[^"<>\0]*+"|'[^'<>\0]*+'|[\w#.%-]++))?+)*+\s*+"""
_CLOSED = re.compile(
    rf"<(?!(?:{_APART})[\s/>])([a-z][\w-]*+){_ATTRIBUTES}>[^<]*+</\1\s*+>|<(?:br|img|wbr){_ATTRIBUTES}/?>",
    re.IGNORECASE,
)
"""An element with nothing but text in it, whatever stands around it, and one that is always empty."""
_GONE = "\0"
"""Left in the place of a closed element: what stood apart does not become alike, nor the end of an attribute."""
_ROUNDS = 4
"""Closed elements are looked for inside others, so many deep."""

_PLAIN = re.compile(rf"{_OPENED.pattern}{_ATTRIBUTES}/?>")
"""Those of `_OPENED` whose end cannot be mistaken, so that equal texts are equal elements."""
_ALIKE = 3
"""So many elements of one name with equal attributes are opened again at most ("Noah's Ark clause" of the standard)."""


def count_left_open(html: str, few: int) -> int:
    """At most how many formatting elements of a page the parser may open again in one block; linear in its size.

    Args:
        html: The page.
        few: So many do not matter: what is left is not looked at any closer then.
    """
    count = _count_opened(html, few)
    for _ in range(_ROUNDS):
        if count <= few:
            break
        html = _CLOSED.sub(_GONE, html)
        count = _count_opened(html, few)
    return count


def _count_opened(html: str, few: int) -> int:
    """The start tags of formatting elements; if they are more than a few, without those beyond the third of equal text."""
    count = len(_OPENED.findall(html))
    if count <= few:
        return count
    return count - sum(max(number - _ALIKE, 0) for number in Counter(_PLAIN.findall(html)).values())
