"""Readers' comments below an article go, and a forum's posts do not."""

from __future__ import annotations

import numpy as np
import pytest

from detector import Detector, Label
from detector.comments import LEAST_ABOVE, drop_comments
from detector.data import BOILERPLATE, CONTENT, LABELS
from detector.model import Model
from detector.reasons import COMMENT
from detector.segment import segment_html, segment_text

ARTICLE = "<p>" + "The ferry was late again in the second week of May. " * (LEAST_ABOVE // 50 + 1) + "</p>"
POSTS = "<p>It is never late when I take it.</p><p>Then you are lucky.</p>"


def labels_after(*pages: str) -> list[list[int]]:
    """What is left of the label content, all segments' label before, for each page of a batch."""
    segmented = [segment_html(page) for page in pages]
    offsets = np.cumsum([0, *map(len, segmented)])
    labels = np.full(offsets[-1], CONTENT, np.uint8)
    drop_comments(labels, segmented, offsets)
    return [part.tolist() for part in np.split(labels, offsets[1:-1])]


@pytest.mark.parametrize("name", ["id=comments", 'class="wp comment-list"', "id=div-comment-12", "class=CommentBody"])
def test_comments_below_an_article_go(name: str) -> None:
    page = f"{ARTICLE}<div {name}>{POSTS}</div><p>After them.</p>"
    assert labels_after(page, page) == [[CONTENT, BOILERPLATE, BOILERPLATE, CONTENT]] * 2


@pytest.mark.parametrize(
    "page",
    [
        f"{ARTICLE}<div class=comment>{POSTS}</div>",
        f"{ARTICLE}<div class=commentary>{POSTS}</div>",
        f"<div class=has-comments>{ARTICLE}{POSTS}</div>",
        f"<div class=blog-comments>{ARTICLE}{POSTS}</div>",
        f"<p>A short post.</p><div id=comments>{POSTS}</div>",
        f"<div class=forum-post>{ARTICLE}</div><div id=comments>{POSTS}</div>",
        "",
    ],
)
def test_what_may_be_the_content_stays(page: str) -> None:
    ((*labels,),) = labels_after(page)
    assert set(labels) <= {CONTENT}


def test_comments_inside_comments_count_once() -> None:
    page = f"{ARTICLE}<div id=comments><ol class=commentlist>{POSTS}</ol></div><p>After them.</p>"
    assert labels_after(page) == [[CONTENT, BOILERPLATE, BOILERPLATE, CONTENT]]


def test_text_has_no_elements() -> None:
    labels = np.full(2, CONTENT, np.uint8)
    drop_comments(labels, [segment_text("One.\nTwo.")], np.array([0, 2]))
    assert labels.tolist() == [CONTENT, CONTENT]


def test_a_detector_drops_them_unless_it_is_to_keep_everything(sentence_model: Model) -> None:
    page = f"{ARTICLE}<div id=comments>{POSTS}</div>"
    result = Detector(sentence_model).classify(page, "html")
    assert [segment.label for segment in result.segments] == [Label.CONTENT, Label.BOILERPLATE, Label.BOILERPLATE]
    assert LABELS[BOILERPLATE] == Label.BOILERPLATE
    assert Detector(sentence_model, threshold=0).classify(page, "html").kept.all()


def test_the_reason_is_the_element(sentence_model: Model) -> None:
    page = f"{ARTICLE}<div id=comments>{POSTS}</div>"
    _, *comments = Detector(sentence_model).classify(page, "html").segments
    assert [segment.reasons for segment in comments] == [(COMMENT,)] * 2
