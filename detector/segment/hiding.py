"""What of a page nobody sees, by attributes of the elements themselves."""

from __future__ import annotations

import re
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.data import HIDDEN_TOKEN
from detector.segment.tags import BLOCK, BREAK, CELL, EMPTY, INLINE, STEPS, Tags, pairs, role_of

SUSPECTS = '[hidden],[style*="display" i],[style*="visibility" i],[style*="font-size" i]'
"""Selects the elements that may be hidden."""

_NOT_DISPLAYED = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_UNSEEN = re.compile(r"visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
"""What a child may undo: newsletters give cells a size of 0 and the blocks in them one of their own."""


class Hidden(Enum):
    """How an element is hidden; the values are those of its attribute `hidden` in the markup that is read."""

    SAYS_SO = HIDDEN_TOKEN
    """A block: a segment like others, with a word among those of its element."""

    LEFT_OUT = "left-out"
    """An inline element or a cell that is not displayed."""

    UNSEEN = "unseen"
    """An inline element of which nothing is seen as far as the first block in it."""


def how_hidden(tag: str, style: str, *, hidden: bool) -> Hidden | None:
    """How an element is hidden, if it is.

    Args:
        tag: Its tag.
        style: Its attribute `style`.
        hidden: Whether it has the attribute `hidden`.
    """
    displayed = not (hidden or _NOT_DISPLAYED.search(style))
    if displayed and not _UNSEEN.search(style):
        return None
    role = role_of(tag.encode())
    if not INLINE <= role <= CELL:
        return Hidden.SAYS_SO
    if not displayed:
        return Hidden.LEFT_OUT
    return Hidden.SAYS_SO if role == CELL else Hidden.UNSEEN


_UNSEEN_MARK = f' hidden="{Hidden.UNSEEN.value}"'.encode()


def cover_unseen(markup: bytes, tags: Tags) -> NDArray[np.bool_]:
    """Take their roles from tags that are unseen, and say after which tags the text is; (n_tags,) bool."""
    opens = _marked(markup, tags)
    end_of = _ends(tags)
    blocks = np.append(((tags.roles >= BLOCK) & ~tags.closing).nonzero()[0], len(tags.starts))
    ends = np.minimum(end_of.take(opens), blocks.take(blocks.searchsorted(opens)))
    changes = np.zeros(len(tags.starts), np.int32)
    changes[opens] = 1
    np.subtract.at(changes, ends, 1)
    covered: NDArray[np.bool_] = np.cumsum(changes) > 0
    without = covered.copy()
    without[end_of[covered & (end_of > 0)]] = True
    tags.roles[without] = EMPTY
    return covered


def _marked(markup: bytes, tags: Tags) -> NDArray[np.int64]:
    """The start tags of unseen elements."""
    places = []
    at = markup.find(_UNSEEN_MARK)
    while at >= 0:
        places.append(at)
        at = markup.find(_UNSEEN_MARK, at + 1)
    found = tags.starts.searchsorted(places) - 1
    # The rest is of text that looks like it.
    return found[tags.ends.take(found) > places]


def _ends(tags: Tags) -> NDArray[np.int64]:
    """The end tag of each start tag, 0 for all others; (n_tags,) int64."""
    elements = ((tags.roles > EMPTY) & (tags.roles != BREAK)).nonzero()[0]
    closing = tags.closing[elements]
    depths = np.cumsum(STEPS.take(closing), dtype=np.int32)
    opens, closes = pairs(depths + closing)
    ends = np.zeros(len(tags.starts), np.int64)
    ends[elements[opens]] = elements[closes]
    return ends
