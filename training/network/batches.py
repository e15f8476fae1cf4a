"""Which pages are seen in which step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MOST_PAGE = 1500
"""Segments of a page seen in one step; of a longer one, a stretch drawn anew each time."""

MOST_BATCH = 6000
"""Segments at which a step is full."""

LEAST_BATCHES = 12
"""About as many steps a pass over the pages has at least: with few pages, steps are smaller."""

PASSES = (10, 60)
"""Passes over the pages: so many that about as many segments are seen as asked for, within these bounds."""

Batch = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Rows, the pages' bounds within them, and the pages: as `Rows.chosen` takes them."""


def drawn_batches(offsets: NDArray[np.int64], rows_seen: int, random: np.random.Generator) -> list[Batch]:
    """The batches of all steps of a fit, pass after pass.

    Args:
        offsets: (n_pages + 1,) the bounds of the pages.
        rows_seen: About how many rows all passes see together.
        random: Draws the order of the pages, and stretches of the long ones.
    """
    n_rows = int(offsets[-1])
    batch_rows = min(MOST_BATCH, max(n_rows // LEAST_BATCHES, 1))
    passes = int(np.clip(rows_seen // max(n_rows, 1), *PASSES))
    return [batch for _ in range(passes) for batch in _one_pass(offsets, batch_rows, random)]


def _one_pass(offsets: NDArray[np.int64], batch_rows: int, random: np.random.Generator) -> Iterator[Batch]:
    """Each page once, in random order, in batches that end when they have so many rows; of a long page a stretch."""
    pages: list[int] = []
    parts: list[NDArray[np.int64]] = []
    for page in random.permutation(len(offsets) - 1).tolist():
        first, last = int(offsets[page]), int(offsets[page + 1])
        if last - first > MOST_PAGE:
            first += int(random.integers(last - first - MOST_PAGE + 1))
            last = first + MOST_PAGE
        pages.append(page)
        parts.append(np.arange(first, last))
        if sum(map(len, parts)) >= batch_rows:
            yield _batch(parts, pages)
            pages, parts = [], []
    if parts:
        yield _batch(parts, pages)


def _batch(parts: list[NDArray[np.int64]], pages: list[int]) -> Batch:
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)]), np.array(pages)
