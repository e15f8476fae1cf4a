from __future__ import annotations

import html
import json
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix

from detector.data import BOILERPLATE, CONTENT, LINK_LIST
from detector.errors import UsageError
from detector.model import Model
from detector.pipeline import Detector
from training.evaluate import evaluate
from training.labelling import LabelledPage
from training.report import findings, write_report
from training.report.predictions import Predictions, predict

MakePages = Callable[..., list[LabelledPage]]
HOSTILE = "<script>alert(1)</script>\"'>&$x^2$"


@pytest.fixture(scope="module")
def pages(make_pages: Callable[..., list[LabelledPage]]) -> list[LabelledPage]:
    """Pages of both kinds, the first of a hostile name and site."""
    made = make_pages(4) + make_pages(3, "html")
    return [replace(made[0], sample=replace(made[0].sample, id=HOSTILE, site=HOSTILE)), *made[1:]]


@pytest.fixture(scope="module")
def predictions(sentence_model: Model, pages: list[LabelledPage]) -> list[Predictions]:
    return predict(sentence_model, pages)


@pytest.fixture(scope="module")
def text(predictions: list[Predictions]) -> Predictions:
    return predictions[0]


def test_predictions_are_those_of_the_detector(
    sentence_model: Model, pages: list[LabelledPage], predictions: list[Predictions]
) -> None:
    assert [(found.data.kind, len(found.pages)) for found in predictions] == [("text", 7), ("html", 3)]
    detector = Detector(sentence_model)
    expected = np.concatenate([detector.classify(page.page.text, "text").label_ids for page in predictions[0].pages])
    assert np.array_equal(predictions[0].decided, expected)


def test_confusion_and_curves_are_those_of_scikit_learn(text: Predictions) -> None:
    assert np.array_equal(findings.confusion(text), confusion_matrix(text.data.labels, text.decided, labels=range(3)))
    for label in (CONTENT, LINK_LIST, BOILERPLATE):
        truth = text.data.labels == label
        expected = average_precision_score(truth, text.probabilities[:, label])
        assert findings.curve(text, label).average == pytest.approx(expected)


def test_reliability_of_bins_counted_by_hand(text: Predictions) -> None:
    rows = np.array([0.05, 0.05, 0.95, 1.0], np.float32)
    labels = np.array([CONTENT, LINK_LIST, CONTENT, CONTENT], np.int8)
    few = replace(
        text,
        probabilities=np.stack((rows, 1 - rows, 0 * rows), axis=1),
        data=replace(text.data, labels=labels),
        decided=np.zeros(4, np.uint8),
    )
    found = findings.reliability(few)
    assert found.counts.tolist() == [2, 2]
    assert found.predicted == pytest.approx([0.05, 0.975])
    assert found.observed.tolist() == [0.5, 1.0]
    assert found.error == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_sites_and_worst_pages_count_what_is_wrong(text: Predictions) -> None:
    # The footer of each page ends like a sentence: one of 15 segments is left.
    by_site = findings.sites(text)
    assert len(by_site) == 7
    assert {(site.pages, site.segments) for site in by_site} == {(1, 15)}
    assert [site.accuracy for site in by_site] == pytest.approx([14 / 15] * 7)
    assert all(site.low < site.accuracy < site.high for site in by_site)
    worst = findings.worst_pages(text, 3)
    assert [(page.lost, page.left) for page in worst] == [(0, len("Copyright 2020. All rights reserved."))] * 3
    shares = [page.left / page.chars for page in worst]
    assert shares == sorted(shares, reverse=True)
    right = replace(text, decided=text.data.labels.astype(np.uint8))
    assert findings.worst_pages(right, 3) == []


def test_only_the_feature_a_model_looks_at_is_important(text: Predictions) -> None:
    first, *others = findings.importances(text)
    assert first.name == "ends_terminal"
    assert first.drop > 0.2
    assert {one.drop for one in others} == {0.0}
    assert not any("[" in one.name for one in others), "copies for neighbours are shuffled with their feature"
    assert findings.importances(text) == [first, *others]


@pytest.fixture
def written(
    sentence_model: Model, pages: list[LabelledPage], predictions: list[Predictions], tmp_path: Path, request: Any
) -> Path:
    return write_report(tmp_path / "report", sentence_model, predictions, evaluate(sentence_model, pages))


def test_a_report_is_one_file_that_needs_nothing_else(written: Path) -> None:
    content = written.read_text(encoding="utf-8")
    assert "<script" not in content
    assert HOSTILE not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "default-src 'none'" in content
    assert not re.findall(r"(?:src|href)=\"(?!data:image/png;base64,|review\.html#page-\d+\")", content)
    assert content.count("<img ") == 10
    pictures = sorted(path.name for path in written.parent.glob("*.png"))
    assert pictures == sorted(
        f"{kind}-{name}.png"
        for kind in ("text", "html")
        for name in ("confusion", "curves", "reliability", "sites", "importance")
    )
    assert all((written.parent / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def test_equal_runs_write_equal_reports(
    written: Path, sentence_model: Model, pages: list[LabelledPage], predictions: list[Predictions], tmp_path: Path
) -> None:
    again = write_report(tmp_path / "again", sentence_model, predictions, evaluate(sentence_model, pages))
    assert again.read_bytes() == written.read_bytes()


def test_worst_pages_link_into_a_review_page(written: Path) -> None:
    review = (written.parent / "review.html").read_text(encoding="utf-8")
    rows = re.findall(r'<a href="review\.html#page-(\d+)">(.*?)</a>', written.read_text(encoding="utf-8"))
    index = json.loads(re.findall(r'<script type="application/json" id="index">(.*?)</script>', review, re.DOTALL)[0])
    assert len(rows) == 10
    assert len(index["pages"]) == len({number for number, _ in rows}) < 10, "a page that is there twice is shown once"
    first = {number: html.unescape(name) for number, name in reversed(rows)}
    assert {number: index["pages"][int(number)]["name"] for number in first} == first


def test_a_report_that_cannot_be_written_is_said(
    sentence_model: Model, predictions: list[Predictions], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the report cannot be written"):
        write_report(tmp_path / "file", sentence_model, predictions, [])


def test_a_report_on_a_full_disk_leaves_no_half_files(
    sentence_model: Model, predictions: list[Predictions], tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UsageError, match="the report cannot be written"):
            write_report(tmp_path / "report", sentence_model, predictions, [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name for path in (tmp_path / "report").iterdir()} <= {"metrics.json"}


def test_missing_matplotlib_is_said_before_training(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused = run("train", tmp_path, "-o", tmp_path / "m", "--report", tmp_path / "r")
    assert refused.code == 2
    assert "pip install 'link-farm-detector[report]'" in refused.err
    goes_on = run("train", tmp_path, "-o", tmp_path / "m")
    assert "no report: " in goes_on.err
    assert "no samples here" in goes_on.err
