"""Error bars: the spread of a figure over pages drawn again with replacement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Columns = Mapping[str, FloatArray]
"""What was counted, by name: (n_pages,) each."""

Compute = Callable[[Columns, FloatArray], FloatArray]
"""A figure: from the columns and (n_draws, n_pages) weights of the pages to (n_draws,) values, NaN where undefined."""

DRAWS = 1000
SEED = 7
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Score:
    """A figure with its 95 % interval, by bootstrap over pages.

    Attributes:
        value: Of all pages.
        low: The interval's lower end.
        high: Its upper end.
        pages: Of how many pages the figure is.
    """

    value: float
    low: float
    high: float
    pages: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def score(compute: Compute, columns: Columns, pages: int) -> Score | None:
    """A figure and its interval; None where it is undefined, as a share of nothing is.

    Args:
        compute: The figure.
        columns: What was counted.
        pages: Of how many of the pages the figure is.
    """
    return _summary(compute(columns, _weights(_pages(columns))), pages)


def difference(compute: Compute, new: Columns, old: Columns, pages: int) -> Score | None:
    """How much larger a figure is on `new` than on `old`, paired: both are drawn on the same pages.

    Args:
        compute: The figure.
        new: Columns of the same pages in the same order as `old`.
        old: Columns.
        pages: Of how many of the pages the figure is.
    """
    weights = _weights(_pages(new))
    return _summary(compute(new, weights) - compute(old, weights), pages)


def _summary(values: FloatArray, pages: int) -> Score | None:
    if np.isnan(values[0]):
        return None
    drawn = values[1:]
    low, high = np.quantile(drawn[~np.isnan(drawn)], INTERVAL)
    return Score(float(values[0]), float(low), float(high), pages)


def _pages(columns: Columns) -> int:
    return len(next(iter(columns.values())))


@lru_cache(maxsize=4)
def _weights(pages: int) -> FloatArray:
    """(1 + DRAWS, pages): all pages once, then how often each page is drawn; always the same for a number of pages."""
    drawn = np.random.default_rng(SEED).multinomial(pages, np.full(pages, 1 / pages), size=DRAWS)
    weights: FloatArray = np.concatenate((np.ones((1, pages)), drawn))
    weights.flags.writeable = False
    return weights
