"""Fit the model's networks: dense layers, then convolutions along the page, by gradient descent in NumPy.

scikit-learn's networks see one row at a time; these see the page around it. The gradients are written out below, in the
order of the forward pass reversed. The loss is the cross-entropy of segments, and where it helps the F1 of whole pages as well,
which is what a model is measured by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from detector.data import CONTENT, LABELS
from detector.errors import SampleError
from detector.network import MOST_REACH, Grouping, Network, Places, Sight
from training.dataset import Dataset, join_groups
from training.export import RealLayer, real_layers, round_network

Floats = NDArray[np.float32]
Reals = NDArray[np.floating]
"""Fitting runs in float32, fitting on in float64."""

DISTANCES = (1, 2, 4, 8)
"""Of the convolutions, in segments."""

NEAR_REACH = 32
"""Of the nearer means of what is before and after, in segments; the others go as far as the page."""

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
"""Passes over the pages: so many that about as many segments are seen as asked for, within these bounds."""


MOST_CHARS = 2000
"""Characters beyond which a segment counts no more in a page's F1."""

STEPS_ON = 60
"""Steps of L-BFGS by which a network is fitted on; the loss on other pages no longer falls beyond some forty."""

Plan = list[tuple[Sight, int]]
"""What each stage looks at, and its distance, in the order in which they run."""


def plan_of(groupings: int) -> Plan:
    """The stages of a network: two dense ones, convolutions, and before the last of them the means of the page and of its parts.

    Those are what is before and after a segment, and groups; or, without any, what is before and after it nearby.

    Args:
        groupings: How many groupings there are.
    """
    near = [(Sight.NEIGHBOURS, distance) for distance in DISTANCES]
    page, sides = (Sight.PAGE, 0), (Sight.SIDES, MOST_REACH)
    means = [page, sides, (Sight.GROUPS, 0)] if groupings else [page, (Sight.SIDES, NEAR_REACH), sides]
    return [(Sight.SEGMENT, 0), (Sight.SEGMENT, 0), *near[:-1], *means, near[-1]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Segments as networks are fitted to them.

    Attributes:
        X: (n_segments, n_inputs), standardised inputs.
        targets: (n_segments, n_labels) float32, labels or probabilities of them, rows sum to 1; what they say where the
            weight is 0 does not matter.
        weights: (n_segments,) float32, in the cross-entropy.
        offsets: (n_pages + 1,) int64; no page is empty.
        groups: (n_groupings, n_segments) int64, as in `Features`.
        chars: (n_segments,) int64.
        page_weights: (n_pages,) float32, in the mean of the pages' F1.
    """

    X: Reals
    targets: Floats
    weights: Floats
    offsets: NDArray[np.int64]
    groups: NDArray[np.int64]
    chars: NDArray[np.int64]
    page_weights: Floats

    @classmethod
    def of(cls, data: Dataset, X: Floats, targets: Floats, weights: Floats, page_weights: Floats) -> Rows:
        """The segments of a dataset; the other arguments are as in `Rows`."""
        return cls(X, targets, weights, data.offsets, data.groups, data.chars, page_weights)

    @property
    def places(self) -> Places:
        """Which page each segment is in, and which stand alike."""
        return Places.of(self.offsets, self.groups)

    def of_pages(self, first: int, last: int) -> Rows:
        """Some pages next to each other."""
        bounds = self.offsets[first : last + 1]
        return self.chosen(np.arange(bounds[0], bounds[-1]), bounds - bounds[0], np.arange(first, last))

    def chosen(self, rows: NDArray[np.int64], offsets: NDArray[np.int64], pages: NDArray[np.int64]) -> Rows:
        """Some of the rows.

        Args:
            rows: (n_rows,) which, page after page.
            offsets: (n_pages + 1,) the bounds of the pages within them.
            pages: (n_pages,) which pages those are.
        """
        return Rows(
            self.X[rows],
            self.targets[rows],
            self.weights[rows],
            offsets,
            self.groups[:, rows],
            self.chars[rows],
            self.page_weights[pages],
        )

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Pages of several, one after the other; none of one part stands alike with one of another."""
        bases = np.cumsum([0, *(len(part.X) for part in parts)])
        offsets = [part.offsets[1:] + base for part, base in zip(parts, bases.tolist(), strict=False)]
        return cls(
            np.concatenate([part.X for part in parts]),
            np.concatenate([part.targets for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate(([0], *offsets)),
            join_groups([part.groups for part in parts]),
            np.concatenate([part.chars for part in parts]),
            np.concatenate([part.page_weights for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class _Parameters:
    """Weights and biases of the stages in the order in which they run, the output last.

    Attributes:
        plan: Of the stages.
        weights: (n_in, n_out) each.
        biases: (n_out,) each.
    """

    plan: Plan
    weights: list[Reals]
    biases: list[Reals]

    @classmethod
    def drawn(cls, inputs: int, sizes: tuple[int, int], groupings: int, random: np.random.Generator) -> _Parameters:
        """At random, by the number of inputs of each layer (LeCun et al., "Efficient BackProp", 1998)."""
        hidden, width = sizes
        plan = plan_of(groupings)
        further = [(sight.parts(groupings) * width, width) for sight, _ in plan[2:]]
        shapes = [(inputs, hidden), (hidden, width), *further]
        weights: list[Reals] = []
        biases: list[Reals] = []
        for n_in, n_out in [*shapes, (width, len(LABELS))]:
            reach = n_in**-0.5
            weights.append(random.uniform(-reach, reach, (n_in, n_out)).astype(np.float32))
            biases.append(random.uniform(-reach, reach, n_out).astype(np.float32))
        return cls(plan, weights, biases)

    @classmethod
    def of(cls, network: Network, groupings: int) -> _Parameters:
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
        """The layers in the order in which they run."""
        seen = [*self.plan, (Sight.SEGMENT, 0)]
        return [RealLayer(*parts) for parts in zip(self.weights, self.biases, *zip(*seen, strict=True), strict=True)]

    @property
    def arrays(self) -> list[Reals]:
        """All arrays, to be changed in place."""
        return self.weights + self.biases

    def holding(self, arrays: Sequence[Reals]) -> _Parameters:
        """Others of the same shapes."""
        n = len(self.weights)
        return _Parameters(self.plan, list(arrays[:n]), list(arrays[n:]))


@dataclass(frozen=True, slots=True)
class _Dropout:
    """Sets a share of the entries to zero and scales up the others (Srivastava et al., JMLR 2014).

    Attributes:
        random: None drops nothing.
        share: Of the entries.
    """

    random: np.random.Generator | None = None
    share: float = DROPOUT

    def __call__(self, rows: Reals) -> tuple[Reals, Reals]:
        """The rows with entries dropped, and what they were multiplied by."""
        if self.random is None:
            return rows, np.ones((1, 1), rows.dtype)
        kept = self.random.random(rows.shape, np.float32) >= self.share
        factors = kept.astype(np.float32) / np.float32(1 - self.share)
        return rows * factors, factors


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

    Cross-entropy and perhaps the pages' F1, Adam (Kingma, Ba, ICLR 2015), dropout, and an average of the weights over the steps
    (Polyak averaging).

    Args:
        rows: The segments.
        sizes: Outputs of the first dense layer; of the second and of the later stages.
        seed: Of everything random.
        f1_weight: Of the pages' F1 beside the cross-entropy in the loss.
        rows_seen: About how many segments are seen in all the passes.
        dropout: Share of what a layer sees that is set to zero.
    """
    random = np.random.default_rng(seed)
    parameters = _Parameters.drawn(rows.X.shape[1], sizes, len(rows.groups), random)
    dropped = _Dropout(random, dropout)
    optimiser = _Adam(parameters.arrays)
    batch_rows = min(MOST_BATCH, max(len(rows.X) // LEAST_BATCHES, 1))
    passes = int(np.clip(rows_seen // max(len(rows.X), 1), *PASSES))
    batches = [batch for _ in range(passes) for batch in _batches(rows.offsets, batch_rows, random)]
    average = [array.copy() for array in parameters.arrays]
    for number, batch in enumerate(batches):
        chosen = rows.chosen(*batch)
        _, gradients = _loss_and_slopes(parameters, chosen, chosen.places, dropped, f1_weight)
        optimiser.step(gradients, _learning_rate(number / len(batches)))
        for mean, array in zip(average, parameters.arrays, strict=True):
            mean += (array - mean) * np.float32(1 if number < len(batches) // 2 else 1 - AVERAGING)
    return round_network(parameters.holding(average).layers(), rows.X, rows.offsets, rows.groups)


Batch = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Rows, the pages' bounds within them, and the pages: as `Rows.chosen` takes them."""


def _batches(offsets: NDArray[np.int64], most: int, random: np.random.Generator) -> Iterator[Batch]:
    """Randomly chosen pages, each page once, of a long one a stretch."""
    pages: list[int] = []
    parts: list[NDArray[np.int64]] = []
    for page in random.permutation(len(offsets) - 1).tolist():
        first, last = int(offsets[page]), int(offsets[page + 1])
        if last - first > MOST_PAGE:
            first += int(random.integers(last - first - MOST_PAGE + 1))
            last = first + MOST_PAGE
        pages.append(page)
        parts.append(np.arange(first, last))
        if sum(map(len, parts)) >= most:
            yield _joined(parts, pages)
            pages, parts = [], []
    if parts:
        yield _joined(parts, pages)


def _joined(parts: list[NDArray[np.int64]], pages: list[int]) -> Batch:
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)]), np.array(pages)


def _learning_rate(progress: float) -> float:
    """The rate after a share of the steps."""
    if progress < WARM_UP:
        return LEARNING_RATE * max(progress / WARM_UP, 0.04)
    return LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


def one_hot(labels: NDArray[np.int8]) -> Floats:
    """Labels as targets; (n_segments, n_labels) float32. Unknown ones, -1, become the first label."""
    return np.eye(len(LABELS), dtype=np.float32)[np.maximum(labels, 0)]


def fit_on(network: Network, rows: Rows, anchor: float) -> Network:
    """Fit a network on to further pages by L-BFGS: cross-entropy, and a penalty on the distance from where it began.

    Nothing here is random.

    Args:
        network: Made by `fit_network`.
        rows: The segments.
        anchor: Weight of half the squared distance beside the mean loss.

    Raises:
        SampleError: The network is of another shape than those that are made here.
    """
    begun = _Parameters.of(network, len(rows.groups))
    shapes = [array.shape for array in begun.arrays]
    cuts = np.cumsum([array.size for array in begun.arrays])[:-1]
    start = np.concatenate([array.ravel() for array in begun.arrays])
    precise, places = replace(rows, X=rows.X.astype(np.float64)), rows.places

    def unpacked(packed: NDArray[np.float64]) -> _Parameters:
        arrays = [part.reshape(shape) for part, shape in zip(np.split(packed, cuts), shapes, strict=True)]
        return begun.holding(arrays)

    def loss(packed: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slopes = _loss_and_slopes(unpacked(packed), precise, places, _Dropout())
        step = packed - start
        flat = np.concatenate([slope.ravel() for slope in slopes])
        return value + anchor / 2 * float(step @ step), flat + anchor * step

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS_ON})
    return round_network(unpacked(found.x).layers(), rows.X, rows.offsets, rows.groups)


def _loss_and_slopes(
    parameters: _Parameters, rows: Rows, places: Places, dropout: _Dropout, f1_weight: float = 0.0
) -> tuple[float, list[Reals]]:
    """The loss, and its gradients in the order of `parameters.arrays`; rows and parameters are of one precision."""
    W, b = parameters.weights, parameters.biases
    held, _ = dropout(rows.X)
    seen = []
    for (sight, distance), weight, bias in zip(parameters.plan, W, b, strict=False):
        entered, factors = _entering(held, sight, distance, places, dropout)
        added = np.maximum(entered @ weight + bias, 0)
        seen.append((entered, added, factors))
        for_rows = added[places.page_of] if sight == Sight.PAGE else added
        held = for_rows if sight == Sight.SEGMENT else held + for_rows
    powers = held @ W[-1] + b[-1]
    powers -= powers.max(axis=1, keepdims=True)
    np.exp(powers, out=powers)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    loss, slope = _cross_entropy(probabilities, rows)
    if f1_weight:
        unlike, further = _unlikeness(probabilities, rows, places)
        loss += f1_weight * unlike
        slope += np.asarray(f1_weight, slope.dtype) * further

    dW: list[Reals] = [held.T @ slope]
    db: list[Reals] = [slope.sum(axis=0)]
    slope = slope @ W[-1].T
    for (sight, distance), weight, (entered, added, factors) in zip(
        reversed(parameters.plan), reversed(W[:-1]), reversed(seen), strict=True
    ):
        active = (_page_sums(slope, places) if sight == Sight.PAGE else slope) * (added > 0)
        dW.append(entered.T @ active)
        db.append(active.sum(axis=0))
        reached = active @ weight.T
        slope = reached if sight == Sight.SEGMENT else slope + _leaving(reached, factors, sight, distance, places)
    return loss, dW[::-1] + db[::-1]


def _cross_entropy(probabilities: Reals, rows: Rows) -> tuple[float, Reals]:
    """Its weighted mean, and the slope along the logits."""
    shares = (rows.weights / max(float(rows.weights.sum()), 1e-9)).astype(probabilities.dtype)
    loss = -float(shares @ (rows.targets * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1))
    return loss, (probabilities - rows.targets) * shares[:, None]


def _unlikeness(probabilities: Reals, rows: Rows, places: Places) -> tuple[float, Reals]:
    """One less the mean over pages of the F1 of content, by characters, and the slope along the logits.

    Probabilities take the place of decisions in it, as in the Dice loss of segmented pictures (Milletari, Navab, Ahmadi,
    "V-Net", 3DV 2016). Pages without content do not count.
    """
    page_of, n_pages = places.page_of, len(places.offsets) - 1
    chars = np.minimum(rows.chars, MOST_CHARS) * (rows.weights > 0)
    content, wanted = probabilities[:, CONTENT].astype(np.float64), rows.targets[:, CONTENT].astype(np.float64)
    both, ours, gold = (np.bincount(page_of, chars * share, n_pages) for share in (content * wanted, content, wanted))
    total = ours + gold + 1
    weights = rows.page_weights * (gold > 0)
    weights /= max(float(weights.sum()), 1e-9)
    loss = float(weights @ (1 - 2 * both / total))
    slope = -(weights / total)[page_of] * chars * (2 * wanted - (2 * both / total)[page_of])
    label = np.arange(probabilities.shape[1]) == CONTENT
    slopes: Reals = ((slope * content)[:, None] * (label - probabilities)).astype(probabilities.dtype)
    return loss, slopes


def _entering(
    rows: Reals, sight: Sight, distance: int, places: Places, dropout: _Dropout
) -> tuple[Reals, Reals | float]:
    """What a stage's layer sees of the rows, and what that was multiplied by in dropout."""
    if sight == Sight.NEIGHBOURS:
        dropped, factors = dropout(rows)
        return _around(dropped, places, distance), factors
    if sight == Sight.GROUPS:
        return dropout(np.concatenate([_group_means(rows, grouping) for grouping in places.groupings], axis=1))
    if sight == Sight.SIDES:
        return dropout(_side_means(rows, places, distance))
    if sight == Sight.PAGE:
        return _page_sums(rows, places) / np.diff(places.offsets)[:, None].astype(rows.dtype), 1.0
    return rows, 1.0


def _leaving(slope: Reals, factors: Reals | float, sight: Sight, distance: int, places: Places) -> Reals:
    """The transpose of `_entering`: what each row is given by the rows that saw it."""
    if sight == Sight.NEIGHBOURS:
        return _gathered(slope, places, distance) * factors
    if sight == Sight.GROUPS:
        parts = np.split(slope * factors, len(places.groupings), axis=1)
        return np.sum([_group_means(part, one) for part, one in zip(parts, places.groupings, strict=True)], axis=0)
    if sight == Sight.SIDES:
        return _seen_from_sides(slope * factors, places, distance)
    return (slope / np.diff(places.offsets)[:, None].astype(slope.dtype))[places.page_of]


def _page_sums(rows: Reals, places: Places) -> Reals:
    """The sum of each page's rows; no page is empty in training."""
    sums: Reals = np.add.reduceat(rows, places.offsets[:-1], axis=0)
    return sums


def _group_means(rows: Reals, grouping: Grouping) -> Reals:
    """For each row the mean of its group; a projection, and so its own transpose."""
    sums = np.add.reduceat(rows.take(grouping.order, axis=0), grouping.starts, axis=0)
    means: Reals = grouping.spread(sums / grouping.sizes[:, None].astype(rows.dtype))
    return means


def _side_means(rows: Reals, places: Places, reach: int) -> Reals:
    """For each row the mean of the rows before it, and of those after it, as `Places.side_means` takes them; (n_rows, 2 k)."""
    (first, last), counts = places.sides(reach)
    sums = _running_sums(rows)
    before, after = sums[:-1] - sums[first], sums[last] - sums[1:]
    return np.concatenate((before / counts[0, :, None], after / counts[1, :, None]), axis=1).astype(rows.dtype)


def _seen_from_sides(slope: Reals, places: Places, reach: int) -> Reals:
    """The transpose of `_side_means`: what each row is given by the rows after it and before it; (n_rows, k) of (n_rows, 2 k)."""
    (first, last), counts = places.sides(reach)
    parts = zip(np.split(slope, 2, axis=1), counts, strict=True)
    before, after = (_running_sums(part / size[:, None]) for part, size in parts)
    return np.asarray((before[last] - before[1:]) + (after[:-1] - after[first]), slope.dtype)


def _running_sums(rows: Reals) -> NDArray[np.float64]:
    """The sums of the rows before each row, and of all; (n_rows + 1, k)."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=sums[1:])
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
