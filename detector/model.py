"""What a trained model is made of, and how it turns features into probabilities.

Scores come in two steps. Linear scorers over hashed words (and, in HTML, hashed class names) give each segment one
log-odds a label; these scores and the features of `detector.features` go through small convolutional networks, which
see a segment's neighbours and its page, and whose logits are averaged.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, LABELS, Kind, SegmentedPage
from detector.errors import ModelError
from detector.features import DOM_BITS, SCHEMA, TEXT_BITS, Features, HashedDom, HashedText, extract, feature_names
from detector.features.lexical import PackedTable, pack
from detector.features.site import NAMES as SITE_NAMES
from detector.features.site import SiteFeatures
from detector.network import Network, softmax
from detector.places import Places
from detector.segment import segment_text, windows_of
from detector.spam import SpamScorer

CLIP = 8.0
"""Standardised features beyond this many standard deviations are cut: hostile pages must not saturate the network."""

LEAST_PROBABILITY = 1e-3
"""Of a label, as the site head sees it: certainty beyond that says nothing more."""

SCORE_NAMES = tuple(f"{label}_words" for label in LABELS)
DOM_SCORE_NAMES = tuple(f"{label}_classes" for label in LABELS)

SITE_INPUT_NAMES = (*SITE_NAMES, *(f"{label}_log_odds" for label in LABELS))


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
        lift: How far a page's sure content raises the threshold, see `detector.decisions.decide`.
        spam: Scorer of whole pages; None in HTML mode, or if the model has not learnt it.
        site: Corrects the probabilities where a `SignatureStore` is given; None if the model has not learnt to.
    """

    words: HashedScorer
    classes: HashedScorer | None
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    networks: list[Network]
    threshold: float
    lift: float
    spam: SpamScorer | None = None
    site: SiteHead | None = None

    def inputs(self, features: Features) -> NDArray[np.float32]:
        """What the networks see: features and scores, standardised; (n_segments, n_inputs) float32."""
        return self.standardised(stack_inputs(features, self.words.score(features.text), self._class_scores(features)))

    def standardised(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows of `stack_inputs` as the networks take them; (n_segments, n_inputs) float32."""
        standard = rows - self.mean
        standard /= self.scale
        np.maximum(standard, -CLIP, out=standard)
        return np.minimum(standard, CLIP, out=standard)

    def _class_scores(self, features: Features) -> NDArray[np.float32] | None:
        if self.classes is None or features.dom is None:
            return None
        return self.classes.score(features.dom)

    def predict_proba(self, features: Features) -> NDArray[np.float32]:
        """Probability of each label; (n_segments, n_labels) float32, rows sum to 1."""
        return self.probabilities(self.inputs(features), Places.of(features.offsets, features.groups))

    def probabilities(self, inputs: NDArray[np.float32], places: Places) -> NDArray[np.float32]:
        """As `predict_proba`, of standardised inputs.

        Args:
            inputs: (n_segments, n_inputs) float32, as `inputs` gives them.
            places: Which page each segment is in, and which stand alike.
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

    @property
    def tells_spam(self) -> bool:
        """Whether the model has learnt which pages are spam as a whole."""
        return "text" in self.heads and self.heads["text"].spam is not None

    def spam_probability(self, page: SegmentedPage) -> float | None:
        """The probability that a page is spam as a whole, from its lines as text: pages are known to be spam in that mode only.

        None if the page is empty or the model has not learnt to tell.
        """
        head, text = self.heads.get("text"), segment_text(page.text)
        if head is None or head.spam is None or not len(text):
            return None
        pieces = ((piece, extract([piece], "text")) for piece in windows_of(text))
        return head.spam.probability(
            (head.inputs(seen), piece.ends - piece.starts, seen.text) for piece, seen in pieces
        )


def schema_digest(kind: Kind) -> str:
    """A digest of the columns and hash sizes; equal digests mean that features and weights belong together."""
    return _digest([SCHEMA, TEXT_BITS, DOM_BITS, [str(label) for label in LABELS], input_names(kind)])


def site_schema_digest() -> str:
    """As `schema_digest`, for the site head."""
    return _digest([[str(label) for label in LABELS], SITE_INPUT_NAMES])


def _digest(described: list[Any]) -> str:
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
