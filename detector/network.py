"""Small networks in whole numbers: the same result to the bit in whatever batch, on whatever BLAS."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.matmul import product


@dataclass(frozen=True, slots=True)
class Layer:
    """A dense layer in whole numbers, computed in float32 without rounding.

    A matrix product of whole numbers is exact in float32 as long as no partial sum exceeds 2^24, in whatever order it
    is summed. So the result of a row is the same to the bit in whatever batch, on whatever BLAS; tiles of a fixed
    size were tried with ordinary weights and were not.

    Attributes:
        weight: (n_in, n_out) int16.
        scale: (n_out,) float32, what one step of `weight` is worth.
        bias: (n_out,) float32.
        unit: What one step of the inputs is worth; they are rounded to whole steps.
    """

    weight: NDArray[np.int16]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    unit: float
    _weight: NDArray[np.float32] = field(init=False, repr=False)
    _step_value: NDArray[np.float32] = field(init=False, repr=False)

    MOST_STEPS = 1 << 11
    """Steps beyond which an input is cut."""

    MOST_SUM = ((1 << 24) - 1) // MOST_STEPS
    """Sum of the magnitudes of a column of `weight` up to which the product is exact."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_weight", self.weight.astype(np.float32))
        object.__setattr__(self, "_step_value", self.scale * np.float32(self.unit))

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n_rows, n_out) float32 of (n_rows, n_in)."""
        return self.scaled(product(self.steps(inputs), self._weight))

    def along_page(self, inputs: NDArray[np.float32], places: Places, distance: int) -> NDArray[np.float32]:
        """The layer over each row beside those at a distance before and after it; zeros beyond the page's ends.

        Args:
            inputs: (n_rows, n_in / 3) float32; the weight's rows are for the row before, the row, and the row after.
            places: Which page each row is in.
            distance: In rows.
        """
        steps = self.steps(inputs)
        width = inputs.shape[1]
        before, sums, after = (product(steps, tap) for tap in self._weight.reshape(3, width, -1))
        if len(steps) > distance:
            sums[distance:] += places.within(before[:-distance], distance)
            sums[:-distance] += places.within(after[distance:], distance)
        return self.scaled(sums)

    def steps(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inputs in whole steps. Two ufuncs cut at a quarter of the cost of `np.clip` on a small page."""
        steps: NDArray[np.float32] = inputs * np.float32(1 / self.unit)
        np.rint(steps, out=steps)
        np.maximum(steps, -self.MOST_STEPS, out=steps)
        np.minimum(steps, self.MOST_STEPS, out=steps)
        return steps

    def scaled(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sums of whole steps as real numbers, in place."""
        sums *= self._step_value
        sums += self.bias
        return sums

    @classmethod
    def round(cls, weight: NDArray[np.floating], bias: NDArray[np.floating], most_input: float) -> Layer:
        """The layer nearest to one of real weights.

        Args:
            weight: (n_in, n_out).
            bias: (n_out,).
            most_input: Magnitude that the inputs hardly exceed.
        """
        # The unit is a power of two, so that dividing by it is exact.
        unit = float(2.0 ** np.ceil(np.log2(max(most_input, 1e-6) / cls.MOST_STEPS)))
        # Rounding adds at most half a step an entry to a column's sum.
        room = cls.MOST_SUM - weight.shape[0]
        scale = np.maximum(np.abs(weight).sum(axis=0) / room, np.abs(weight).max(axis=0) / 32767)
        scale = np.maximum(scale, 1e-12).astype(np.float32)
        return cls(np.rint(weight / scale).astype(np.int16), scale, bias.astype(np.float32), unit)


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


_FIXED = 1 << 10
"""Fixed-point steps in 1.0 for means."""

MOST_REACH = 1 << 12
MOST_IN_MEAN = (1 << 9) - 1
"""Running sums are taken in 32 bits, at a third of the cost of 64: these many rows of this much each, in such steps, fit."""


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


class Sight(enum.StrEnum):
    """What a stage looks at for each segment."""

    SEGMENT = "segment"
    NEIGHBOURS = "neighbours"
    PAGE = "page"
    SIDES = "sides"
    GROUPS = "groups"

    def parts(self, groupings: int) -> int:
        """How many rows stand side by side in what is seen for a segment.

        Args:
            groupings: How many groupings there are.
        """
        return {Sight.NEIGHBOURS: 3, Sight.SIDES: 2, Sight.GROUPS: groupings}.get(self, 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One hidden step of a network.

    Attributes:
        layer: Of n_in -> n_out for a segment; for the others of k n -> n, where k is the sight's `parts`.
        sight: A segment's stage replaces the rows; the others add to them (residual connections; He et al. 2016).
        distance: Of the neighbours, in segments; of the sides, how far they reach.
    """

    layer: Layer
    sight: Sight = Sight.SEGMENT
    distance: int = 0

    def __call__(self, rows: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
        """(n_segments, n_out) float32 of (n_segments, n_in)."""
        added = self.added(rows, places)
        return added if self.sight == Sight.SEGMENT else np.add(added, rows, out=added)

    def added(self, rows: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
        """What the stage makes of its sight, rectified; (n_segments, n_out) float32."""
        if self.sight == Sight.NEIGHBOURS:
            added = self.layer.along_page(rows, places, self.distance)
        elif self.sight == Sight.PAGE:
            added = self.layer(places.means(rows))[places.page_of]
        elif self.sight == Sight.SIDES:
            added = self.layer(places.side_means(rows, self.distance))
        elif self.sight == Sight.GROUPS:
            added = self.layer(places.group_means(rows))
        else:
            added = self.layer(rows)
        return np.maximum(added, 0, out=added)


@dataclass(frozen=True, slots=True)
class Network:
    """Dense layers over each segment, then convolutions along the page that widen what a segment sees of it.

    The distances of the convolutions grow (Yu, Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions",
    ICLR 2016), so that four of them see fifteen segments to either side; one stage adds the mean of the whole page, others those of
    what is before the segment and of what is after it, and in HTML one those of the segments that stand alike in the markup.

    Attributes:
        stages: The hidden steps.
        output: The last layer.
    """

    stages: list[Stage]
    output: Layer

    def trace(self, inputs: NDArray[np.float32], places: Places) -> list[NDArray[np.float32]]:
        """What goes into each stage, and last into the output; (n_segments, n_in of the stage) each."""
        rows = [inputs]
        for stage in self.stages:
            rows.append(stage(rows[-1], places))
        return rows

    def logits(self, inputs: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
        """(n_segments, n_labels) float32 of (n_segments, n_in)."""
        rows = inputs
        for stage in self.stages:
            rows = stage(rows, places)
        return self.output(rows)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of logits, row by row."""
    powers = logits - logits.max(axis=1, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
