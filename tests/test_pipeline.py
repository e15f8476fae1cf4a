from __future__ import annotations

import encodings
import gzip
import pickle
import pkgutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import detector
from detector import Detector, Label, Page, UsageError, strip
from detector.decisions import (
    decide,
    drop_list_headings,
    keep_headings,
    keep_subheadings,
    raise_prose,
    rescue_prose,
)
from detector.decode import decode, looks_binary, sniff_kind
from detector.features import extract
from detector.model import Model, input_names
from detector.phrases import PHRASES
from detector.pipeline import score
from detector.places import Places
from detector.segment import segment_html, segment_text

DETECTOR = Detector()
SAMPLES = Path(__file__).parents[1] / "samples"
LINES = st.lists(st.text(max_size=60), max_size=12).map("\n".join)


def test_exported_names_exist() -> None:
    assert sorted(detector.__all__) == sorted(set(detector.__all__))
    for name in detector.__all__:
        assert getattr(detector, name) is not None


@given(st.lists(LINES, max_size=6), st.integers(1, 4))
@example(["0", "0:"], 2)
def test_results_are_the_same_to_the_bit_for_every_batch_size(texts: list[str], size: int) -> None:
    alone = [DETECTOR.classify(text, "text") for text in texts]
    together = list(DETECTOR.classify_many([Page(text, "text") for text in texts], batch_size=size))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.probabilities, other.probabilities)
        assert one.text == other.text


def test_threads_that_share_a_detector_give_to_the_bit_what_one_gives() -> None:
    pages = [Page(path.read_bytes()) for path in sorted(SAMPLES.iterdir()) if path.suffix in (".html", ".txt")]
    alone = [DETECTOR.classify(page) for page in pages]
    threads = 8
    with ThreadPoolExecutor(threads) as executor:
        one_by_one = list(executor.map(DETECTOR.classify, pages * 2))
        batches = list(
            executor.map(lambda size: list(DETECTOR.classify_many(pages, batch_size=size)), range(1, threads + 1))
        )
    for results in (one_by_one[: len(pages)], one_by_one[len(pages) :], *batches):
        for one, other in zip(alone, results, strict=True):
            assert one.text == other.text
            assert one.problem == other.problem
            assert np.array_equal(one.probabilities, other.probabilities)


@given(st.one_of(st.binary(max_size=300), st.text(alphabet=st.characters(), max_size=300)))
def test_no_page_raises_and_segments_are_spans_of_the_source(content: str | bytes) -> None:
    for kind in ("auto", "text", "html"):
        result = DETECTOR.classify(content, kind)  # type: ignore[arg-type]
        for segment in result.segments:
            assert result.source_text[segment.start : segment.end] == segment.text
            assert sum(segment.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_text_offsets_are_of_the_input_itself() -> None:
    text = "\ufeff One.\r\n\r\nTwo.\x85Three.\n"
    assert DETECTOR.classify(text, "text").source_text == text


def test_kept_neighbours_keep_what_stood_between_them() -> None:
    result = Detector(drop=()).classify("One.\n\n\nTwo.\n", "text")
    assert result.text == "One.\n\n\nTwo."
    assert result.removed == []
    assert result.removed_ratio == 0


def test_threshold_and_drop_decide_what_stays() -> None:
    text = "Home | News | Contact\nThe mill burned down in 1911, and nobody in the village ever rebuilt it."
    assert Detector(threshold=0).strip(text, "text") == text
    assert all(s.label != Label.CONTENT for s in Detector(threshold=1).classify(text, "text").segments)


def test_sure_content_raises_the_threshold_of_its_page_alone() -> None:
    content = np.array([0.95, 0.97, 0.6, 0.6, 0.7, 0.2, 0.95, 0.6], np.float32)
    probabilities = np.stack((content, (1 - content) * 0.75, (1 - content) * 0.25), axis=1)
    places = Places.of(np.array([0, 3, 3, 6, 8]))
    assert decide(probabilities, 0.5, 0.0, places).tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    # Two thirds of the first page's likely content are sure, none of the second's, half of the last one's.
    assert decide(probabilities, 0.5, 0.6, places).tolist() == [0, 0, 1, 0, 0, 1, 0, 1]
    assert decide(probabilities, 0.5, 0.25, places).tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    for threshold, expected in ((0.0, 0), (1.0, 1)):
        assert set(decide(probabilities, threshold, 0.9, places).tolist()) == {expected}


@pytest.mark.parametrize(
    "arguments", [{"threshold": 2.0}, {"threshold": -0.1}, {"drop": {"spam"}}, {"drop": "content"}]
)
def test_wrong_use_raises_early(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Detector(**arguments)  # type: ignore[arg-type]


def test_wrong_pages_and_kinds_are_named() -> None:
    with pytest.raises(UsageError, match="int"):
        DETECTOR.classify(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="pdf"):
        DETECTOR.classify("x", "pdf")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="batch_size"):
        DETECTOR.classify_many(["x"], batch_size=0)
    with pytest.raises(UsageError, match="give a list"):
        DETECTOR.classify_many("one page")


def test_a_pickled_result_says_the_same_and_leaves_the_model_behind() -> None:
    result = DETECTOR.classify((SAMPLES / "en_autoblog_gardens.tsv").read_text(encoding="utf-8"))
    pickled = pickle.dumps(result)
    assert len(pickled) < 200_000
    again = pickle.loads(pickled)
    assert again.segments == result.segments
    assert any(segment.reasons for segment in again.segments)
    assert (again.text, again.spam_probability) == (result.text, result.spam_probability)
    assert result == result
    assert result != again


def test_problems_are_values() -> None:
    assert DETECTOR.classify("").problem == "empty page"
    assert DETECTOR.classify("<p></p>", "html").problem == "empty page"
    # Characters that show nothing are taken out of segments, and here there are none.
    assert DETECTOR.classify("\x01\xad\u200d", "text").problem == "empty page"
    assert DETECTOR.classify("a\0\0\0b", "text").problem == "looks like a binary file"
    assert strip("") == ""


def test_pictures_and_archives_look_binary_and_text_with_odd_marks_does_not() -> None:
    picture = (Path(__file__).parents[1] / "benchmarks" / "speed.png").read_bytes()
    for content in (picture, gzip.compress(picture), Path(sys.executable).read_bytes()):
        assert looks_binary(content)
        assert looks_binary(decode(content))
        assert DETECTOR.classify(content).problem == "looks like a binary file"
    for text in ("\x1b[31mRed\x1b[0m\x07", "\x02A\x03 file of records\x1e" + "and words " * 20, "Schöne Grüße\x00"):
        assert not looks_binary(text)
        assert not looks_binary(text.encode())


@pytest.mark.parametrize(
    "opening", ["<script>var a;</script>", "<style>a{}</style>", "<link rel=a>", "<!DOCTYPE doctype>"]
)
def test_markup_is_told_by_what_pages_begin_with(opening: str) -> None:
    assert sniff_kind(f"\n{opening}Text.") == "html"


def test_reasons_are_given_in_words() -> None:
    segments = DETECTOR.classify("Home | News | Contact\nThe mill burned down in 1911, said the mayor.").segments
    assert all(1 <= len(segment.reasons) <= 3 for segment in segments)


def test_every_input_has_words_for_high_and_for_low() -> None:
    assert set(PHRASES) == {*input_names("text"), *input_names("html")}
    assert all(high != low for high, low in PHRASES.values())


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(encodings.__path__)))
def test_no_codec_of_python_makes_a_page_raise(name: str) -> None:
    for content in (b"<p>caf\xe9 +AGE- \xff\xfe\x80", b"<p>\\u0041", bytes(range(256))):
        assert isinstance(decode(content, name), str)
        assert isinstance(decode(f"<meta charset={name}>".encode() + content), str)
    assert decode(rb"<p>\u0041", name) != "<p>A"


def test_a_page_cut_off_in_a_character_keeps_its_encoding() -> None:
    page = "Грузовой порт ждёт весны: лёд сойдёт не раньше мая."
    for cut in range(40, 60):
        content = page.encode()[:cut]
        assert decode(content, "utf-8") == decode(content) == content.decode("utf-8", "replace")
    english = "It’s a café by the harbour".encode() + b"\xe2\x80"
    assert decode(english, "utf-8") == decode(english) == "It’s a café by the harbour\ufffd"
    latin = "Grüße aus Köln, wo es schöne Tage gibt".encode("latin-1")
    assert decode(latin, "utf-8") == latin.decode("latin-1"), "a wrong name is not believed"


def test_a_meta_element_cannot_name_an_encoding_it_is_not_written_in() -> None:
    page = "<meta charset=utf-16><p>The mill burned."
    assert decode(page.encode()) == page


def test_comments_before_the_markup_take_no_time_and_hide_nothing() -> None:
    assert sniff_kind("<!-- a --> " * 150 + "<i>x") == "text"
    assert sniff_kind("<!-- of two\nlines --> <!DOCTYPE html><p>x") == "html"


def test_decoding_prefers_marks_then_headers_then_meta_then_utf8() -> None:
    assert decode("\ufeffé".encode("utf-16")) == "\ufeffé" or decode("é".encode("utf-16")) == "é"
    assert decode("é".encode("latin-1"), "latin-1") == "é"
    assert decode(b'<meta charset="windows-1251">' + "Привет".encode("cp1251")).endswith("Привет")
    assert decode("Grüße".encode()) == "Grüße"
    assert decode("价格".encode("gb18030"), "gb2312") == "价格"
    assert decode(b"abc", "no-such-charset") == "abc"


def test_kind_is_seen_from_the_content() -> None:
    assert sniff_kind("\ufeff \n<!-- c --><!DOCTYPE html><p>x") == "html"
    assert sniff_kind("if a < b and c > d: print('<p>')") == "text"
    assert sniff_kind("<li>a</li>" * 6) == "html"


def test_import_is_light() -> None:
    code = "import sys, detector; print([m for m in ('sklearn', 'datasketch', 'scipy', 'joblib', 'numpy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
    code = "import sys; from detector import strip; strip('x'); print([m for m in ('sklearn', 'datasketch', 'scipy', 'joblib') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_a_doubtful_line_goes_with_the_list_below_it_in_its_own_page_only() -> None:
    labels = np.array([0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1], np.uint8)
    probabilities = np.full((len(labels), 3), 0.25, np.float32)
    probabilities[:, 0] = 0.45
    prose = np.zeros(len(labels), bool)
    prose[7] = True
    drop_list_headings(labels, probabilities, prose, Places.of(np.array([0, 4, 7, 11])))
    assert labels.tolist() == [1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1]


def test_a_doubtful_line_stays_with_the_prose_below_it_in_its_own_page_only() -> None:
    labels = np.array([1, 0, 0, 2, 0, 0, 1, 0, 1, 1, 0, 0, 1], np.uint8)
    probabilities = np.full((len(labels), 3), 0.32, np.float32)
    prose = np.zeros(len(labels), bool)
    prose[[1, 4, 7, 10, 11]] = True
    # What stays below a heading: prose and more; on the second page prose alone; a line without prose; a line too unlikely.
    bounds = np.array([0, 3, 6, 6, 8, 9, 13])
    probabilities[3, 0] = 0.29
    keep_headings(labels, probabilities, prose, Places.of(bounds))
    assert labels.tolist() == [0, 0, 0, 2, 0, 0, 1, 0, 1, 0, 0, 0, 1]
    for few in (0, 1, 2):
        keep_headings(labels[:few], probabilities[:few], prose[:few], Places.of(np.array([0, few])))
    assert labels.tolist() == [0, 0, 0, 2, 0, 0, 1, 0, 1, 0, 0, 0, 1]


def test_doubtful_subheadings_stay_between_what_stays() -> None:
    page = segment_html("<h2>a</h2><p>b</p><h3>c</h3><p>d</p><p>e</p><p>f</p><h2>g</h2><h1>h</h1><p>i</p><h4>j</h4>")
    other = segment_html("<p>k</p><h2>l</h2>")
    places = Places.of(np.array([0, 10, 12]))
    probabilities = np.full((12, 3), 0.4, np.float32)
    labels = np.array([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1], np.uint8)
    keep_subheadings(labels, probabilities, [page, other], places)
    # c alone: e is no heading, g and h have one another beside them, a, j and l stand at the edge of a page.
    assert labels.tolist() == [1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1]
    labels[2], probabilities[2, 0] = 1, 0.2
    keep_subheadings(labels, probabilities, [page, other], places)
    assert labels[2] == 1
    keep_subheadings(labels[:0], probabilities[:0], [segment_html("")], Places.of(np.array([0, 0])))


def test_a_page_with_prose_is_not_emptied() -> None:
    labels = np.array([1, 2, 1, 0, 1], np.uint8)
    probabilities = np.array([[0.3, 0.7, 0], [0.1, 0, 0.9], [0.2, 0.8, 0], [0.9, 0.1, 0], [0.4, 0.6, 0]], np.float32)
    rescue_prose(labels, probabilities, np.array([True, True, False, True, True]), np.array([0, 3, 3, 5]))
    assert labels.tolist() == [0, 2, 1, 0, 1]


def test_doubtful_prose_is_raised_towards_the_other_prose_in_its_kind_of_place() -> None:
    odds = np.array([3.0, -1.0, 1.0, 2.0, -4.0])
    content = 1 / (1 + np.exp(-odds))
    probabilities = np.stack((content, (1 - content) / 4, (1 - content) * 3 / 4), axis=1).astype(np.float32)
    before = probabilities.copy()
    raise_prose(probabilities, np.array([True, True, True, False, True]), np.array([7, 7, 7, 7, 2]))
    # The mean is 1: what is below goes half of the way; what is above, is no prose or has no like stays.
    raised = np.log(probabilities[:, 0] / (1 - probabilities[:, 0]))
    np.testing.assert_allclose(raised, [3.0, 0.0, 1.0, 2.0, -4.0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(probabilities[:, 2], 3 * probabilities[:, 1], rtol=1e-5)
    assert np.array_equal(probabilities[3:], before[3:])


@pytest.mark.parametrize("sure", [1.0, 1 - 6e-8, 0.0])
def test_raising_prose_lowers_none_and_stays_finite_where_all_is_sure(sure: float) -> None:
    for n in range(1, 41):
        content = np.full(n, sure, np.float32)
        content[-1] = round(sure)
        before = np.stack((content, 1 - content, np.zeros(n, np.float32)), axis=1)
        after = before.copy()
        raise_prose(after, np.ones(n, bool), np.zeros(n, np.int64))
        np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-6)
        assert (after >= 0).all()
        assert (after[:, 0] >= before[:, 0] - 1e-7).all()


def test_without_prose_nothing_is_raised() -> None:
    probabilities = np.full((3, 3), 1 / 3, np.float32)
    raise_prose(probabilities, np.zeros(3, bool), np.zeros(3, np.int64))
    assert (probabilities == np.float32(1 / 3)).all()
    raise_prose(np.empty((0, 3), np.float32), np.empty(0, bool), np.empty(0, np.int64))


def test_prose_is_raised_in_html_pages_alone_and_whatever_is_in_the_batch(sentence_model: Model) -> None:
    whole = "The ferry to the island left at noon, and the harbour was full of people."
    broken = "The ferry left at noon. The harbour was full of people of all kinds and"
    page = segment_html(f"<p>{whole}</p><p>{whole} {whole}</p><p>{broken}</p>")
    head = sentence_model.head("html")
    alone, prose = score(head, [page], "html")
    unraised = head.predict_proba(extract([page], "html"))
    assert prose.all()
    assert (alone[:, 0] > unraised[:, 0]).tolist() == [False, False, True]
    twice, _ = score(head, [page, segment_html("<p>Another page, which says something else.</p>"), page], "html")
    assert np.array_equal(twice[: len(page)], alone)
    assert np.array_equal(twice[-len(page) :], alone)
    text, head = segment_text(page.text), sentence_model.head("text")
    assert np.array_equal(score(head, [text], "text")[0], head.predict_proba(extract([text], "text")))
