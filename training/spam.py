"""Fit the scorer of whole pages, which learns from pages labelled line by line which of them have no content at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from detector.data import CONTENT, LINK_LIST
from detector.features import TEXT_BITS, extract
from detector.segment import segment_text, windows_of
from detector.spam import CLIP as SPAM_CLIP
from detector.spam import Bag, Part, SpamScorer, summarise
from training.dataset import Dataset
from training.export import as_bytes
from training.sites import FOLDS, site_fold
from training.standardising import mean_and_spread

LEAST_PAGES = 20
"""Fewer spam pages than this, or fewer others, make no scorer."""

WORDS_PENALTY = 30.0
"""scikit-learn's `C` of the scorer of words, the inverse of the penalty."""

NETWORKS, HIDDEN, PASSES = 3, 24, 60
"""Networks whose mean is kept, written as one network; hidden units of each; passes of each over the pages."""

PENALTY = 3.0
"""scikit-learn's `alpha`, of the networks: with 10 fewer spam pages are found in cross-validation, by a third."""

LEARNING_RATE = 2e-3

LEAST_SPREAD = 1e-6
"""Standard deviation below which a column counts as constant: only one that is, but for rounding."""


def fit_spam_scorer(data: Dataset, inputs: NDArray[np.float32], seed: int) -> SpamScorer | None:
    """A scorer, or None where too few pages are labelled line by line.

    Only those pages are learnt from. A page aligned to a gold text always has content: such pages would teach what
    their corpus is like, not what spam is.

    Args:
        data: Text pages.
        inputs: (n_segments, n_inputs) their standardised inputs, from scorers that have not seen the page's site.
        seed: Of everything random.
    """
    summaries, bags, spam, folds = [], [], [], []
    for page in np.flatnonzero(data.labelled_by_line).tolist():
        rows = slice(int(data.offsets[page]), int(data.offsets[page + 1]))
        labels, sample = data.labels[rows], data.samples[page]
        # As in evaluation: a page of boilerplate alone, a login form say, is neither spam nor good.
        if ((labels == CONTENT) | (labels == LINK_LIST)).any():
            summary, bag = summarise(_parts(sample.content, inputs[rows]))
            summaries.append(summary)
            bags.append(bag)
            spam.append(not (labels == CONTENT).any())
            folds.append(site_fold(sample.site, FOLDS))
    is_spam = np.array(spam, bool)
    if min(is_spam.sum(), (~is_spam).sum()) < LEAST_PAGES:
        return None
    words, words_scale, scores = _fit_words(_matrix(bags), is_spam, np.array(folds), seed)
    columns = np.column_stack((np.array(summaries), scores))
    mean, spread = mean_and_spread(columns, LEAST_SPREAD)
    standard = np.clip((columns - mean) / spread, -SPAM_CLIP, SPAM_CLIP)
    networks = [_fit_network(standard, is_spam, seed * NETWORKS + number) for number in range(NETWORKS)]
    return SpamScorer(
        words,
        words_scale,
        mean.astype(np.float32),
        spread.astype(np.float32),
        hidden=np.concatenate([network.coefs_[0] for network in networks], axis=1).astype(np.float32),
        hidden_bias=np.concatenate([network.intercepts_[0] for network in networks]).astype(np.float32),
        output=np.concatenate([network.coefs_[1][:, 0] / NETWORKS for network in networks]).astype(np.float32),
        bias=float(np.mean([network.intercepts_[1][0] for network in networks])),
    )


def _parts(content: str, inputs: NDArray[np.float32]) -> Iterator[Part]:
    """A text page as the scorer is given it, with inputs that are known."""
    first = 0
    for piece in windows_of(segment_text(content)):
        yield inputs[first : first + len(piece)], piece.ends - piece.starts, extract([piece], "text").text
        first += len(piece)


def _matrix(bags: Iterable[Bag]) -> sp.csr_matrix:
    """Bags of words as rows; (n_pages, 2^TEXT_BITS) float64."""
    buckets, values = zip(*bags, strict=True)
    ends = np.cumsum([0, *map(len, buckets)])
    return sp.csr_matrix((np.concatenate(values), np.concatenate(buckets), ends), shape=(len(buckets), 1 << TEXT_BITS))


def _fit_words(
    bags: sp.csr_matrix, spam: NDArray[np.bool_], folds: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int8], float, NDArray[np.float64]]:
    """Fit the weights of words.

    Returns:
        (n_buckets,) int8, the weights; what a step of them is worth; and (n_pages,) float64, the score of each page by
        weights that have not seen its site.
    """

    def fit(pages: NDArray[np.bool_]) -> NDArray[np.float64]:
        scorer = LogisticRegression(C=WORDS_PENALTY, solver="liblinear", random_state=seed, fit_intercept=False)
        weights: NDArray[np.float64] = scorer.fit(bags[pages], spam[pages]).coef_[0]
        return weights

    scores = np.zeros(len(spam))
    for fold in np.unique(folds):
        inside = folds == fold
        # Where all pages of the other folds are spam, or none, they teach nothing: the scores of this fold stay 0.
        if 0 < spam[~inside].sum() < (~inside).sum():
            scores[inside] = bags[inside] @ fit(~inside)
    weights = fit(np.ones(len(spam), bool))
    return *as_bytes(weights, float(np.abs(weights).max())), scores


def _fit_network(columns: NDArray[np.float64], spam: NDArray[np.bool_], seed: int) -> MLPClassifier:
    network = MLPClassifier((HIDDEN,), alpha=PENALTY, learning_rate_init=LEARNING_RATE, random_state=seed)
    for _ in range(PASSES):
        network.partial_fit(columns, spam, classes=[False, True])
    return network
