"""Fit the model's networks: dense layers, then convolutions along the page, by gradient descent in NumPy.

scikit-learn's networks see one row at a time; these see the page around it. The gradients are written out below, in the
order of the forward pass reversed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from detector.data import LABELS
from detector.errors import SampleError
from detector.network import Network, Places, Sight
from training.export import RealLayer, real_layers, round_network

Floats = NDArray[np.float32]
Reals = NDArray[np.floating]
"""Fitting runs in float32, fitting on in float64."""

DISTANCES = (1, 2, 4, 8)
"""Of the convolutions, in segments; the page's mean is added before the last one."""

DROPOUT = 0.15
LEARNING_RATE = 2e-3
WARM_UP = 0.15
"""Share of the steps in which the learning rate rises; then it falls as a cosine."""

AVERAGING = 0.995
"""Of the exponential average of the weights that runs over the second half of the steps and is what is kept."""

MOST_GRADIENT = 1.0
MOST_PAGE = 1500
"""Segments of a page seen in one step; of a longer one, a stretch drawn anew each time."""

MOST_BATCH = 6000
LEAST_BATCHES = 12
"""Segments in a step, and steps at least in a pass over the pages."""

ROWS_SEEN = 4_000_000
PASSES = (10, 60)
"""Passes over the pages: so many that about `ROWS_SEEN` segments are seen, within these bounds."""


_PAGE_AT = 1 + len(DISTANCES)
_PLAN = [(Sight.SEGMENT, 0)] * 2 + [(Sight.NEIGHBOURS, distance) for distance in DISTANCES]
_PLAN.insert(_PAGE_AT, (Sight.PAGE, 0))
"""What the stages look at, in the order in which they run."""

STEPS_ON = 60
"""Steps of L-BFGS by which a network is fitted on; the loss on other pages no longer falls beyond some forty."""


@dataclass(frozen=True, slots=True)
class _Parameters:
    """Weights and biases, layer by layer: two dense ones, the convolutions, the page's, the output."""

    weights: list[Reals]
    biases: list[Reals]

    @classmethod
    def drawn(cls, inputs: int, sizes: tuple[int, int], random: np.random.Generator) -> _Parameters:
        """At random, by the number of inputs of each layer (LeCun et al., "Efficient BackProp", 1998)."""
        hidden, width = sizes
        convolutions = [(3 * width, width)] * len(DISTANCES)
        shapes = [(inputs, hidden), (hidden, width), *convolutions, (width, width), (width, len(LABELS))]
        weights: list[Reals] = []
        biases: list[Reals] = []
        for n_in, n_out in shapes:
            reach = n_in**-0.5
            weights.append(random.uniform(-reach, reach, (n_in, n_out)).astype(np.float32))
            biases.append(random.uniform(-reach, reach, n_out).astype(np.float32))
        return cls(weights, biases)

    @classmethod
    def of(cls, network: Network) -> _Parameters:
        """Those of a network that was fitted here.

        Raises:
            SampleError: The network is of another shape.
        """
        layers = real_layers(network)
        if [(layer.sight, layer.distance) for layer in layers[:-1]] != _PLAN:
            raise SampleError(
                "the model's networks are not of the shape that is fitted here; train one from the samples"
            )
        layers.insert(-1, layers.pop(_PAGE_AT))
        return cls([layer.weight for layer in layers], [layer.bias for layer in layers])

    def layers(self) -> list[RealLayer]:
        """The layers in the order in which they run; the output last."""
        pairs = list(zip(self.weights, self.biases, strict=True))
        pairs.insert(_PAGE_AT, pairs.pop(-2))
        return [RealLayer(*pair, *sees) for pair, sees in zip(pairs, [*_PLAN, (Sight.SEGMENT, 0)], strict=True)]

    @property
    def arrays(self) -> list[Reals]:
        """All arrays, to be changed in place."""
        return self.weights + self.biases


@dataclass(frozen=True, slots=True)
class _Dropout:
    """Sets a share of the entries to zero and scales up the others (Srivastava et al., JMLR 2014).

    Attributes:
        random: None drops nothing.
    """

    random: np.random.Generator | None = None

    def __call__(self, rows: Reals) -> tuple[Reals, Reals]:
        """The rows with entries dropped, and what they were multiplied by."""
        if self.random is None:
            return rows, np.ones((1, 1), rows.dtype)
        kept = self.random.random(rows.shape, np.float32) >= DROPOUT
        factors = kept.astype(np.float32) / np.float32(1 - DROPOUT)
        return rows * factors, factors


def fit_network(
    X: Floats,
    targets: Floats,
    weights: Floats,
    offsets: NDArray[np.int64],
    sizes: tuple[int, int],
    seed: int,
) -> Network:
    """Fit one network to pages whose labels, or the probabilities of them, are given.

    Cross-entropy, Adam (Kingma, Ba, ICLR 2015), dropout, and an average of the weights over the steps (Polyak averaging).

    Args:
        X: (n_segments, n_inputs) standardised inputs.
        targets: (n_segments, n_labels) float32, rows sum to 1; what they say where the weight is 0 does not matter.
        weights: (n_segments,) float32.
        offsets: (n_pages + 1,) int64.
        sizes: Outputs of the first dense layer; of the second and of the convolutions.
        seed: Of everything random.
    """
    random = np.random.default_rng(seed)
    parameters = _Parameters.drawn(X.shape[1], sizes, random)
    dropout = _Dropout(random)
    optimiser = _Adam(parameters.arrays)
    batch_rows = min(MOST_BATCH, max(len(X) // LEAST_BATCHES, 1))
    passes = int(np.clip(ROWS_SEEN // max(len(X), 1), *PASSES))
    batches = [batch for _ in range(passes) for batch in _batches(offsets, batch_rows, random)]
    average = [array.copy() for array in parameters.arrays]
    for number, (rows, bounds) in enumerate(batches):
        _, gradients = _loss_and_slopes(parameters, X[rows], targets[rows], weights[rows], Places.of(bounds), dropout)
        optimiser.step(gradients, _learning_rate(number / len(batches)))
        for mean, array in zip(average, parameters.arrays, strict=True):
            mean += (array - mean) * np.float32(1 if number < len(batches) // 2 else 1 - AVERAGING)
    n = len(parameters.weights)
    return round_network(_Parameters(average[:n], average[n:]).layers(), X, offsets)


def _batches(
    offsets: NDArray[np.int64], most: int, random: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of randomly chosen pages, each page once, and the pages' bounds within them."""
    parts: list[NDArray[np.int64]] = []
    count = 0
    for page in random.permutation(len(offsets) - 1).tolist():
        first, last = int(offsets[page]), int(offsets[page + 1])
        if last - first > MOST_PAGE:
            first += int(random.integers(last - first - MOST_PAGE + 1))
            last = first + MOST_PAGE
        parts.append(np.arange(first, last))
        count += last - first
        if count >= most:
            yield _joined(parts)
            parts, count = [], 0
    if parts:
        yield _joined(parts)


def _joined(parts: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.concatenate(parts), np.concatenate(([0], np.cumsum([len(part) for part in parts])))


def _learning_rate(progress: float) -> float:
    """The rate after a share of the steps."""
    if progress < WARM_UP:
        return LEARNING_RATE * max(progress / WARM_UP, 0.04)
    return LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


def one_hot(labels: NDArray[np.int8]) -> Floats:
    """Labels as targets; (n_segments, n_labels) float32. Unknown ones, -1, become the first label."""
    return np.eye(len(LABELS), dtype=np.float32)[np.maximum(labels, 0)]


def fit_on(
    network: Network,
    X: Floats,
    targets: Floats,
    weights: Floats,
    offsets: NDArray[np.int64],
    anchor: float,
) -> Network:
    """Fit a network on to further pages by L-BFGS: cross-entropy, and a penalty on the distance from where it began.

    Nothing here is random.

    Args:
        network: Made by `fit_network`.
        X: (n_segments, n_inputs) standardised inputs.
        targets: (n_segments, n_labels) float32, rows sum to 1; what they say where the weight is 0 does not matter.
        weights: (n_segments,) float32.
        offsets: (n_pages + 1,) int64; no page is empty.
        anchor: Weight of half the squared distance beside the mean loss.

    Raises:
        SampleError: The network is of another shape than those that are made here.
    """
    begun = _Parameters.of(network)
    shapes = [array.shape for array in begun.arrays]
    cuts = np.cumsum([array.size for array in begun.arrays])[:-1]
    start = np.concatenate([array.ravel() for array in begun.arrays])
    rows, places, n = X.astype(np.float64), Places.of(offsets), len(begun.weights)

    def unpacked(packed: NDArray[np.float64]) -> _Parameters:
        arrays = [part.reshape(shape) for part, shape in zip(np.split(packed, cuts), shapes, strict=True)]
        return _Parameters(list(arrays[:n]), list(arrays[n:]))

    def loss(packed: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slopes = _loss_and_slopes(unpacked(packed), rows, targets, weights, places, _Dropout())
        step = packed - start
        flat = np.concatenate([slope.ravel() for slope in slopes])
        return value + anchor / 2 * float(step @ step), flat + anchor * step

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS_ON})
    return round_network(unpacked(found.x).layers(), X, offsets)


def _loss_and_slopes(
    parameters: _Parameters,
    X: Reals,
    targets: Floats,
    weights: Floats,
    places: Places,
    dropout: _Dropout,
) -> tuple[float, list[Reals]]:
    """The weighted mean cross-entropy, and its gradients in the order of `parameters.arrays`."""
    W, b = parameters.weights, parameters.biases
    n = len(DISTANCES)
    page, output = 2 + n, 3 + n
    sizes = np.diff(places.offsets)[:, None].astype(X.dtype)

    inputs, _ = dropout(X)
    first = np.maximum(inputs @ W[0] + b[0], 0)
    second = np.maximum(first @ W[1] + b[1], 0)
    rows, seen = second, []
    means = of_page = np.empty(0, X.dtype)
    for place, distance in enumerate(DISTANCES):
        if place == n - 1:
            means = _page_sums(rows, places) / sizes
            of_page = np.maximum(means @ W[page] + b[page], 0)
            rows = rows + of_page[places.page_of]
        dropped, factors = dropout(rows)
        around = _around(dropped, places, distance)
        added = np.maximum(around @ W[2 + place] + b[2 + place], 0)
        seen.append((around, added, factors))
        rows = rows + added
    logits = rows @ W[output] + b[output]

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    slope = powers / powers.sum(axis=1, keepdims=True)
    shares = weights / max(float(weights.sum()), 1e-9)
    loss = -float(shares @ (targets * np.log(np.maximum(slope, 1e-12))).sum(axis=1))
    slope -= targets
    slope *= shares[:, None]

    dW: list[Reals] = [np.empty(0, np.float32)] * len(W)
    db: list[Reals] = [np.empty(0, np.float32)] * len(b)

    def dense(at: int, entered: Reals, slope: Reals) -> Reals:
        """Note the gradients of a layer; the slope before it."""
        dW[at], db[at] = entered.T @ slope, slope.sum(axis=0)
        return slope @ W[at].T

    slope = dense(output, rows, slope)
    for place in reversed(range(n)):
        around, added, factors = seen[place]
        parts = dense(2 + place, around, slope * (added > 0))
        slope = slope + _gathered(parts, places, DISTANCES[place]) * factors
        if place == n - 1:
            to_page = dense(page, means, _page_sums(slope, places) * (of_page > 0))
            slope = slope + (to_page / sizes)[places.page_of]
    slope = dense(1, first, slope * (second > 0))
    dense(0, inputs, slope * (first > 0))
    return loss, dW + db


def _page_sums(rows: Reals, places: Places) -> Reals:
    """The sum of each page's rows; no page is empty in training."""
    sums: Reals = np.add.reduceat(rows, places.offsets[:-1], axis=0)
    return sums


def _around(rows: Reals, places: Places, distance: int) -> Reals:
    """Each row between those at a distance before and after it; (n_rows, 3 k)."""
    width = rows.shape[1]
    around = np.zeros((len(rows), 3 * width), rows.dtype)
    around[:, width : 2 * width] = rows
    if len(rows) > distance:
        around[distance:, :width] = places.within(rows[:-distance].copy(), distance)
        around[:-distance, 2 * width :] = places.within(rows[distance:].copy(), distance)
    return around


def _gathered(parts: Reals, places: Places, distance: int) -> Reals:
    """The transpose of `_around`: what each row is given by the rows that saw it; (n_rows, k) of (n_rows, 3 k)."""
    width = parts.shape[1] // 3
    slope = parts[:, width : 2 * width].copy()
    if len(parts) > distance:
        slope[:-distance] += places.within(parts[distance:, :width].copy(), distance)
        slope[distance:] += places.within(parts[:-distance, 2 * width :].copy(), distance)
    return slope


class _Adam:
    """Adam with gradients cut to a length; changes the arrays in place."""

    def __init__(self, arrays: list[Reals]) -> None:
        self._arrays = arrays
        self._means = [np.zeros_like(array) for array in arrays]
        self._squares = [np.zeros_like(array) for array in arrays]
        self._steps = 0

    def step(self, gradients: list[Reals], rate: float) -> None:
        """One step against the gradients."""
        self._steps += 1
        length = float(np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients)))
        cut = np.float32(min(1.0, MOST_GRADIENT / max(length, 1e-12)))
        mean_share, square_share = (np.float32(1 - decay**self._steps) for decay in (0.9, 0.999))
        for array, gradient, mean, square in zip(self._arrays, gradients, self._means, self._squares, strict=True):
            gradient = gradient * cut
            mean += (gradient - mean) * np.float32(0.1)
            square += (gradient**2 - square) * np.float32(0.001)
            array -= np.float32(rate) * (mean / mean_share) / (np.sqrt(square / square_share) + np.float32(1e-8))
