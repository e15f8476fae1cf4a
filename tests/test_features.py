from __future__ import annotations

import numpy as np
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from detector.features import extract, feature_names
from detector.segment import segment_html, segment_text
from detector.signatures import minhash

PAGES = [
    "A first line.\nSecond line of the page, a little longer than the first.\n- One\n- Two\n- Three",
    "",
    "新闻标题\n这是一个没有空格的句子，用来检查分词。\n标签 | 标签 | 标签",
    "x" * 2_000 + "\n" + "word " * 500 + "\nshort",
]


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
        first, last = together.text.offsets[rows.start], together.text.offsets[rows.stop]
        assert np.array_equal(alone.text.indices, together.text.indices[first:last])


@given(st.lists(st.text(), max_size=4))
def test_any_text_gives_finite_features(texts: list[str]) -> None:
    assert np.isfinite(extract([segment_text(text) for text in texts], "text").X).all()


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


def test_repeats_are_counted_in_the_page() -> None:
    assert column("Read more\nA\nRead more\nB\nRead more", "log_exact_duplicates")[0] == np.float32(np.log(3))


def test_dates_sources_and_counts_are_seen() -> None:
    assert column("Storm hits the coast - Harbour Times", "source_suffix") == [1]
    assert column("The storm hit the coast at night.", "source_suffix") == [0]
    assert column("June 2016 (12)", "ends_count_in_brackets") == [1]
    assert column("Posted 12/06/2016 at 10:30", "years") == [1]
