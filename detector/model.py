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

from detector.data import CONTENT, LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS, Features, HashedDom, HashedText, feature_names
from detector.features.context import context_features, context_names
from detector.features.lexical import PackedTable, pack
from detector.features.site import NAMES as SITE_NAMES
from detector.features.site import SiteFeatures

CLIP = 8.0
"""Standardised features beyond this many standard deviations are cut: hostile pages must not saturate the network."""

LEAST_PROBABILITY = 1e-3
"""Of a label, as the site head sees it: certainty beyond that says nothing more."""

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
    _packed: PackedTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_packed", pack(self.table))

    def score(self, rows: HashedText | HashedDom) -> NDArray[np.float32]:
        """Log-odds of each label, squashed into -1..1; (n_rows, n_labels) float32.

        A row's features count by one over the square root of their number, so that length does not decide.
        """
        odds = rows.sums(self._packed) * (self.scale / np.sqrt(rows.sizes()))[:, None] + self.bias
        return np.tanh(odds / 2).astype(np.float32)


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
        steps = np.rint(inputs * np.float32(1 / self.unit))
        np.clip(steps, -self.MOST_STEPS, self.MOST_STEPS, out=steps)
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


@dataclass(frozen=True, slots=True)
class SiteHead:
    """Corrects probabilities by what is known of other pages.

    Attributes:
        mean: (len(SITE_INPUT_NAMES),) float32, subtracted from the inputs.
        scale: (len(SITE_INPUT_NAMES),) float32, the inputs are divided by it.
        network: Log-odds and site features to logits.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    network: Network

    def correct(
        self, probabilities: NDArray[np.float32], chars: NDArray[np.int64], site: SiteFeatures
    ) -> NDArray[np.float32]:
        """Probabilities with what other pages say; (n_segments, n_labels) float32.

        That a line was not found elsewhere may speak for content and never against it, and a page of an unknown host
        whose lines are all unknown is left as it is.

        Args:
            probabilities: (n_segments, n_labels), those of the page alone.
            chars: (n_segments,) characters of each segment.
            site: Of the same segments.
        """
        inputs = np.clip((stack_site_inputs(probabilities, chars, site) - self.mean) / self.scale, -CLIP, CLIP)
        corrected = softmax(self.network.logits(inputs).astype(np.float64)).astype(np.float32)
        speaks = site.recurs | (site.host_known & (corrected[:, CONTENT] > probabilities[:, CONTENT]))
        return np.where(speaks[:, None], corrected, probabilities)


SITE_INPUT_NAMES = (
    *SITE_NAMES,
    *(f"{label}_log_odds" for label in LABELS),
    "log_chars",
    *context_names(("content_probability",)),
)


def stack_site_inputs(
    probabilities: NDArray[np.float32], chars: NDArray[np.int64], site: SiteFeatures
) -> NDArray[np.float32]:
    """The site features beside what the page alone says; columns as in `SITE_INPUT_NAMES`."""
    logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    odds = logs - logs.mean(axis=1, keepdims=True)
    around = context_features(probabilities[:, CONTENT : CONTENT + 1], site.offsets)
    return np.concatenate((site.X, odds, np.log1p(chars)[:, None], around), axis=1).astype(np.float32)


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
        site: Corrects the probabilities where a `SignatureStore` is given; None if the model has not learnt to.
    """

    words: HashedScorer
    classes: HashedScorer | None
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    networks: list[Network]
    threshold: float
    site: SiteHead | None = None

    def inputs(self, features: Features) -> NDArray[np.float32]:
        """What the networks see: features, scores and the scores around; standardised, (n_segments, n_inputs)."""
        raw = stack_inputs(features, self.words.score(features.text), self._class_scores(features))
        return np.clip((raw - self.mean) / self.scale, -CLIP, CLIP)

    def _class_scores(self, features: Features) -> NDArray[np.float32] | None:
        if self.classes is None or features.dom is None:
            return None
        return self.classes.score(features.dom)

    def predict_proba(self, features: Features) -> NDArray[np.float32]:
        """Probability of each label; (n_segments, n_labels) float32, rows sum to 1."""
        inputs = self.inputs(features)
        logits = [network.logits(inputs).astype(np.float64) for network in self.networks]
        return softmax(np.sum(logits, axis=0) / len(logits)).astype(np.float32)


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


def site_schema_digest() -> str:
    """As `schema_digest`, for the site head."""
    return hashlib.sha256(json.dumps([str(label) for label in LABELS] + list(SITE_INPUT_NAMES)).encode()).hexdigest()[
        :16
    ]


def schema_digest(kind: Kind) -> str:
    """A digest of the columns and hash sizes; equal digests mean that features and weights belong together."""
    described = json.dumps([SCHEMA, TEXT_BITS, DOM_BITS, [str(label) for label in LABELS], input_names(kind)])
    return hashlib.sha256(described.encode()).hexdigest()[:16]
