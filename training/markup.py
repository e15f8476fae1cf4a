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

HEADING = "<h3>{}</h3>"
"""How the first line of a link list is written on every other page: it mostly is the list's heading."""

BROKEN: Way = ("<div>", "{}<br>", "</div>")
"""Lines that end where a screen ended."""


def in_paragraphs(labelled: LabelledPage) -> LabelledPage:
    """A text page as an HTML page: each line is a paragraph, and the labels stay."""
    return _written(labelled, PARAGRAPHS)


def with_lists_marked_up(pages: Sequence[LabelledPage], seed: int) -> list[LabelledPage]:
    """Text pages as HTML pages: lines of link lists in one way for a page, drawn anew for each, and the others in paragraphs.

    Args:
        pages: Whose link lists nobody saw with their markup: composed ones.
        seed: Of the random choices.
    """
    random = np.random.default_rng(seed)
    ways = random.integers(len(LISTS), size=len(pages)).tolist()
    headed = random.integers(2, size=len(pages)).astype(bool).tolist()
    return [_written(page, LISTS[way], headed=head) for page, way, head in zip(pages, ways, headed, strict=True)]


def in_broken_lines(labelled: LabelledPage) -> LabelledPage:
    """A text page as an HTML page: all of it is one element, each line ends with a break, and the labels stay."""
    return _as_page(labelled, _in_way(BROKEN, labelled.page.segment_texts()))


def _written(labelled: LabelledPage, of_lists: Way, *, headed: bool = False) -> LabelledPage:
    """The page with the lines of its link lists written in that way, those lists with a heading or without."""
    parts = []
    pairs = zip(labelled.page.segment_texts(), labelled.labels.tolist(), strict=True)
    for is_list, run in groupby(pairs, key=lambda pair: pair[1] == LINK_LIST):
        lines = [line for line, _ in run]
        if is_list and headed and len(lines) > 1:
            parts.append(HEADING.format(escape(lines.pop(0))))
        parts += _in_way(of_lists if is_list else PARAGRAPHS, lines)
    return _as_page(labelled, parts)


def _in_way(way: Way, lines: Sequence[str]) -> list[str]:
    """The markup of a run of lines."""
    before, around, after = way
    return [before, *(around.format(escape(line)) for line in lines), after]


def _as_page(labelled: LabelledPage, parts: Sequence[str]) -> LabelledPage:
    """The page that the parts of its markup are."""
    content = "\n".join(parts)
    page = segment_html(content)
    if len(page) != len(labelled.labels):
        raise SampleError(
            f"{labelled.sample.id}: as HTML it has {len(page)} segments, and {len(labelled.labels)} as text; leave it out"
        )
    # What type its page is of says nothing of the paragraphs.
    made = weighted(replace(labelled.sample, kind="html", content=content, page_type=None), page, labelled.labels)
    return replace(made, weights=np.where(labelled.weights > 0, made.weights, np.float32(0)))
