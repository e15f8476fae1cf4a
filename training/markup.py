"""Text pages as HTML pages for training: HTML heads learn from what text pages say, and from their link lists in some markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import groupby

import numpy as np

from detector.data import LINK_LIST
from detector.errors import SampleError
from detector.segment import segment_html
from training.labelling import LabelledPage, weighted

Way = tuple[str, str, str]
"""What stands before a run of lines, around each line, and after the run."""

PARAGRAPHS: Way = ("", "<p>{}</p>", "")

LISTS: tuple[Way, ...] = (
    ("<ul>", '<li><a href="/">{}</a></li>', "</ul>"),
    ("<div>", '<a href="/">{}</a><br>', "</div>"),
    ("", '<div><a href="/">{}</a></div>', ""),
    ("", '<p><a href="/">{}</a></p>', ""),
    PARAGRAPHS,
)
"""Ways to write the lines of a link list, one in five as if they were prose."""


def in_paragraphs(labelled: LabelledPage) -> LabelledPage:
    """A text page as an HTML page: each line is a paragraph, and the labels stay."""
    return _written(labelled, PARAGRAPHS)


def with_lists_marked_up(pages: Sequence[LabelledPage], seed: int) -> list[LabelledPage]:
    """Text pages as HTML pages: lines of link lists in one way for a page, drawn anew for each, and the others in paragraphs.

    Args:
        pages: Whose link lists nobody saw with their markup: composed ones.
        seed: Of the random choices.
    """
    ways = np.random.default_rng(seed).integers(len(LISTS), size=len(pages))
    return [_written(page, LISTS[way]) for page, way in zip(pages, ways.tolist(), strict=True)]


def _written(labelled: LabelledPage, of_lists: Way) -> LabelledPage:
    """The page with the lines of its link lists written in that way."""
    parts = []
    pairs = zip(labelled.page.segment_texts(), labelled.labels.tolist(), strict=True)
    for is_list, run in groupby(pairs, key=lambda pair: pair[1] == LINK_LIST):
        before, around, after = of_lists if is_list else PARAGRAPHS
        parts += [before, *(around.format(escape(line)) for line, _ in run), after]
    content = "\n".join(parts)
    page = segment_html(content)
    if len(page) != len(labelled.labels):
        raise SampleError(
            f"{labelled.sample.id}: as HTML it has {len(page)} segments, and {len(labelled.labels)} as text; leave it out"
        )
    # What type its page is of says nothing of the paragraphs.
    return weighted(replace(labelled.sample, kind="html", content=content, page_type=None), page, labelled.labels)
