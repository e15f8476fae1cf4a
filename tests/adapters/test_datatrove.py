"""The filter and the formatter, in datatrove's own executor over JSONL and WARC."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.recipe import DetectorRecipe

pytest.importorskip("datatrove")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers.jsonl import JsonlWriter

from detector.adapters.datatrove import DetectorFilter, DetectorFormatter


@pytest.fixture
def jsonl(pages: dict[str, str], tmp_path: Path) -> Path:
    """A folder with two files: five articles and a page of links in each."""
    folder = tmp_path / "input"
    folder.mkdir()
    for part in range(2):
        texts = [pages["text"]] * 5 + [pages["links"]]
        lines = [json.dumps({"text": text, "id": f"{part}-{i}"}) for i, text in enumerate(texts)]
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def warc(pages: dict[str, str], tmp_path: Path) -> Path:
    """A folder with one WARC file: an article and a page of links."""
    folder = tmp_path / "warc"
    folder.mkdir()
    with gzip.open(folder / "pages.warc.gz", "wb") as stream:
        for name in ("html", "links_html"):
            body = pages[name].encode()
            payload = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
            stream.write(
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:{name}>\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
                f"WARC-Target-URI: http://example.org/{name}\r\nWARC-Identified-Payload-Type: text/html\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(payload)}\r\n\r\n".encode()
                + payload
                + b"\r\n\r\n"
            )
    return folder


def read(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def write(folder: Path) -> JsonlWriter:
    return JsonlWriter(str(folder), compression=None)


def stats(logs: Path) -> dict[str, Any]:
    """Totals by name, of all steps."""
    steps = json.loads((logs / "stats.json").read_text(encoding="utf-8"))
    return {f"{step['name']} {name}": value for step in steps for name, value in step["stats"].items()}


def test_the_filter_drops_for_reasons_and_the_formatter_strips(
    jsonl: Path, pages: dict[str, str], recipe: DetectorRecipe, tmp_path: Path
) -> None:
    LocalPipelineExecutor(
        [
            JsonlReader(str(jsonl)),
            DetectorFilter(min_chars=1, recipe=recipe, exclusion_writer=write(tmp_path / "dropped"), batch_size=4),
            DetectorFormatter(recipe, batch_size=4),
            write(tmp_path / "kept"),
        ],
        tasks=2,
        workers=2,
        logging_dir=str(tmp_path / "logs"),
    ).run()
    kept, dropped = read(tmp_path / "kept"), read(tmp_path / "dropped")
    assert [document["text"] for document in kept] == [pages["kept"]] * 10
    assert [document["text"] for document in dropped] == [pages["links"]] * 2
    assert {document["metadata"]["filter_reason"] for document in dropped} == {"too_short"}
    assert all(0.3 < document["metadata"]["removed_ratio"] < 0.7 for document in kept)
    text = (tmp_path / "logs" / "stats.json").read_text(encoding="utf-8")
    assert "dropped_too_short" in text
    assert "removed_chars" in text


def test_warc_pages_are_filtered_and_stripped_in_one_step(
    warc: Path, pages: dict[str, str], recipe: DetectorRecipe, tmp_path: Path
) -> None:
    pytest.importorskip("magic", reason="datatrove's WARC reader needs python-magic and libmagic", exc_type=ImportError)
    LocalPipelineExecutor(
        [
            WarcReader(str(warc)),
            DetectorFilter(strip=True, recipe=recipe, exclusion_writer=write(tmp_path / "dropped")),
            write(tmp_path / "kept"),
        ],
        logging_dir=str(tmp_path / "logs"),
    ).run()
    assert [document["text"] for document in read(tmp_path / "kept")] == [pages["kept"]]
    assert [document["text"] for document in read(tmp_path / "dropped")] == [pages["links_html"]]


def test_one_document_and_many_are_judged_alike(recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    step = DetectorFilter(min_chars=1, recipe=recipe)
    documents = [Document(text, str(i)) for i, text in enumerate([pages["text"], pages["links"], ""])]
    expected = [True, (False, "too_short"), (False, "empty_page")]
    assert step.filter_batch(documents) == expected
    assert [step.filter(document) for document in documents] == expected
    assert documents[0].text == pages["text"]


def test_the_formatter_strips_one_text(recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    assert DetectorFormatter(recipe).format(pages["text"]) == pages["kept"]
