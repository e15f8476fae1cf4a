"""Fit the scorer of whole pages: which of the pages that were read line by line hold no content at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from detector.data import CONTENT
from detector.spam import SpamScorer, page_summary
from training.dataset import Dataset

LEAST_PAGES = 20
"""Spam pages, and others, below which no scorer is made."""

PENALTY = 0.003
"""scikit-learn's `C`: there are half as many columns as spam pages."""


def fit_spam_scorer(data: Dataset, inputs: NDArray[np.float32]) -> SpamScorer | None:
    """A scorer, or None where too few pages are labelled line by line.

    A page aligned to a gold text always has content, so that those would teach what a corpus is like, not what spam is.

    Args:
        data: Text pages.
        inputs: (n_segments, n_inputs) their standardised inputs, from scorers that have not seen the page's site.
    """
    summaries, spam = [], []
    for page in np.flatnonzero(data.labelled_by_line).tolist():
        rows = slice(int(data.offsets[page]), int(data.offsets[page + 1]))
        labels = data.labels[rows]
        if (labels >= 0).any():
            summaries.append(page_summary(inputs[rows], data.chars[rows]))
            spam.append(not (labels == CONTENT).any())
    if min(sum(spam), len(spam) - sum(spam)) < LEAST_PAGES:
        return None
    scaler = StandardScaler().fit(np.array(summaries))
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(scaler.transform(np.array(summaries)), spam)
    # The scaling is folded into the weights.
    weight = fitted.coef_[0] / scaler.scale_
    return SpamScorer(weight.astype(np.float32), float(fitted.intercept_[0] - weight @ scaler.mean_))
