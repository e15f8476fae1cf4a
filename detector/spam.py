"""Whether a page is spam as a whole: spun, stuffed with keywords, or nothing but links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SpamScorer:
    """A logistic regression on what a page is like in the mean.

    Attributes:
        weight: (2 * n_inputs + 2,) float32, for the columns of `page_summary`.
        bias: Log-odds of a page whose summary is zero.
    """

    weight: NDArray[np.float32]
    bias: float

    def probability(self, inputs: NDArray[np.float32], chars: NDArray[np.int64]) -> float:
        """The probability that a page holds no content of its own, in 0..1.

        Args:
            inputs: (n_segments, n_inputs) standardised inputs of one page, at least one segment.
            chars: (n_segments,) their lengths.
        """
        odds = float(page_summary(inputs, chars) @ self.weight.astype(np.float64)) + self.bias
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def page_summary(inputs: NDArray[np.float32], chars: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of the inputs over segments, over characters, and the page's size; (2 * n_inputs + 2,) float64.

    Args:
        inputs: (n_segments, n_inputs) standardised inputs of one page, at least one segment.
        chars: (n_segments,) their lengths.
    """
    rows = inputs.astype(np.float64)
    by_chars = chars @ rows / max(int(chars.sum()), 1)
    return np.concatenate((rows.mean(axis=0), by_chars, np.log1p([len(rows), chars.sum()])))
