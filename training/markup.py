"""Text pages written as HTML pages: from them HTML heads learn what text pages say, and lists in some markup."""

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
"""Ways to write the lines of a link list; the last of the five writes them as if they were prose."""

HEADING = "<h3>{}</h3>"
"""How the first line of a link list is written on every other page: it mostly is the list's heading."""

BROKEN: Way = ("<div>", "{}<br>", "</div>")
"""All lines in one element with a break after each, as where lines end at the width of a screen."""


def in_paragraphs(labelled: LabelledPage) -> LabelledPage:
    """A text page as an HTML page: each line is a paragraph, and the labels stay."""
    return _written(labelled, PARAGRAPHS)


def with_lists_marked_up(pages: Sequence[LabelledPage], seed: int) -> list[LabelledPage]:
    """Text pages as HTML pages: link lists in one of `LISTS`, drawn anew for each page, and other lines in paragraphs.

    Args:
        pages: Pages whose link lists never had markup: composed ones.
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
    """The page with its link lists written in that way, and the first line of each as a heading if asked for."""
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
    """The HTML page of these parts of markup, with the labels of the text page.

    Raises:
        SampleError: The markup has another number of segments than the text.
    """
    content = "\n".join(parts)
    page = segment_html(content)
    if len(page) != len(labelled.labels):
        raise SampleError(
            f"{labelled.sample.id}: as HTML it has {len(page)} segments, and {len(labelled.labels)} as text; "
            "leave it out"
        )
    # The type is that of the real page; with it, these paragraphs would weigh as a real HTML article does.
    made = weighted(replace(labelled.sample, kind="html", content=content, page_type=None), page, labelled.labels)
    return replace(made, weights=np.where(labelled.weights > 0, made.weights, np.float32(0)))
