"""Inputs made to fill the memory, and names made to lead out of the output folder."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.corpus import parquet
from detector.corpus.inputs import walk
from detector.corpus.readers import read_units
from detector.corpus.records import Position, Problem, Record
from detector.corpus.thrift import read_struct
from detector.files import write_whole
from detector.limits import MAX_BYTES
from training.jsonl import read_records

Run = Callable[..., Any]
LINE = 1 << 27
"""Bytes of an endless line; one of 1 << 30 takes as little memory, and eight times as long."""
SENTENCE = "The mill burned down."


def read(path: Path, max_bytes: int = 1000) -> tuple[list[Record], list[Problem]]:
    """Everything in a file, and what is wrong with it."""
    units = list(read_units(walk(str(path)), Position(), max_bytes))
    return [r for unit in units for r in unit.records], [p for unit in units for p in unit.problems]


@pytest.fixture
def megabytes() -> Iterator[Callable[[], float]]:
    """A function that says the peak of Python's memory since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()


def test_an_endless_line_is_passed_over_without_being_held(tmp_path: Path, megabytes: Callable[[], float]) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"text": "first"}\n')
        # A hole: it reads as zeros and takes no room on the disk.
        stream.truncate(LINE)
        stream.seek(LINE)
        stream.write(b'\n{"text": "last"}\n')
    records, problems = read(path)
    assert [json.loads(record.content)["text"] for record in records] == ["first", "last"]
    assert [(problem.record, problem.trouble) for problem in problems] == [(2, "too large")]
    assert megabytes() < 10


def xz_of_four_gigabytes(content: bytes) -> bytes:
    """A small .xz file whose header claims a dictionary of four gigabytes."""
    packed = bytearray(lzma.compress(content))
    size = 4 * (packed[12] + 1)
    at = packed.index(b"\x21\x01", 12, 12 + size) + 2
    packed[at] = 40
    packed[8 + size : 12 + size] = struct.pack("<I", zlib.crc32(bytes(packed[12 : 8 + size])))
    return bytes(packed)


def test_an_xz_file_that_asks_for_all_memory_is_read_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(xz_of_four_gigabytes(b'{"text": "x"}\n'))
    # Some systems promise the memory and never give it, and some refuse at once.
    records, problems = read(path)
    assert len(records) + len(problems) == 1

    def refuse(*_: Any) -> bytes:
        raise MemoryError

    monkeypatch.setattr(lzma.LZMAFile, "readline", refuse)
    assert [problem.trouble for problem in read(path)[1]] == ["unreadable"]
    with pytest.raises(Exception, match=r"a\.jsonl\.xz"):
        list(read_records(path))


def test_a_parquet_file_of_kilobytes_that_holds_gigabytes_is_read_in_small_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, rows = 1_000_000, 4000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * value]))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": column}), path, compression="zstd", dictionary_pagesize_limit=LINE)
    assert path.stat().st_size < 10_000
    taken: list[int] = []
    iter_batches = pq.ParquetFile.iter_batches

    def watched(self: Any, batch_size: int, **named: Any) -> Any:
        taken.append(batch_size)
        return iter_batches(self, batch_size, **named)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    monkeypatch.setattr(parquet, "_MOST_BATCH_BYTES", 3 * value)
    with path.open("rb") as stream:
        found = next(iter(parquet.read_parquet(stream, "a", 0))).found
    assert isinstance(found, Record)
    assert len(found.fields["text"]) == value
    assert taken == [2]


def rows_of(path: Path) -> list[dict[str, Any] | tuple[int, str]]:
    """The fields of each row, and the record and the kind of each problem."""
    with path.open("rb") as stream:
        found = [item.found for item in parquet.read_parquet(stream, "a", 0)]
    return [one.fields if isinstance(one, Record) else (one.record, one.trouble) for one in found]  # type: ignore[union-attr]


def varint(number: int, size: int = 0) -> bytes:
    """A number as Thrift writes it, as long as asked for."""
    digits = bytearray()
    while number or len(digits) < max(size, 1):
        digits.append(number & 127 | 128)
        number >>= 7
    digits[-1] &= 127
    return bytes(digits)


def with_footer(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A Parquet file with its footer changed."""
    size = int.from_bytes(content[-8:-4], "little")
    footer = change(content[-8 - size : -8])
    return content[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


@pytest.mark.parametrize("lies", [False, True])
def test_a_parquet_row_with_an_endless_list_is_named_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    path, values = tmp_path / "a.parquet", 1_000_000
    endless = pa.ListArray.from_arrays(pa.array([0, values], pa.int32()), pa.array(np.zeros(values, np.int64)))
    with pq.ParquetWriter(path, pa.schema([("text", pa.string()), ("list", pa.list_(pa.int64()))])) as writer:
        writer.write_table(pa.table({"text": ["x"], "list": endless}))
        writer.write_table(pa.table({"text": ["y"], "list": [[1]]}))
    assert path.stat().st_size < 3_000
    if lies:  # the footer says that it is one value
        told, instead = varint(2 * values), varint(2, len(varint(2 * values)))
        path.write_bytes(with_footer(path.read_bytes(), lambda footer: footer.replace(told, instead)))
        assert pq.read_metadata(path).row_group(0).column(1).num_values == 1
    monkeypatch.setattr(parquet, "_MOST_LIST_BYTES", 10 * values)
    assert rows_of(path) == [(1, "too large"), {"text": "y", "list": [1]}]


def test_a_parquet_row_that_would_fill_the_memory_as_objects_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, long = tmp_path / "a.parquet", "x" * 100_000
    lists: list[Any] = [[long] * 1000, ["short"], None, [long] * 2]
    kinds = {"text": pa.string(), "list": pa.list_(pa.string()), "map": pa.map_(pa.string(), pa.list_(pa.string()))}
    rows = [{"text": "y", "list": value, "map": [("k", value)]} for value in lists]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(kinds)), path)
    assert path.stat().st_size < 200_000
    monkeypatch.setattr(parquet, "_MOST_BATCH_BYTES", 1_000_000)
    assert rows_of(path) == [(1, "too large"), *rows[1:]]


def test_a_parquet_row_with_a_value_that_python_has_not_is_named_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    days = pa.array([[1], [2_000_000_000], [3]], pa.list_(pa.int32())).cast(pa.list_(pa.date32()))
    texts = pa.array([b"x", b"y", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": texts, "days": days}), path)
    first, second, third = rows_of(path)
    assert isinstance(first, dict)
    assert first["text"] == "x"
    assert (second, third) == ((2, "corrupt record"), (3, "corrupt record"))


def test_parquet_pages_that_would_fill_the_memory_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x" * 1_000_000]}), path, compression="zstd")
    monkeypatch.setattr(parquet, "_MOST_PAGE_BYTES", 999_999)
    assert rows_of(path) == [(1, "too large")]


def test_a_parquet_schema_that_is_too_deep_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    inner = pa.struct([("q7", pa.struct([("q7", pa.int8())]))])
    rows = pa.Table.from_arrays([pa.nulls(1, inner)], names=["q7"])
    pq.write_table(rows, path, store_schema=False, write_statistics=False)
    group = b"\x35\x02\x18\x02q7\x15\x02\x00"  # an optional struct `q7` with one child

    def deepen(footer: bytes) -> bytes:
        size, begin = footer.index(b"\x19") + 1, footer.index(group)
        elements = b"\xfc" + varint((footer[size] >> 4) + 200_000)
        return footer[:size] + elements + footer[size + 1 : begin] + group * 200_000 + footer[begin:]

    path.write_bytes(with_footer(path.read_bytes(), deepen))
    records, problems = read(path)
    assert not records
    assert [problem.trouble for problem in problems] == ["unreadable"]
    assert "deep" in problems[0].detail


def test_damaged_page_headers_of_parquet_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x"], "list": [[1, 2]]}), path)
    content = path.read_bytes()
    for at in range(4, 30):
        path.write_bytes(content[:at] + b"\xff" + content[at + 1 :])
        found = rows_of(path)
        assert len(found) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_thrift_struct_or_damaged(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        found = read_struct(io.BytesIO(content), {1: None, 2: [{5: None}]})
        assert found.keys() <= {1, 2}


def test_thrift_fields_are_found_among_others() -> None:
    struct = (
        b"\x11" b"\x14\x01" b"\x17" + b"\0" * 8 + b"\x18\x02ab" b"\x19\x22\x01\x02" b"\x1b\x01\x88\x01a\x01b"
        b"\x1c\x15\x07\x00" b"\x15\x09" b"\x19\x2c\x15\x02\x00\x15\x04\x00" b"\x05\x28\x0b" b"\x00"
    )  # fmt: skip
    found = read_struct(io.BytesIO(struct), {8: None, 9: [{1: None}], 20: None})
    assert found == {8: -5, 9: [{1: 1}, {1: 2}], 20: -6}


def test_pages_are_read_no_further_than_the_limit(run: Run, tmp_path: Path, sentence_folder: Path) -> None:
    with (tmp_path / "large.txt").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    result = run("strip", tmp_path / "large.txt", "/dev/zero", "--model", sentence_folder)
    assert result.code == 1
    assert result.err == "".join(
        f"{name}: too large: 32,000,001 bytes, at most 32,000,000 are read\n"
        for name in (tmp_path / "large.txt", "/dev/zero")
    )


NAMES = (
    "...a.txt", "..\\..\\up.txt", "C:up.txt", "-rf.txt", "a\nb.txt", "\x1b[2J.txt", "$(touch pwned).txt", "a;touch pwned;.txt",
    "\u202etxt.html", " .txt", "~.txt", "%2e%2e%2fup.html", "con.txt", "\udcff.txt", "x" * 240 + ".txt", "..a.html",
)  # fmt: skip


def test_names_of_inputs_never_lead_out_of_the_output_folder(run: Run, tmp_path: Path, sentence_folder: Path) -> None:
    inputs, out = tmp_path / "in" / "deep", tmp_path / "out" / "deep"
    inputs.mkdir(parents=True)
    for name in NAMES:
        (inputs / name).write_text(SENTENCE, encoding="utf-8")
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "out")}
    result = run("strip", inputs, inputs / ".." / "deep" / "..a.html", "-o", out, "--model", sentence_folder)
    written = [path for path in (tmp_path / "out").rglob("*") if path != out]
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "out")} == before
    assert {path.parent for path in written} == {out}
    assert {path.read_text(encoding="utf-8") for path in written} == {f"{SENTENCE}\n"}
    assert len(written) + result.err.count("\n") == len(NAMES) + 1, "each is written or named"
    assert "\x1b" not in result.err


def test_links_in_the_output_folder_are_not_written_through(run: Run, tmp_path: Path, sentence_folder: Path) -> None:
    victim, page, out = tmp_path / "victim", tmp_path / "a.txt", tmp_path / "out"
    victim.write_text("precious")
    page.write_text(SENTENCE)
    out.mkdir()
    (out / "a.txt").symlink_to(victim)
    assert run("strip", page, "-o", out, "--model", sentence_folder).code == 0
    assert victim.read_text() == "precious"
    assert (out / "a.txt").read_text() == f"{SENTENCE}\n"
    (out / "b").symlink_to(victim)
    write_whole(out / "b", b"new")
    assert victim.read_text() == "precious"


def test_urls_name_no_files(run: Run, tmp_path: Path, sentence_folder: Path) -> None:
    urls = ["file:///etc/passwd", "https://x.example/../../../up", "../up", "\x00", "x" * 5000]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"url": url, "text": SENTENCE, "path": url}) + "\n" for url in urls))
    assert run("run", path, "-o", tmp_path / "out", "--pack", "none", "--model", sentence_folder).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "checkpoint.json", "part-00000.jsonl", "problems.jsonl", "statistics.json",
    ]  # fmt: skip
