"""A trained model: a folder of plain arrays and a JSON manifest, loaded without running any code of it.

Scores come in two steps. Linear scorers over hashed words (and, in HTML, hashed class names) give each segment one
log-odds a label; these scores and the features of `detector.features` go through small convolutional networks, which
see a segment's neighbours and its page, and whose logits are averaged.
"""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, LABELS, Kind
from detector.errors import ModelError
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS, Features, HashedDom, HashedText, feature_names
from detector.features.lexical import PackedTable, pack
from detector.features.site import NAMES as SITE_NAMES
from detector.features.site import SiteFeatures
from detector.spam import SpamScorer

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
        return self.scaled(self.steps(inputs) @ self._weight)

    def along_page(self, inputs: NDArray[np.float32], places: Places, distance: int) -> NDArray[np.float32]:
        """The layer over each row beside those at a distance before and after it; zeros beyond the page's ends.

        Args:
            inputs: (n_rows, n_in / 3) float32; the weight's rows are for the row before, the row, and the row after.
            places: Which page each row is in.
            distance: In rows.
        """
        steps = self.steps(inputs)
        width = inputs.shape[1]
        before, here, after = (self._weight[part * width : (part + 1) * width] for part in range(3))
        sums: NDArray[np.float32] = steps @ here
        if len(steps) > distance:
            sums[distance:] += places.within(steps[:-distance] @ before, distance)
            sums[:-distance] += places.within(steps[distance:] @ after, distance)
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
        sums *= self.scale * np.float32(self.unit)
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


@dataclass(frozen=True, slots=True)
class Places:
    """Which page each row of a batch is in.

    Attributes:
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`.
        page_of: (n_rows,) int64.
    """

    offsets: NDArray[np.int64]
    page_of: NDArray[np.int64]

    @classmethod
    def of(cls, offsets: NDArray[np.int64]) -> Places:
        """Of the pages that `offsets` bounds."""
        sizes = offsets[1:] - offsets[:-1]
        return cls(offsets, np.arange(len(sizes)).repeat(sizes))

    def within(self, rows: NDArray[np.float32], distance: int) -> NDArray[np.float32]:
        """Rows that come from, or go to, `distance` rows away: zero where that is another page; in place.

        Args:
            rows: (n_rows - distance, k) float32.
            distance: At least 1.
        """
        if len(self.offsets) > 2:
            rows[self.page_of[distance:] != self.page_of[:-distance]] = 0
        return rows

    def means(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of each page's rows, exact in fixed point; (n_pages, k) float32, 0 for empty pages."""
        sizes = self.offsets[1:] - self.offsets[:-1]
        filled = sizes.nonzero()[0]
        means = np.zeros((len(sizes), rows.shape[1]), np.float32)
        if len(filled):
            fixed = np.rint(rows * np.float32(_FIXED)).astype(np.int64)
            sums = np.add.reduceat(fixed, self.offsets[filled], axis=0)
            means[filled] = sums / (sizes[filled] * float(_FIXED))[:, None]
        return means


_FIXED = 1 << 16
"""Fixed-point steps in 1.0 for the means over pages."""


class Sight(enum.StrEnum):
    """What a stage looks at for each segment."""

    SEGMENT = "segment"
    NEIGHBOURS = "neighbours"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Stage:
    """One hidden step of a network.

    Attributes:
        layer: Of n_in -> n_out for a segment and for the page's mean; of 3 n -> n for neighbours.
        sight: A segment's stage replaces the rows; the others add to them (residual connections; He et al. 2016).
        distance: Of the neighbours, in segments.
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
        else:
            added = self.layer(rows)
        return np.maximum(added, 0, out=added)


@dataclass(frozen=True, slots=True)
class Network:
    """Dense layers over each segment, then convolutions along the page that widen what a segment sees of it.

    The distances of the convolutions grow (Yu, Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions",
    ICLR 2016), so that four of them see fifteen segments to either side; one stage adds the mean of the whole page.

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


SITE_INPUT_NAMES = (*SITE_NAMES, *(f"{label}_log_odds" for label in LABELS))


@dataclass(frozen=True, slots=True)
class SiteHead:
    """Corrects probabilities by what is known of other pages.

    Attributes:
        mean: (len(SITE_INPUT_NAMES),) float32, subtracted from the inputs.
        scale: (len(SITE_INPUT_NAMES),) float32, the inputs are divided by it.
        network: Site features and log-odds to logits.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    network: Network

    def correct(self, probabilities: NDArray[np.float32], site: SiteFeatures) -> NDArray[np.float32]:
        """Probabilities with what other pages say; (n_segments, n_labels) float32.

        That a line was not found elsewhere may speak for content and never against it, and a page of an unknown host
        whose lines are all unknown is left as it is.

        Args:
            probabilities: (n_segments, n_labels), those of the page alone.
            site: Of the same segments.
        """
        inputs = np.clip((stack_site_inputs(probabilities, site) - self.mean) / self.scale, -CLIP, CLIP)
        logits = self.network.logits(inputs, Places.of(site.offsets))
        corrected = softmax(logits.astype(np.float64)).astype(np.float32)
        speaks = site.recurs | (site.host_known & (corrected[:, CONTENT] > probabilities[:, CONTENT]))
        return np.where(speaks[:, None], corrected, probabilities)


def stack_site_inputs(probabilities: NDArray[np.float32], site: SiteFeatures) -> NDArray[np.float32]:
    """The site features beside what the page alone says; columns as in `SITE_INPUT_NAMES`."""
    logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    odds = logs - logs.mean(axis=1, keepdims=True)
    return np.concatenate((site.X, odds), axis=1).astype(np.float32)


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
        spam: Scorer of whole pages; None in HTML mode, or if the model has not learnt it.
        site: Corrects the probabilities where a `SignatureStore` is given; None if the model has not learnt to.
    """

    words: HashedScorer
    classes: HashedScorer | None
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    networks: list[Network]
    threshold: float
    spam: SpamScorer | None = None
    site: SiteHead | None = None

    def inputs(self, features: Features) -> NDArray[np.float32]:
        """What the networks see: features and scores, standardised; (n_segments, n_inputs) float32."""
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
        return self.probabilities(self.inputs(features), Places.of(features.offsets))

    def probabilities(self, inputs: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
        """As `predict_proba`, of standardised inputs.

        Args:
            inputs: (n_segments, n_inputs) float32, as `inputs` gives them.
            places: Which page each segment is in.
        """
        logits = np.zeros((len(inputs), len(LABELS)))
        for network in self.networks:
            logits += network.logits(inputs, places)
        return softmax(logits / len(self.networks)).astype(np.float32)


def stack_inputs(
    features: Features, words: NDArray[np.float32], classes: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The features beside the scores of each segment; columns as in `input_names`."""
    parts = (features.X.T, words.T) if classes is None else (features.X.T, words.T, classes.T)
    return np.concatenate(parts).T


def input_names(kind: Kind) -> tuple[str, ...]:
    """The names of the networks' inputs, in order."""
    return feature_names(kind) + SCORE_NAMES + (DOM_SCORE_NAMES if kind == "html" else ())


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
    return _digest([SCHEMA, TEXT_BITS, DOM_BITS, [str(label) for label in LABELS], input_names(kind)])


def site_schema_digest() -> str:
    """As `schema_digest`, for the site head."""
    return _digest([[str(label) for label in LABELS], SITE_INPUT_NAMES])


def _digest(described: list[Any]) -> str:
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
