"""Small networks in whole numbers: the same result to the bit in whatever batch, on whatever BLAS."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.matmul import product
from detector.places import Places


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
