"""Wrapped pages say the same as the pages they are made of, in short lines with the labels of the long ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from detector.data import CONTENT, LABELS
from training.compose import texts_labelled
from training.labelling import LabelledPage, label_page, weighted
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
        np.testing.assert_allclose(
            page.weights, weighted(page.sample, page.page, page.labels).weights, rtol=1e-5, err_msg="by length"
        )


def test_pages_of_short_lines_are_not_wrapped(make_pages: MakePages) -> None:
    lines = ("word " * (LEAST_CHARS // 5 - 1),) * (LEAST_LINES + 1)
    (page,) = make_pages(1)
    sample = replace(page.sample, content="\n".join(lines), lines=lines, labels=("content",) * len(lines))
    pages = [label_page(sample)]
    assert wrap_pages(pages, 0, share=3.0) == []
    assert wrap_pages([], 0) == []


def test_what_teaches_nothing_teaches_nothing_in_pieces(pages: list[LabelledPage]) -> None:
    bare = [LabelledPage(p.sample, p.page, p.labels, np.where(p.labels == CONTENT, p.weights, 0)) for p in pages]
    for page in wrap_pages(bare, 0, share=2.0):
        assert np.array_equal(page.weights > 0, page.labels == CONTENT)


def test_pieces_of_characters_that_nobody_sees_are_no_lines(pages: list[LabelledPage]) -> None:
    unseen = "\u200b" * 200
    lines = tuple(f"{text} {unseen} {text}" for text in pages[0].sample.lines or ())
    (page,) = wrap_pages(
        [label_page(replace(pages[0].sample, content="\n".join(lines), lines=lines))] * 50, 0, share=0.02
    )
    assert len(page.labels) == len(page.page) > len(lines)


def test_wrapping_follows_the_seed(pages: list[LabelledPage]) -> None:
    def texts(seed: int) -> list[str]:
        return [page.page.text for page in wrap_pages(pages, seed, share=1.0)]

    assert texts(1) == texts(1) != texts(2)
