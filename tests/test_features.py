from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector import Detector
from detector.data import Kind
from detector.features import DOM_BITS, TEXT_BITS, cohesion, extract, feature_names, grouping_names, hashing
from detector.features import characters as ch
from detector.features.batch import build_batch
from detector.features.lexical import MOST_NAME_CHARS, hash_dom, pack
from detector.features.local import local_features
from detector.features.markup import build_markup
from detector.segment import segment_html, segment_text
from detector.signatures import minhash

PAGES = [
    "A first line.\nSecond line of the page, a little longer than the first.\n- One\n- Two\n- Three",
    "",
    "新闻标题\n这是一个没有空格的句子，用来检查分词。\n标签 | 标签 | 标签",
    "x" * 2_000 + "\n" + "word " * 500 + "\nshort",
    "\u200d".join("One line.") + "\n\ufeff\n\ufe0f\n" + "می\u200cخواهم " * 200,
]

HTML_PAGES = [
    "<html><body class=Home><nav class='top menu'><a href=/>Home</a></nav><div id=a><div><p class=lead>Text.</div></div>",
    "",
    "<table><tr><td>a<td>b<tr><td><ul class=storyList><li>One<li><a href=x>Two</a></ul></table>tail",
    "<x-card>" * 300 + "deep" + "<p hidden>gone",
]
TEXT_TABLE = np.random.default_rng(0).integers(-127, 128, (1 << TEXT_BITS, 3)).astype(np.int8)
DOM_TABLE = TEXT_TABLE[: 1 << DOM_BITS]


def column(text: str, name: str) -> list[float]:
    return [float(v) for v in extract([segment_text(text)], "text").X[:, feature_names("text").index(name)]]


def test_columns_have_names_and_no_name_twice() -> None:
    for kind, page in (("text", segment_text(PAGES[0])), ("html", segment_html("<ul><li>a<li>b</ul>"))):
        names = feature_names(kind)  # type: ignore[arg-type]
        assert len(set(names)) == len(names) == extract([page], kind).X.shape[1]  # type: ignore[arg-type]


def test_features_of_a_page_do_not_depend_on_the_batch() -> None:
    pages = [segment_text(text) for text in PAGES]
    together = extract(pages, "text")
    for i, page in enumerate(pages):
        alone = extract([page], "text")
        rows = slice(together.offsets[i], together.offsets[i + 1])
        assert np.array_equal(alone.X, together.X[rows])
        table = pack(TEXT_TABLE)
        assert np.array_equal(alone.text.sums(table), together.text.sums(table)[rows])


def test_features_of_an_html_page_do_not_depend_on_the_batch() -> None:
    pages = [segment_html(html) for html in HTML_PAGES]
    together = extract(pages, "html")
    for i, page in enumerate(pages):
        alone = extract([page], "html")
        rows = slice(together.offsets[i], together.offsets[i + 1])
        assert np.array_equal(alone.X, together.X[rows])
        assert alone.dom is not None
        assert together.dom is not None
        table = pack(DOM_TABLE)
        assert np.array_equal(alone.dom.sums(table), together.dom.sums(table)[rows])
        assert np.array_equal(alone.dom.sizes(), together.dom.sizes()[rows])


@pytest.mark.parametrize("kind", ["text", "html"])
def test_sums_are_those_of_the_entries_that_training_sees(kind: Kind) -> None:
    if kind == "text":
        rows, table = extract([segment_text(text) for text in PAGES], kind).text, TEXT_TABLE
    else:
        dom = extract([segment_html(html) for html in HTML_PAGES], kind).dom
        assert dom is not None
        rows, table = dom, DOM_TABLE
    segments, buckets = rows.entries()
    expected = np.zeros((len(rows.sizes()), 3), np.int64)
    np.add.at(expected, segments, table[buckets])
    assert np.array_equal(rows.sums(pack(table)), expected)


def test_words_and_sentences_are_counted_exactly() -> None:
    text = "\n".join("a " * n + ". A" * (n % 7) for n in range(1, 60))
    found = local_features(build_batch([segment_text(text + "\n漢字漢")]))
    assert found.words.tolist() == [*(n + n % 7 for n in range(1, 60)), 1.5]
    assert found.sentences.tolist() == [*(n % 7 for n in range(1, 60)), 0]


@given(st.lists(st.text(), max_size=4))
def test_any_text_gives_finite_features(texts: list[str]) -> None:
    assert np.isfinite(extract([segment_text(text) for text in texts], "text").X).all()


@pytest.mark.parametrize("long", ["a" * 300_000, "a " * 150_000, "a-" * 150_000])
def test_a_long_class_is_not_hashed_as_a_whole(long: str, monkeypatch: pytest.MonkeyPatch) -> None:
    powers, sizes = hashing._powers, []
    monkeypatch.setattr(hashing, "_powers", lambda size: sizes.append(size) or powers(size))
    first = "menu top-bar mainNav "

    def words(classes: str) -> list[list[int]]:
        page = segment_html(f"<div class='{classes}'><p>Text.</div>")
        return hash_dom(build_markup(build_batch([page]))).by_word.tolist()

    found = words(first + long)
    assert max(sizes) == 1 << 16
    assert found == words(first + long[: MOST_NAME_CHARS // 2 if " " in long else 0]), "a class that is cut is left out"


@given(st.text(alphabet=st.sampled_from("<>/abdiptrul \n\"'=&;é漢")))
def test_any_markup_gives_finite_features(html: str) -> None:
    assert np.isfinite(extract([segment_html(html)], "html").X).all()


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=12), min_size=1, max_size=8))
def test_signatures_equal_datasketch_bit_for_bit(sets: list[list[int]]) -> None:
    offsets = np.concatenate(([0], np.cumsum([len(s) for s in sets]))).astype(np.int64)
    ours = minhash(np.array([h for s in sets for h in s], np.uint32), offsets, 16)
    for row, hashes in zip(ours, sets, strict=True):
        theirs = MinHash(num_perm=16, hashfunc=lambda h: h, scheme="affine32")
        theirs.update_batch(hashes)
        assert row.tolist() == theirs.hashvalues.tolist()


def test_markers_are_found_by_shape_whatever_the_wording() -> None:
    for template in (
        "{} [Last Updated On: June {}th, 2016]",
        "{} 【最后更新：2016年6月{}日】",
        "{} (qwzx vrtl: {}.06.2016)",
    ):
        words = ("Rain delays harvest", "Mayor opens bridge", "Team wins again", "Museum finds map")
        lines = [template.format(word, day + 10) for day, word in enumerate(words)]
        text = "One sentence of ordinary prose that holds no marker of any kind at all.\n" + "\n".join(lines)
        recurrence = column(text, "log_marker_recurrence")
        assert recurrence[0] == 0
        assert min(recurrence[1:]) >= np.log1p(3)


def test_ranges_taken_for_uniform_are() -> None:
    for first, last, name in ch.UNIFORM:
        assert {unicodedata.category(chr(code)) for code in range(first, last + 1)} == {name}


@pytest.mark.parametrize("mark", ["\u200d", "\u00ad", "\u2060", "\ufeff", "\ufe0f", "\U000e0020"])
def test_characters_that_show_nothing_change_no_word(mark: str) -> None:
    plain = "Mayor opens bridge, 12 May 2021 - Harbour Times\nПраво на город"
    rewritten = "\n".join(mark.join(line) for line in plain.split("\n"))
    shown, hidden = (extract([segment_text(text)], "text") for text in (plain, rewritten))
    assert np.array_equal(shown.X, hidden.X)
    assert np.array_equal(shown.text.by_token, hidden.text.by_token)


def test_repeats_are_counted_in_the_page() -> None:
    assert column("Read more\nA\nRead more\nB\nRead more", "log_exact_duplicates")[0] == np.float32(np.log(3))


COHESIVE = """The harbour of Oldmouth
The ferry to Oldmouth leaves the harbour at seven, and the captain waits for nobody at all.
Storm closes mountain railway
Captain Mary Reed took the ferry out of the harbour in spite of the storm last night.
Ferries, harbours, captains
渡船停在港口
渡船和船長"""


def test_words_are_looked_for_in_the_prose_around() -> None:
    def shares(name: str) -> list[float]:
        return [round(value, 3) for value in column(COHESIVE, name)]

    # The second and the fourth line are prose. Ferry, harbour and captain are in both; a word is added to those that are counted.
    assert shares("words_in_prose_before")[3] == round(3 / 11, 3)
    assert shares("words_in_prose_after") == [round(2 / 3, 3), round(3 / 9, 3), round(1 / 5, 3), 0, 0, 0, 0]
    assert shares("words_in_page")[0] == round(2 / 3, 3)
    assert shares("names_in_prose")[:2] == [round(1 / 2, 3), 0]
    # A stem is found where the word is not; pairs of characters are the words of unspaced scripts.
    assert shares("words_in_prose")[4] == 0 < shares("stems_in_prose")[4] == round(3 / 4, 3)
    assert shares("words_in_page")[6] == round(1 / 5, 3)


def test_cohesion_is_that_of_sets_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohesion, "SLOTS_PER_WORD", 1 << 12)
    random = np.random.default_rng(1)
    vocabulary = ["".join(random.choice(list("abcdefgh"), size)) for size in random.integers(2, 8, 60)]
    texts = [" ".join(random.choice(vocabulary, size)) + "." * int(size > 12) for size in random.integers(1, 25, 40)]
    lines = [[word for word in re.findall("[a-z]+", text) if len(word) >= cohesion.LEAST_CHARS] for text in texts]
    is_prose = column("\n".join(texts), "is_prose")
    for name, stem in (("words", 99), ("stems", hashing.PREFIX_CHARS)):
        keys = [[word[:stem] for word in line] for line in lines]
        for place, chosen in (
            ("in_prose_before", lambda i, j: j < i and is_prose[j]),
            ("in_prose_after", lambda i, j: j > i and is_prose[j]),
            ("in_prose", lambda i, j: j != i and is_prose[j]),
            ("in_page", lambda i, j: j != i),
        ):
            others = [{key for j, line in enumerate(keys) if chosen(i, j) for key in line} for i in range(len(keys))]
            shares = [
                sum(key in other for key in line) / (len(line) + 1) for line, other in zip(keys, others, strict=True)
            ]
            assert column("\n".join(texts), f"{name}_{place}") == pytest.approx(shares, abs=1e-6)


def test_dates_sources_and_counts_are_seen() -> None:
    assert column("Storm hits the coast - Harbour Times", "source_suffix") == [1]
    assert column("The storm hit the coast at night.", "source_suffix") == [0]
    assert column("June 2016 (12)", "ends_count_in_brackets") == [1]
    assert column("Posted 12/06/2016 at 10:30", "years") == [1]


def test_blank_lines_between_segments_take_no_tables_of_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    powers = hashing._powers
    monkeypatch.setattr(hashing, "_powers", lambda size: sizes.append(size) or powers(size))
    blank = "\n" * 500_000
    page = f"{blank}One line.{blank}Another line.{blank}"
    gaps, none = (Detector().classify(text, "text") for text in (page, "One line.\nAnother line."))
    assert np.array_equal(gaps.probabilities, none.probabilities)
    assert max(sizes) <= 1 << 17


def test_segments_that_stand_alike_in_the_markup_are_grouped() -> None:
    post = "<div class=post><p>One.</p><p>Two.</p><span>Three.</span></div>"
    page = segment_html(f"<main>{post}{post}</main><nav><p>Home</p></nav>")
    place, wider, _ = extract([page], "html").groups
    assert len(grouping_names("html")) == 3
    # Paragraphs of both posts are in one kind of place, and what stands in a post beside them is in another.
    assert same_groups(place, "PPSPPSN")
    # Around a paragraph is its post; around what stands in the post itself, all posts.
    assert same_groups(wider, "1123324")


def test_no_group_crosses_pages() -> None:
    page = segment_html("<ul><li>One</li><li>Two</li></ul>")
    for numbers in extract([page, page], "html").groups:
        assert set(numbers[:2]).isdisjoint(numbers[2:])
    assert extract([segment_text("One\nTwo")], "text").groups.shape == (0, 2)


def same_groups(numbers: NDArray[np.int64], names: str) -> bool:
    """Whether numbers are equal where letters are."""
    return len(set(zip(numbers.tolist(), names, strict=True))) == len(set(numbers.tolist())) == len(set(names))
