"""Pages with lines broken short, as in mail, old pages and books in plain text: they teach that those are prose."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from detector.data import CONTENT
from training.labelling import LabelledPage
from training.rewriting import Lines, rewrite_pages

WRAPPED_SHARE = 0.02
"""Wrapped pages by pages given."""

WIDTHS = (50, 90)
"""Least and most of the width of a page's lines in characters, which is drawn anew for each page."""

LEAST_CHARS, LEAST_LINES = 150, 4
"""Pages with so many lines of content of so many characters can be wrapped."""


def wrap_pages(pages: Sequence[LabelledPage], seed: int, share: float = WRAPPED_SHARE) -> list[LabelledPage]:
    """Make further pages of labelled ones, with all lines broken to one width.

    Args:
        pages: Labelled pages read as text.
        seed: Of the random choices.
        share: Wrapped pages by pages given.

    Returns:
        The wrapped pages, each of the site of the page it is made of; every piece of a line has the line's label. Empty
        where no page has enough long lines.
    """
    random = np.random.default_rng(seed)
    able = [page for page in pages if _long_lines(page) >= LEAST_LINES]

    def wrapped(page: LabelledPage) -> Lines:
        width = int(random.integers(*WIDTHS))
        pairs = enumerate(page.page.segment_texts())
        return [(line, place) for place, text in pairs for line in textwrap.wrap(text, width)]

    return rewrite_pages(able, int(len(pages) * share), random, "wrapped", wrapped)


def _long_lines(page: LabelledPage) -> int:
    return int(((page.labels == CONTENT) & (page.page.ends - page.page.starts >= LEAST_CHARS)).sum())
