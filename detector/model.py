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
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS, Features, HashedRows, feature_names
from detector.features.context import context_features, context_names

_INPUT_UNIT = 1 << 10
_WEIGHT_UNIT = 1 << 14
"""Fixed-point steps in 1.0. Inputs and activations (below 2^10) are multiples of 2^-10, weights (below 2^6) of 2^-14:
a product of layers sums to less than 2^53 such steps and is exact in float64. So the result of a row is the same to
the bit in whatever batch, order or BLAS; fixed-size tiles of float32 were tried and were not."""

_MOST_WEIGHT = 63.0
_MOST_ACTIVATION = 1023.0

_CLIP = 8.0
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

    def score(self, rows: HashedRows) -> NDArray[np.float32]:
        """Log-odds of each label, squashed into -1..1; (n_rows, n_labels) float32.

        A row's features count by one over the square root of their number, so that length does not decide.
        """
        counts = np.diff(rows.offsets)
        sums = np.zeros((len(counts), self.table.shape[1]), np.int64)
        filled = np.flatnonzero(counts)
        if len(filled):
            sums[filled] = np.add.reduceat(self.table[rows.indices], rows.offsets[filled], axis=0, dtype=np.int64)
        odds = sums * (self.scale / np.sqrt(np.maximum(counts, 1)))[:, None] + self.bias
        return np.tanh(odds / 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Network:
    """A dense network with rectified hidden layers: `weights[i]` is (n_in, n_out), `biases[i]` is (n_out,).

    Both are rounded to fixed point and held as float64.
    """

    weights: list[NDArray[Any]]
    biases: list[NDArray[Any]]

    def __post_init__(self) -> None:
        self.weights[:] = [_fixed(weight, _WEIGHT_UNIT, _MOST_WEIGHT) for weight in self.weights]
        self.biases[:] = [_fixed(bias, _WEIGHT_UNIT, _MOST_WEIGHT) for bias in self.biases]

    def activations(self, inputs: NDArray[Any]) -> list[NDArray[np.float64]]:
        """What goes into each layer, the inputs first; (n_rows, n_in of the layer) each."""
        layers = [_fixed(inputs, _INPUT_UNIT, _MOST_ACTIVATION)]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(_fixed(np.maximum(layers[-1] @ weight + bias, 0), _INPUT_UNIT, _MOST_ACTIVATION))
        return layers

    def logits(self, inputs: NDArray[Any]) -> NDArray[np.float64]:
        """(n_rows, n_labels) float64 of (n_rows, n_in)."""
        result: NDArray[np.float64] = self.activations(inputs)[-1] @ self.weights[-1] + self.biases[-1]
        return result


def _fixed(values: NDArray[Any], unit: int, most: float) -> NDArray[np.float64]:
    """Rounded to multiples of 1/unit, and cut at the magnitude `most`."""
    scaled = np.rint(values.astype(np.float64) * unit)
    return np.clip(scaled, -most * unit, most * unit) / unit


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

    def inputs(self, features: Features) -> NDArray[np.float32]:
        """What the networks see: features, scores and the scores around; standardised, (n_segments, n_inputs)."""
        raw = stack_inputs(features, self.words.score(features.text), self._class_scores(features))
        return np.clip((raw - self.mean) / self.scale, -_CLIP, _CLIP)

    def _class_scores(self, features: Features) -> NDArray[np.float32] | None:
        if self.classes is None or features.dom is None:
            return None
        return self.classes.score(features.dom)

    def predict_proba(self, features: Features) -> NDArray[np.float32]:
        """Probability of each label; (n_segments, n_labels) float32, rows sum to 1."""
        inputs = self.inputs(features)
        logits = np.sum([network.logits(inputs) for network in self.networks], axis=0)
        return softmax(logits / len(self.networks)).astype(np.float32)


def stack_inputs(
    features: Features, words: NDArray[np.float32], classes: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The features beside the scores of each segment and of those around it; columns as in `input_names`."""
    scores = words if classes is None else np.concatenate((words, classes), axis=1)
    return np.concatenate((features.X, scores, context_features(scores, features.offsets)), axis=1)


def input_names(kind: Kind) -> tuple[str, ...]:
    """The names of the networks' inputs, in order."""
    scores = SCORE_NAMES + (DOM_SCORE_NAMES if kind == "html" else ())
    return feature_names(kind) + scores + context_names(scores)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of logits, row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


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
