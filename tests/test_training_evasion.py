"""Pages rewritten for training keep their labels, borrow from other sites, and change nothing but what they are to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from detector.data import CONTENT, LINK_LIST
from training.compose import compose_pages
from training.evasion import HEADLINE_CHARS, evade_pages
from training.labelling import UNKNOWN, LabelledPage, as_text, label_page

MakePages = Callable[..., list[LabelledPage]]


def original_of(page: LabelledPage, pages: list[LabelledPage]) -> LabelledPage:
    return next(each for each in pages if page.sample.id.endswith(each.sample.id))


def with_a_subheading(page: LabelledPage) -> LabelledPage:
    lines, labels = (*page.page.segment_texts(), "What the Council Said"), (*(page.sample.labels or ()), "content")
    return label_page(replace(page.sample, content="\n".join(lines), lines=lines, labels=labels))


@pytest.fixture
def pages(make_pages: MakePages) -> list[LabelledPage]:
    return make_pages(20)


def test_lists_and_content_are_rewritten_in_turn_and_the_rest_is_left(pages: list[LabelledPage]) -> None:
    evading = evade_pages(pages, seed=1, share=4.0)
    assert len(evading) == 80
    assert len({page.sample.id for page in evading}) == 80
    for number, page in enumerate(evading):
        target, other = (LINK_LIST, CONTENT) if number % 2 == 0 else (CONTENT, LINK_LIST)
        before = original_of(page, pages)
        old, new = (np.array(each.page.segment_texts(), object) for each in (before, page))
        assert page.sample.site == before.sample.site
        assert new[page.labels == other].tolist() == old[before.labels == other].tolist()
        assert set(new) - set(old), "something was rewritten"
        assert (page.labels == target).sum() >= 1
        assert (page.weights[page.labels == UNKNOWN] == 0).all()


def test_sentences_beside_links_are_those_of_other_sites(pages: list[LabelledPage]) -> None:
    for page in evade_pages(pages, seed=2, share=4.0)[::2]:
        before = original_of(page, pages)
        own = " ".join(before.page.segment_texts())
        listed = [
            text for text, label in zip(before.page.segment_texts(), before.labels, strict=True) if label == LINK_LIST
        ]
        lines = [text for text, label in zip(page.page.segment_texts(), page.labels, strict=True) if label == LINK_LIST]
        assert all(any(line.startswith(text) for line in lines) for text in listed), "the links still stand"
        assert any(line not in own for line in lines)


def test_a_short_line_dressed_like_a_headline_is_not_called_content(make_pages: MakePages) -> None:
    pages = [with_a_subheading(page) for page in make_pages(20)]
    dressed = [page for page in evade_pages(pages, seed=3, share=8.0) if (page.labels == UNKNOWN).any()]
    assert dressed
    for page in dressed:
        before = original_of(page, pages)
        short = before.page.ends - before.page.starts <= HEADLINE_CHARS
        assert (page.labels[short & (before.labels == CONTENT)] == UNKNOWN).all()
        assert (page.labels[~short] == before.labels[~short]).all()


def test_weights_stay_those_of_the_lines(make_pages: MakePages) -> None:
    light = [LabelledPage(p.sample, p.page, p.labels, p.weights * np.float32(0.3)) for p in make_pages(20)]
    for page in evade_pages(light, seed=4, share=2.0):
        assert set(page.weights.tolist()) <= {*original_of(page, light).weights.tolist(), 0.0}


def test_html_pages_keep_their_elements(make_pages: MakePages) -> None:
    pages = make_pages(20, "html")
    for page in evade_pages(pages, seed=5, share=2.0):
        before = original_of(page, pages).page
        assert len(page.page) == len(before)
        assert page.page.elements is before.elements


def test_rewritten_pages_follow_the_seed(pages: list[LabelledPage]) -> None:
    def texts(seed: int) -> list[str]:
        return [page.page.text for page in evade_pages(pages, seed, share=1.0)]

    assert texts(1) == texts(1) != texts(2)


def test_pages_as_they_are_read_and_as_they_were_made_agree(pages: list[LabelledPage]) -> None:
    for page in evade_pages(pages + compose_pages(pages, 0, share=2.0), seed=6, share=2.0):
        again = as_text(page)
        assert again.page.segment_texts() == page.page.segment_texts()
        assert again.labels.tolist() == page.labels.tolist()


def test_nothing_is_rewritten_where_there_is_nothing_to_draw_from(pages: list[LabelledPage]) -> None:
    assert evade_pages([], 0) == []
    for label in (CONTENT, LINK_LIST):
        without = [
            LabelledPage(p.sample, p.page, np.where(p.labels == label, UNKNOWN, p.labels), p.weights) for p in pages
        ]
        assert evade_pages(without, 0, share=1.0) == []
