from __future__ import annotations

import json
import logging
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.data import BOILERPLATE, CONTENT, LINK_LIST
from detector.errors import SampleError
from training.align import align
from training.corpora import MEASURE_ONLY, TRAINABLE, corpus_file, digests, label_corpus, read_corpus
from training.labelling import UNKNOWN, as_text, label_page
from training.samples import Sample

FIRST = "The old mill by the river burned down in the night of the storm."
SECOND = "Nobody in the village ever rebuilt it, and the council sold the land."
LINES = st.lists(st.text(alphabet="ab c", max_size=12), max_size=8)


def html_sample(html: str, gold: str, **facts: Any) -> Sample:
    facts = {"source": "corpus", **facts}
    return Sample("page", site="a.example", kind="html", content=html, gold_text=gold, **facts)


def labels_of(html: str, gold: str, **facts: Any) -> dict[str, int]:
    labelled = label_page(html_sample(html, gold, **facts))
    return dict(zip(labelled.page.segment_texts(), labelled.labels.tolist(), strict=True))


def test_words_are_matched_in_order_not_by_being_there() -> None:
    segments = ["Share", "the mill", FIRST, "Share this with the village", SECOND, "Share"]
    shares, found = align(segments, f"{FIRST}\n{SECOND}")
    assert shares.tolist() == [0, 0, 1, 0, 1, 0]
    assert (shares.dtype, found) == (np.float32, 1.0)


def test_a_share_of_a_segment_and_of_the_gold() -> None:
    shares, found = align(["Photo: Ann Bee. " + FIRST, "Menu"], FIRST + " " + SECOND)
    assert shares.tolist() == pytest.approx([14 / 17, 0])
    assert found == pytest.approx(14 / 27)
    assert align(["", "One"], "")[0].tolist() == [0, 0]
    assert align([], FIRST) == (pytest.approx([]), 0.0)


def test_unspaced_scripts_are_matched_character_by_character() -> None:
    assert align(["首页", "昨晚河边的旧磨坊被烧毁", "更多"], "昨晚河边的旧磨坊被烧毁")[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("sentences", [30, 600])
def test_long_pages_are_aligned_through_anchors(sentences: int) -> None:
    random = np.random.default_rng(5)
    article = [" ".join(f"w{i}" for i in random.integers(400, size=12)) for _ in range(sentences)]
    page = [part for line in article for part in (line, "Read more here")]
    shares, found = align(page, "\n".join(article))
    assert found > 0.99
    assert shares[::2].min() > 0.7
    assert shares[1::2].max() == 0


@given(LINES, st.text(alphabet="ab c", max_size=60))
def test_shares_are_shares(segments: list[str], gold: str) -> None:
    shares, found = align(segments, gold)
    assert shares.shape == (len(segments),)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert 0 <= found <= 1


@given(LINES)
def test_a_page_that_is_its_own_gold_is_found_whole(segments: list[str]) -> None:
    shares, found = align(segments, "\n".join(segments))
    worded = np.array([any(c != " " for c in segment) for segment in segments], bool)
    assert found == float(worded.any())
    assert (shares == worded).all()


def test_a_headline_equal_to_the_articles_title_stays_in_the_list() -> None:
    title = "Mill burns down in the storm"
    html = f"<h1>{title}</h1><p>{FIRST}</p><p>{SECOND}</p><h2>Related</h2><ul>" + "".join(
        f"<li><a href=/x>{text}</a></li>" for text in ("Council meets again", title, "Team wins cup")
    )
    labelled = label_page(html_sample(html, f"{title}\n{FIRST}\n{SECOND}"))
    assert labelled.labels.tolist() == [CONTENT] * 3 + [LINK_LIST] * 4


def test_link_lists_are_told_from_boilerplate_by_markup() -> None:
    labels = labels_of(
        "<nav><a href=/>Home</a> <a href=/n>News</a></nav>"
        f"<p>{FIRST}</p><p>See <a href=/x>the river</a> page. {SECOND}</p>"
        "<p>All rights reserved by the people who made this page, whoever they were.</p>"
        "<footer>Call us at any time of the day</footer>",
        f"{FIRST}\nSee the river page. {SECOND}",
    )
    assert list(labels.values()) == [LINK_LIST, CONTENT, CONTENT, BOILERPLATE, BOILERPLATE]


def test_short_lines_among_links_belong_to_the_list() -> None:
    link = "<div><a href=/{0}>Headline number {0}</a></div>"
    items = link.format(1) + link.format(2) + "<div>2 June 2016</div>" + link.format(3)
    labels = labels_of(f"<p>{FIRST}</p><p>Printed on paper.</p><div>Most read</div>{items}<div>Imprint</div>", FIRST)
    assert labels["Most read"] == labels["2 June 2016"] == LINK_LIST
    assert labels["Printed on paper."] == labels["Imprint"] == BOILERPLATE


def test_segments_partly_in_the_gold_are_unknown() -> None:
    doubtful = "The council sold it to Ann Bee and her sons for nothing but a promise"
    assert labels_of(f"<p>{FIRST}</p><p>{doubtful}</p>", f"{FIRST} The council sold it")[doubtful] == UNKNOWN


def test_titles_bylines_and_captions_are_unknown_where_the_gold_leaves_them_out() -> None:
    html = (
        f"<div>Menu</div><h1>Fire!</h1><div>By Ann Bee</div><p>{FIRST}</p>"
        f"<figcaption>Smoke.</figcaption><p>{SECOND}</p><div>Imprint</div>"
    )
    gold = f"{FIRST}\n{SECOND}"
    known = labels_of(html, gold, source="fundus")
    assert [text for text, label in known.items() if label == UNKNOWN] == ["Fire!", "By Ann Bee", "Smoke."]
    assert UNKNOWN not in labels_of(html, gold).values()


def test_a_gold_of_another_page_is_refused() -> None:
    with pytest.raises(SampleError, match=r"page: the gold text and the page do not belong together: only \d+%"):
        label_page(html_sample(f"<p>{FIRST}</p>", SECOND))


def test_comments_are_masked() -> None:
    labels = ("boilerplate", "content", "comment", "link_list")
    lines = ("Menu", FIRST, "First!", "A | B")
    labelled = label_page(Sample("page", "corpus", "a", "text", "\n".join(lines), lines, labels))
    assert labelled.labels.tolist() == [BOILERPLATE, CONTENT, UNKNOWN, LINK_LIST]
    assert (labelled.weights > 0).tolist() == [True, True, False, True]
    assert labelled.weights[1] > labelled.weights[0]
    assert (labelled.labels.dtype, labelled.weights.dtype) == (np.int8, np.float32)


def test_labelled_blocks_are_found_in_the_markup() -> None:
    html = f"<a href=/>Home</a><p>An ad</p><p>{FIRST}</p><p>First!</p>"
    blocks = (("link_list", "Home"), ("content", FIRST.replace(" ", "  ")), ("comment", "First!"))
    labels, lines = zip(*blocks, strict=True)
    sample = Sample("page", "samples", "a", "html", html, lines, labels)
    assert label_page(sample).labels.tolist() == [LINK_LIST, UNKNOWN, CONTENT, UNKNOWN]
    other = Sample("page", "samples", "a", "html", "<p>Another page</p>", lines, labels)
    with pytest.raises(SampleError, match="page: most labelled blocks were not found"):
        label_page(other)


def test_a_sample_without_labels_is_refused() -> None:
    with pytest.raises(SampleError, match="page: neither labels nor a gold text"):
        label_page(Sample("page", "samples", "a", "text", "One."))


def test_markup_is_forgotten_and_labels_stay() -> None:
    html = f"<nav><a href=/>Home</a></nav><p>{FIRST}</p><pre>def f():\n\n    pass</pre><p>Imprint of us</p>"
    labelled = label_page(html_sample(html, f"{FIRST}\ndef f(): pass"))
    text = as_text(labelled)
    assert text.page.elements is None
    assert text.page.segment_texts() == ["Home", FIRST, "def f():", "    pass", "Imprint of us"]
    assert labelled.labels.tolist() == [LINK_LIST, CONTENT, CONTENT, BOILERPLATE]
    assert text.labels.tolist() == [LINK_LIST, CONTENT, CONTENT, CONTENT, BOILERPLATE]
    assert text.weights[1] == labelled.weights[1]


def write_corpus(folder: Path, name: str, *records: dict[str, Any]) -> Path:
    path = folder / f"{name}.jsonl.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)
    return path


def test_corpora_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    write_corpus(tmp_path / "text", "lines", {"id": "x/1", "lines": [FIRST, "Menu"], "labels": [1, 0]})
    gold = {"html": f"<p>{SECOND}</p>", "gold_text": SECOND, "id": "y", "url": "http://www.b.example/"}
    write_corpus(tmp_path / "html", "pages", gold)
    html, text = read_corpus(tmp_path, ["pages", "lines"])
    assert (html.source, html.kind, html.site) == ("pages", "html", "b.example")
    assert (text.source, text.kind, text.site) == ("lines", "text", "lines/x/1")
    assert [page.labels.tolist() for page in label_corpus([html, text])] == [[CONTENT], [CONTENT, BOILERPLATE]]


def test_pages_with_a_foreign_gold_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrong = {"id": "wrong", "html": f"<p>{FIRST}</p>", "gold_text": SECOND}
    right = {"id": "right", "html": f"<p>{FIRST}</p>", "gold_text": FIRST}
    write_corpus(tmp_path / "html", "pages", wrong, right)
    with caplog.at_level(logging.WARNING):
        kept = list(label_corpus(read_corpus(tmp_path, ["pages"])))
    assert [page.sample.id for page in kept] == [f"{tmp_path / 'html' / 'pages.jsonl.xz'}:2 (right)"]
    assert "(wrong): the gold text" in caplog.text


def test_corpora_that_are_missing_or_broken_are_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"no corpus 'pages' \(looked for html/pages\.jsonl\.xz and text/"):
        corpus_file(tmp_path, "pages")
    path = write_corpus(tmp_path / "html", "pages", {"id": "a", "html": "<p>x</p>"})
    with pytest.raises(SampleError) as caught:
        list(read_corpus(tmp_path, ["pages"]))
    assert str(caught.value).startswith(f"{path}:1: needs 'lines' and 'labels'")


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-20], lambda _: b"junk", lambda _: lzma.compress(b'{"a\xe9":1}')]
)
def test_damaged_corpora_are_named(tmp_path: Path, damage: Any) -> None:
    path = write_corpus(tmp_path / "html", "pages", {"id": "a", "html": "<p>x</p>", "gold_text": "x"})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SampleError) as caught:
        list(read_corpus(tmp_path, ["pages"]))
    assert str(caught.value).startswith(str(path))


def test_no_corpus_is_both_trained_and_measured_on(tmp_path: Path) -> None:
    assert not set(TRAINABLE) & set(MEASURE_ONLY)
    for name in TRAINABLE:
        write_corpus(tmp_path / "text", name, {"lines": [name], "labels": [1]})
    assert list(digests(tmp_path)) == list(TRAINABLE)
    assert len(set(digests(tmp_path).values())) == len(TRAINABLE)
