"""A trained model: a folder of plain arrays and a JSON manifest, loaded without running any code of it.

Scores come in two steps. Linear scorers over hashed words (and, in HTML, hashed class names) give each segment one
log-odds a label; these scores, those of the neighbours, and the features of `detector.features` go through small
dense networks whose logits are averaged.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS, Features, HashedDom, HashedText, feature_names
from detector.features.context import context_features, context_names
from detector.features.lexical import PackedTable, pack

CLIP = 8.0
"""Standardised features beyond this many standard deviations are cut: hostile pages must not saturate the network."""

SCORE_NAMES = tuple(f"{label}_words" for label in LABELS)
DOM_SCORE_NAMES = tuple(f"{label}_classes" for label in LABELS)


@dataclass(frozen=True, slots=True)
class HashedScorer:
    """A linear model over hashed features, eight bits a weight.

    Attributes:
        table: (n_buckets, n_labels) int8.
        scale: What one step of the table is worth, in log-odds.
        bias: (n_labels,) float32.
    """

    table: NDArray[np.int8]
    scale: float
    bias: NDArray[np.float32]
    _packed: list[PackedTable] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def packed(self) -> PackedTable:
        """The table as sums are taken of it; made when first asked for, since a run often needs one kind of page only."""
        if not self._packed:
            self._packed.append(pack(self.table))
        return self._packed[0]

    def score(self, rows: HashedText | HashedDom) -> NDArray[np.float32]:
        """Log-odds of each label, squashed into -1..1; (n_rows, n_labels) float32.

        A row's features count by one over the square root of their number, so that length does not decide.
        """
        odds = rows.sums(self.packed) * (self.scale / np.sqrt(rows.sizes()))[:, None]
        odds += self.bias
        odds /= 2
        return np.tanh(odds, out=odds).astype(np.float32)


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

    MOST_STEPS = 1 << 11
    """Steps beyond which an input is cut."""

    MOST_SUM = ((1 << 24) - 1) // MOST_STEPS
    """Sum of the magnitudes of a column of `weight` up to which the product is exact."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_weight", self.weight.astype(np.float32))

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n_rows, n_out) float32 of (n_rows, n_in)."""
        steps: NDArray[np.float32] = inputs * np.float32(1 / self.unit)
        _to_whole_steps(steps)
        result: NDArray[np.float32] = steps @ self._weight
        result *= self.scale * np.float32(self.unit)
        result += self.bias
        return result

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


def _to_whole_steps(steps: NDArray[np.float32]) -> None:
    """Round and cut in place. The two ufuncs cost a quarter of `np.clip` on a small page."""
    np.rint(steps, out=steps)
    np.maximum(steps, -Layer.MOST_STEPS, out=steps)
    np.minimum(steps, Layer.MOST_STEPS, out=steps)


@dataclass(frozen=True, slots=True)
class Network:
    """A dense network with rectified hidden layers."""

    layers: list[Layer]

    def activations(self, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What goes into each layer, the inputs first; (n_rows, n_in of the layer) each."""
        activations = [inputs]
        for layer in self.layers[:-1]:
            activations.append(np.maximum(layer(activations[-1]), 0))
        return activations

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n_rows, n_labels) float32 of (n_rows, n_in)."""
        return self.layers[-1](self.activations(inputs)[-1])


class Ensemble:
    """Networks of one shape, run side by side: the same results as of each network, in a third of the calls."""

    def __init__(self, networks: list[Network]) -> None:
        units = np.array([[layer.unit for layer in network.layers] for network in networks], np.float32)
        depth = units.shape[1]
        shared = (units[:, 0] == units[0, 0]).all()
        self._first = (1 / units[: 1 if shared else None, 0, None, None]).astype(np.float32)
        self._weights: list[NDArray[np.float32]] = [
            np.stack([n.layers[i].weight.astype(np.float32) for n in networks]) for i in range(depth)
        ]
        # Units are powers of two, so that a layer's can be multiplied into the one before without rounding.
        to_next = np.append(1 / units[:, 1:], np.ones((len(networks), 1), np.float32), axis=1)
        self._scales, self._biases = (
            [
                np.stack([factor[i] * getattr(n.layers[i], part) for n, factor in zip(networks, factors, strict=True)])
                for i in range(depth)
            ]
            for part, factors in (("scale", units * to_next), ("bias", to_next))
        )

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n_networks, n_rows, n_labels) float32 of (n_rows, n_in)."""
        steps: NDArray[np.float32] = inputs * self._first
        _to_whole_steps(steps)
        for place, (weight, scale, bias) in enumerate(zip(self._weights, self._scales, self._biases, strict=True)):
            if place:
                np.maximum(steps, 0, out=steps)
                _to_whole_steps(steps)
            steps = steps @ weight
            steps *= scale[:, None]
            steps += bias[:, None]
        return steps


def _by_shape(networks: list[Network]) -> list[Ensemble]:
    """The networks in groups that can run side by side."""
    groups: dict[tuple[tuple[int, ...], ...], list[Network]] = {}
    for network in networks:
        groups.setdefault(tuple(layer.weight.shape for layer in network.layers), []).append(network)
    return [Ensemble(group) for group in groups.values()]


@dataclass(frozen=True, slots=True)
class Head:
    """Everything needed for pages of one kind.

    Attributes:
        words: Scorer of the text.
        classes: Scorer of class names; None in text mode.
        mean: (n_inputs,) float32, subtracted from the inputs.
        scale: (n_inputs,) float32, the inputs are divided by it.
        networks: Their logits are averaged.
        threshold: Probability of content from which a segment is content.
    """

    words: HashedScorer
    classes: HashedScorer | None
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    networks: list[Network]
    threshold: float
    _ensembles: list[Ensemble] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ensembles", _by_shape(self.networks))

    def inputs(self, features: Features) -> NDArray[np.float32]:
        """What the networks see: features, scores and the scores around; standardised, (n_segments, n_inputs)."""
        raw = stack_inputs(features, self.words.score(features.text), self._class_scores(features))
        raw -= self.mean
        raw /= self.scale
        np.maximum(raw, -CLIP, out=raw)
        return np.minimum(raw, CLIP, out=raw)

    def _class_scores(self, features: Features) -> NDArray[np.float32] | None:
        if self.classes is None or features.dom is None:
            return None
        return self.classes.score(features.dom)

    def predict_proba(self, features: Features) -> NDArray[np.float32]:
        """Probability of each label; (n_segments, n_labels) float32, rows sum to 1."""
        inputs = self.inputs(features)
        logits = sum(ensemble.logits(inputs).sum(axis=0, dtype=np.float64) for ensemble in self._ensembles)
        return softmax(logits / len(self.networks)).astype(np.float32)


def stack_inputs(
    features: Features, words: NDArray[np.float32], classes: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The features beside the scores of each segment and of those around it; columns as in `input_names`."""
    scores = words.T if classes is None else np.concatenate((words.T, classes.T))
    return np.concatenate((features.X.T, scores, context_features(scores, features.offsets))).T


def input_names(kind: Kind) -> tuple[str, ...]:
    """The names of the networks' inputs, in order."""
    scores = SCORE_NAMES + (DOM_SCORE_NAMES if kind == "html" else ())
    return feature_names(kind) + scores + context_names(scores)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of logits, row by row."""
    powers = logits - logits.max(axis=1, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


@dataclass(frozen=True, slots=True)
class Model:
    """A named set of heads, one for each kind of page it was trained for.

    Attributes:
        name: As in the manifest.
        heads: By kind.
        info: What the manifest says of training: corpora, digests, metrics, command.
    """

    name: str
    heads: dict[Kind, Head]
    info: dict[str, Any] = field(default_factory=dict)

    def head(self, kind: Kind) -> Head:
        """The head for a kind of page.

        Raises:
            ModelError: The model was not trained for this kind.
        """
        if kind not in self.heads:
            raise ModelError(
                f"model '{self.name}' was not trained on {kind} pages; use another model or train one with {kind} samples"
            )
        return self.heads[kind]


def schema_digest(kind: Kind) -> str:
    """A digest of the columns and hash sizes; equal digests mean that features and weights belong together."""
    described = json.dumps([SCHEMA, TEXT_BITS, DOM_BITS, [str(label) for label in LABELS], input_names(kind)])
    return hashlib.sha256(described.encode()).hexdigest()[:16]
