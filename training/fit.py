"""Fit a model's head: word scorers out of fold, then small networks on features and scores."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence

import lightgbm
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from detector.data import LABELS, Kind
from detector.errors import SampleError
from detector.features import Features, HashedText
from detector.model import CLIP, HashedScorer, Head, Layer, Network, stack_inputs
from training.dataset import Dataset
from training.labelling import LabelledPage

FOLDS = 5
"""Parts, by site, for scores of words that the scorer has not seen."""

MIN_PAGES = 6
"""Fewer cannot be split by site and say nothing of other pages."""

TEACHER_ROUNDS = 240
"""Of a tree a label. scikit-learn's HistGradientBoosting is as good and takes three times as long."""

STUDENTS = 2
UNLABELLED_WEIGHT = 1.5
"""Weight of an unlabelled segment beside a labelled one, whose weights are 1 in the mean."""

LEAST_PROBABILITY = 0.004

_QUANTILE = 0.9999
"""Weights of the hashed scorers beyond this quantile are cut, so that eight bits are spent on the others."""

Progress = Callable[[str], None]


def site_fold(site: str, folds: int) -> int:
    """The fold of a site: stable from run to run, the same for all pages of the site."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "replace")).digest()[:8], "big") % folds


def fit_head(
    data: Dataset, unlabelled: Dataset | None = None, *, seed: int = 0, progress: Progress = lambda message: None
) -> Head:
    """Fit the scorers and networks for one kind of page.

    A gradient-boosted teacher learns from the labels; small networks learn its log-odds, on the labelled pages and on
    unlabelled ones, and one more learns from the labels themselves. The networks are averaged; the teacher, fifty
    times slower, stays behind (model distillation; Bucila, Caruana, Niculescu-Mizil, KDD 2006).

    Args:
        data: Labelled segments that `check_trainable` does not refuse.
        unlabelled: Further pages of the kind for the students to imitate the teacher on.
        seed: Of everything random; equal seeds give equal heads on one machine.
        progress: Called with a line of text before each step.
    """
    known = data.labels >= 0
    labels, weights = data.labels[known], data.weights[known] / data.weights[known].mean()
    folds = np.array([site_fold(sample.site, FOLDS) for sample in data.samples])[data.page_of]
    progress(f"{data.kind}: scoring words out of fold ({data.words.nnz:,} occurrences)")
    words, word_scores = _fit_scorer(data.words, data, folds, seed)
    classes, class_scores = None, None
    if data.classes is not None:
        progress(f"{data.kind}: scoring class names out of fold")
        classes, class_scores = _fit_scorer(data.classes, data, folds, seed)
    inputs = stack_inputs(_as_features(data), word_scores, class_scores)[known]
    others = np.empty((0, inputs.shape[1]), np.float32)
    if unlabelled is not None and len(unlabelled):
        other_classes = None
        if classes is not None and unlabelled.classes is not None:
            other_classes = _score(classes, unlabelled.classes)
        others = stack_inputs(_as_features(unlabelled), _score(words, unlabelled.words), other_classes)
    progress(f"{data.kind}: teacher on {len(inputs):,} segments")
    teacher = _fit_teacher(inputs, labels, weights, seed)
    log_odds = _log_odds(np.asarray(teacher.predict(np.concatenate((inputs, others)))))
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    # A column that hardly varies in training must not explode elsewhere.
    scale = np.where(scale < 1e-3, 1.0, scale).astype(np.float32)
    standard, standard_others = (np.clip((rows - mean) / scale, -CLIP, CLIP) for rows in (inputs, others))
    progress(f"{data.kind}: networks on {len(standard):,} segments and {len(others):,} unlabelled ones")
    both = np.concatenate((standard, standard_others))
    both_weights = np.concatenate((weights, np.full(len(others), UNLABELLED_WEIGHT, np.float32)))
    fitted = [
        _fit_network(MLPRegressor, both, log_odds, both_weights, seed + number, alpha=0.01)
        for number in range(STUDENTS)
    ]
    fitted.append(_fit_network(MLPClassifier, standard, labels, weights, seed + STUDENTS, alpha=0.5))
    return Head(words, classes, mean.astype(np.float32), scale, fitted, threshold=0.5)


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


def _as_features(data: Dataset) -> Features:
    """The dataset as `stack_inputs` wants it; the hashed rows are not looked at there."""
    nothing = np.empty((0, 0), np.int64)
    return Features(data.X, data.offsets, HashedText(nothing, nothing, np.zeros(1, np.int64)), None)


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


def _score(scorer: HashedScorer, rows: sp.csr_matrix) -> NDArray[np.float32]:
    """As `HashedScorer.score`, for the sparse rows of a dataset."""
    odds = rows @ (scorer.table.astype(np.float32) * scorer.scale) + scorer.bias
    return np.asarray(np.tanh(odds / 2), np.float32)


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities less their mean, cut where a teacher's certainty says nothing more."""
    logs = np.log(np.clip(probabilities, LEAST_PROBABILITY, 1))
    result: NDArray[np.float64] = logs - logs.mean(axis=1, keepdims=True)
    return result


def _fit_teacher(
    inputs: NDArray[np.float32], labels: NDArray[np.int8], weights: NDArray[np.float32], seed: int
) -> lightgbm.Booster:
    parameters = {
        "objective": "multiclass",
        "num_class": len(LABELS),
        "learning_rate": 0.07,
        "num_leaves": 48,
        "min_data_in_leaf": min(60, max(5, len(inputs) // 200)),
        "max_bin": 63,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(inputs, labels, weight=weights), TEACHER_ROUNDS)


def _fit_network(
    kind: type[MLPClassifier | MLPRegressor],
    inputs: NDArray[np.float32],
    targets: NDArray[np.int8] | NDArray[np.float64],
    weights: NDArray[np.float32],
    seed: int,
    alpha: float,
) -> Network:
    network = kind(
        hidden_layer_sizes=(64, 32),
        alpha=alpha,
        learning_rate_init=2e-3,
        batch_size=min(256, len(inputs)),
        max_iter=_epochs(len(inputs)),
        tol=0,
        n_iter_no_change=10_000,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # It is meant to stop after a number of passes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(inputs, targets, sample_weight=weights)
    return _rounded(network.coefs_, network.intercepts_, inputs[:: max(1, len(inputs) // 50_000)])


def _rounded(
    weights: list[NDArray[np.floating]], biases: list[NDArray[np.floating]], inputs: NDArray[np.float32]
) -> Network:
    """The network in whole numbers; `inputs` show how large its activations become."""
    layers = []
    activations, most = inputs, CLIP
    for weight, bias in zip(weights, biases, strict=True):
        layers.append(Layer.round(weight, bias, most))
        activations = np.maximum(layers[-1](activations), 0)
        most = 1.5 * float(activations.max())
    return Network(layers)


def _epochs(rows: int) -> int:
    """Passes over the data: about five million rows in all, within 6 to 40 passes."""
    return int(np.clip(5_000_000 / max(rows, 1), 6, 40))
