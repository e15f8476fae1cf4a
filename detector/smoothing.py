"""Probabilities to labels, one page at a time in effect and all pages at once in code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT


def decide(probabilities: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    """Label each segment: content from `threshold` on, otherwise the likelier of the other labels.

    Neighbours have already spoken: they are among the features. Viterbi decoding over three labels was measured on
    top of that and gained nothing (see the README of the training folder).

    Args:
        probabilities: (n_segments, n_labels) float32.
        threshold: Probability of content from which a segment is content, in 0..1.

    Returns:
        (n_segments,) uint8, indices into `LABELS`.
    """
    labels = np.argmax(probabilities[:, CONTENT + 1 :], axis=1).astype(np.uint8) + np.uint8(CONTENT + 1)
    labels[probabilities[:, CONTENT] >= threshold] = CONTENT
    return labels
