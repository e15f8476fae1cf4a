"""Readers' comments below an article, told by the names of the elements around them.

Comments are prose by every feature of a segment, and sure prose at that, but no part of the article. Their element
says what they are, whoever wrote the page: blog software names it in English in every language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.data import BOILERPLATE, CONTENT, Elements, SegmentedPage

LEAST_ABOVE = 500
"""Characters of content above an element of comments from which it is not the page's own content; a shorter post is there
for what was answered. 200 to 800 all win, 500 most (`training/experiments.md`)."""

_COMMENTS = re.compile(r"(?:^|\s)(?!has-|no-)(?!comment(?:\s|$))(?!\S*commentary)\S*comment")
"""A word of an element's name that says comments. `comment` alone does not: schema.org has it for a forum's posts."""

_COMMENT, _FORUM = "comment", "forum"
"""What such a word has in it; and what, in any name, says that the page is made of what its readers write."""


def drop_comments(
    labels: NDArray[np.uint8], pages: Sequence[SegmentedPage], offsets: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Label the comments below an article as boilerplate, in place; pages without markup have no element to tell them by.

    Args:
        labels: (n_segments,) uint8, indices into `LABELS`.
        pages: The pages of the segments.
        offsets: (n_pages + 1,) int64.

    Returns:
        (n_segments,) bool, which were content and are comments.
    """
    before = labels == CONTENT
    for page, (first, last) in zip(pages, pairwise(offsets.tolist()), strict=True):
        if page.elements is not None:
            _drop(labels[first:last], page.ends - page.starts, page.elements)
    return before & (labels == BOILERPLATE)


def _drop(labels: NDArray[np.uint8], chars: NDArray[np.int64], elements: Elements) -> None:
    """As `drop_comments`, of one page."""
    names = [words for _, words in elements.names]
    together = "\n".join(names).lower()
    if _COMMENT not in together or _FORUM in together:
        return
    named = np.array([_says_comments(words.lower()) for words in names], bool)
    content = labels == CONTENT
    above = np.concatenate(([0], np.cumsum(chars * content)))
    chosen = named[elements.name_of] & (above[elements.first] >= LEAST_ABOVE)
    # An element begins and ends: where more have begun than ended, a segment is inside one.
    steps = np.bincount(elements.first[chosen], minlength=len(labels) + 1)
    steps -= np.bincount(elements.last[chosen], minlength=len(labels) + 1)
    labels[content & (np.cumsum(steps)[:-1] > 0)] = BOILERPLATE


def _says_comments(words: str) -> bool:
    """Whether one of the words, in lower case, does."""
    return _COMMENT in words and _COMMENTS.search(words) is not None
