"""A page over a limit is a value: nothing of it is classified or kept, and its neighbours are as they would be."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from detector import Detector, Page, UsageError
from detector.amplification import FEW_NODES, NODES_A_TAG, with_reopening_bounded
from detector.corpus.pages import PageOptions, PageProcessor
from detector.corpus.records import Record, Trouble
from detector.limits import MAX_SEGMENTS
from detector.model import Model

SENTENCE = "The mill burned down in 1911, and nobody in the village ever rebuilt it."


def test_a_page_over_a_limit_keeps_nothing_and_says_which_limit(sentence_model: Model) -> None:
    small = Detector(sentence_model, max_bytes=100, max_segments=3)
    for content, kind, problem in (
        (SENTENCE * 2, "text", "too large: 144 characters, at most 100 are read"),
        ((SENTENCE * 2).encode(), "auto", "too large: 144 bytes, at most 100 are read"),
        (f"<p>{SENTENCE * 2}", "html", "too large: 147 characters, at most 100 are read"),
        ("One.\n" * 4, "text", "too many segments: 4, at most 3 are classified"),
        ("<p>One." * 4, "html", "too many segments: 4, at most 3 are classified"),
    ):
        result = small.classify(content, kind)  # type: ignore[arg-type]
        assert (result.problem, result.text, result.source_text, result.segments) == (problem, "", "", [])
        assert result.removed_ratio == 0
    assert small.classify("One.\n" * 3, "text").problem is None


def test_a_page_of_nothing_but_tags_is_not_parsed(sentence_model: Model) -> None:
    detector = Detector(sentence_model, max_tags=4)
    result = detector.classify("<p>" * 5 + SENTENCE, "html")
    problem = "too much markup: 5 opening brackets, at most 4 are read"
    assert (result.problem, result.text, result.kind) == (problem, "", "html")
    assert detector.classify("<p>" * 4 + SENTENCE, "html").problem is None
    assert detector.classify("<p>" * 5 + SENTENCE, "text").problem is None


def test_a_page_of_more_tags_than_its_size_allows_is_not_parsed(sentence_model: Model) -> None:
    detector = Detector(sentence_model, max_segments=1_000_000)
    dense = FEW_NODES // NODES_A_TAG + 1
    result = detector.classify("<p>a" * dense, "html")
    problem = f"too much markup: {dense:,} opening brackets in {4 * dense:,} characters, at most {dense - 1:,} are read"
    assert (result.problem, result.text) == (problem, "")
    assert detector.classify("<p>abc" * dense, "html").problem is None
    assert detector.classify("<p>a" * (dense - 1), "html").problem is None


@pytest.mark.parametrize("left_open", ["".join(f"<b a={i}>" for i in range(500)), f"<a href='{'y' * 100_000}'>"])
def test_a_page_whose_links_or_formatting_would_be_opened_again_and_again_is_read_all_the_same(
    sentence_model: Model, left_open: str
) -> None:
    page = f"<p>{left_open}" + f"<p>{SENTENCE}</p>" * 1000
    assert with_reopening_bounded(page, page.count("<")) != page
    result = Detector(sentence_model).classify(page, "html")
    assert (result.problem, result.text) == (None, "\n".join([SENTENCE] * 1000))


def test_a_page_over_a_limit_does_not_touch_its_neighbours(sentence_model: Model) -> None:
    small = Detector(sentence_model, max_bytes=100)
    pages = [Page(content, kind) for kind in ("text", "html") for content in (SENTENCE, "x" * 101, f"<p>{SENTENCE}")]
    for page, result in zip(pages, small.classify_many(pages), strict=True):
        alone = small.classify(page)
        assert (result.problem, result.text, result.kind) == (alone.problem, alone.text, page.kind)
        assert np.array_equal(result.probabilities, alone.probabilities)


def test_a_page_that_takes_too_long_is_given_up(sentence_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 7))
    monkeypatch.setattr("detector.limits.time.monotonic", lambda: next(now))
    assert Detector(sentence_model, timeout=6).classify(SENTENCE).problem == "too slow: took longer than 6 s"
    late = Detector(sentence_model, timeout=8).classify(SENTENCE, "text")
    assert (late.problem, late.text) == ("too slow: took longer than 8 s", ""), "the clock is read after each step"
    assert Detector(sentence_model, timeout=math.inf).classify(SENTENCE).problem is None


@pytest.mark.parametrize(
    "limit", [{"max_bytes": 0}, {"max_segments": -1}, {"max_tags": 0}, {"timeout": 0}, {"timeout": math.nan}]
)
def test_limits_that_let_nothing_through_are_refused(sentence_model: Model, limit: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(limit))):
        Detector(sentence_model, **limit)  # type: ignore[arg-type]


def test_a_run_names_a_page_of_too_many_segments_and_writes_no_line_for_it(sentence_folder: Path) -> None:
    processor = PageProcessor(PageOptions(model=str(sentence_folder)))
    texts = [SENTENCE, "a\n" * (MAX_SEGMENTS + 1)]
    records = [Record("in", i, "jsonl", json.dumps({"text": text}).encode()) for i, text in enumerate(texts, 1)]
    unit = processor(records)
    assert [(problem.record, problem.trouble) for problem in unit.problems] == [(2, Trouble.TOO_LARGE)]
    assert len(unit.output.splitlines()) == unit.statistics.pages == 1
