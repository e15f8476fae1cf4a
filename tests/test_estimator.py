from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from detector import Detector
from detector.data import LABELS
from detector.errors import UsageError
from detector.model import Model
from detector.network import softmax
from detector.places import Places
from detector.storage import load_model, save_model
from training import SegmentClassifier
from training.dataset import build_dataset
from training.export import segment_rows
from training.labelling import LabelledPage

MakePages = Callable[..., list[LabelledPage]]


@parametrize_with_checks([SegmentClassifier(), SegmentClassifier(DecisionTreeClassifier(random_state=0))])
def test_scikit_learn_takes_it_for_its_own(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def rows_of_three(count: int = 300, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows of three classes that overlap a little."""
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=count)
    return random.normal(size=(count, 6)) + 1.5 * np.eye(3, 6)[labels], labels


def one_page(rows: int) -> Places:
    """All rows in one page: what is exported sees single segments."""
    return Places.of(np.array([0, rows]))


@pytest.mark.parametrize(
    ("estimator", "exported"),
    [
        (None, "as is"),
        (LogisticRegression(C=0.1), "as is"),
        (LinearDiscriminantAnalysis(), "as is"),
        (MLPClassifier((8,), solver="lbfgs", max_iter=50, random_state=0), "as is"),
        (MLPClassifier((8,), "tanh", solver="lbfgs", max_iter=50, random_state=0), "distilled"),
        (SGDClassifier(loss="log_loss", random_state=0), "distilled"),
        (RandomForestClassifier(20, max_depth=4, random_state=0, n_jobs=1), "distilled"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_export_decides_as_the_estimator_does(estimator: Any, exported: str) -> None:
    X, y = rows_of_three()
    fitted = SegmentClassifier(estimator).fit(X, y)
    network = fitted.to_network(X)
    assert fitted.exported_ == exported
    assert fitted.agreement_ > (0.99 if exported == "as is" else 0.85)
    unseen, labels = rows_of_three(200, seed=1)
    logits = network.logits(fitted._standardised(unseen).astype(np.float32), one_page(200))
    assert logits.shape == (200, len(LABELS))
    if exported == "as is":
        assert np.abs(softmax(logits.astype(np.float64)) - fitted.predict_proba(unseen)).max() < 0.02
    assert (np.argmax(logits, axis=1) == labels).mean() > 0.6


@pytest.mark.parametrize(
    "estimator", [None, MLPClassifier((4,), solver="lbfgs", random_state=0), RandomForestClassifier(5, random_state=0)]
)
def test_a_label_without_rows_is_never_likely(estimator: Any) -> None:
    X, y = rows_of_three()
    X, y = X[y != 1], y[y != 1]
    fitted = SegmentClassifier(estimator).fit(X, y)
    logits = fitted.to_network(X).logits(fitted._standardised(X).astype(np.float32), one_page(len(X)))
    probabilities = softmax(logits.astype(np.float64))
    assert probabilities[:, 1].max() < 1e-3
    assert (np.argmax(probabilities, axis=1) == fitted.predict(X)).mean() > 0.85


def test_an_exported_head_is_a_model(make_pages: MakePages, sentence_model: Model, tmp_path: Path) -> None:
    base = sentence_model.heads["text"]
    data = build_dataset(make_pages(20), "text")
    X = segment_rows(base, data)
    fitted = SegmentClassifier(LogisticRegression(max_iter=300)).fit(X, data.labels, sample_weight=data.weights)
    save_model(Model("mine", {"text": fitted.to_head(base, X)}), tmp_path / "mine")
    detector = Detector(load_model(tmp_path / "mine"))
    unseen = make_pages(5, seed=3)
    found = np.concatenate([detector.classify(page.page.text, "text").label_ids for page in unseen])
    assert (found == np.concatenate([page.labels for page in unseen])).mean() > 0.95
    decided = fitted.predict(segment_rows(base, build_dataset(unseen, "text")))
    assert (found == decided).mean() > 0.98, "threshold .5 and the likeliest label may differ where no label has half"


def test_wrong_use_is_said() -> None:
    X, y = rows_of_three(60)
    with pytest.raises(TypeError, match="RidgeClassifier gives no probabilities; wrap it in"):
        SegmentClassifier(RidgeClassifier()).fit(X, y)
    with pytest.raises(TypeError, match="LinearDiscriminantAnalysis takes no sample_weight"):
        SegmentClassifier(LinearDiscriminantAnalysis()).fit(X, y, sample_weight=np.ones(60))
    with pytest.raises(ValueError, match="shape \\(59,\\); give one weight for each of the 60 rows"):
        SegmentClassifier().fit(X, y, sample_weight=np.ones(59))
    with pytest.raises(UsageError, match="fit on indices into LABELS"):
        SegmentClassifier().fit(X, np.array(["a", "b", "c"])[y]).to_network(X)


def test_one_weight_stands_for_every_row() -> None:
    X, y = rows_of_three(60)
    one, many = (SegmentClassifier().fit(X, y, sample_weight=weight) for weight in (2, np.full(60, 2.0)))
    assert np.array_equal(one.predict_proba(X), many.predict_proba(X))


def test_parameters_reach_the_estimator() -> None:
    copy = clone(SegmentClassifier(LogisticRegression())).set_params(estimator__C=0.5)
    assert copy.get_params()["estimator__C"] == 0.5
