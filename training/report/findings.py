"""Figures of predictions: confusion, curves, calibration, sites, worst pages, importance of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, LABELS
from detector.decisions import decide
from detector.model import input_names
from detector.places import Places
from training.report.predictions import Predictions

RELIABILITY_BINS = 10
MOST_ROWS = 5_000
"""Rows that importance is measured on; more make the error bars smaller and the wait longer."""

REPEATS = 3
"""Times that each feature is shuffled."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall of a label from the highest threshold down.

    Attributes:
        precision: (n_thresholds,) float64.
        recall: (n_thresholds,) float64, ascending.
        average: Area under the steps.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    average: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether probabilities of content mean what they say.

    Attributes:
        predicted: (n_bins,) mean probability in each bin that has segments.
        observed: (n_bins,) share of content in it.
        counts: (n_bins,) segments in it.
        error: Mean distance of the two, by segments (expected calibration error; Naeini et al., AAAI 2015).
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    counts: NDArray[np.int64]
    error: float


@dataclass(frozen=True, slots=True)
class Site:
    """How often the segments of a site were rightly kept or removed, with a 95 % interval (Wilson, JASA 1927)."""

    name: str
    pages: int
    segments: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WorstPage:
    """A page and what went wrong on it, in characters.

    Attributes:
        number: Its place in `Predictions.pages`.
        name: Its id.
        lost: Characters of content that were removed.
        left: Characters of other segments that were kept.
        chars: Characters of known label.
    """

    number: int
    name: str
    lost: int
    left: int
    chars: int


@dataclass(frozen=True, slots=True)
class Importance:
    """How much macro F1 falls when a feature is shuffled between segments."""

    name: str
    drop: float
    error: float


def confusion(found: Predictions) -> NDArray[np.int64]:
    """(n_labels, n_labels) segments by true label and decided label."""
    known = found.known
    pairs = found.data.labels[known].astype(np.int64) * len(LABELS) + found.decided[known]
    return np.bincount(pairs, minlength=len(LABELS) ** 2).reshape(len(LABELS), len(LABELS))


def curve(found: Predictions, label: int) -> Curve:
    """Precision and recall of one label against the others."""
    known = found.known
    order = np.argsort(-found.probabilities[known, label], kind="stable")
    right = (found.data.labels[known] == label)[order]
    scores = found.probabilities[known, label][order]
    hits = np.cumsum(right)
    # Equal probabilities are one threshold: only the last of them is a point.
    last = np.append(scores[1:] != scores[:-1], True)
    recall = hits[last] / max(int(hits[-1]), 1)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return Curve(precision, recall, float((np.diff(recall, prepend=0) * precision).sum()))


def reliability(found: Predictions) -> Reliability:
    """The probability of content against the share of content, in bins of equal width."""
    known = found.known
    probability = found.probabilities[known, CONTENT].astype(np.float64)
    content = found.data.labels[known] == CONTENT
    bins = np.minimum((probability * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    counts = np.bincount(bins, minlength=RELIABILITY_BINS)
    filled = counts > 0
    predicted = np.bincount(bins, probability, RELIABILITY_BINS)[filled] / counts[filled]
    observed = np.bincount(bins, content, RELIABILITY_BINS)[filled] / counts[filled]
    error = float(np.abs(predicted - observed) @ counts[filled] / max(int(counts.sum()), 1))
    return Reliability(predicted, observed, counts[filled], error)


def sites(found: Predictions) -> list[Site]:
    """Every site, the worst first."""
    names = np.array([sample.site for sample in found.data.samples])
    page_of, known = found.data.page_of, found.known
    wrong = (found.lost | found.left)[known]
    site_of_row = names[page_of[known]]
    rows = []
    for name in np.unique(names):
        of_site = site_of_row == name
        total = int(of_site.sum())
        if total:
            low, high = wilson(total - int(wrong[of_site].sum()), total)
            accuracy = 1 - float(wrong[of_site].mean())
            rows.append(Site(str(name), int((names == name).sum()), total, accuracy, low, high))
    return sorted(rows, key=lambda site: (site.high, site.name))


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share.

    >>> [round(end, 2) for end in wilson(9, 10)]
    [0.6, 0.98]
    """
    z = 1.96
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * float(np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)))
    return max(0.0, middle - half), min(1.0, middle + half)


def worst_pages(found: Predictions, most: int) -> list[WorstPage]:
    """The pages with the largest share of characters lost or left, the worst first; pages without a mistake are not."""
    chars, starts = found.data.chars, found.data.offsets[:-1]

    def by_page(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.add.reduceat(np.where(chosen, chars, 0), starts)

    lost, left, known = by_page(found.lost), by_page(found.left), by_page(found.known)
    share = (lost + left) / np.maximum(known, 1)
    order = np.lexsort((-(lost + left), -share))[:most]
    return [
        WorstPage(i, found.data.samples[i].id, int(lost[i]), int(left[i]), int(known[i]))
        for i in order.tolist()
        if share[i] > 0
    ]


def importances(found: Predictions, seed: int = 0) -> list[Importance]:
    """Importance by permutation (Breiman, Machine Learning 2001), the most important first.

    Values are shuffled between the segments of all the pages that are looked at. Those are whole pages, since networks
    see neighbours.
    """
    random = np.random.default_rng(seed)
    chosen, offsets = _some_pages(found, random)
    inputs, labels = found.inputs[chosen], found.data.labels[chosen]
    places = Places.of(offsets, found.data.groups[:, chosen])
    whole = _macro_f1(found, inputs, labels, places)
    measured = []
    for column, name in enumerate(input_names(found.data.kind)):
        drops = []
        for _ in range(REPEATS):
            shuffled = inputs.copy()
            shuffled[:, column] = inputs[random.permutation(len(inputs)), column]
            drops.append(whole - _macro_f1(found, shuffled, labels, places))
        measured.append(Importance(name, float(np.mean(drops)), float(np.std(drops) / np.sqrt(REPEATS))))
    return sorted(measured, key=lambda one: -one.drop)


def _some_pages(found: Predictions, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of pages drawn until there are `MOST_ROWS`, and the pages' bounds within them."""
    bounds = found.data.offsets
    parts: list[NDArray[np.int64]] = []
    for page in random.permutation(len(bounds) - 1).tolist():
        parts.append(np.arange(bounds[page], min(bounds[page + 1], bounds[page] + MOST_ROWS)))
        if sum(map(len, parts)) >= MOST_ROWS:
            break
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


def _macro_f1(found: Predictions, inputs: NDArray[np.float32], labels: NDArray[np.int8], places: Places) -> float:
    """Mean F1 of keep and remove by the threshold alone, over the segments whose label is known."""
    known = labels >= 0
    head = found.head
    kept = (decide(head.probabilities(inputs, places), head.threshold, head.lift, places) == CONTENT)[known]
    wanted = (labels == CONTENT)[known]
    wrong = int((kept != wanted).sum())
    keep, remove = 2 * int((kept & wanted).sum()), 2 * int((~kept & ~wanted).sum())
    return (keep / max(keep + wrong, 1) + remove / max(remove + wrong, 1)) / 2
