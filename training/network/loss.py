"""The loss of a network on some pages, and its gradients, written out in the order of the forward pass reversed."""

from __future__ import annotations

import numpy as np

from detector.data import CONTENT
from detector.network import Sight
from detector.places import Places
from training.network.parameters import Parameters
from training.network.rows import Reals, Rows
from training.network.sight import Dropout, gathered, given_back, page_sums

MOST_CHARS = 2000
"""Characters beyond which a segment counts no more in a page's F1."""

LEAST_TOTAL_WEIGHT = 1e-9
"""Divisor of weights at least: where all are 0 the loss is 0, not undefined."""

LEAST_IN_LOG = 1e-12
"""Probability below which the loss rises no more: the logarithm of 0 is infinite."""

ONE_CHAR = 1
"""Added to the characters that a page's F1 is divided by: on a page without content there may be none."""


def loss_and_gradients(
    parameters: Parameters, rows: Rows, places: Places, dropout: Dropout, f1_weight: float = 0.0
) -> tuple[float, list[Reals]]:
    """The loss, and its gradients in the order of `parameters.arrays`; rows and parameters are of one precision.

    Args:
        parameters: Of the network.
        rows: The segments.
        places: Those of the rows.
        dropout: Applied to what each layer sees.
        f1_weight: Of the pages' F1 beside the cross-entropy.
    """
    W, b = parameters.weights, parameters.biases
    held, _ = dropout(rows.X)
    passed = []
    for (sight, distance), weight, bias in zip(parameters.plan, W, b, strict=False):
        seen, factors = gathered(held, sight, distance, places, dropout)
        output = np.maximum(seen @ weight + bias, 0)
        passed.append((seen, output, factors))
        for_rows = output[places.page_of] if sight == Sight.PAGE else output
        held = for_rows if sight == Sight.SEGMENT else held + for_rows
    probabilities = _softmax(held @ W[-1] + b[-1])
    loss, gradient = _cross_entropy(probabilities, rows)
    if f1_weight:
        f1_loss, f1_gradient = _page_f1_loss(probabilities, rows, places)
        loss += f1_weight * f1_loss
        gradient += np.asarray(f1_weight, gradient.dtype) * f1_gradient

    dW: list[Reals] = [held.T @ gradient]
    db: list[Reals] = [gradient.sum(axis=0)]
    gradient = gradient @ W[-1].T
    for (sight, distance), weight, (seen, output, factors) in zip(
        reversed(parameters.plan), reversed(W[:-1]), reversed(passed), strict=True
    ):
        active = (page_sums(gradient, places) if sight == Sight.PAGE else gradient) * (output > 0)
        dW.append(seen.T @ active)
        db.append(active.sum(axis=0))
        along_seen = active @ weight.T
        if sight == Sight.SEGMENT:
            gradient = along_seen
        else:
            gradient = gradient + given_back(along_seen, factors, sight, distance, places)
    return loss, dW[::-1] + db[::-1]


def _softmax(logits: Reals) -> Reals:
    """Probabilities of (n_rows, n_labels) logits, whose array is overwritten."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    probabilities: Reals = logits / logits.sum(axis=1, keepdims=True)
    return probabilities


def _cross_entropy(probabilities: Reals, rows: Rows) -> tuple[float, Reals]:
    """The weighted mean of the segments' cross-entropy, and its gradient along the logits, (n_rows, n_labels)."""
    shares = (rows.weights / max(float(rows.weights.sum()), LEAST_TOTAL_WEIGHT)).astype(probabilities.dtype)
    loss = -float(shares @ (rows.targets * np.log(np.maximum(probabilities, LEAST_IN_LOG))).sum(axis=1))
    return loss, (probabilities - rows.targets) * shares[:, None]


def _page_f1_loss(probabilities: Reals, rows: Rows, places: Places) -> tuple[float, Reals]:
    """One less the mean over pages of the F1 of content, by characters, and its gradient along the logits.

    Probabilities take the place of decisions in it, as in the Dice loss of segmented pictures (Milletari, Navab,
    Ahmadi, "V-Net", 3DV 2016). Pages without content do not count.
    """
    page_of, n_pages = places.page_of, len(places.offsets) - 1
    chars = np.minimum(rows.chars, MOST_CHARS) * (rows.weights > 0)
    content, wanted = probabilities[:, CONTENT].astype(np.float64), rows.targets[:, CONTENT].astype(np.float64)
    both, ours, gold = (np.bincount(page_of, chars * share, n_pages) for share in (content * wanted, content, wanted))
    total = ours + gold + ONE_CHAR
    weights = rows.page_weights * (gold > 0)
    weights /= max(float(weights.sum()), LEAST_TOTAL_WEIGHT)
    loss = float(weights @ (1 - 2 * both / total))
    along_content = -(weights / total)[page_of] * chars * (2 * wanted - (2 * both / total)[page_of])
    is_content = np.arange(probabilities.shape[1]) == CONTENT
    along_logits = (along_content * content)[:, None] * (is_content - probabilities)
    return loss, along_logits.astype(probabilities.dtype)
