"""Any scikit-learn classifier as a model: fit it on rows of segments, export it to the whole numbers that run."""

from __future__ import annotations

import warnings
from numbers import Number
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, has_fit_parameter, validate_data

from detector.data import LABELS
from detector.errors import UsageError
from detector.model import CLIP, Head
from detector.network import Network, softmax
from detector.places import Places
from training.export import RealLayer, round_network
from training.standardising import mean_and_spread

LEAST_SPREAD = 1e-3
"""Standard deviation below which a column counts as constant."""

MOST_DIFFERENCE = 1e-6
"""Difference of probabilities up to which weights read from an estimator are its own."""

LEAST_TAUGHT = 0.004
"""Probabilities are raised to this before a network is distilled from their logarithms, which have no end below."""

ABSENT_LOGIT = -20.0
"""Log-odds of a label that was not in the training rows."""

DISTILLED_SIZES = (64, 32)
"""Hidden layers of the network that stands in for an estimator without one."""

DISTILLED_PENALTY = 0.01
"""scikit-learn's `alpha` of that network: the penalty on the squares of its weights, a hundred times its default."""

DISTILLED_ROWS, DISTILLED_PASSES = 5_000_000, (6, 200)
"""Rows a distilled network sees in all its passes, and least and most of the passes."""


class SegmentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """A classifier of segments around any classifier that gives probabilities.

    Rows are standardised and cut as a model's are, so that what is fitted here is what runs after the export.

    Linear models whose probabilities are the softmax (or, of two classes, the logistic function) of their decision
    values, and `MLPClassifier` with rectified hidden layers, are exported as they are, up to the rounding of weights.
    Any other estimator is distilled: a small network learns its log-probabilities on the rows given to the export.
    `agreement_`, the share of rows on which estimator and export agree, says what is lost by that.

    Args:
        estimator: Cloned and fitted; None is a multinomial logistic regression.
        random_state: Of the distillation.

    Attributes:
        classes_: (n_classes,) the labels seen.
        n_features_in_: Number of columns.
        mean_: (n_features,) float32, subtracted from the rows.
        scale_: (n_features,) float32, the rows are divided by it.
        estimator_: The fitted clone.
        exported_: After `to_network`: "as is" or "distilled".
        agreement_: After `to_network`: share of the rows on which the network decides as the estimator does.

    >>> rows = np.array([[0.0], [1.0], [4.0], [5.0]])
    >>> SegmentClassifier().fit(rows, ["menu", "menu", "text", "text"]).predict([[0.5], [4.5]]).tolist()
    ['menu', 'text']
    """

    def __init__(self, estimator: Any = None, random_state: int | None = 0) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Standardise the rows and fit the estimator.

        Args:
            X: (n_rows, n_features), for an export rows of `training.export.segment_rows`.
            y: (n_rows,) labels; for an export indices into `LABELS`.
            sample_weight: (n_rows,), handed to the estimator where given.

        Raises:
            TypeError: The estimator gives no probabilities, or takes no weights and was given some.
        """
        rows, targets = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(targets)
        if len(np.unique(targets)) < 2:
            raise ValueError(f"one class only ({targets[0]!r}); SegmentClassifier needs rows of two or more classes")
        estimator = LogisticRegression(max_iter=1000) if self.estimator is None else clone(self.estimator)
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"{type(estimator).__name__} gives no probabilities; "
                "wrap it in sklearn.calibration.CalibratedClassifierCV"
            )
        weights = None if sample_weight is None else _checked_weights(sample_weight, len(rows))
        if weights is not None and not has_fit_parameter(estimator, "sample_weight"):
            raise TypeError(f"{type(estimator).__name__} takes no sample_weight; fit without it")
        self.classes_ = np.unique(targets)
        mean, spread = mean_and_spread(rows, LEAST_SPREAD, weights)
        self.mean_, self.scale_ = mean.astype(np.float32), spread.astype(np.float32)
        standard = self._standardised(rows)
        self.estimator_ = estimator.fit(standard, targets, **({} if weights is None else {"sample_weight": weights}))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n_rows, n_classes) probabilities, columns as in `classes_`."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        found: NDArray[np.float64] = self.estimator_.predict_proba(self._standardised(rows))
        return found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(n_rows,) the likeliest class of each row."""
        probabilities = self.predict_proba(X)
        found: NDArray[Any] = self.classes_[np.argmax(probabilities, axis=1)]
        return found

    def to_network(self, X: ArrayLike) -> Network:
        """The fitted estimator as a network in whole numbers with an output for each of `LABELS`.

        Args:
            X: (n_rows, n_features) rows such as it will see, those of the training for instance: they show how large
                activations become, and a distilled network learns on them.

        Raises:
            UsageError: The classes are not indices into `LABELS`.
        """
        check_is_fitted(self)
        if not np.isin(self.classes_, range(len(LABELS))).all():
            raise UsageError(
                f"classes are {self.classes_.tolist()}; fit on indices into LABELS to export: "
                "0 content, 1 link_list, 2 boilerplate"
            )
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        standard = self._standardised(rows)
        probabilities = self.estimator_.predict_proba(standard)
        layers = _own_layers(self.estimator_)
        if layers is not None and not _gives(layers, standard, probabilities):
            layers = None
        self.exported_ = "distilled" if layers is None else "as is"
        weights, biases = layers or _distilled(standard, probabilities, self.random_state)
        network = round_network(_spread_outputs(weights, biases, self.classes_), standard)
        places = Places.of(np.array([0, len(standard)]))
        decided = np.argmax(network.logits(standard.astype(np.float32), places), axis=1)
        self.agreement_ = float(np.mean(decided == self.classes_[np.argmax(probabilities, axis=1)]))
        return network

    def to_head(self, base: Head, X: ArrayLike) -> Head:
        """A model's head with this classifier in the place of its networks.

        Args:
            base: Its scorers made the rows, by `training.export.segment_rows`; all but its networks is kept.
            X: As for `to_network`.
        """
        networks = [self.to_network(X)]
        return Head(base.words, base.classes, self.mean_, self.scale_, networks, base.threshold, base.lift)

    def _standardised(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.clip((rows - self.mean_) / self.scale_, -CLIP, CLIP)
        return found


def _checked_weights(sample_weight: ArrayLike, n_rows: int) -> NDArray[np.floating]:
    """Weights as an array; (n_rows,) float32 or float64. One number stands for every row.

    Raises:
        ValueError: They are not one for each row, not finite, or all 0.
    """
    weights: NDArray[np.floating] = check_array(
        np.full(n_rows, sample_weight) if isinstance(sample_weight, Number) else sample_weight,
        ensure_2d=False,
        dtype=[np.float64, np.float32],
        order="C",
        input_name="sample_weight",
    )
    if weights.shape != (n_rows,):
        raise ValueError(f"sample_weight has the shape {weights.shape}; give one weight for each of the {n_rows} rows")
    if not weights.any():
        # scikit-learn's own checks of estimators ask for this wording.
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


Layers = tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]


def _own_layers(estimator: Any) -> Layers | None:
    """Weights and biases that an estimator seems to consist of; two classes may have one output."""
    if isinstance(estimator, MLPClassifier):
        return (estimator.coefs_, estimator.intercepts_) if estimator.activation == "relu" else None
    if hasattr(estimator, "coef_") and hasattr(estimator, "intercept_"):
        return [np.asarray(estimator.coef_).T], [np.atleast_1d(estimator.intercept_)]
    return None


def _gives(layers: Layers, standard: NDArray[np.float64], probabilities: NDArray[np.float64]) -> bool:
    """Whether the layers give an estimator's probabilities; one-against-rest models and others do not."""
    activations = standard
    for weight, bias in zip(layers[0][:-1], layers[1][:-1], strict=True):
        activations = np.maximum(activations @ weight + bias, 0)
    logits = activations @ layers[0][-1] + layers[1][-1]
    if logits.shape[1] == 1:
        logits = np.concatenate((np.zeros_like(logits), logits), axis=1)
    return logits.shape == probabilities.shape and bool(
        np.abs(softmax(logits) - probabilities).max(initial=0) < MOST_DIFFERENCE
    )


def _distilled(standard: NDArray[np.float64], probabilities: NDArray[np.float64], random_state: int | None) -> Layers:
    """A small network that gives an estimator's log-probabilities (Bucila, Caruana, Niculescu-Mizil, KDD 2006)."""
    logs = np.log(np.clip(probabilities, LEAST_TAUGHT, 1))
    passes = int(np.clip(DISTILLED_ROWS // len(standard), *DISTILLED_PASSES))
    network = MLPRegressor(
        hidden_layer_sizes=DISTILLED_SIZES, alpha=DISTILLED_PENALTY, max_iter=passes, random_state=random_state
    )
    with warnings.catch_warnings():
        # It is meant to stop after a number of passes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(standard, logs - logs.mean(axis=1, keepdims=True))
    return network.coefs_, network.intercepts_


def _spread_outputs(
    weights: list[NDArray[np.float64]], biases: list[NDArray[np.float64]], classes: NDArray[Any]
) -> list[RealLayer]:
    """The layers with an output for each of `LABELS`; a label that is no class is never likely."""
    last, bias = weights[-1], biases[-1]
    if last.shape[1] == 1:
        last, bias = np.concatenate((np.zeros_like(last), last), axis=1), np.append(0.0, bias)
    whole = np.zeros((last.shape[0], len(LABELS)))
    offsets = np.full(len(LABELS), ABSENT_LOGIT)
    whole[:, classes.astype(int)], offsets[classes.astype(int)] = last, bias
    return [RealLayer(*pair) for pair in zip([*weights[:-1], whole], [*biases[:-1], offsets], strict=True)]
