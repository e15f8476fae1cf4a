"""Fit a model's head: word scorers out of fold, then small networks on features and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from detector.data import LABELS
from detector.errors import SampleError
from detector.features import Features, HashedRows
from detector.model import HashedScorer, Head, Network, stack_inputs
from training.dataset import Dataset

FOLDS = 5
"""Parts, by site, for scores of words that the scorer has not seen."""

MIN_PAGES = 6
"""Fewer cannot be split by site and say nothing of other pages."""

_QUANTILE = 0.9999
"""Weights of the hashed scorers beyond this quantile are cut, so that eight bits are spent on the others."""

Progress = Callable[[str], None]


def site_fold(site: str, folds: int) -> int:
    """The fold of a site: stable from run to run, the same for all pages of the site."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "replace")).digest()[:8], "big") % folds


def fit_head(data: Dataset, *, seed: int = 0, networks: int = 3, progress: Progress = lambda message: None) -> Head:
    """Fit the scorers and networks for one kind of page.

    Args:
        data: Labelled segments.
        seed: Of everything random; equal seeds give equal heads on one machine.
        networks: How many networks to average.
        progress: Called with a line of text before each step.

    Raises:
        SampleError: Too few pages, or labels missing, to learn from.
    """
    check_trainable(data)
    known = data.labels >= 0
    folds = np.array([site_fold(sample.site, FOLDS) for sample in data.samples])[data.page_of]
    progress(f"{data.kind}: scoring words out of fold ({data.words.nnz:,} occurrences)")
    words, word_scores = _fit_scorer(data.words, data, folds, seed)
    classes, class_scores = None, None
    if data.classes is not None:
        progress(f"{data.kind}: scoring class names out of fold")
        classes, class_scores = _fit_scorer(data.classes, data, folds, seed)
    inputs = stack_inputs(_as_features(data), word_scores, class_scores)
    mean = inputs[known].mean(axis=0)
    scale = inputs[known].std(axis=0)
    # A column that hardly varies in training must not explode elsewhere.
    scale = np.where(scale < 1e-3, 1.0, scale).astype(np.float32)
    standard = np.clip((inputs[known] - mean) / scale, -8, 8)
    fitted = []
    for number in range(networks):
        progress(f"{data.kind}: network {number + 1} of {networks} on {len(standard):,} segments")
        fitted.append(_fit_network(standard, data.labels[known], data.weights[known], seed + number))
    return Head(words, classes, mean.astype(np.float32), scale, fitted, threshold=0.5)


def check_trainable(data: Dataset) -> None:
    """Refuse samples that nothing can be learnt from, saying why."""
    sites = {sample.site for sample in data.samples}
    if len(data) < MIN_PAGES or len(sites) < FOLDS:
        raise SampleError(
            f"too few {data.kind} samples: {len(data)} pages from {len(sites)} sites; "
            f"at least {MIN_PAGES} pages from {FOLDS} sites are needed to learn and to check what was learnt"
        )
    counts = np.bincount(data.labels[data.labels >= 0], minlength=len(LABELS))
    missing = [str(label) for label, count in zip(LABELS, counts.tolist(), strict=True) if count == 0]
    if missing:
        raise SampleError(f"the {data.kind} samples have no segment labelled {', '.join(missing)}; add pages that do")


def _as_features(data: Dataset) -> Features:
    """The dataset as `stack_inputs` wants it; the hashed rows are not looked at there."""
    none = HashedRows(np.empty(0, np.int64), np.zeros(1, np.int64))
    return Features(data.X, data.offsets, none, none)


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


def _fit_network(
    inputs: NDArray[np.float32], labels: NDArray[np.int8], weights: NDArray[np.float32], seed: int
) -> Network:
    network = MLPClassifier(
        hidden_layer_sizes=(64, 32),
        alpha=0.5,
        learning_rate_init=2e-3,
        batch_size=256,
        max_iter=_epochs(len(labels)),
        tol=0,
        n_iter_no_change=10_000,
        random_state=seed,
    )
    network.fit(inputs, labels, sample_weight=weights / weights.mean())
    return Network(
        [weight.astype(np.float32) for weight in network.coefs_],
        [bias.astype(np.float32) for bias in network.intercepts_],
    )


def _epochs(rows: int) -> int:
    """Passes over the data: about five million rows in all, within 6 to 40 passes."""
    return int(np.clip(5_000_000 / max(rows, 1), 6, 40))
