"""Sources to records: every format, damage, limits, and reading on from any place."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.corpus import readers
from detector.corpus.inputs import walk
from detector.corpus.packing import pack, unpack
from detector.corpus.pages import PageOptions, parse
from detector.corpus.readers import read_units
from detector.corpus.records import Position, Problem, Record, Skipped, Trouble, Unit
from detector.corpus.warc import read_warc
from detector.errors import InputError

LIMIT = 2_000
SMALL = PageOptions(max_bytes=LIMIT)


def warc_record(
    number: int, body: bytes, length: object = None, kind: str = "conversion", of: str = "text/plain"
) -> bytes:
    header = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://x.example/{number}\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Date: 2020-01-01T00:00:00Z\r\nContent-Type: {of}\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return header.encode() + body + b"\r\n\r\n"


def response(body: bytes, *headers: str, of: str = "text/html; charset=iso-8859-1", status: str = "200 OK") -> bytes:
    block = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {of}", *headers, "", ""]).encode() + body
    return warc_record(1, block, kind="response", of="application/http; msgtype=response")


def units_of(path: Path, start: Position = Position(), limit: int = LIMIT) -> list[Unit]:  # noqa: B008 - immutable
    return list(read_units(walk(str(path)), start, limit))


def found_in(path: Path, limit: int = LIMIT) -> tuple[list[Record], list[tuple[int, str]]]:
    units = units_of(path, limit=limit)
    problems = [(p.record, str(p.trouble)) for unit in units for p in unit.problems]
    return [record for unit in units for record in unit.records], problems


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.jsonl", bytes),
        ("a.jsonl.gz", gzip.compress),
        ("a.jsonl.xz", lzma.compress),
        ("a.jsonl.zst", zstandard.compress),
        ("a.unknown", bytes),
    ],
)
def test_lines_of_any_packing_and_of_members_one_after_the_other(
    tmp_path: Path, name: str, packed: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(packed(b'{"text": "one"}\n\n{"te') + packed(b'xt": "two"}'))
    records, problems = found_in(tmp_path / name)
    assert [(r.number, json.loads(r.content)["text"]) for r in records] == [(1, "one"), (3, "two")]
    assert problems == []


@pytest.mark.parametrize(
    ("suffix", "packed"), [(".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstandard.compress)]
)
def test_a_packed_file_that_is_cut_off_gives_what_it_holds(
    tmp_path: Path, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    whole = packed(b'{"text": "one"}\n')
    (tmp_path / f"a.jsonl{suffix}").write_bytes(whole + packed(b'{"text": "two"}\n')[:-6])
    records, problems = found_in(tmp_path / f"a.jsonl{suffix}")
    assert records[0].content == b'{"text": "one"}\n'
    assert problems == [(0, "truncated")]


def test_a_damaged_file_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(b"no archive")
    (tmp_path / "b.jsonl").write_bytes(b'{"text": 1}\n')
    records, problems = found_in(tmp_path)
    assert [Path(r.source).name for r in records] == ["b.jsonl"]
    assert problems == [(0, "unreadable")]


def test_a_line_over_the_limit_is_named_and_not_held(tmp_path: Path) -> None:
    long = b'{"text": "' + b"x" * 5_000_000 + b'"}\n'
    (tmp_path / "a.jsonl").write_bytes(b'{"n": 1}\n' + long + b'{"n": 3}\n' + b" " * LIMIT + b"\n")
    records, problems = found_in(tmp_path / "a.jsonl")
    assert [r.number for r in records] == [1, 3]
    assert problems == [(2, "too large")]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_decompression_bomb_ends_its_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.jsonl{suffix}").write_bytes(pack(b'{"n": 1}\n', suffix) + pack(bytes(20_000_000), suffix))
    records, problems = found_in(tmp_path)
    assert [r.number for r in records] == [1]
    assert problems == [(0, "corrupt record")]


@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(0, 40), st.integers(1, 500))
def test_zstd_frames_read_as_one_stream_and_a_cut_is_noticed(contents: list[bytes], cut: int, step: int) -> None:
    packed = b"".join(pack(content, ".zst") for content in contents)
    stream = unpack(io.BytesIO(packed), ".zst")
    assert b"".join(iter(lambda: stream.read(step), b"")) == b"".join(contents)
    frames = [len(pack(content, ".zst")) for content in contents if content]
    if frames and 0 < cut < frames[-1]:
        with pytest.raises(EOFError):
            unpack(io.BytesIO(packed[:-cut]), ".zst").read()


def warc_files() -> Iterator[Any]:
    bodies = [b"line %d\n" % i * 50 for i in range(5)]
    whole = [warc_record(i, body) for i, body in enumerate(bodies)]
    packed = [gzip.compress(record) for record in whole]
    damaged = packed[2][:80] + bytes(byte ^ 0xFF for byte in packed[2][80:90]) + packed[2][90:]
    yield pytest.param(b"".join(whole), "01234", [], id="plain")
    yield pytest.param(b"".join(packed), "01234", [], id="packed by record")
    yield pytest.param(gzip.compress(b"".join(whole)), "01234", [], id="packed as a whole")
    yield pytest.param(b"".join(whole).replace(b"\r\n", b"\n"), "01234", [], id="line ends changed")
    yield pytest.param(b"".join(packed)[:-60], "0123", [(5, "truncated")], id="cut in the last record")
    yield pytest.param(b"".join(packed)[: 7 - len(packed[4])], "0123", [(5, "truncated")], id="cut in a packed header")
    yield pytest.param(b"".join(whole)[:-200], "0123", [(5, "truncated")], id="plain, cut")
    for name, middle in (("damaged", damaged), ("no magic", b"\0" + packed[2][1:]), ("garbage", b"\x1f\x8b" * 200)):
        content = b"".join([*packed[:2], middle, *packed[3:]])
        yield pytest.param(content, "0134", [(3, "corrupt record")], id=f"packed, {name}")
    for length in (100, 1_000, 1_900, 3_000, 10**6, 10**18, "many"):
        lying = [warc_record(i, body, length if i == 2 else None) for i, body in enumerate(bodies)]
        content = b"".join(map(gzip.compress, lying))
        yield pytest.param(content, "0134", [(3, "corrupt record")], id=f"packed, a length of {length}")
        if length != 100:
            yield pytest.param(b"".join(lying), "0134", [(3, "corrupt record")], id=f"plain, a length of {length}")
    yield pytest.param(b"no archive", "", [(1, "corrupt record")], id="no WARC")
    yield pytest.param(b"", "", [], id="empty")
    yield pytest.param(warc_record(0, b"x" * 2_001) + whole[1], "1", [(1, "too large")], id="over the limit")


@pytest.mark.parametrize(("content", "pages", "problems"), list(warc_files()))
def test_warc_reading_goes_on_behind_damage(
    tmp_path: Path, content: bytes, pages: str, problems: list[tuple[int, str]]
) -> None:
    path = tmp_path / ("a.warc.gz" if content.startswith(b"\x1f\x8b") else "a.warc")
    path.write_bytes(content)
    records, named = found_in(path)
    assert "".join(r.fields["warc-target-uri"][-1] for r in records) == pages
    assert named == problems
    assert all(r.content.startswith(b"line ") for r in records)


def test_warc_records_that_are_no_pages_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(warc_record(0, b"x", kind="request") + warc_record(1, b"x", kind="warcinfo"))
    (unit,) = units_of(tmp_path)
    assert unit.skipped == {"WARC request": 1, "WARC warcinfo": 1}


def parsed(content: bytes) -> Any:
    (item,) = read_warc(io.BytesIO(content), "a.warc", LIMIT)
    assert isinstance(item.found, Record)
    return parse(item.found, SMALL)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<p>caf\xe9", []),
        (gzip.compress(b"<p>caf\xe9"), ["Content-Encoding: gzip"]),
        (b"7\r\n<p>caf\xe9\r\n0\r\n\r\n", ["Transfer-Encoding: chunked"]),
        (b"<p>caf\xe9", ["Content-Encoding: gzip"]),
        (zlib.compress(b"<p>caf\xe9"), ["Content-Encoding: deflate"]),
        (zlib.compress(b"<p>caf\xe9")[2:-4], ["Content-Encoding: deflate"]),
        (b"<p>caf\xe9", ["Content-Encoding: deflate"]),
        (b"<p>caf\xe9", ["Transfer-Encoding: chunked"]),
    ],
)
def test_a_response_is_unpacked_and_brings_its_charset(body: bytes, headers: list[str]) -> None:
    found = parsed(response(body, *headers))
    assert (found.page.content, found.page.kind) == (b"<p>caf\xe9", "html")
    assert found.page.charset.lower() in ("iso-8859-1", "latin-1")
    assert found.fields["url"] == found.page.url == "http://x.example/1"
    assert found.fields["http"]["content-type"] == "text/html; charset=iso-8859-1"
    assert found.fields["warc"]["warc-record-id"] == "<urn:uuid:1>"


@pytest.mark.parametrize(
    ("record", "trouble"),
    [
        (response(gzip.compress(bytes(100_000)), "Content-Encoding: gzip"), Trouble.TOO_LARGE),
        (warc_record(1, b"\0\1", kind="response", of="application/http"), Trouble.CORRUPT),
    ],
)
def test_a_response_that_is_no_page_is_a_problem(record: bytes, trouble: Trouble) -> None:
    found = parsed(record)
    assert isinstance(found, Problem)
    assert (found.trouble, found.url) == (trouble, "http://x.example/1")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (response(b"\xff\xd8", of="image/jpeg"), "content type image/*"),
        (response(b"\xff\xd8", of="made-up/1"), "unknown content type"),
        (response(b"<p>Moved", status="302 Found"), "HTTP 302"),
        (response(b"<p>Gone", status="404 Not Found"), "HTTP 404"),
    ],
)
def test_an_answer_without_the_page_is_counted_by_its_kind(record: bytes, reason: str) -> None:
    assert parsed(record) == Skipped(reason)


def test_addresses_in_angle_brackets_are_unwrapped(tmp_path: Path) -> None:
    wrapped = response(b"<p>x").replace(b"http://x.example/1", b"<http://x.example/1>")
    assert parsed(wrapped).page.url == "http://x.example/1"
    log = warc_record(1, b"x", kind="resource").replace(
        b"http://x.example/1", b"<metadata://gnu.org/software/wget/log>"
    )
    (tmp_path / "a.warc").write_bytes(log)
    (unit,) = units_of(tmp_path)
    assert unit.skipped == {"WARC metadata of the crawler": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_beginnings_without_end_are_given_up(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.corpus.warc._Search.MOST_TRIED_BYTES", 20_000)
    header = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nContent-Length: 1500\r\n\r\n"
    content = (gzip.compress(header) if packed else header) * 200
    items = list(read_warc(io.BytesIO(content), "a", LIMIT))
    assert isinstance(items[-1].found, Problem)


def test_records_that_swallow_what_follows_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.corpus.warc._Search.MOST_TRIED_BYTES", 20_000)
    header = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nContent-Length: 1500\r\n\r\n"
    items = list(read_warc(io.BytesIO(header * 200 + b"x" * 1_510), "a", LIMIT))
    assert len(items) < 50
    assert isinstance(items[-1].found, Problem)
    assert "nothing more could be read" in items[-1].found.detail


def test_missing_numbers_of_rows_are_null_in_json(tmp_path: Path) -> None:
    rows = pa.table({"text": ["A page."], "score": [float("nan")], "all": [[1.0, float("inf")]]})
    pq.write_table(rows, tmp_path / "a.parquet")
    (unit,) = units_of(tmp_path)
    found = parse(unit.records[0], SMALL)
    assert not isinstance(found, Problem | Skipped)
    assert (found.fields["score"], found.fields["all"]) == (None, [1.0, None])


def test_wet_is_text_and_utf_8(tmp_path: Path) -> None:
    found = parsed(warc_record(1, "<p>ça</p>".encode()))
    assert (found.page.kind, found.page.charset) == ("text", "utf-8")


def test_parquet_rows_and_a_damaged_row_group(tmp_path: Path) -> None:
    stamps = pa.array([1, 2, 3, 4], pa.timestamp("ns"))
    table = pa.table({"text": ["a", "b", "c", "d"], "id": [1, 2, 3, 4], "at": stamps})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, row_group_size=2, compression="none", use_dictionary=False)
    records, problems = found_in(path)
    assert [(r.number, r.fields["text"], r.fields["id"]) for r in records] == [
        (1, "a", 1), (2, "b", 2), (3, "c", 3), (4, "d", 4),
    ]  # fmt: skip
    assert records[0].fields["at"].startswith("1970-01-01 00:00:00.000000001")
    assert problems == []
    start = pq.ParquetFile(path).metadata.row_group(0).column(0).data_page_offset
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xff" * 12 + content[start + 12 :])
    records, problems = found_in(path)
    assert [r.number for r in records] == [3, 4]
    assert problems == [(1, "corrupt record")]
    path.write_bytes(content[:40])
    assert found_in(path) == ([], [(0, "unreadable")])


def test_a_folder_is_walked_by_name_and_pages_are_read_whole(tmp_path: Path) -> None:
    for name, content in (
        ("b/2.html", b"<p>two"), ("a.txt", b"one"), ("c.doc", b"no page"), ("d.txt", b" \n"), ("e.txt", b"x" * 3000),
        ("f.txt.gz", gzip.compress(b"packed")),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    records, problems = found_in(tmp_path)
    assert [r.content for r in records] == [b"one", b"<p>two", b"packed"]
    assert problems == [(1, "nothing to read"), (1, "too large")]


def test_missing_inputs_and_folders_without_any_are_refused(tmp_path: Path) -> None:
    for name, said in (("gone", "No such file"), ("x" * 300, "name too long"), ("", "no files to read")):
        with pytest.raises(InputError, match=said):
            list(walk(str(tmp_path / name)))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_reading_on_from_any_unit_gives_the_same_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(readers, "UNIT_RECORDS", size)
    lines = [b'{"n": %d}\n' % n for n in range(10)]
    lines[4] = b"\n"
    lines[7] = b"x" * 3_000 + b"\n"
    for suffix in ("", ".gz", ".zst"):
        (tmp_path / f"a.jsonl{suffix}").write_bytes(b"".join(pack(line, suffix) for line in lines))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"".join(lines))[:-9])
    records = [warc_record(n, b"page %d" % n) for n in range(8)]
    records[3] = warc_record(3, b"page 3", 700)
    (tmp_path / "c.warc.gz").write_bytes(b"".join(map(gzip.compress, records))[:-20])
    (tmp_path / "d.txt").write_bytes(b"A page.")
    pq.write_table(pa.table({"text": list("abcdefgh")}), tmp_path / "e.parquet", row_group_size=3)

    def contents(units: list[Unit]) -> list[Any]:
        return [(unit.records, unit.problems, unit.skipped, unit.end) for unit in units]

    units = units_of(tmp_path)
    assert len(units) > 15
    for done, unit in enumerate(units, 1):
        assert contents(units_of(tmp_path, unit.end)) == contents(units[done:])
    sizes = [unit.bytes_read for unit in units]
    assert sizes == sorted(sizes)
    assert sizes[-1] == sum(source.size for source in walk(str(tmp_path)))
