"""Why a segment got its label: the inputs that weighed most, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.data import Kind, SegmentedPage
from detector.features import extract
from detector.model import Head, input_names
from detector.network import Layer, Network, Sight
from detector.phrases import PHRASES
from detector.places import Places
from detector.segment import windows_of

MOST = 3
"""Reasons given for a segment."""

_PLACES = {0: "", -1: "segment before: ", 1: "segment after: ", -2: "two before: ", 2: "two after: "}
"""Steps to the segments whose inputs are asked about, and how they are spoken of."""

COMMENT = "in an element named as readers' comments are"


def explain(
    head: Head,
    page: SegmentedPage,
    kind: Kind,
    labels: NDArray[np.uint8],
    comments: NDArray[np.bool_],
    host_pages: NDArray[np.int64] | None = None,
) -> list[tuple[str, ...]]:
    """For each segment the `MOST` inputs that spoke loudest for its label against the others.

    An input's weight is its standardised value times the slope of the label's log-odds along it (gradient times
    input; Shrikumar et al. 2016, section 3), averaged over the networks.

    Args:
        head: The model's head for the kind of page.
        page: The page; its features are computed again, since reasons are seldom asked for.
        kind: How the page was read.
        labels: (n_segments,) the labels to explain.
        comments: (n_segments,) which were told to be readers' comments by their elements; nothing else counts for those.
        host_pages: (n_segments, 2) as in `SiteFeatures`, if signatures were used; what they say is said first.
    """
    reasons: list[tuple[str, ...]] = []
    for piece in windows_of(page):
        reasons += _explain_piece(head, piece, kind, labels[len(reasons) :][: len(piece)])
    for place in comments.nonzero()[0].tolist():
        reasons[place] = (COMMENT,)
    if host_pages is None:
        return reasons
    return [
        (f"on {count:,} of {known:,} other pages of the site", *reason)[:MOST] if count else reason
        for (count, known), reason in zip(host_pages.tolist(), reasons, strict=True)
    ]


def _explain_piece(head: Head, page: SegmentedPage, kind: Kind, labels: NDArray[np.uint8]) -> list[tuple[str, ...]]:
    """As `explain`, of what was looked at together, and by the page alone."""
    features = extract([page], kind)
    inputs, places = head.inputs(features), Places.of(features.offsets, features.groups)
    n, n_inputs = inputs.shape
    n_labels = len(head.networks[0].output.bias)
    direction = np.full((n, n_labels), -1.0 / (n_labels - 1), np.float32)
    direction[np.arange(n), labels] = 1.0
    spoken = np.zeros((n, len(_PLACES), n_inputs), np.float32)
    for network in head.networks:
        slopes = _slopes(network, inputs, places, direction)
        for number, step in enumerate(_PLACES):
            if step in slopes:
                spoken[:, number] += slopes[step] * _shifted(inputs, step)
    said = [(place, name) for place in _PLACES.values() for name in input_names(kind)]
    high = np.concatenate([_shifted(inputs, step) > 0 for step in _PLACES], axis=1)
    # Ties and zeros say nothing; stable order keeps the same words on every machine.
    weights = spoken.reshape(n, len(said))
    best = np.argsort(-weights, axis=1, kind="stable")[:, : MOST * 4]
    return [
        _words([(*said[i], bool(high[row, i])) for i in order if weights[row, i] > 0])
        for row, order in enumerate(best.tolist())
    ]


def _slopes(
    network: Network, inputs: NDArray[np.float32], places: Places, direction: NDArray[np.float32]
) -> dict[int, NDArray[np.float32]]:
    """How each segment's label leans on its own inputs and on those of the segments around.

    The gradient runs back through the stages; what would leave the steps of `_PLACES` is dropped, and so is the way
    through the means of the page, its sides and groups, which says nothing of single segments.

    Args:
        network: One of the head's networks.
        inputs: (n_segments, n_inputs) of one page.
        places: Of the page.
        direction: (n_segments, n_labels) weights of the logits.

    Returns:
        For each step, (n_segments, n_inputs): row i is the slope along the inputs of segment i + step.
    """
    trace = network.trace(inputs, places)
    slopes = {0: direction @ _real(network.output).T}
    for stage, rows in zip(reversed(network.stages), reversed(trace[:-1]), strict=True):
        if stage.sight in (Sight.PAGE, Sight.SIDES, Sight.GROUPS):
            continue
        active = stage.added(rows, places) > 0
        weight = _real(stage.layer)
        onward: dict[int, NDArray[np.float32]] = {}
        for step, slope in slopes.items():
            through = slope * _shifted(active, step)
            if stage.sight == Sight.SEGMENT:
                onward[step] = through @ weight.T
                continue
            onward[step] = onward.get(step, np.float32(0)) + slope
            for part, tap in enumerate((-stage.distance, 0, stage.distance)):
                if step + tap in _PLACES:
                    width = slope.shape[1]
                    reached = through @ weight[part * width : (part + 1) * width].T
                    onward[step + tap] = onward.get(step + tap, np.float32(0)) + reached
        slopes = onward
    return slopes


def _real(layer: Layer) -> NDArray[np.float32]:
    """The layer's weights as real numbers."""
    return layer.weight * layer.scale


def _shifted(rows: NDArray[Any], step: int) -> NDArray[Any]:
    """Row i + step in place of row i; zeros beyond the page's ends."""
    shifted = np.zeros_like(rows)
    if abs(step) < len(rows):
        into, out_of = slice(max(-step, 0), len(rows) - max(step, 0)), slice(max(step, 0), len(rows) + min(step, 0))
        shifted[into] = rows[out_of]
    return shifted


def _words(named: list[tuple[str, str, bool]]) -> tuple[str, ...]:
    """The first `MOST` different phrases for (place, input, whether it is high)."""
    said: list[str] = []
    for place, name, high in named:
        phrase = place + PHRASES[name][0 if high else 1]
        if phrase not in said:
            said.append(phrase)
    return tuple(said[:MOST])
