"""Fit a network from nothing, or on from where one is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from detector.network import Network
from training.export import round_network
from training.network.batches import drawn_batches
from training.network.loss import loss_and_gradients
from training.network.optimiser import Adam, learning_rate
from training.network.parameters import Parameters
from training.network.rows import Rows
from training.network.sight import Dropout

DROPOUT = 0.15
"""Share of what a layer sees that is set to zero, where nothing else is asked for."""

AVERAGING = 0.995
"""Share that the average of the weights keeps of itself in each step of the second half; this average is the result."""

ROWS_SEEN = 4_000_000
"""Segments seen in all the passes together, where nothing else is asked for."""

STEPS_ON = 60
"""Steps of L-BFGS by which a network is fitted on; the loss on other pages no longer falls beyond some forty."""


def fit_network(
    rows: Rows,
    sizes: tuple[int, int],
    seed: int,
    *,
    f1_weight: float = 0.0,
    rows_seen: int = ROWS_SEEN,
    dropout: float = DROPOUT,
) -> Network:
    """Fit one network to pages whose labels, or the probabilities of them, are given.

    Cross-entropy and perhaps the pages' F1, Adam (Kingma, Ba, ICLR 2015), dropout, and an average of the weights over
    the steps (Polyak, Juditsky, SIAM Journal on Control and Optimization 1992; here an exponential one).

    Args:
        rows: The segments, float32.
        sizes: Outputs of the first dense layer; of the second and of the later stages.
        seed: Of everything random.
        f1_weight: Of the pages' F1 beside the cross-entropy in the loss.
        rows_seen: About how many segments are seen in all the passes.
        dropout: Share of what a layer sees that is set to zero.
    """
    random = np.random.default_rng(seed)
    parameters = Parameters.drawn(rows.X.shape[1], sizes, len(rows.groups), random)
    dropped = Dropout(random, dropout)
    optimiser = Adam(parameters.arrays)
    batches = drawn_batches(rows.offsets, rows_seen, random)
    averages = [array.copy() for array in parameters.arrays]
    for number, batch in enumerate(batches):
        chosen = rows.chosen(*batch)
        _, gradients = loss_and_gradients(parameters, chosen, chosen.places, dropped, f1_weight)
        optimiser.step(gradients, learning_rate(number / len(batches)))
        # In the first half the average is the weights themselves.
        renewed = np.float32(1 if number < len(batches) // 2 else 1 - AVERAGING)
        for average, array in zip(averages, parameters.arrays, strict=True):
            average += (array - average) * renewed
    return round_network(parameters.holding(averages).layers(), rows.X, rows.offsets, rows.groups)


def fit_on(network: Network, rows: Rows, anchor: float) -> Network:
    """Fit a network on to further pages by L-BFGS: cross-entropy, and a penalty on the distance from where it began.

    Nothing here is random. It runs in float64.

    Args:
        network: Made by `fit_network`.
        rows: The segments.
        anchor: Weight of half the squared distance beside the mean loss.

    Raises:
        SampleError: The network is of another shape than those that are made here.
    """
    begun = Parameters.of(network, len(rows.groups))
    shapes = [array.shape for array in begun.arrays]
    cuts = np.cumsum([array.size for array in begun.arrays])[:-1]
    start = np.concatenate([array.ravel() for array in begun.arrays])
    precise, places = replace(rows, X=rows.X.astype(np.float64)), rows.places

    def unpacked(packed: NDArray[np.float64]) -> Parameters:
        arrays = [part.reshape(shape) for part, shape in zip(np.split(packed, cuts), shapes, strict=True)]
        return begun.holding(arrays)

    def loss(packed: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradients = loss_and_gradients(unpacked(packed), precise, places, Dropout())
        moved = packed - start
        flat = np.concatenate([gradient.ravel() for gradient in gradients])
        return value + anchor / 2 * float(moved @ moved), flat + anchor * moved

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS_ON})
    return round_network(unpacked(found.x).layers(), rows.X, rows.offsets, rows.groups)
