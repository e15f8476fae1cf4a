"""`detector run`: what comes out, what is named, and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from detector import Detector
from detector.corpus import readers
from detector.corpus.pool import Process, WorkerPool
from detector.corpus.records import Record, Trouble, Unit, UnitResult
from detector.errors import RunError
from detector.model import Model
from detector.storage import save_model

Run = Callable[..., Any]
TEXT = "Home | News\nThe mill burned down.\nNobody ever rebuilt it.\nImprint"
KEPT = "The mill burned down.\nNobody ever rebuilt it."
HTML = "<html><nav><a href=/>Home</a></nav><p>The <b>mill</b> burned down.</p></html>"
HTML_KEPT = "The mill burned down."


class InlinePool:
    """A pool without processes."""

    def __init__(self, make_process: Callable[[], Process], *_: object) -> None:
        self._process = make_process()

    def __enter__(self) -> InlinePool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, units: Iterator[Unit]) -> Iterator[tuple[Unit, UnitResult]]:
        for unit in units:
            yield unit, self._process(unit.records)


@pytest.fixture
def clean(run: Run, sentence_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`detector run` with the model made by hand and no worker processes."""
    monkeypatch.setattr("detector.corpus.run.WorkerPool", InlinePool)
    return lambda *arguments, stdin=b"": run("run", "--model", sentence_folder, *arguments, stdin=stdin)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three pages as JSONL, with fields of their own."""
    path = tmp_path / "in.jsonl"
    records = [
        {"id": 1, "text": TEXT, "deep": {"a": [1.5, None]}},
        {"html": HTML, "url": "http://x.example/"},
        {"text": KEPT},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def lines(content: bytes | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def shards(folder: Path) -> list[dict[str, Any]]:
    """The records of all shards, in order."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("part-*")):
        with path.open("rb") as raw:
            found += lines(readers.unpack(raw, readers.packing_of(path)).read())
    return found


def problems(folder: Path) -> list[tuple[int, str]]:
    return [(p["record"], p["problem"]) for p in lines((folder / "problems.jsonl").read_bytes())]


def test_every_field_stays_and_text_spans_and_ratio_come(clean: Run, corpus: Path, tmp_path: Path) -> None:
    result = clean(corpus, "-o", tmp_path / "out")
    assert (result.code, result.out) == (0, "")
    text, html, kept = shards(tmp_path / "out")
    assert (text["id"], text["deep"], text["text"]) == (1, {"a": [1.5, None]}, KEPT)
    assert [(TEXT[s:e], label) for s, e, label, _ in text["spans"]] == [
        ("Home | News", "link_list"), ("The mill burned down.", "content"),
        ("Nobody ever rebuilt it.", "content"), ("Imprint", "link_list"),
    ]  # fmt: skip
    assert text["removed_ratio"] == pytest.approx(18 / 62, abs=1e-4)
    assert all(0.5 < probability <= 1 for *_, probability in text["spans"])
    assert (html["html"], html["url"], html["text"]) == (HTML, "http://x.example/", HTML_KEPT)
    assert (kept["text"], kept["removed_ratio"]) == (KEPT, 0)


def test_annotate_changes_nothing_and_adds_spans(clean: Run, corpus: Path) -> None:
    before = lines(corpus.read_bytes())
    after = lines(clean(corpus, "--annotate").out)
    for old, new in zip(before, after, strict=True):
        assert {key: new[key] for key in old} == old
        source = new.get("source_text", old.get("text"))
        assert "Home" not in source or source[new["spans"][0][0] : new["spans"][0][1]].startswith("Home")
    assert [sorted(new.keys() - old.keys()) for old, new in zip(before, after, strict=True)] == [
        ["removed_ratio", "spans"], ["removed_ratio", "source_text", "spans"], ["removed_ratio", "spans"],
    ]  # fmt: skip


def test_the_original_is_kept_on_request(clean: Run, corpus: Path) -> None:
    text, html, _ = lines(clean(corpus, "--keep-original", "before").out)
    assert (text["before"], text["text"]) == (TEXT, KEPT)
    assert html["before"] == "Home\nThe mill burned down."


def test_the_probability_of_spam_is_added_on_request(clean: Run, corpus: Path, sentence_model: Model) -> None:
    records = [
        *map(json.loads, corpus.read_text(encoding="utf-8").splitlines()),
        {"text": "", "spam_probability": "own"},
    ]
    stdin = "".join(json.dumps(record) + "\n" for record in records).encode()
    *pages, empty = lines(clean("-", "--spam", stdin=stdin).out)
    expected = [Detector(sentence_model).classify(page).spam_probability or 0 for page in (TEXT, HTML, KEPT)]
    assert [page["spam_probability"] for page in pages] == [round(each, 4) for each in expected]
    assert (empty["spam_probability"], empty["input_spam_probability"]) == (None, "own")


def test_a_model_that_does_not_tell_spam_is_refused(
    clean: Run, corpus: Path, sentence_model: Model, tmp_path: Path
) -> None:
    heads = sentence_model.heads
    save_model(replace(sentence_model, heads={**heads, "text": replace(heads["text"], spam=None)}), tmp_path / "model")
    refused = clean(corpus, "--spam", "--model", tmp_path / "model")
    assert (refused.code, refused.out) == (2, "")
    assert "has not learnt to tell spam" in refused.err


def test_fields_of_the_input_with_the_names_of_new_ones_are_kept(clean: Run) -> None:
    record = {"html": HTML, "text": "own", "spans": 1, "input_spans": 2, "removed_ratio": 3}
    (out,) = lines(clean("-", stdin=json.dumps(record).encode()).out)
    assert (out["input_text"], out["input_input_spans"], out["input_spans"], out["input_removed_ratio"]) == (
        "own",
        1,
        2,
        3,
    )
    assert out["text"] == HTML_KEPT


def test_a_field_can_be_named(clean: Run) -> None:
    stdin = json.dumps({"body": TEXT, "text": "other"}).encode()
    (out,) = lines(clean("-", "--field", "body", stdin=stdin).out)
    assert (out["body"], out["text"], out["input_text"]) == (TEXT, KEPT, "other")


@pytest.mark.parametrize(
    ("suffix", "packed"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstandard.compress)]
)
def test_standard_input_to_standard_output(
    clean: Run, corpus: Path, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    result = clean("-", stdin=packed(corpus.read_bytes() + b"{bad\n"))
    assert [record["text"] for record in lines(result.out)] == [KEPT, HTML_KEPT, KEPT]
    assert result.code == 1
    assert result.err.startswith("<stdin>:4: corrupt record: not JSON")
    corpus.with_name(f"b.jsonl{suffix}").write_bytes(packed(corpus.read_bytes()))
    assert len(lines(clean(corpus.with_name(f"b.jsonl{suffix}")).out)) == 3


def test_a_page_and_an_archive_from_standard_input(clean: Run) -> None:
    assert lines(clean("-", stdin=HTML.encode()).out)[0]["text"] == HTML_KEPT
    block = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(TEXT)
    for packed in (bytes, gzip.compress):
        (out,) = lines(clean("-", stdin=packed(block + TEXT.encode() + b"\r\n\r\n")).out)
        assert (out["text"], out["warc"]["warc-type"]) == (KEPT, "conversion")


def test_parquet_and_folders_of_pages(clean: Run, tmp_path: Path) -> None:
    table = pa.table({"content": [TEXT], "blob": [b"\xff"], "id": [7]})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet")
    (tmp_path / "in" / "b.html").write_text(HTML, encoding="utf-8")
    row, page = lines(clean(tmp_path / "in").out)
    assert (row["text"], row["content"], row["blob"], row["id"]) == (KEPT, TEXT, "/w==", 7)
    assert (page["path"], page["text"]) == (str(tmp_path / "in" / "b.html"), HTML_KEPT)


def test_shards_of_parquet_hold_what_lines_hold(clean: Run, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"id": 1, "text": TEXT, "deep": {"a": [1.5, None]}, "mixed": 1, "share": 1, "large": 1 << 70, "half": "\ud800"},
        {"id": None, "text": KEPT, "mixed": "one", "share": 0.5, "ok": True, "empty": None},
    ]
    stdin = "\n".join(map(json.dumps, records)).encode()
    assert clean("-", "-o", tmp_path / "out", "--pack", "parquet", stdin=stdin).code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "checkpoint.json", "part-00000.parquet", "problems.jsonl", "statistics.json",
    ]  # fmt: skip
    table = pq.read_table(tmp_path / "out" / "part-00000.parquet")
    types = {name: str(table.schema.field(name).type) for name in ("id", "deep", "share", "ok", "empty")}
    assert types == {"id": "int64", "deep": "string", "share": "double", "ok": "bool", "empty": "string"}
    first, second = table.to_pylist()
    plain, _ = lines(clean("-", stdin=stdin).out)
    assert [tuple(span.values()) for span in first["spans"]] == [tuple(span) for span in plain["spans"]]
    assert (first["id"], first["text"], first["share"], first["half"]) == (1, KEPT, 1.0, "?")
    assert [json.loads(first[name]) for name in ("deep", "mixed", "large")] == [{"a": [1.5, None]}, 1, 1 << 70]
    assert (second["id"], json.loads(second["mixed"]), second["deep"], second["removed_ratio"]) == (
        None,
        "one",
        None,
        0,
    )


def test_a_field_that_turns_out_otherwise_late_in_a_shard(
    clean: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.corpus.tables._GROUP_BYTES", 1)
    stdin = b"".join(b'{"text": "A page.", "id": %s}\n' % value for value in (b"null", b"1", b"2.5", b'"x"', b"3"))
    assert clean("-", "-o", tmp_path / "out", "--pack", "parquet", stdin=stdin).code == 0
    rows = pq.read_table(tmp_path / "out" / "part-00000.parquet").to_pylist()
    assert [row["id"] for row in rows] == [None, "1", "2.5", '"x"', "3"]
    assert [row["text"] for row in rows] == ["A page."] * 5


LARGE = (1 << 60) + 1
"""No floating-point number."""


@pytest.mark.parametrize(
    ("values", "type_", "rows"),
    [
        ((LARGE, 0.5), "string", [str(LARGE), "0.5"]),
        ((LARGE, 1), "int64", [LARGE, 1]),
        ((LARGE, None), "int64", [LARGE, None]),
        ((1, LARGE, 0.5), "string", ["1", str(LARGE), "0.5"]),
        (((1 << 53), 0.5), "double", [float(1 << 53), 0.5]),
        ((-(1 << 63), 1 << 63), "string", [str(-(1 << 63)), str(1 << 63)]),
    ],
)
@pytest.mark.parametrize("group_bytes", [1, 8 << 20])
def test_whole_numbers_that_are_no_floating_point_numbers_are_kept(
    clean: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: tuple[Any, ...],
    type_: str,
    rows: list[Any],
    group_bytes: int,
) -> None:
    monkeypatch.setattr("detector.corpus.tables._GROUP_BYTES", group_bytes)
    stdin = b"".join(json.dumps({"text": "A page.", "id": value}).encode() + b"\n" for value in values)
    assert clean("-", "-o", tmp_path / "out", "--pack", "parquet", stdin=stdin).code == 0
    column = pq.read_table(tmp_path / "out" / "part-00000.parquet")["id"]
    assert (str(column.type), column.to_pylist()) == (type_, rows)


def test_names_of_fields_that_are_no_text_become_it_and_stay_different(clean: Run, tmp_path: Path) -> None:
    stdin = rb'{"text": "A page.", "a\ud800": 1, "a\ud801": 2, "a?": 3, "\ud800": {"\ud800": 4}, "\u00e4": 5}' + b"\n"
    assert clean("-", "-o", tmp_path / "out", "--pack", "parquet", stdin=stdin).code == 0
    (row,) = pq.read_table(tmp_path / "out" / "part-00000.parquet").to_pylist()
    assert {"a??": 1, "a???": 2, "a?": 3, "?": '{"?": 4}', "ä": 5}.items() <= row.items()


@pytest.mark.parametrize("packing", ["none", "parquet"])
def test_files_of_ones_own_in_the_output_folder_stay(clean: Run, tmp_path: Path, packing: str) -> None:
    out = tmp_path / "out"
    (out / "part-00001.jsonl.part").mkdir(parents=True)
    own = [
        out / name for name in ("part-notes.part", "part-1.jsonl.part", "part-00000.txt", "part-00000.jsonl.bak.part")
    ]
    for path in own:
        path.write_text("mine")
    assert clean("-", "-o", out, "--pack", packing, stdin=b'{"text": "A page."}\n').code == 0
    # As if it had been interrupted: what came from a pipe is begun anew.
    state = out / "checkpoint.json"
    state.write_text(state.read_text().replace('"finished": true', '"finished": false'))
    (out / "problems.jsonl").unlink()
    (out / "part-00003.jsonl.part").touch()
    assert clean("-", "-o", out, "--pack", packing, stdin=b'{"text": "A page."}\n').code == 0
    assert not (out / "part-00003.jsonl.part").exists()
    assert [path.read_text() for path in own] == ["mine"] * len(own)
    assert (out / "part-00001.jsonl.part").is_dir()


def test_a_table_has_so_many_columns_and_not_more(
    clean: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.corpus.tables._MOST_FIELDS", 3)
    ended = clean(corpus, "-o", tmp_path / "out", "--pack", "parquet")
    assert ended.code == 2
    assert "--pack" in ended.err


def test_what_was_taken_out_is_kept_for_audit(clean: Run, corpus: Path, tmp_path: Path) -> None:
    clean(corpus, "-o", tmp_path / "out", "--removed", tmp_path / "removed.jsonl.gz")
    first, second = lines(gzip.decompress((tmp_path / "removed.jsonl.gz").read_bytes()))
    assert (first["input"], first["record"]) == (str(corpus), 1)
    assert [segment["text"] for segment in first["removed"]] == ["Home | News", "Imprint"]
    assert second["url"] == "http://x.example/"


def test_statistics_as_table_and_json(clean: Run, corpus: Path, tmp_path: Path) -> None:
    with corpus.open("a") as stream:
        stream.write("{bad\n")
    result = clean(corpus, "-o", tmp_path / "out")
    told = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert (told["pages"], told["problems"]) == (3, {"corrupt record": 1})
    assert told["removed"] == {"link_list": len("Home | News" + "Imprint" + "Home")}
    rows = dict(line.rsplit(maxsplit=1) for line in result.err.splitlines())
    assert (rows["pages"], rows["problems"], rows["  corrupt record"]) == ("3", "1", "1")
    assert rows["removed"] == rows["  link_list"]
    again = clean(corpus, "-o", tmp_path / "out", "--json")
    assert json.loads(again.out) == told


def test_pages_that_cannot_be_read_are_named_and_the_run_goes_on(clean: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    rows: list[Any] = [
        b"{bad",
        b"[1]",
        b'{"n": 1}',
        b'{"text": 5}',
        b"\xff",
        b'{"text": ""}',
        b'{"text": "\\ud800 ok."}',
    ]
    path.write_bytes(b"\n".join([*rows, b'{"text": "' + b"x" * 2000 + b'"}', json.dumps({"text": KEPT}).encode()]))
    result = clean(path, "-o", tmp_path / "out", "--max-mb", "0.001")
    assert result.code == 1
    assert [record["text"] for record in shards(tmp_path / "out")] == ["", "\ud800 ok.", KEPT]
    assert problems(tmp_path / "out") == [
        (8, "too large"), (1, "corrupt record"), (2, "corrupt record"), (3, "corrupt record"),
        (4, "corrupt record"), (5, "corrupt record"), (6, "nothing to read"),
    ]  # fmt: skip


def test_a_page_that_raises_does_not_take_its_batch_along(
    clean: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from detector.pipeline import Detector

    real = Detector.classify_many

    def classify_many(self: Detector, pages: Any) -> Any:
        pages = list(pages)
        if any(page.url for page in pages):
            raise MemoryError("no room")
        return real(self, pages)

    monkeypatch.setattr(Detector, "classify_many", classify_many)
    clean(corpus, "-o", tmp_path / "out")
    assert [record["text"] for record in shards(tmp_path / "out")] == [KEPT, KEPT]
    assert problems(tmp_path / "out") == [(2, "failed")]


def test_shards_are_closed_by_size_and_hold_the_same_whatever_the_packing(
    clean: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "UNIT_RECORDS", 2)
    corpus.write_bytes(corpus.read_bytes() * 7)
    whole = lines(clean(corpus).out)
    for pack in ("zst", "gz", "none"):
        clean(corpus, "-o", tmp_path / pack, "--pack", pack, "--shard-mb", "0.0005")
        assert len(list((tmp_path / pack).glob("part-*"))) > 2
        assert shards(tmp_path / pack) == whole


def test_an_empty_input_gives_an_empty_run(clean: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    assert clean(tmp_path / "a.jsonl", "-o", tmp_path / "out").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "checkpoint.json", "problems.jsonl", "statistics.json",
    ]  # fmt: skip


def test_a_dry_run_estimates_and_writes_nothing(clean: Run, corpus: Path, tmp_path: Path) -> None:
    corpus.write_bytes(corpus.read_bytes() * 400)
    before = sorted(tmp_path.iterdir())
    result = clean(corpus, "-o", tmp_path / "out", "--dry-run", "--json", "--workers", 2)
    told = json.loads(result.out)
    assert result.code == 0
    assert sorted(tmp_path.iterdir()) == before
    assert (told["files"], told["input_bytes"], told["pages"]) == (1, corpus.stat().st_size, 1200)
    assert told["sampled_pages"] == 1200
    assert "pages, about" in clean(corpus, "--dry-run").out
    assert clean("-", "--dry-run").code == 2


def test_a_dry_run_weighs_each_file_by_what_was_read_of_it(clean: Run, tmp_path: Path) -> None:
    line = json.dumps({"text": KEPT}).encode() + b"\n"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "many.jsonl").write_bytes(line * 40_000)
    (tmp_path / "in" / "one.txt").write_text("A page. " * 60_000, encoding="utf-8")
    told = json.loads(clean(tmp_path / "in", "--dry-run", "--json").out)
    assert told["pages"] == pytest.approx(40_001, rel=0.02)


def test_progress_is_drawn_on_a_terminal_only(clean: Run, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def reconfigure(self, **_: str) -> None:
            pass

    monkeypatch.setattr(readers, "UNIT_RECORDS", 1)
    screen = Terminal()
    assert "\x1b" not in clean(corpus).err
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    clean(corpus)
    assert "3 pages" in screen.getvalue()
    assert "/s" in screen.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.jsonl"], "gone.jsonl: No such file or directory"),
        (["{corpus}", "-o", "out.jsonl"], "looks like a file"),
        (["{corpus}", "--json"], "use --statistics FILE"),
        (["{corpus}", "--keep-original", "text"], "cannot be kept as 'text'"),
        (["{corpus}", "--removed", "x.xz"], "written plain, as .gz or as .zst"),
        (["{corpus}", "-o", "{corpus}/out"], "cannot be written (Not a directory)"),
        (["{folder}", "-o", "{folder}/out"], "would be read as one"),
    ],
)
def test_wrong_use_is_refused_with_a_sentence(
    clean: Run, corpus: Path, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = clean(*[argument.format(corpus=corpus, folder=tmp_path) for argument in arguments])
    assert result.code == 2
    assert said in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


@pytest.mark.parametrize(
    ("name", "library"), [("a.warc", "fastwarc.warc"), ("a.parquet", "pyarrow.parquet"), ("a.jsonl.zst", "zstandard")]
)
def test_a_missing_library_is_named_with_the_line_that_installs_it(
    clean: Run, tmp_path: Path, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, library, None)
    result = clean(tmp_path / name)
    assert result.code == 2
    assert result.err.endswith("run: pip install 'link-farm-detector[run]'\n")


def test_shards_without_the_library_that_packs_them_can_be_had_otherwise(
    clean: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert "--pack gz" in clean(corpus, "-o", tmp_path / "out").err
    assert clean(corpus, "-o", tmp_path / "out", "--pack", "gz").code == 0


def test_a_folder_of_another_run_is_refused(clean: Run, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert clean(corpus, "-o", out).code == 0
    result = clean(corpus, "-o", out, "--annotate", "--threshold", "0.4")
    assert result.code == 2
    assert "annotate was False, now True; threshold was None, now 0.4" in result.err
    corpus.write_bytes(corpus.read_bytes() * 2)
    assert f"the files of input {corpus} have changed" in clean(corpus, "-o", out).err
    (out / "checkpoint.json").unlink()
    assert "is there already" in clean(corpus, "-o", out).err
    (out / "checkpoint.json").write_text("{")
    assert "cannot be read" in clean(corpus, "-o", out).err


@pytest.mark.parametrize("option", ["--removed", "--problems", "--statistics"])
def test_no_input_is_written_over(clean: Run, corpus: Path, tmp_path: Path, option: str) -> None:
    before = corpus.read_bytes()
    for output in (("-o", tmp_path / "out"), ()):
        refused = clean(corpus, *output, option, corpus)
        assert refused.code == 2
        assert f"the input {corpus} would be written over" in refused.err
    assert corpus.read_bytes() == before


def test_files_to_write_are_checked_before_the_work(clean: Run, corpus: Path, tmp_path: Path) -> None:
    out, both = tmp_path / "out", tmp_path / "x.jsonl"
    assert "is written by --removed already" in clean(corpus, "-o", out, "--removed", both, "--problems", both).err
    assert "no such folder" in clean(corpus, "-o", out, "--statistics", tmp_path / "gone" / "s.json").err
    for name in ("problems.jsonl", "part-00000.jsonl", "checkpoint.json"):
        assert "is written by the run already" in clean(corpus, "-o", out, "--removed", out / name).err
    part = tmp_path / "x.jsonl.part"
    part.write_bytes(corpus.read_bytes())
    assert "would be written over" in clean(part, "--from", "jsonl", "--removed", both).err
    assert not out.exists()
    assert clean(corpus, "-o", out, "--statistics", out / "s.json").code == 0


def test_what_json_cannot_say_again_is_a_problem(clean: Run, tmp_path: Path) -> None:
    deep = "[" * 300 + "]" * 300
    lines = [f'{{"text": "A page.", "deep": {deep}}}', '{"text": "A page.", "n": [1e400]}', '{"text": "A page."}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ended = clean(tmp_path / "a.jsonl", "-o", tmp_path / "out", "--pack", "parquet")
    assert ended.code == 1
    problems = (tmp_path / "out" / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["record"] for line in problems] == [1, 2]


def test_a_finished_run_is_left_as_it_is(clean: Run, corpus: Path, tmp_path: Path) -> None:
    clean(corpus, "-o", tmp_path / "out")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()}
    assert clean(corpus, "-o", tmp_path / "out", "--workers", 3).code == 0
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "out").iterdir()} == before


def test_two_runs_do_not_write_to_one_folder(clean: Run, corpus: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "out").mkdir()
    descriptor = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert "another run is writing" in clean(corpus, "-o", tmp_path / "out").err
    os.close(descriptor)
    assert clean(corpus, "-o", tmp_path / "out").code == 0


def test_a_full_disk_ends_the_run_with_a_sentence_and_it_goes_on_later(
    clean: Run, corpus: Path, sentence_folder: Path, tmp_path: Path
) -> None:
    corpus.write_bytes(corpus.read_bytes() * 400)
    out = tmp_path / "out"
    command = ["run", corpus, "-o", out, "--pack", "none", "--model", sentence_folder]
    limit = 100_000
    ended = subprocess.run(
        [sys.executable, "-c", "from detector.cli import main; main()", *map(str, command)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "cannot be written (File too large)" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(out.glob("part-*.jsonl"))
    assert clean(*command[1:4], "--pack", "none").code == 0
    assert len(shards(out)) == 1_200


HELPERS = """
import os, time
from detector.corpus.records import Statistics, UnitResult

def make():
    def process(records):
        for record in records:
            if record.content == b"die":
                os.kill(os.getpid(), 9)
            if record.content == b"sleep":
                time.sleep(60)
            if record.content.startswith(b"once") and not os.path.exists(record.content[5:]):
                open(record.content[5:], "w").close()
                os.kill(os.getpid(), 9)
        return UnitResult(b"".join(record.content + b" " for record in records), statistics=Statistics(len(records)))
    return process

def never():
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that workers can import too."""
    (tmp_path / "run_helpers.py").write_text(HELPERS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "run_helpers", raising=False)
    import run_helpers  # type: ignore[import-not-found]

    return run_helpers


def pooled(pool: WorkerPool, *units: list[bytes]) -> tuple[list[bytes], list[tuple[int, Trouble]]]:
    """What comes of units with these records: outputs, and problems by number of the record."""
    source = [
        Unit(number, [Record("f", place, "page", content) for place, content in enumerate(unit)])
        for number, unit in enumerate(units)
    ]
    with pool:
        results = [result for _, result in pool.map(iter(source))]
    return [r.output for r in results], [(p.record, p.trouble) for r in results for p in r.problems]


def test_a_page_that_kills_its_worker_or_takes_too_long_is_found_and_named(helpers: Any) -> None:
    said: list[str] = []
    units = [b"a", b"b"], [b"c", b"die", b"d"], [b"sleep", b"e"], [b"f"]
    outputs, named = pooled(WorkerPool(helpers.make, 2, 0.5, said.append), *units)
    assert outputs == [b"a b ", b"c d ", b"e ", b"f "]
    assert named == [(1, Trouble.WORKER_DIED), (0, Trouble.TOO_SLOW)]
    assert "a worker ended by SIGKILL: the system does this when memory runs out; its 3 records" in said[0]


def test_a_worker_killed_from_outside_loses_nothing(helpers: Any, tmp_path: Path) -> None:
    once = f"once {tmp_path / 'mark'}".encode()
    outputs, named = pooled(WorkerPool(helpers.make, 1, 60), [b"a", once, b"b"], [b"c"])
    assert (outputs, named) == ([b"a " + once + b" b ", b"c "], [])


def test_workers_that_cannot_live_end_the_run(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.corpus.pool._MOST_DEATHS", 2)
    with pytest.raises(RunError, match=r"end again and again, the last by SIGKILL.* fewer --workers or more memory"):
        pooled(WorkerPool(helpers.never, 1, 60), [b"a"])


def test_a_model_that_cannot_be_used_is_said_by_the_run(run: Run, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    result = run("run", corpus, "--model", tmp_path / "model")
    assert result.code == 2
    assert "name a folder made by 'detector train'" in result.err


def test_a_finished_run_over_standard_input_is_begun_anew(clean: Run, tmp_path: Path) -> None:
    out, removed = tmp_path / "out", tmp_path / "removed.jsonl"
    for text in (TEXT, KEPT):
        stdin = json.dumps({"text": text}).encode()
        assert clean("-", "-o", out, "--removed", removed, stdin=stdin).code == 0
        assert [page["spans"][0][:2] for page in shards(out)] == [[0, text.index("\n")]]
    assert removed.read_bytes() == b""


def test_a_finished_run_says_so_and_misses_its_files(clean: Run, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert clean(corpus, "-o", out).code == 0
    again = clean(corpus, "-o", out)
    assert (again.code, "was finished before; there is nothing left to do" in again.err) == (0, True)
    (out / "part-00000.jsonl.zst").unlink()
    refused = clean(corpus, "-o", out)
    assert refused.code == 2
    assert f"{out / 'part-00000.jsonl.zst'} is gone, though the run was finished" in refused.err


def test_what_an_earlier_run_says_of_itself_is_no_part_of_its_output(clean: Run, corpus: Path, tmp_path: Path) -> None:
    assert clean(corpus, "-o", tmp_path / "first").code == 0
    assert clean(tmp_path / "first", "-o", tmp_path / "second").code == 0
    assert len(shards(tmp_path / "second")) == 3


def test_a_packed_page_is_unpacked_whatever_its_name(clean: Run, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(gzip.compress(HTML.encode()))
    (tmp_path / "pages").write_bytes(gzip.compress(json.dumps({"text": KEPT}).encode()))
    html, text = lines(clean(tmp_path / "page.html", tmp_path / "pages").out)
    assert (html["text"], text["text"]) == (HTML_KEPT, KEPT)


def test_what_is_no_text_is_left_out_and_named(clean: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) * 9)
    result = clean(tmp_path / "a.txt", "-o", tmp_path / "out")
    assert (result.code, shards(tmp_path / "out")) == (1, [])
    assert problems(tmp_path / "out") == [(1, "unreadable")]


def test_an_empty_field_gives_way_to_the_next(clean: Run) -> None:
    records = [{"html": "", "text": KEPT}, {"html": " ", "text": ""}, {"text": HTML + "</p></nav></a></b>" * 2}]
    first, empty, markup = lines(clean("-", stdin="\n".join(map(json.dumps, records)).encode()).out)
    assert (first["text"], first["html"]) == (KEPT, "")
    assert empty["text"] == ""
    assert markup["text"] == HTML_KEPT, "a text that is markup is read as such"


def test_patterns_are_expanded_and_tables_refused(clean: Run, corpus: Path, tmp_path: Path) -> None:
    assert len(lines(clean(tmp_path / "*.jsonl").out)) == 3
    missing = clean(tmp_path / "*.none")
    assert (missing.code, "*.none" in missing.err) == (2, True)
    (tmp_path / "table.csv").write_text("url,text\n1,2\n", encoding="utf-8")
    refused = clean(tmp_path / "table.csv")
    assert (refused.code, "is a table" in refused.err) == (2, True)
    assert len(lines(clean(tmp_path / "table.csv", "--from", "page").out)) == 1
