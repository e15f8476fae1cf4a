"""Real weights to the whole numbers that run, and datasets to the rows that networks see.

`detector.model` computes in whole numbers so that a result is the same to the bit everywhere; whatever is fitted here or
elsewhere goes through `round_network` to get there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from detector.features import Features, HashedText
from detector.model import CLIP, HashedScorer, Head, Layer, Network, stack_inputs
from training.dataset import Dataset

HEADROOM = 1.5
"""Activations of other pages may exceed those seen by this factor before they are cut."""

ROWS_TO_LOOK_AT = 50_000


def round_network(
    weights: Sequence[NDArray[np.floating]], biases: Sequence[NDArray[np.floating]], inputs: NDArray[np.floating]
) -> Network:
    """A network in whole numbers.

    Args:
        weights: (n_in, n_out) of each layer; hidden layers are rectified.
        biases: (n_out,) of each layer.
        inputs: (n_rows, n_in) standardised rows; they show how large the activations become.
    """
    layers: list[Layer] = []
    activations = inputs[:: max(1, len(inputs) // ROWS_TO_LOOK_AT)].astype(np.float32)
    most = CLIP
    for weight, bias in zip(weights, biases, strict=True):
        layers.append(Layer.round(weight, bias, most))
        activations = np.maximum(layers[-1](activations), 0)
        most = HEADROOM * float(activations.max(initial=0))
    return Network(layers)


def real_weights(network: Network) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """The weights and biases that a network in whole numbers stands for, layer by layer."""
    weights = [layer.weight.astype(np.float64) * layer.scale for layer in network.layers]
    return weights, [layer.bias.astype(np.float64) for layer in network.layers]


def segment_rows(head: Head, data: Dataset) -> NDArray[np.float32]:
    """What `head` sees of each segment before standardising: features, scores of its words, scores around.

    Args:
        head: Its scorers read the words; its networks are not used.
        data: Segments of the head's kind of page.

    Returns:
        (n_segments, n_inputs) float32, columns as in `detector.model.input_names(data.kind)`.
    """
    classes = None
    if head.classes is not None and data.classes is not None:
        classes = _scores(head.classes, data.classes)
    nothing = np.empty((0, 0), np.int64)
    features = Features(data.X, data.offsets, HashedText(nothing, nothing, np.zeros(1, np.int64)), None)
    return stack_inputs(features, _scores(head.words, data.words), classes)


def standardised(head: Head, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of `segment_rows` as the head's networks take them."""
    return np.clip((rows - head.mean) / head.scale, -CLIP, CLIP)


def _scores(scorer: HashedScorer, rows: sp.csr_matrix) -> NDArray[np.float32]:
    """As `HashedScorer.score`, for the sparse rows of a dataset."""
    odds = rows @ (scorer.table.astype(np.float32) * scorer.scale) + scorer.bias
    return np.asarray(np.tanh(odds / 2), np.float32)
