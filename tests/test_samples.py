from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.errors import SampleError
from detector.review import render
from training.labelling import label_page
from training.samples import Sample, parse_record, read_samples

LINES = {"lines": ["The mill burned down.", "Home | News"], "labels": ["content", "link_list"]}
GOLD = {"html": "<p>The mill burned down.</p>", "gold_text": "The mill burned down."}
TSV = "content\tThe mill burned down.\nlink_list\tHome | News\n"


def one(path: Path) -> Sample:
    samples = read_samples([path])
    assert len(samples) == 1
    return samples[0]


def refusal(path: Path) -> str:
    with pytest.raises(SampleError) as caught:
        read_samples([path])
    return str(caught.value)


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def test_tsv_with_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    head = "# url: https://www.mills.example.co.uk/fire\n# lang: en\n#title: Fire: the mill\n# page_type: article\n\n"
    path.write_text(head + TSV + "comment\tFirst!\n", encoding="utf-8")
    sample = one(path)
    assert (sample.id, sample.source, sample.site, sample.kind) == (str(path), "samples", "example.co.uk", "text")
    assert (sample.lang, sample.title, sample.page_type) == ("en", "Fire: the mill", "article")
    assert sample.lines == ("The mill burned down.", "Home | News", "First!")
    assert sample.labels == ("content", "link_list", "comment")
    assert sample.content == "The mill burned down.\nHome | News\nFirst!"


def test_tsv_as_editors_save_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(("\ufeff" + TSV.replace("\n", "\r\n") + "\r\ncontent\tA\ttab, a\u2028break.").encode())
    sample = one(path)
    assert sample.site == str(path)
    assert sample.content == "The mill burned down.\nHome | News\nA\ttab, a break."


def test_html_beside_its_clean_article(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("\ufeff<p>The mill burned down.", encoding="utf-8")
    (tmp_path / "a.txt").write_text("The mill burned down.", encoding="utf-8")
    sample = one(tmp_path)
    assert (sample.kind, sample.content) == ("html", "<p>The mill burned down.")
    assert (sample.gold_text, sample.lines) == ("The mill burned down.", None)


def test_html_beside_its_blocks_is_one_sample(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>The mill burned down.</p><a>Home | News</a>", encoding="utf-8")
    (tmp_path / "a.tsv").write_text("# url: http://mills.example/\n" + TSV, encoding="utf-8")
    sample = one(tmp_path)
    assert (sample.kind, sample.site, sample.gold_text) == ("html", "mills.example", None)
    assert sample.labels == ("content", "link_list")


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_jsonl_plain_and_packed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(jsonl({**LINES, "id": "one"}) + b"\n" + jsonl({**GOLD, "url": "http://b.example/x"})))
    first, second = read_samples([path])
    assert (first.id, first.kind, first.site) == (f"{path}:1 (one)", "text", "samples/one")
    assert first.labels == ("content", "link_list")
    assert (second.id, second.kind, second.site) == (f"{path}:3", "html", "b.example")
    assert second.gold_text == "The mill burned down."


def test_keep_and_drop_as_numbers() -> None:
    sample = parse_record({"lines": ["One.", " ", "Two"], "labels": [1, 1, 0]}, "f:1", "corpus")
    assert (sample.source, sample.lines, sample.labels) == ("corpus", ("One.", "Two"), ("content", "boilerplate"))


def test_folders_are_read_in_sorted_order_with_all_below(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "notes.md").write_text("not a sample", encoding="utf-8")
    for number, name in enumerate(("c.tsv", "b/d.tsv", "a.tsv")):
        (tmp_path / name).write_text(f"content\tPage {number}.\n", encoding="utf-8")
    assert [Path(s.id).name for s in read_samples([tmp_path])] == ["a.tsv", "d.tsv", "c.tsv"]


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        ("content\tOne.\nlink_list Two\n", ":2", "no tab; write label<TAB>text"),
        ("# url: x\n\nspam\tOne.\n", ":3", "unknown label 'spam'; use content, link_list, boilerplate, comment"),
        ("content\tOne.\n# url: late\n", ":2", "no tab"),
        ("content\tOne.\nboilerplate\t \n", ":2", "a label without text; remove the line"),
        ("# url: x\n\n", "", "empty; write one label<TAB>text a line"),
        (b"content\tcaf\xe9.\n", "", "not UTF-8 (byte 11); save it as UTF-8"),
    ],
)
def test_broken_tsv_is_named_with_its_line(tmp_path: Path, content: str | bytes, where: str, said: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(path)
    assert message.startswith(f"{path}{where}: ")
    assert said in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"lines": [', "not JSON"),
        (b"[1]", "not an object; write one JSON object a line"),
        (b'{"html": "<p>x</p>"}', "needs 'lines' and 'labels', or 'html' and 'gold_text'; has ['html']"),
        (b'{"html": 1, "lines": ["a"], "labels": [1]}', "'html' is a string"),
        (b'{"lines": ["a", "b"], "labels": [1]}', "2 lines but 1 labels; give one label a line"),
        (b'{"lines": ["a"], "labels": ["spam"]}', "unknown label 'spam'; use content, link_list"),
        (b'{"lines": ["a"], "labels": [2]}', "unknown label 2; use content, link_list"),
        (b'{"lines": ["a"], "labels": [["content"]]}', "unknown label ['content']; use content, link_list"),
    ],
)
def test_broken_records_are_named_with_their_line(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(LINES) + b"\n" + line + b"\n")
    message = refusal(path)
    assert message.startswith(f"{path}:3: ")
    assert said in message


@pytest.mark.parametrize(
    "line",
    [
        '{"lines": 3, "labels": [1]}',
        '{"lines": ["a"], "labels": null}',
        '{"lines": [1], "labels": [1]}',
        '{"lines": ["a"], "labels": [1], "url": 5}',
        '{"html": 3, "gold_text": "x"}',
        "[" * 100_000,
    ],
)
def test_records_of_the_wrong_types_are_named_with_their_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
    assert refusal(tmp_path).startswith(f"{tmp_path / 'a.jsonl'}:1: ")


def test_records_without_lines_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"lines": [], "labels": []}', encoding="utf-8")
    assert refusal(tmp_path).startswith(f"{tmp_path / 'a.jsonl'}:1: ")


def test_html_without_labels_says_where_to_put_them(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>x", encoding="utf-8")
    assert refusal(tmp_path) == (
        f"{tmp_path / 'a.html'}: no labels; put the clean article in a.txt or labelled blocks in a.tsv"
    )


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path)
        == f"{tmp_path}: no samples here; expected .tsv, .html or .jsonl files, as samples/README.md describes them"
    )
    missing = tmp_path / "gone.tsv"
    assert refusal(missing).startswith(f"{missing}: cannot be read")
    assert refusal(tmp_path / "page.doc") == f"{tmp_path / 'page.doc'}: there is no such file or folder"
    assert refusal(tmp_path / "gone.jsonl") == f"{tmp_path / 'gone.jsonl'}: there is no such file"
    (tmp_path / "page.doc").touch()
    assert refusal(tmp_path / "page.doc").startswith(f"{tmp_path / 'page.doc'}: unknown format; samples are .tsv")
    with pytest.raises(SampleError, match="name at least one file or folder"):
        read_samples([])


def test_the_same_page_twice_is_refused_and_both_are_named(tmp_path: Path) -> None:
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(TSV, encoding="utf-8")
    said = f"{tmp_path / 'b.tsv'}: the same page as {tmp_path / 'a.tsv'}; remove one of them"
    assert refusal(tmp_path) == said


def test_the_same_record_twice_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl({**LINES, "id": "one"}, {**LINES, "id": "two"}))
    assert str(path) in refusal(path)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)])
def test_truncated_archives_are_named(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(jsonl(LINES))[:-12])
    assert refusal(path).startswith(f"{path}: cannot be read")
    path.write_bytes(b"not an archive")
    assert refusal(path).startswith(f"{path}: cannot be read")


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    # The byte after the header of ten holds the type of the first block; 7 is none.
    path.write_bytes(gzip.compress(jsonl(LINES))[:10] + b"\x07" + bytes(40))
    assert refusal(path).startswith(f"{path}: cannot be read")


@pytest.mark.parametrize(("name", "content"), [("a.txt", b"caf\xe9"), ("a.tsv", b"content\tcaf\xe9\n")])
def test_labels_that_are_not_utf8_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "a.html").write_text("<p>x", encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path).startswith(f"{tmp_path / name}: not UTF-8")


def test_the_place_of_what_is_not_utf8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = b"".join(jsonl({"lines": [f"Page {i}."], "labels": [1]}) for i in range(2_000))
    path.write_bytes(good + b'{"lines": ["caf\xe9"], "labels": [1]}\n')
    message = refusal(path)
    assert f":{2_001}" in message or f"byte {len(good) + 15}" in message


def test_html_with_a_gold_text_gives_its_own_address(tmp_path: Path) -> None:
    html = '<head><link rel="canonical" href="https://harbour.example/a"></head><p>The mill burned down.'
    record = {"html": html, "gold_text": "The mill burned down."}
    (tmp_path / "a.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (sample,) = read_samples([tmp_path / "a.jsonl"])
    assert (sample.url, sample.site) == ("https://harbour.example/a", "harbour.example")


def test_an_empty_gold_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>The mill burned down.", encoding="utf-8")
    (tmp_path / "a.txt").write_text(" ", encoding="utf-8")
    (sample,) = read_samples([tmp_path / "a.html"])
    with pytest.raises(SampleError, match="the gold text is empty"):
        label_page(sample)


def test_a_model_among_the_samples_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(TSV, encoding="utf-8")
    report = tmp_path / "model" / "report" / "index.html"
    report.parent.mkdir(parents=True)
    report.write_text("<p>A report.", encoding="utf-8")
    for name in ("model.json", "weights.npz"):
        (tmp_path / "model" / name).touch()
    assert [sample.id for sample in read_samples([tmp_path])] == [str(tmp_path / "a.tsv")]


def test_a_file_that_is_named_like_a_manifest_hides_nothing(tmp_path: Path) -> None:
    for name in ("model.json", "below/model.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "below" / "a.tsv").write_text(TSV, encoding="utf-8")
    assert len(read_samples([tmp_path])) == 1
    # The folder that is named may hold a model as well.
    (tmp_path / "below" / "weights.npz").write_bytes(b"")
    assert len(read_samples([tmp_path / "below"])) == 1
    assert "no samples here" in refusal(tmp_path)


def test_a_file_is_read_once_however_often_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tsv").write_text(TSV, encoding="utf-8")
    (tmp_path / "b.HTM").write_text("<p>The mill burned down.</p>", encoding="utf-8")
    (tmp_path / "b.tsv").write_text("content\tThe mill burned down.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for paths in (
        [Path(".")],
        [Path("a.tsv"), Path("b.tsv")],
        [Path("a.tsv"), tmp_path, Path("./b.HTM"), Path("b.tsv")],
    ):
        assert sorted(sample.kind for sample in read_samples(paths)) == ["html", "text"]


def test_what_this_package_writes_is_no_sample(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(TSV, encoding="utf-8")
    (tmp_path / "review.html").write_text(render([]), encoding="utf-8")
    assert len(read_samples([tmp_path])) == 1


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_reviewed_page_takes_the_place_of_the_same_page(tmp_path: Path, names: str) -> None:
    html = "<p>The mill burned down.</p>\r\n<p>Home</p>"
    paths = [tmp_path / f"{name}.html" if name == "a" else tmp_path / "b.jsonl" for name in names]
    (tmp_path / "a.html").write_bytes(html.encode())
    (tmp_path / "a.txt").write_text("The mill burned down.", encoding="utf-8")
    record = {"html": html, "lines": ["The mill burned down.", "Home"], "labels": ["content"] * 2, "reviewed": True}
    (tmp_path / "b.jsonl").write_bytes(jsonl(record))
    (sample,) = read_samples(paths)
    assert sample.labels == ("content", "content")
    (tmp_path / "c.jsonl").write_bytes(jsonl(record))
    with pytest.raises(SampleError, match=r"c\.jsonl:1: the same page as .*b\.jsonl:1"):
        read_samples([*paths, tmp_path / "c.jsonl"])


def test_null_is_as_good_as_absent() -> None:
    empty = dict.fromkeys(("lines", "labels", "gold_text", "url", "reviewed"))
    assert parse_record({**empty, **GOLD}, "x:1", "samples").gold_text == GOLD["gold_text"]
    assert parse_record({"html": None, "gold_text": None, **LINES}, "x:1", "samples").kind == "text"
