"""What the layer of a stage sees of the rows, and the way back: its transpose, which carries gradients to the rows.

`detector.network` computes the same in whole numbers. Each function here that gathers is followed by its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.network import Sight
from detector.places import Grouping, Places
from training.network.rows import Reals


@dataclass(frozen=True, slots=True)
class Dropout:
    """Sets a share of the entries to zero and scales up the others (Srivastava et al., JMLR 2014).

    Attributes:
        random: What draws the entries; None drops nothing.
        share: Of the entries that are dropped.
    """

    random: np.random.Generator | None = None
    share: float = 0.0

    def __call__(self, rows: Reals) -> tuple[Reals, Reals]:
        """The rows with entries dropped, and what the rows were multiplied by."""
        if self.random is None:
            return rows, np.ones((1, 1), rows.dtype)
        kept = self.random.random(rows.shape, np.float32) >= self.share
        factors = kept.astype(np.float32) / np.float32(1 - self.share)
        return rows * factors, factors


def gathered(rows: Reals, sight: Sight, distance: int, places: Places, dropout: Dropout) -> tuple[Reals, Reals | float]:
    """What a stage's layer sees of the rows, and what that was multiplied by in dropout.

    Args:
        rows: (n_rows, k), outputs of the stage before.
        sight: What the stage looks at.
        distance: In segments, where the stage has one.
        places: Which page each row is in, and the groupings.
        dropout: Applied where a stage sees more than the row itself or its page; the first stage's rows come dropped.
    """
    if sight == Sight.NEIGHBOURS:
        dropped, factors = dropout(rows)
        return _beside_neighbours(dropped, places, distance), factors
    if sight == Sight.GROUPS:
        return dropout(np.concatenate([_group_means(rows, grouping) for grouping in places.groupings], axis=1))
    if sight == Sight.SIDES:
        return dropout(_side_means(rows, places, distance))
    if sight == Sight.PAGE:
        return page_sums(rows, places) / np.diff(places.offsets)[:, None].astype(rows.dtype), 1.0
    return rows, 1.0


def given_back(gradient: Reals, factors: Reals | float, sight: Sight, distance: int, places: Places) -> Reals:
    """The transpose of `gathered` for a stage that sees more than the row itself.

    Args:
        gradient: Along what the layer saw.
        factors: What dropout had multiplied by.
        sight: What the stage looks at.
        distance: In segments, where the stage has one.
        places: Which page each row is in, and the groupings.

    Returns:
        (n_rows, k), the gradient along the rows: each row is given the shares of all rows that saw it.
    """
    if sight == Sight.NEIGHBOURS:
        return _from_neighbours(gradient, places, distance) * factors
    if sight == Sight.GROUPS:
        parts = np.split(gradient * factors, len(places.groupings), axis=1)
        return np.sum([_group_means(part, one) for part, one in zip(parts, places.groupings, strict=True)], axis=0)
    if sight == Sight.SIDES:
        return _from_sides(gradient * factors, places, distance)
    return (gradient / np.diff(places.offsets)[:, None].astype(gradient.dtype))[places.page_of]


def page_sums(rows: Reals, places: Places) -> Reals:
    """The sum of each page's rows, (n_pages, k) of (n_rows, k); no page is empty in training."""
    sums: Reals = np.add.reduceat(rows, places.offsets[:-1], axis=0)
    return sums


def _group_means(rows: Reals, grouping: Grouping) -> Reals:
    """For each row the mean of its group; a projection, and so its own transpose."""
    sums = np.add.reduceat(rows.take(grouping.order, axis=0), grouping.starts, axis=0)
    means: Reals = grouping.spread(sums / grouping.sizes[:, None].astype(rows.dtype))
    return means


def _side_means(rows: Reals, places: Places, reach: int) -> Reals:
    """For each row the mean of the rows before it, and of those after it, as `Places.side_means`; (n_rows, 2 k)."""
    (first, last), counts = places.sides(reach)
    sums = _running_sums(rows)
    before, after = sums[:-1] - sums[first], sums[last] - sums[1:]
    return np.concatenate((before / counts[0, :, None], after / counts[1, :, None]), axis=1).astype(rows.dtype)


def _from_sides(gradient: Reals, places: Places, reach: int) -> Reals:
    """The transpose of `_side_means`; (n_rows, k) of (n_rows, 2 k)."""
    (first, last), counts = places.sides(reach)
    parts = zip(np.split(gradient, 2, axis=1), counts, strict=True)
    before, after = (_running_sums(part / size[:, None]) for part, size in parts)
    return np.asarray((before[last] - before[1:]) + (after[:-1] - after[first]), gradient.dtype)


def _running_sums(rows: Reals) -> NDArray[np.float64]:
    """The sums of the rows before each row, and of all; (n_rows + 1, k)."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=sums[1:])
    return sums


def _beside_neighbours(rows: Reals, places: Places, distance: int) -> Reals:
    """Each row between those at a distance before and after it, zeros beyond the page; (n_rows, 3 k) of (n_rows, k)."""
    width = rows.shape[1]
    beside = np.zeros((len(rows), 3 * width), rows.dtype)
    beside[:, width : 2 * width] = rows
    if len(rows) > distance:
        beside[distance:, :width] = places.within(rows[:-distance].copy(), distance)
        beside[:-distance, 2 * width :] = places.within(rows[distance:].copy(), distance)
    return beside


def _from_neighbours(gradient: Reals, places: Places, distance: int) -> Reals:
    """The transpose of `_beside_neighbours`; (n_rows, k) of (n_rows, 3 k)."""
    width = gradient.shape[1] // 3
    given = gradient[:, width : 2 * width].copy()
    if len(gradient) > distance:
        given[:-distance] += places.within(gradient[distance:, :width].copy(), distance)
        given[distance:] += places.within(gradient[:-distance, 2 * width :].copy(), distance)
    return given
