"""What goes into the file of a review, without a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.data import Page
from detector.model import Model
from detector.pipeline import Detector
from detector.review import most_teaching, most_teaching_first, render, review_page
from detector.review.layout import DEEPEST, Block, blocks_of
from detector.review.teaching import page_value, teaching_values
from detector.segment import segment_html, segment_text
from training.labelling import label_page
from training.samples import parse_record

Run = Callable[..., Any]
TEXT = "Home | News\nThe mill burned down.\n\n  Nobody ever rebuilt it.\nImprint\n"
HTML = "<html><h1>The mill.</h1><ul><li><a href=/>Home</a></li></ul><p>It <b>burned</b> down.</p></html>"


class Document(HTMLParser):
    """The elements of a rendered review, and what stands in each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.raw.append("")

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}", {}))
        self.raw.append("")

    def handle_data(self, data: str) -> None:
        if self.raw:
            self.raw[-1] += data

    def raw_of(self, tag: str, **wanted: str) -> list[str]:
        found = zip(self.elements, self.raw, strict=True)
        return [text for (name, has), text in found if name == tag and wanted.items() <= has.items()]


def document(model: Model, *pages: Page) -> Document:
    detector = Detector(model)
    return Document(render(review_page(f"page {i}", page, detector.classify(page)) for i, page in enumerate(pages)))


def bodies(found: Document) -> list[dict[str, Any]]:
    return [json.loads(text) for text in found.raw_of("script", type="application/json")[1:]]


def test_the_file_holds_each_page_as_it_was_labelled(sentence_model: Model) -> None:
    found = document(sentence_model, Page(TEXT, url="https://mills.example/"), Page(HTML.encode("utf-16")))
    index = json.loads(found.raw_of("script", id="index")[0])
    assert index["labels"] == ["content", "link_list", "boilerplate"]
    assert [(page["name"], page["url"], page["kind"]) for page in index["pages"]] == [
        ("page 0", "https://mills.example/", "text"),
        ("page 1", None, "html"),
    ]
    assert [page["title"] for page in index["pages"]] == ["The mill burned down.", "The mill."]
    text, html = bodies(found)
    assert text["lines"] == ["Home | News", "The mill burned down.", "  Nobody ever rebuilt it.", "Imprint"]
    assert text["labels"] == [1, 0, 0, 1]
    assert (text["html"], html["html"]) == (None, HTML)
    assert [sum(row) for row in text["percents"]] == pytest.approx([100] * 4, abs=2)
    assert index["pages"][0]["counts"] == [2, 2, 0]
    assert all(text["phrases"][reason] for reasons in text["reasons"] for reason in reasons)


def test_the_policy_names_the_script_and_the_style_and_nothing_else(sentence_model: Model) -> None:
    found = document(sentence_model, Page(TEXT))
    (policy,) = [has["content"] or "" for tag, has in found.elements if has.get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for name, raw in (("script-src", found.raw_of("script", type="module")), ("style-src", found.raw_of("style"))):
        (source,) = raw
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert not [has for _, has in found.elements if {"src", "style", "onclick", "onload"} & has.keys()]
    assert not [has for tag, has in found.elements if tag in ("link", "img", "iframe", "base")]


def test_the_scripts_never_turn_text_into_markup(sentence_model: Model) -> None:
    (script,) = document(sentence_model, Page(TEXT)).raw_of("script", type="module")
    sinks = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|setAttribute\(.(?:on|style|href|src)"
    assert not re.search(sinks, script)
    assert "</" not in script


@given(st.text(alphabet=st.sampled_from("</script!-->&\u2028\u2029\0\r\ud800 a\"'$")))
def test_no_text_leaves_its_json(sentence_model: Model, text: str) -> None:
    page = Page("The mill. " + text, "text", url=text)
    rendered = render([review_page(text, page, Detector(sentence_model).classify(page))])
    rendered.encode()
    found = Document(rendered)
    index = json.loads(found.raw_of("script", id="index")[0])
    assert (index["pages"][0]["name"], index["pages"][0]["url"]) == (text, text)
    assert bodies(found)[0]["lines"] == segment_text(str(page.content)).segment_texts()
    assert len(found.raw_of("script")) == 3


def test_a_page_named_twice_is_shown_once(sentence_model: Model) -> None:
    assert len(bodies(document(sentence_model, Page(TEXT), Page(HTML), Page(TEXT)))) == 2


@pytest.mark.parametrize(
    ("html", "is_read"),
    [
        (f"<a href='{'y' * 30000}'>l</a>" + "<div><a href=x><x-b>first words<a href=y>second words</div><p>text</p>" * 400, True),
        ("<p>a" * 100_001, False),
    ],
)  # fmt: skip
def test_pages_that_are_read_with_other_names_or_refused_are_shown(
    sentence_model: Model, html: str, is_read: bool
) -> None:
    page = Page(html, "html")
    result = Detector(sentence_model).classify(page)
    shown = review_page("page", page, result)
    assert len(shown.body["lines"]) == len(result)
    assert (len(result) > 0) == is_read


def test_what_teaches_most_is_uncertain_or_at_odds_with_its_neighbours() -> None:
    content, links, torn = [0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.5, 0.5, 0]
    values = teaching_values(np.array([content, links, content, content, links, links, torn], np.float32))
    assert values.argsort()[::-1][:2].tolist() == [6, 1]
    assert values[1] > 0.9  # alone among content
    assert values[4] < 0.2  # where a list begins
    assert teaching_values(np.empty((0, 3), np.float32)).tolist() == []
    assert page_value(np.array([0.9] * 9)) > page_value(np.array([0.9] * 4)) > page_value(np.array([0.1] * 50))


def test_the_pages_that_teach_most_come_first(sentence_model: Model) -> None:
    detector = Detector(sentence_model)
    pages = [review_page(text, Page(text), detector.classify(text)) for text in ("One.", TEXT, "Two.\nThree.")]
    ordered = most_teaching_first(pages)
    assert [page.value for page in ordered] == sorted((page.value for page in pages), reverse=True)
    assert {page.digest for page in ordered} == {page.digest for page in pages}


def test_html_is_laid_out_as_its_elements_are() -> None:
    page = segment_html(
        "<h2>Rules</h2><ol><li>Boats<ul><li>small</ul><li><a href=/>Rafts</a></ol>"
        "<blockquote><p>No.</p></blockquote><pre>a\nb</pre>text<table><tr><td>1<td>2</table>" + "<ul><li>" * 20 + "deep"
    )
    assert dict(zip(page.segment_texts(), blocks_of(page), strict=True)) == {
        "Rules": Block("h2"),
        "Boats": Block("li", 1, "1."),
        "small": Block("li", 2, "•"),
        "Rafts": Block("li", 1, "2.", linked=True),
        "No.": Block("p", 1),
        "a\nb": Block("pre"),
        "text": Block("p"),
        "1 2": Block("tr"),
        "deep": Block("li", DEEPEST, "•"),
    }


def test_plain_text_is_laid_out_by_its_lines() -> None:
    tags = [block.tag for block in blocks_of(segment_text("Home\nIt burned down.\n" + "x" * 200))]
    assert tags == ["line", "p", "p"]


def test_records_as_a_review_saves_them_are_samples() -> None:
    lines = segment_html(HTML).segment_texts()
    record = {"id": "a", "html": HTML, "lines": lines, "labels": ["content", "link_list", "boilerplate"]}
    labelled = label_page(parse_record(record, "x:1", "samples"))
    assert (labelled.sample.kind, labelled.sample.content) == ("html", HTML)
    assert labelled.labels.tolist() == [0, 1, 2]


def test_the_command_writes_a_file_and_names_what_it_could_not_read(
    run: Run, sentence_folder: Path, tmp_path: Path
) -> None:
    for name, content in (("a.txt", TEXT), ("b.html", HTML), ("c.txt", TEXT)):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(content, encoding="utf-8")
    out = tmp_path / "review.html"
    result = run("review", tmp_path / "in", "gone.txt", "-o", out, "--model", sentence_folder)
    assert (result.code, result.out) == (1, "")
    assert f"{tmp_path / 'in' / 'c.txt'}: the same page as {tmp_path / 'in' / 'a.txt'}; left out\n" in result.err
    assert "gone.txt: No such file" in result.err
    assert f"wrote {out}: 2 pages, 7 segments" in result.err
    assert len(bodies(Document(out.read_text(encoding="utf-8")))) == 2


def test_the_command_refuses_to_write_over_a_page_or_nothing_at_all(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(HTML, encoding="utf-8")
    result = run("review", tmp_path, "-o", page)
    assert (result.code, page.read_text(encoding="utf-8")) == (2, HTML)
    assert "would be written over" in result.err
    (tmp_path / "crawl.jsonl").write_text('{"text": "A page."}\n', encoding="utf-8")
    assert run("review", tmp_path / "*.jsonl", "-o", tmp_path / "crawl.jsonl").code == 2
    assert (tmp_path / "crawl.jsonl").read_text(encoding="utf-8").startswith("{")
    assert run("review", page, "-o", tmp_path / "no" / "folder.html").code == 2
    assert run("review", tmp_path / "gone", "-o", tmp_path / "out.html").code == 2
    assert not (tmp_path / "out.html").exists()


def test_classify_pictures_pages_in_the_order_given(run: Run, sentence_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Sure.\nOf all.\n", encoding="utf-8")
    result = run(
        "classify", tmp_path / "a.txt", "-", "--format", "html", "--model", sentence_folder, stdin=TEXT.encode()
    )
    assert (result.code, result.err) == (0, "")
    index = json.loads(Document(result.out).raw_of("script", id="index")[0])
    assert [page["name"] for page in index["pages"]] == [str(tmp_path / "a.txt"), "<stdin>"]


def test_files_of_many_pages_are_reviewed_by_what_would_teach_most(
    run: Run, sentence_folder: Path, tmp_path: Path
) -> None:
    records = [{"url": f"https://a.example/{i}", "text": f"The mill burned down {i}."} for i in range(5)]
    content = "".join(json.dumps(record) + "\n" for record in [*records, records[0]]) + "[]\n"
    (tmp_path / "crawl.jsonl.gz").write_bytes(gzip.compress(content.encode()))
    out = tmp_path / "review.html"
    ended = run("review", tmp_path / "crawl.jsonl.gz", "--model", sentence_folder, "--most", "2", "-o", out)
    assert ended.code == 1
    assert f"{tmp_path / 'crawl.jsonl.gz'}:6: the same page as {tmp_path / 'crawl.jsonl.gz'}:1; left out" in ended.err
    assert f"{tmp_path / 'crawl.jsonl.gz'}:7: not a JSON object" in ended.err
    assert f"wrote {out}: 2 pages of 5, those that would teach most" in ended.err
    (index,) = Document(out.read_text(encoding="utf-8")).raw_of("script", id="index")
    assert [page["url"] for page in json.loads(index)["pages"]] == ["https://a.example/0", "https://a.example/1"]


def test_the_pages_that_would_teach_most_are_chosen_in_their_order() -> None:
    sure, torn = np.array([[0.98, 0.01, 0.01]], np.float32), np.array([[0.5, 0.4, 0.1]], np.float32)
    results = [
        (name, SimpleNamespace(probabilities=rows)) for name, rows in zip("abcd", (sure, torn, sure, torn), strict=True)
    ]
    assert [name for name, _ in most_teaching(results, 2)] == ["b", "d"]  # type: ignore[arg-type]
    assert [name for name, _ in most_teaching(results, 3)] == ["a", "b", "d"]  # type: ignore[arg-type]
    assert [name for name, _ in most_teaching(results, 9)] == list("abcd")  # type: ignore[arg-type]
