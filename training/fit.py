"""Fit a model's head: word scorers out of fold, then convolutional networks on features and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from detector.data import LABELS, Kind
from detector.errors import SampleError
from detector.model import CLIP, HashedScorer, Head, stack_inputs
from training.dataset import Dataset
from training.export import as_features
from training.labelling import LabelledPage
from training.network import fit_network
from training.spam import fit_spam_scorer

FOLDS = 5
"""Parts, by site, for scores of words that the scorer has not seen."""

MIN_PAGES = 6
"""Fewer cannot be split by site and say nothing of other pages."""

NETWORKS = 2
SIZES: dict[Kind, tuple[int, int]] = {"text": (64, 32), "html": (96, 48)}
"""Outputs of the first dense layer; of the second and of the convolutions."""

PAGE_EXPONENT = 0.5
"""A page's segments weigh by its size to the power of minus this: 0 counts segments, 1 counts pages."""

ARTICLE_WEIGHT = 2.5
"""Weight of an HTML page known to be an article: corpora by page type hold more listings than the web that people crawl."""

LEAST_PAGE = 50.0
"""Below this size (root of characters, summed over segments) a page weighs no more."""

THRESHOLD: dict[Kind, float] = {"text": 0.45, "html": 0.48}
"""Probability of content from which a segment is content: a little under one half, where the F1 of words peaks."""

_QUANTILE = 0.9999
"""Weights of the hashed scorers beyond this quantile are cut, so that eight bits are spent on the others."""

Progress = Callable[[str], None]


def site_fold(site: str, folds: int) -> int:
    """The fold of a site: stable from run to run, the same for all pages of the site."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "replace")).digest()[:8], "big") % folds


def fit_head(data: Dataset, *, seed: int = 0, progress: Progress = lambda message: None) -> Head:
    """Fit the scorers and networks for one kind of page.

    Args:
        data: Labelled segments that `check_trainable` does not refuse.
        seed: Of everything random; equal seeds give equal heads on one machine.
        progress: Called with a line of text before each step.
    """
    known = data.labels >= 0
    folds = np.array([site_fold(sample.site, FOLDS) for sample in data.samples])[data.page_of]
    progress(f"{data.kind}: scoring words out of fold ({data.words.nnz:,} occurrences)")
    words, word_scores = _fit_scorer(data.words, data, folds, seed)
    classes, class_scores = None, None
    if data.classes is not None:
        progress(f"{data.kind}: scoring class names out of fold")
        classes, class_scores = _fit_scorer(data.classes, data, folds, seed)
    inputs = stack_inputs(as_features(data), word_scores, class_scores)
    mean, scale = inputs[known].mean(axis=0), inputs[known].std(axis=0)
    # A column that hardly varies in training must not explode elsewhere.
    scale = np.where(scale < 1e-3, 1.0, scale).astype(np.float32)
    standard = np.ascontiguousarray(np.clip((inputs - mean) / scale, -CLIP, CLIP))
    weights = _page_weights(data)
    networks = []
    for number in range(NETWORKS):
        progress(f"{data.kind}: network {number + 1} of {NETWORKS} on {int(known.sum()):,} segments")
        networks.append(
            fit_network(standard, data.labels, weights, data.offsets, SIZES[data.kind], seed * NETWORKS + number)
        )
    spam = fit_spam_scorer(data, standard) if data.kind == "text" else None
    return Head(words, classes, mean.astype(np.float32), scale, networks, THRESHOLD[data.kind], spam)


def check_trainable(pages: Sequence[LabelledPage], kind: Kind) -> None:
    """Refuse pages of one kind that nothing can be learnt from.

    Raises:
        SampleError: Too few pages or sites, or a label that none has; the message says which.
    """
    sites = {page.sample.site for page in pages}
    if len(pages) < MIN_PAGES or len(sites) < FOLDS:
        raise SampleError(
            f"too few {kind} samples: {len(pages)} pages from {len(sites)} sites; "
            f"at least {MIN_PAGES} pages from {FOLDS} sites are needed to learn and to check what was learnt"
        )
    found = {label for page in pages for label in np.unique(page.labels).tolist()}
    missing = [str(label) for number, label in enumerate(LABELS) if number not in found]
    if missing:
        raise SampleError(f"the {kind} samples have no segment labelled {', '.join(missing)}; add pages that do")


def _page_weights(data: Dataset) -> NDArray[np.float32]:
    """The segments' weights, evened out between long and short pages; 1 in the mean. (n_segments,) float32."""
    sizes = np.bincount(data.page_of, np.sqrt(data.chars) * (data.labels >= 0), len(data))
    by_page = np.maximum(sizes, LEAST_PAGE) ** -PAGE_EXPONENT
    if data.kind == "html":
        by_page[[sample.page_type == "article" for sample in data.samples]] *= ARTICLE_WEIGHT
    weights = data.weights * by_page[data.page_of]
    return np.asarray(weights / weights[data.labels >= 0].mean(), np.float32)


def _fit_scorer(
    rows: sp.csr_matrix, data: Dataset, folds: NDArray[np.int64], seed: int
) -> tuple[HashedScorer, NDArray[np.float32]]:
    """A scorer fitted on everything, and for every row the score of a scorer that has not seen its site."""
    known = data.labels >= 0

    def fit(chosen: NDArray[np.bool_]) -> SGDClassifier:
        scorer = SGDClassifier(loss="log_loss", alpha=3e-6, max_iter=8, tol=None, average=True, random_state=seed)
        return scorer.fit(rows[chosen], data.labels[chosen], sample_weight=data.weights[chosen])

    out_of_fold = np.zeros((len(data.labels), len(LABELS)), np.float32)
    for fold in np.unique(folds):
        inside, outside = folds == fold, known & (folds != fold)
        # A fold whose absence leaves a label out has nothing to teach about it: its scores stay 0.
        if len(np.unique(data.labels[outside])) == len(LABELS):
            out_of_fold[inside] = np.tanh(fit(outside).decision_function(rows[inside]) / 2)
    whole = fit(known)
    scale = float(np.quantile(np.abs(whole.coef_), _QUANTILE)) / 127 or 1.0
    table = np.clip(np.rint(whole.coef_.T / scale), -127, 127).astype(np.int8)
    return HashedScorer(table, scale, whole.intercept_.astype(np.float32)), out_of_fold
