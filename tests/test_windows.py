"""Long pages are looked at in pieces: the memory is bounded, and each piece is as if it were a page."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from detector import Detector
from detector.data import Kind, SegmentedPage
from detector.model import Model
from detector.segment import WINDOW, segment_html, segment_text, windows_of

SMALL = 3
HTML = "<main class=a>" + "".join(
    f"<section id=s{i}><p>One {i}.</p><div class='b c'><a href=x>Two {i}</a></div></section><p>Three {i}."
    for i in range(5)
)
TEXT = "\n\n".join(f"Line {i}." for i in range(11))


@pytest.fixture
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.segment.windows.WINDOW", SMALL)
    monkeypatch.setattr("detector.pipeline.WINDOW", SMALL)


def names_around(page: SegmentedPage, segment: int) -> list[tuple[str, str]]:
    """The elements around a segment, innermost first, found by parents and checked against the spans."""
    elements = page.elements
    assert elements is not None
    found, element = [], int(elements.innermost[segment])
    while element >= 0:
        assert elements.first[element] <= segment < elements.last[element]
        found.append(elements.names[elements.name_of[element]])
        element = int(elements.parents[element])
    return found


@pytest.mark.usefixtures("_small_windows")
@pytest.mark.parametrize(("page", "sizes"), [(segment_text(TEXT), [3, 3, 3, 2]), (segment_html(HTML), [3, 3, 3, 3, 3])])
def test_pieces_hold_every_segment_with_what_is_around_it(page: SegmentedPage, sizes: list[int]) -> None:
    pieces = windows_of(page)
    assert [len(piece) for piece in pieces] == sizes
    assert [text for piece in pieces for text in piece.segment_texts()] == page.segment_texts()
    if page.elements is None:
        return
    pairs = [(piece, place) for piece in pieces for place in range(len(piece))]
    for segment, (piece, place) in enumerate(pairs):
        assert piece.elements is not None
        assert names_around(piece, place) == names_around(page, segment)
        assert piece.elements.link_chars[place] == page.elements.link_chars[segment]
        assert piece.elements.links[place] == page.elements.links[segment]
        assert len(piece.elements.first) == len(piece.elements.parents) == len(piece.elements.name_of)
        assert sorted(set(piece.elements.name_of.tolist())) == list(range(len(piece.elements.names)))


def test_a_page_that_is_not_long_is_its_only_piece() -> None:
    page = segment_text("a\n" * WINDOW)
    assert windows_of(page) == [page]


@pytest.mark.usefixtures("_small_windows")
@pytest.mark.parametrize(("content", "kind"), [(TEXT, "text"), (HTML, "html")])
def test_pieces_are_labelled_as_pages_and_joined(sentence_model: Model, content: str, kind: Kind) -> None:
    detector = Detector(sentence_model)
    result = detector.classify(content, kind)
    segmented = segment_html(content) if kind == "html" else segment_text(content)
    assert np.array_equal(result.starts, segmented.starts)
    assert [segment.label for segment in result.segments] == [
        "content" if text.endswith(".") else "link_list" for text in segmented.segment_texts()
    ]
    assert {segment.reasons for segment in result.segments if segment.label == "content"} == {("ends like a sentence",)}
    first = detector.classify(windows_of(segment_text(TEXT))[0].text, "text")
    if kind == "text":
        assert np.array_equal(result.probabilities[:SMALL], first.probabilities)
        assert result.text == TEXT


def test_memory_does_not_grow_with_the_number_of_segments(sentence_model: Model) -> None:
    detector = Detector(sentence_model)
    peaks = []
    for count in (WINDOW, 4 * WINDOW):
        page = "a\n" * count
        detector.classify(page, "text")
        tracemalloc.start()
        detector.classify(page, "text")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_pieces_keep_the_problem() -> None:
    page = replace(segment_text("a\n" * (WINDOW + 1)), problem="looks like a binary file")
    assert {piece.problem for piece in windows_of(page)} == {"looks like a binary file"}
