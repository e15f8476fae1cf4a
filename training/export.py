"""Real weights to the whole numbers that run, and datasets to the rows that networks see.

`detector.network` computes in whole numbers, so that a result is the same to the bit everywhere. Every network that is
fitted here or elsewhere is brought into them by `round_network`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from detector.features import Features, HashedText
from detector.model import CLIP, HashedScorer, Head, stack_inputs
from detector.network import Layer, Network, Sight, Stage
from detector.places import Places
from training.dataset import Dataset

HEADROOM = 1.5
"""Activations of other pages may exceed the largest one seen by this factor before they are cut."""

ROWS_TO_LOOK_AT = 50_000
"""Rows by which the largest activations are found, up to a whole page."""

MOST_BYTE = 127
"""Largest magnitude of a weight in eight bits; -128 is not used, so that weights are cut alike on both sides."""


@dataclass(frozen=True, slots=True)
class RealLayer:
    """A layer in real numbers, and what it looks at: see `detector.network.Stage`.

    Attributes:
        weight: (n_in, n_out).
        bias: (n_out,).
        sight: What it looks at; not used for the output.
        distance: In segments: of neighbours, or the reach of means.
    """

    weight: NDArray[np.floating]
    bias: NDArray[np.floating]
    sight: Sight = Sight.SEGMENT
    distance: int = 0


def as_bytes(weights: NDArray[np.floating], largest: float) -> tuple[NDArray[np.int8], float]:
    """Weights in eight bits, of the same shape, and what a step of them is worth; magnitudes over `largest` are cut."""
    step = largest / MOST_BYTE or 1.0
    return np.clip(np.rint(weights / step), -MOST_BYTE, MOST_BYTE).astype(np.int8), step


def round_network(
    layers: Sequence[RealLayer],
    inputs: NDArray[np.floating],
    offsets: NDArray[np.int64] | None = None,
    groups: Iterable[NDArray[np.int64]] = (),
) -> Network:
    """A network in whole numbers.

    Args:
        layers: The stages, and last the output.
        inputs: (n_rows, n_in) standardised rows; they show how large the activations become.
        offsets: (n_pages + 1,) int64, the pages of the rows; None takes them for one page, as suits dense layers.
        groups: The groups of the rows, one array a grouping, as `Features.groups`.
    """
    bounds = np.array([0, len(inputs)]) if offsets is None else offsets
    pages = min(max(int(np.searchsorted(bounds, ROWS_TO_LOOK_AT)), 1), len(bounds) - 1)
    places = Places.of(bounds[: pages + 1], [numbers[: bounds[pages]] for numbers in groups])
    rows, most = inputs[: bounds[pages]].astype(np.float32), CLIP
    stages = []
    for layer in layers[:-1]:
        stages.append(Stage(Layer.round(layer.weight, layer.bias, most), layer.sight, layer.distance))
        rows = stages[-1](rows, places)
        most = HEADROOM * float(np.abs(rows).max(initial=0))
    return Network(stages, Layer.round(layers[-1].weight, layers[-1].bias, most))


def real_layers(network: Network) -> list[RealLayer]:
    """What a network in whole numbers stands for; its output last."""
    stages = [(stage.layer, stage.sight, stage.distance) for stage in network.stages]
    return [
        RealLayer(layer.weight.astype(np.float64) * layer.scale, layer.bias.astype(np.float64), sight, distance)
        for layer, sight, distance in [*stages, (network.output, Sight.SEGMENT, 0)]
    ]


def segment_rows(head: Head, data: Dataset) -> NDArray[np.float32]:
    """What `head` sees of each segment before standardising: features and scores of its words.

    Args:
        head: Its scorers read the words; its networks are not used.
        data: Segments of the head's kind of page.

    Returns:
        (n_segments, n_inputs) float32, columns as in `detector.model.input_names(data.kind)`.
    """
    classes = None
    if head.classes is not None and data.classes is not None:
        classes = _scores(head.classes, data.classes)
    return stack_inputs(as_features(data), _scores(head.words, data.words), classes)


def as_features(data: Dataset) -> Features:
    """The dataset as `stack_inputs` wants it; the hashed rows are not looked at there."""
    return Features(data.X, data.offsets, data.groups, HashedText.none(), None)


def _scores(scorer: HashedScorer, rows: sp.csr_matrix) -> NDArray[np.float32]:
    """As `HashedScorer.score`, for the sparse rows of a dataset."""
    odds = rows @ (scorer.table.astype(np.float32) * scorer.scale) + scorer.bias
    return np.asarray(np.tanh(odds / 2), np.float32)
