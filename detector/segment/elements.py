"""The elements of a page as spans over its segments."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import Elements
from detector.segment.lines import Lines
from detector.segment.tags import BREAK, CELL, STEPS, Tags, pairs, rows

_NAMING = re.compile(r' (?:(?:class|id|role|itemprop|hidden)="([^"]*)"|=?[^=]*+="[^"]*")')
"""An attribute, and its value if page authors say by it what an element is, or if it was put there for hidden elements.
Every attribute is matched, for a value may hold what looks like the beginning of another; a name may begin with `=`."""

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&nbsp;", "\xa0"), ("&amp;", "&"))
"""All that there are in attributes of canonical markup, the ampersand last."""


def elements_of(markup: bytes, tags: Tags, lines: Lines) -> Elements:
    """The blocks and cells that cover a segment, in document order.

    Args:
        markup: The page.
        tags: Its tags.
        lines: Its segments.
    """
    ended_by = lines.ended_by
    opens, levels, first, last, depths = _covering(tags, ended_by)
    # By level and then by place: around a place is the last element of a level that starts before.
    n_tags = len(tags.starts)
    keys = levels * n_tags + opens
    parents = keys.searchsorted(keys - n_tags) - 1
    innermost = keys.searchsorted(depths * n_tags + ended_by) - 1
    order = opens.argsort()
    # One number more than there are elements, for -1.
    number = np.full(len(order) + 1, -1, np.int32)
    number[order] = np.arange(len(order))
    names, name_of = _names(markup, tags, opens.take(order))
    return Elements(
        names=names,
        name_of=name_of,
        parents=number.take(parents.take(order)),
        first=first.take(order),
        last=last.take(order),
        innermost=number.take(innermost),
        link_chars=lines.link_chars,
        links=lines.links,
    )


def _covering(tags: Tags, ended_by: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """The elements that cover a segment, by level and then by place; and how many there are around each segment.

    Returns:
        Their start tags, levels from 1 on, first segments, and ends of segments, each (n_elements,); and (n_segments,).
    """
    at = ((tags.roles >= CELL) & (tags.roles != BREAK)).nonzero()[0]
    closing = tags.closing.take(at)
    depths = np.cumsum(STEPS.take(closing), dtype=np.int32)
    around = np.append(0, depths).take(at.searchsorted(ended_by))
    opens, closes = pairs(depths + closing)
    first = ended_by.searchsorted(at.take(opens), "right").astype(np.int32)
    last = ended_by.searchsorted(at.take(closes), "right").astype(np.int32)
    kept = (last > first).nonzero()[0]
    opens = opens.take(kept)
    return at.take(opens), depths.take(opens).astype(np.int64), first.take(kept), last.take(kept), around


def _names(markup: bytes, tags: Tags, opens: NDArray[np.int64]) -> tuple[list[tuple[str, str]], NDArray[np.int32]]:
    """The different start tags as tag and words, and which of them each element has."""
    numbers: dict[bytes, int] = {}
    name_of = np.fromiter(
        (
            numbers.setdefault(markup[start:end], len(numbers))
            for start, end in rows(tags.starts.take(opens) + 1, tags.ends.take(opens))
        ),
        np.int32,
        len(opens),
    )
    # No tag holds a ">", and to decode them together is quicker.
    return [_name(tag) for tag in b">".join(numbers).decode().split(">")] if numbers else [], name_of


def _name(start_tag: str) -> tuple[str, str]:
    """The tag, and the words by which page authors name the element, with one for that it is hidden."""
    tag, _, attributes = start_tag.partition(" ")
    words = " ".join(filter(None, _NAMING.findall(start_tag))) if attributes else ""
    if "&" in words:
        for entity, char in _ENTITIES:
            words = words.replace(entity, char)
    return tag, words
