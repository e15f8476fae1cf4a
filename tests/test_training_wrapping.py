"""Wrapped pages say the same as the pages they are made of, in short lines with the labels of the long ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from detector.data import CONTENT, LABELS
from training.compose import texts_labelled
from training.labelling import LabelledPage, label_page
from training.wrapping import LEAST_CHARS, LEAST_LINES, WIDTHS, wrap_pages

MakePages = Callable[..., list[LabelledPage]]


@pytest.fixture
def pages(make_pages: MakePages) -> list[LabelledPage]:
    """Pages with long lines: the content of each is said twelve times."""
    made = []
    for page in make_pages(12):
        texts, labels = page.page.segment_texts(), [LABELS[label] for label in page.labels]
        lines = tuple(
            " ".join([text] * 12) if label == LABELS[CONTENT] else text
            for text, label in zip(texts, labels, strict=True)
        )
        sample = replace(page.sample, content="\n".join(lines), lines=lines, labels=tuple(map(str, labels)))
        made.append(label_page(sample))
    return made


def test_a_wrapped_page_has_the_words_of_its_page_in_short_lines(pages: list[LabelledPage]) -> None:
    wrapped = wrap_pages(pages, 0, share=3.0)
    assert len({page.sample.id for page in wrapped}) == len(wrapped) == 36
    for page in wrapped:
        before = next(each for each in pages if page.sample.id.endswith(each.sample.id))
        assert page.sample.site == before.sample.site
        assert max(map(len, page.page.segment_texts())) < WIDTHS[1]
        assert len(page.labels) > len(before.labels)
        for label in range(len(LABELS)):
            assert " ".join(texts_labelled(page, label)).split() == " ".join(texts_labelled(before, label)).split()
        assert set(page.weights.tolist()) <= set(before.weights.tolist())


def test_pages_of_short_lines_are_not_wrapped(make_pages: MakePages) -> None:
    lines = ("word " * (LEAST_CHARS // 5 - 1),) * (LEAST_LINES + 1)
    (page,) = make_pages(1)
    sample = replace(page.sample, content="\n".join(lines), lines=lines, labels=("content",) * len(lines))
    pages = [label_page(sample)]
    assert wrap_pages(pages, 0, share=3.0) == []
    assert wrap_pages([], 0) == []


def test_wrapping_follows_the_seed(pages: list[LabelledPage]) -> None:
    def texts(seed: int) -> list[str]:
        return [page.page.text for page in wrap_pages(pages, seed, share=1.0)]

    assert texts(1) == texts(1) != texts(2)
