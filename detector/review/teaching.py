"""How much a person's look at a segment, or at a page, would teach: the order of active learning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

UNSURE = 0.5
"""Teaching value from which a segment counts as unsure: the likeliest label leads by less than 50 points, or the
neighbours say something else."""


def teaching_values(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much a correction of each segment would teach, in 0..1.

    Two signs, either of which is enough (1 minus the product of their complements). Uncertainty: 1 minus the margin
    between the two likeliest labels (margin sampling; Scheffer, Decomain and Wrobel 2001). Disagreement: total
    variation distance between the segment's probabilities and the mean of those of its neighbours, weighted by how
    much the two neighbours agree with each other, so that the border of a list, where one neighbour is right to
    differ, does not count as disagreement.

    >>> sure, torn = [0.98, 0.01, 0.01], [0.5, 0.45, 0.05]
    >>> teaching_values(np.array([sure, torn, sure], np.float32)).round(2).tolist()
    [0.03, 0.97, 0.03]

    Args:
        probabilities: (n_segments, n_labels) float32, rows in page order that sum to 1.

    Returns:
        (n_segments,) float64.
    """
    exact = probabilities.astype(np.float64)
    ranked = np.sort(exact, axis=1)
    uncertainty = 1 - (ranked[:, -1] - ranked[:, -2])
    disagreement = np.zeros(len(exact))
    if len(exact) > 2:
        before, after = exact[:-2], exact[2:]
        distance = np.abs(exact[1:-1] - (before + after) / 2).sum(axis=1) / 2
        harmony = 1 - np.abs(before - after).sum(axis=1) / 2
        disagreement[1:-1] = distance * harmony
    return np.clip(1 - (1 - uncertainty) * (1 - disagreement), 0, 1)


def page_value(values: NDArray[np.float64]) -> float:
    """How much reading a whole page would teach, from the values of its segments; 0 for an empty page.

    Their sum over the square root of their number: segments of one page resemble each other, so n of them teach like
    the square root of n, and a long page costs more reading.

    >>> page_value(np.array([0.5] * 4)), page_value(np.array([0.5] * 100)), page_value(np.array([]))
    (1.0, 5.0, 0.0)

    Args:
        values: (n_segments,) as of `teaching_values`.
    """
    return float(values.sum()) / math.sqrt(len(values)) if len(values) else 0.0
