"""The shape of the networks, and their weights and biases while they are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.data import LABELS
from detector.errors import SampleError
from detector.network import Network, Sight
from detector.places import MOST_REACH
from training.export import RealLayer, real_layers
from training.network.rows import Reals

DISTANCES = (1, 2, 4, 8)
"""How far away, in segments, the two neighbours are that each of the convolutions sees beside a segment."""

NEAR_REACH = 32
"""Segments before and after a segment that the nearer of the two side means take in; the further one goes as far as the
page does (at most `MOST_REACH`)."""

Plan = list[tuple[Sight, int]]
"""What each stage looks at, and its distance in segments (0 where it has none), in the order in which they run."""


def plan_of(groupings: int) -> Plan:
    """The stages of a network: two dense ones, then convolutions, and means before the last of them.

    The means are those of the page, of all before and all after a segment, and of the segments in the same kind of
    place (the groupings). Text pages have no groupings: means of what is nearby, before and after, stand in for them.

    Args:
        groupings: How many groupings there are.
    """
    near = [(Sight.NEIGHBOURS, distance) for distance in DISTANCES]
    page, sides = (Sight.PAGE, 0), (Sight.SIDES, MOST_REACH)
    means = [page, sides, (Sight.GROUPS, 0)] if groupings else [page, (Sight.SIDES, NEAR_REACH), sides]
    return [(Sight.SEGMENT, 0), (Sight.SEGMENT, 0), *near[:-1], *means, near[-1]]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Weights and biases of the stages in the order in which they run, and last those of the output.

    Attributes:
        plan: Of the stages; the output is not in it.
        weights: (n_in, n_out) each.
        biases: (n_out,) each.
    """

    plan: Plan
    weights: list[Reals]
    biases: list[Reals]

    @classmethod
    def drawn(cls, inputs: int, sizes: tuple[int, int], groupings: int, random: np.random.Generator) -> Parameters:
        """Drawn evenly, each layer within 1 / sqrt(number of its inputs) of 0.

        Activations so keep their size from layer to layer (LeCun et al., "Efficient BackProp", 1998).

        Args:
            inputs: Columns of the rows.
            sizes: Outputs of the first dense layer; of the second and of all later stages.
            groupings: How many groupings there are.
            random: What draws.
        """
        hidden, width = sizes
        plan = plan_of(groupings)
        further = [(sight.parts(groupings) * width, width) for sight, _ in plan[2:]]
        shapes = [(inputs, hidden), (hidden, width), *further]
        weights: list[Reals] = []
        biases: list[Reals] = []
        for n_in, n_out in [*shapes, (width, len(LABELS))]:
            bound = n_in**-0.5
            weights.append(random.uniform(-bound, bound, (n_in, n_out)).astype(np.float32))
            biases.append(random.uniform(-bound, bound, n_out).astype(np.float32))
        return cls(plan, weights, biases)

    @classmethod
    def of(cls, network: Network, groupings: int) -> Parameters:
        """Those of a network that was fitted here.

        Raises:
            SampleError: The network is of another shape.
        """
        layers, plan = real_layers(network), plan_of(groupings)
        if [(layer.sight, layer.distance) for layer in layers[:-1]] != plan:
            raise SampleError(
                "the model's networks are not of the shape that is fitted here; train one from the samples"
            )
        return cls(plan, [layer.weight for layer in layers], [layer.bias for layer in layers])

    def layers(self) -> list[RealLayer]:
        """The layers in the order in which they run, the output last."""
        seen = [*self.plan, (Sight.SEGMENT, 0)]
        return [
            RealLayer(weight, bias, sight, distance)
            for weight, bias, (sight, distance) in zip(self.weights, self.biases, seen, strict=True)
        ]

    @property
    def arrays(self) -> list[Reals]:
        """All weights, then all biases; to be changed in place."""
        return self.weights + self.biases

    def holding(self, arrays: Sequence[Reals]) -> Parameters:
        """Others of the same shapes, from arrays in the order of `arrays`."""
        n = len(self.weights)
        return Parameters(self.plan, list(arrays[:n]), list(arrays[n:]))
