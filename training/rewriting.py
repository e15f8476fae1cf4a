"""Rewrite labelled pages line by line for training: each new line keeps the label of the line it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from detector.segment import segment_text
from detector.segment.text import INVISIBLE
from training.labelling import LabelledPage, length_weights
from training.samples import COMPOSED

Lines = list[tuple[str, int]]
"""New lines of text, each with the number of the line of the page that it is made of."""


def rewrite_pages(
    able: Sequence[LabelledPage],
    count: int,
    random: np.random.Generator,
    name: str,
    rewrite: Callable[[LabelledPage], Lines],
) -> list[LabelledPage]:
    """Draw pages, and rewrite each.

    Args:
        able: The pages that can be rewritten; without any, nothing is.
        count: How many pages to draw, with replacement.
        random: What draws them.
        name: Of this way to rewrite pages; the ids of the new pages begin with it.
        rewrite: Gives the new lines of a page.
    """
    if not able:
        return []
    chosen = random.integers(len(able), size=count).tolist()
    return [_relined(able[i], f"{name}/{number}", rewrite(able[i])) for number, i in enumerate(chosen)]


def _relined(page: LabelledPage, made: str, lines: Lines) -> LabelledPage:
    """The page of the new lines.

    Each has the label of the line that it is made of, and its weight, scaled from the old length to the new one.
    """
    # Of a line of nothing but dashes a rewriting may leave nothing visible.
    lines = [(text, place) for text, place in lines if text.strip(INVISIBLE)]
    texts, origins = [text for text, _ in lines], [place for _, place in lines]
    segmented = segment_text("\n".join(texts))
    taught = page.weights / length_weights(page.page)
    sample = replace(page.sample, id=f"{made}/{page.sample.id}", source=COMPOSED)
    return LabelledPage(sample, segmented, page.labels[origins], taught[origins] * length_weights(segmented))
