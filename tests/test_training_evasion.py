"""Pages rewritten for training keep their labels, borrow from other sites, and change nothing but what they are to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from detector.data import BOILERPLATE, CONTENT, LINK_LIST
from training.compose import texts_labelled
from training.evasion import PROSE_CHARS, dress_pages, evade_pages
from training.labelling import UNKNOWN, LabelledPage, as_text, label_page, weighted

MakePages = Callable[..., list[LabelledPage]]


def original_of(page: LabelledPage, pages: list[LabelledPage]) -> LabelledPage:
    return next(each for each in pages if page.sample.id.endswith(each.sample.id))


@pytest.fixture
def pages(make_pages: MakePages) -> list[LabelledPage]:
    return make_pages(20)


def without(label: int, pages: list[LabelledPage]) -> list[LabelledPage]:
    """The pages, with nobody knowing which segments have the label."""
    return [LabelledPage(p.sample, p.page, np.where(p.labels == label, UNKNOWN, p.labels), p.weights) for p in pages]


def test_lists_are_rewritten_and_the_rest_is_left(pages: list[LabelledPage]) -> None:
    evading = evade_pages(pages, seed=1, share=4.0)
    assert len({page.sample.id for page in evading}) == len(evading) == 80
    for page in evading:
        before = original_of(page, pages)
        assert page.sample.site == before.sample.site
        assert texts_labelled(page, CONTENT) == texts_labelled(before, CONTENT)
        assert texts_labelled(page, LINK_LIST) != texts_labelled(before, LINK_LIST)


def test_sentences_beside_links_are_those_of_other_sites(pages: list[LabelledPage]) -> None:
    for page in evade_pages(pages, seed=2, share=4.0):
        before = original_of(page, pages)
        own = " ".join(before.page.segment_texts())
        lines = texts_labelled(page, LINK_LIST)
        links = texts_labelled(before, LINK_LIST)
        assert all(any(line.startswith(text) for line in lines) for text in links), "the links still stand"
        assert any(line not in own for line in lines)


def test_weights_are_by_length_and_as_light_as_the_page_was(make_pages: MakePages) -> None:
    light = [LabelledPage(p.sample, p.page, p.labels, p.weights * np.float32(0.3)) for p in make_pages(20)]
    for page in evade_pages(light, seed=4, share=2.0):
        whole = weighted(page.sample, page.page, page.labels).weights
        np.testing.assert_allclose(page.weights, 0.3 * whole, rtol=1e-5)


def test_rewritten_pages_follow_the_seed(pages: list[LabelledPage]) -> None:
    def texts(seed: int) -> list[str]:
        return [page.page.text for page in evade_pages(pages, seed, share=1.0)]

    assert texts(1) == texts(1) != texts(2)


def test_pages_as_they_are_read_and_as_they_were_made_agree(pages: list[LabelledPage]) -> None:
    for page in evade_pages(pages, seed=6, share=2.0):
        again = as_text(page)
        assert again.page.segment_texts() == page.page.segment_texts()
        assert again.labels.tolist() == page.labels.tolist()


def test_nothing_is_rewritten_where_there_is_nothing_to_draw_from(pages: list[LabelledPage]) -> None:
    assert evade_pages([], 0) == []
    for label in (CONTENT, LINK_LIST):
        assert evade_pages(without(label, pages), 0, share=1.0) == []


def test_prose_is_dressed_and_the_rest_is_left(pages: list[LabelledPage]) -> None:
    dressed = dress_pages(pages, seed=1, share=4.0)
    assert len({page.sample.id for page in dressed}) == len(dressed) == 80
    for page in dressed:
        before = original_of(page, pages)
        assert page.sample.site == before.sample.site
        assert page.labels.tolist() == before.labels.tolist()
        for text, old, label in zip(
            page.page.segment_texts(), before.page.segment_texts(), page.labels.tolist(), strict=True
        ):
            assert text == old or (label == CONTENT and len(old) >= PROSE_CHARS)
    changed = [page.page.text != original_of(page, pages).page.text for page in dressed]
    assert sum(changed) > len(changed) / 2, "some templates dress nothing"
    assert [page.page.text for page in dress_pages(pages, seed=1, share=4.0)] == [page.page.text for page in dressed]


def test_a_line_that_dressing_would_empty_is_left_out_with_its_label(make_pages: MakePages) -> None:
    samples = [page.sample for page in make_pages(20)]
    dashes = "-" * 90
    ruled = [
        label_page(
            replace(
                sample,
                content=f"{dashes}\n{sample.content}",
                lines=(dashes, *(sample.lines or ())),
                labels=("content", *(sample.labels or ())),
            )
        )
        for sample in samples
    ]
    for page in dress_pages(ruled, seed=0, share=4.0):
        assert len(page.page) == len(page.labels) == len(page.weights)


def test_nothing_is_dressed_where_there_is_no_prose_or_no_furniture(pages: list[LabelledPage]) -> None:
    assert dress_pages([], 0) == []
    for label in (CONTENT, BOILERPLATE):
        assert dress_pages(without(label, pages), 0, share=1.0) == []
