"""Where the rows of a batch stand: which page each is in and which stand alike, and means over both.

Means are taken in fixed point, so that they are exact: the same to the bit in whatever batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIXED = 1 << 10
"""Fixed-point steps in 1.0 for means."""

MOST_REACH = 1 << 12
MOST_IN_MEAN = (1 << 9) - 1
"""Running sums are taken in 32 bits, at a third of the cost of 64: these many rows of this much each, in such steps, fit."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows that stand alike, next to each other or not: each is in one group, and none crosses pages.

    Attributes:
        order: (n_rows,) int64, the rows, group after group.
        starts: (n_groups,) int64, where each group begins in `order`.
        sizes: (n_groups,) int64, rows of each group; none is empty.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, groups: NDArray[np.int64]) -> Grouping:
        """Of a number for each row, equal where rows are of one group."""
        order = groups.argsort(kind="stable")
        sorted_groups = groups.take(order)
        starts = np.flatnonzero(np.append(True, sorted_groups[1:] != sorted_groups[:-1])[: len(groups)])
        return cls(order, starts, np.diff(starts, append=len(groups)))

    def means(self, fixed: NDArray[np.int32]) -> NDArray[np.float32]:
        """For each of the rows, which are in fixed point, the mean of its group; (n_rows, k) float32."""
        return self.spread(_means(fixed.take(self.order, axis=0), self.starts, self.sizes))

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n_groups, k) values, each group's given to its rows; (n_rows, k)."""
        spread = np.empty((len(self.order), values.shape[1]), values.dtype)
        spread[self.order] = values.repeat(self.sizes, axis=0)
        return spread


@dataclass(frozen=True, slots=True)
class Places:
    """Which page each row of a batch is in, and which rows stand alike.

    Attributes:
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`.
        page_of: (n_rows,) int64.
        groupings: As `Features.groups`; none for plain text.
    """

    offsets: NDArray[np.int64]
    page_of: NDArray[np.int64]
    groupings: tuple[Grouping, ...]

    @classmethod
    def of(cls, offsets: NDArray[np.int64], groups: Iterable[NDArray[np.int64]] = ()) -> Places:
        """Of the pages that `offsets` bounds, and of rows with equal numbers in each row of `groups`."""
        sizes = offsets[1:] - offsets[:-1]
        return cls(offsets, np.arange(len(sizes)).repeat(sizes), tuple(map(Grouping.of, groups)))

    def within(self, rows: NDArray[np.float32], distance: int) -> NDArray[np.float32]:
        """Rows that come from, or go to, `distance` rows away: zero where that is another page; in place.

        Args:
            rows: (n_rows - distance, k) float32.
            distance: At least 1.
        """
        if len(self.offsets) > 2:
            # The rows before which at most `distance` a page ends.
            crossing = (self.offsets[1:-1, None] - np.arange(1, distance + 1)).ravel()
            rows[crossing[(crossing >= 0) & (crossing < len(rows))]] = 0
        return rows

    def means(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of each page's rows, exact in fixed point.

        Args:
            rows: (n_rows, k) float32, of 0 and more; what is above `MOST_IN_MEAN` is cut, here and in the other means.

        Returns:
            (n_pages, k) float32, 0 for empty pages.
        """
        sizes = self.offsets[1:] - self.offsets[:-1]
        filled = sizes.nonzero()[0]
        means = np.zeros((len(sizes), rows.shape[1]), np.float32)
        means[filled] = _means(_fixed(rows), self.offsets[filled], sizes[filled])
        return means

    def sides(self, reach: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What is before and after each row in its page, as far as a reach.

        Args:
            reach: In rows, at least 1.

        Returns:
            Bounds, (2, n_rows): `first:row` is before the row and `row + 1:last` after it. And how many rows those are, at
            least 1, (2, n_rows).
        """
        index = np.arange(len(self.page_of))
        bounds = self.offsets.take((self.page_of, self.page_of + 1))
        np.maximum(bounds[0], index - reach, out=bounds[0])
        np.minimum(bounds[1], index + (reach + 1), out=bounds[1])
        return bounds, np.maximum((index - bounds[0], bounds[1] - 1 - index), 1)

    def side_means(self, rows: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
        """For each row the mean of the rows before it, and of those after it, exact in fixed point.

        Args:
            rows: (n_rows, k) float32.
            reach: In rows, from 1 to `MOST_REACH`.

        Returns:
            (n_rows, 2 k) float32, before and after side by side; 0 where there are none.
        """
        width = rows.shape[1]
        (first, last), counts = self.sides(reach)
        # Running sums may wrap around; their differences, over at most a reach, are right all the same.
        sums = np.zeros((len(rows) + 1, width), np.int32)
        np.add.accumulate(_fixed(rows), axis=0, out=sums[1:])
        means = np.empty((len(rows), 2 * width), np.float32)
        before, after = means[:, :width], means[:, width:]
        before[:] = sums[:-1] - sums.take(first, axis=0)
        after[:] = sums.take(last, axis=0) - sums[1:]
        shares = (1 / (counts * float(_FIXED))).astype(np.float32)
        before *= shares[0, :, None]
        after *= shares[1, :, None]
        return means

    def group_means(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each row the means of its groups, exact in fixed point, side by side; (n_rows, n_groupings k) float32."""
        fixed = _fixed(rows)
        return np.concatenate([grouping.means(fixed) for grouping in self.groupings], axis=1)


def _fixed(rows: NDArray[np.float32]) -> NDArray[np.int32]:
    """Rows in fixed point: their sums are the same in whatever order they are taken."""
    steps = rows * np.float32(_FIXED)
    np.rint(steps, out=steps)
    np.minimum(steps, MOST_IN_MEAN * _FIXED, out=steps)
    return steps.astype(np.int32)


def _means(fixed: NDArray[np.int32], starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Means of stretches of rows in fixed point; (n_stretches, k) float32."""
    if not len(starts):
        return np.empty((0, fixed.shape[1]), np.float32)
    sums = np.add.reduceat(fixed, starts, axis=0, dtype=np.int64)
    return (sums / (sizes * float(_FIXED))[:, None]).astype(np.float32)
