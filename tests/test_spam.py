"""Whole pages: what recurs is counted as a reader would count it, and what tells spam from others is learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector import Detector
from detector.features import TEXT_BITS, extract
from detector.model import Model
from detector.segment import segment_text, windows_of
from detector.spam import REPETITION_NAMES, Part, n_columns, summarise
from detector.storage import load_model, save_model
from training.dataset import build_dataset
from training.labelling import label_page
from training.samples import Sample
from training.spam import LEAST_PAGES, fit_spam_scorer

KEYWORDS = "cheap boots sale"
PROSE = "The mill burned down in 1911, and nobody in the village ever rebuilt it."


def parts_of(content: str, width: int = 0) -> list[Part]:
    """A page in windows, with inputs that are all zero."""
    pieces = windows_of(segment_text(content))
    return [
        (np.zeros((len(piece), width), np.float32), piece.ends - piece.starts, extract([piece], "text").text)
        for piece in pieces
    ]


def repetition(content: str) -> dict[str, float]:
    summary, _ = summarise(parts_of(content))
    return dict(zip(REPETITION_NAMES, summary[2:].tolist(), strict=True))


def test_repetition_is_counted_in_words_and_lines() -> None:
    found = repetition("red boots\nred boots sale\nnothing else here\nred hats")
    assert found == pytest.approx(
        {
            "different_words": 7 / 10, "different_pairs": 5 / 10, "different_triples": 8 / 10, "commonest_word": 3 / 10,
            "commonest_3_words": 6 / 10, "commonest_10_words": 1, "commonest_30_words": 1, "commonest_pair": 2 / 10,
            "commonest_triple": 1 / 10, "pairs_that_recur": 2 / 10, "triples_that_recur": 0, "words_of_first_line": 5 / 10,
            "words_of_first_line_below": 3 / 10, "lines_with_words_of_first": 2 / 3, "log_words": np.log1p(10),
            "words_a_line": 10 / 4, "lines_with_commonest_word": 3 / 4, "lines_with_4th_word": 1 / 4,
            "lines_with_11th_word": 0, "lines_with_31st_word": 0,
        }
    )  # fmt: skip
    assert repetition("Alone")["different_words"] == 1


def test_a_bag_of_words_has_length_1_and_knows_no_order_of_lines() -> None:
    one, other = (summarise(parts_of(text))[1] for text in ("a b\nc d\nc d", "c d\na b\nc d"))
    assert np.linalg.norm(one[1]) == pytest.approx(1)
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert (one[0] < 1 << TEXT_BITS).all()


def pages(count: int) -> list[Sample]:
    """As many spam pages as others, each of a site of its own."""
    made = []
    for number in range(count):
        lines = (f"{KEYWORDS} {number}",) * 4, (PROSE, f"It was the year {number}.", PROSE)
        for name, texts, label in zip(("spam", "good"), lines, ("link_list", "content"), strict=True):
            content, site = "\n".join(texts), f"{name}{number}.example"
            made.append(Sample(site, "samples", site, "text", content, texts, (label,) * len(texts)))
    return made


def test_a_scorer_tells_pages_of_unseen_sites_apart(sentence_model: Model) -> None:
    data = build_dataset([label_page(sample) for sample in pages(30)], "text")
    head = sentence_model.heads["text"]
    inputs = np.zeros((len(data.labels), len(head.mean)), np.float32)
    scorer = fit_spam_scorer(data, inputs, seed=0)
    assert scorer is not None
    model = Model("spam", {"text": replace(head, spam=scorer, scale=np.full_like(head.scale, 1e6))})
    spam, good = Detector(model).classify_many([f"{KEYWORDS} new\n" * 4, f"{PROSE}\nIt was new.\n{PROSE}"])
    assert (spam.spam_probability or 0) > 0.8 > 0.2 > (good.spam_probability or 0)
    again = fit_spam_scorer(data, inputs, seed=0)
    assert again is not None
    assert np.array_equal(again.hidden, scorer.hidden)


def test_nothing_is_learnt_of_too_few_pages(sentence_model: Model) -> None:
    data = build_dataset([label_page(sample) for sample in pages(LEAST_PAGES - 1)], "text")
    assert fit_spam_scorer(data, np.zeros((len(data.labels), 2), np.float32), seed=0) is None


def test_pages_of_boilerplate_alone_are_not_taught_as_spam(sentence_model: Model) -> None:
    logins = [
        replace(sample, labels=("boilerplate",) * len(sample.labels or ()))
        if sample.labels[0] == "link_list"
        else sample
        for sample in pages(LEAST_PAGES)
        if sample.labels
    ]
    data = build_dataset([label_page(sample) for sample in logins], "text")
    assert fit_spam_scorer(data, np.zeros((len(data.labels), 2), np.float32), seed=0) is None


def test_a_scorer_is_the_same_once_it_was_written(sentence_model: Model, tmp_path: Path) -> None:
    save_model(sentence_model, tmp_path)
    read = load_model(tmp_path)
    for content in (PROSE, f"{KEYWORDS}\n" * 5000, "x"):
        before, after = (Detector(model).classify(content).spam_probability for model in (sentence_model, read))
        assert before == after is not None


def test_the_columns_are_those_of_the_summary() -> None:
    assert len(summarise(parts_of(PROSE, 7))[0]) + 1 == n_columns(7)


def test_a_page_in_windows_is_summed_up_as_one() -> None:
    content = "\n".join(f"{PROSE} {number % 7}" for number in range(5000))
    parts = parts_of(content, 3)
    assert len(parts) > 1
    random = np.random.default_rng(0)
    inputs, chars = random.normal(size=(5000, 3)), np.concatenate([part[1] for part in parts])
    cuts = np.cumsum([len(part[1]) for part in parts])[:-1]
    summary, _ = summarise(
        (rows.astype(np.float32), part[1], part[2]) for rows, part in zip(np.split(inputs, cuts), parts, strict=True)
    )
    assert summary[:3] == pytest.approx(inputs.mean(axis=0), abs=1e-6)
    assert summary[3:6] == pytest.approx(np.average(inputs, axis=0, weights=chars), abs=1e-6)
    assert np.expm1(summary[6:8]) == pytest.approx([5000, chars.sum()])
