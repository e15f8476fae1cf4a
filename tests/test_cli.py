from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detector import Detector
from detector.cli.inputs import OutputNames
from detector.model import Model
from detector.storage import WEIGHTS, save_model
from training.train import Trained

Run = Callable[..., Any]
TEXT = "Home | News\nThe mill burned down.\nNobody ever rebuilt it.\nImprint\n"
KEPT = "The mill burned down.\nNobody ever rebuilt it.\n"
HTML = "<html><nav><a href=/>Home</a></nav><p>The <b>mill</b> burned down.</p></html>"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pages, one of them further down, and a file that is none."""
    for name, content in (("in/a.txt", TEXT), ("in/deep/b.HTML", HTML), ("in/c.json", "{}")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "in"


@pytest.fixture
def with_model(run: Run, sentence_folder: Path) -> Run:
    """`run` with the model made by hand, whatever the one that ships says."""
    return lambda *arguments, stdin=b"": run(*arguments, "--model", sentence_folder, stdin=stdin)


def test_classify_prints_a_table(with_model: Run, page: Path) -> None:
    result = with_model("classify", page)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == f"{page}  (text, 4 segments, 29% removed)"
    assert [line.split()[0] for line in lines[1:]] == ["link_list", "content", "content", "link_list"]
    assert lines[2].endswith("The mill burned down.")


def test_pages_do_not_steer_the_terminal(with_model: Run) -> None:
    out = with_model("classify", "-", stdin="\x1b[31m\x07Red\u202e \u200b page.\n".encode()).out
    assert "Red" in out
    assert not set(out) & set("\x1b\x07\u202e\u200b")


def test_names_in_messages_do_not_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "\\u001b[2J", "lines": 1, "labels": 1}\n', encoding="utf-8")
    for ended in (run("evaluate", tmp_path / "a.jsonl"), run("strip", tmp_path / "\x1b[2J", "--model", "\x1b[2J")):
        assert ended.code == 2
        assert "\x1b" not in ended.err


def test_names_of_files_do_not_steer_the_terminal(with_model: Run, tmp_path: Path) -> None:
    (tmp_path / "\x07red.txt").write_text(TEXT, encoding="utf-8")
    assert "\x07" not in with_model("classify", tmp_path).out


def test_classify_prints_json_lines(with_model: Run, sentence_model: Model, folder: Path) -> None:
    result = with_model("classify", folder, "--format", "jsonl")
    assert result.code == 0
    text, html = map(json.loads, result.out.splitlines())
    assert (text["input"], text["kind"], text["problem"]) == (str(folder / "a.txt"), "text", None)
    assert (html["input"], html["kind"]) == (str(folder / "deep" / "b.HTML"), "html")
    assert [s["label"] for s in text["segments"]] == ["link_list", "content", "content", "link_list"]
    assert [s["label"] for s in html["segments"]] == ["link_list", "content"]
    for segment in text["segments"]:
        assert TEXT[segment["start"] : segment["end"]] == segment["text"]
        assert sum(segment["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert text["removed_ratio"] == pytest.approx(18 / 62, abs=1e-4)
    assert text["spam_probability"] == round(Detector(sentence_model).classify(TEXT).spam_probability or 0, 4) > 0


@pytest.mark.parametrize(("kind", "read_as"), [("auto", "html"), ("html", "html"), ("text", "text")])
def test_the_kind_can_be_forced(with_model: Run, kind: str, read_as: str) -> None:
    result = with_model("classify", "-", "--kind", kind, "--format", "jsonl", stdin=HTML.encode())
    assert json.loads(result.out)["kind"] == read_as


def test_strip_prints_the_content(with_model: Run, page: Path) -> None:
    assert with_model("strip", page).out == KEPT
    assert with_model("strip", "-", stdin=HTML.encode()).out == "The mill burned down.\n"
    assert with_model("strip", page, "--threshold", "0").out == TEXT
    assert with_model("strip", page, "--threshold", "1").out == "\n"


def test_an_empty_line_stands_between_pages(with_model: Run, folder: Path) -> None:
    assert with_model("strip", folder).out == f"{KEPT}\nThe mill burned down.\n"


def test_the_model_that_ships_is_used_without_naming_it(run: Run, page: Path) -> None:
    assert run("strip", page).code == 0


def test_strip_writes_a_file_a_page(with_model: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    result = with_model("strip", folder, "-", "-o", out, stdin=TEXT.encode())
    assert (result.code, result.out) == (0, "")
    files = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}
    assert files == {"a.txt": KEPT, "b.txt": "The mill burned down.\n", "stdin.txt": KEPT}


def test_pages_of_one_name_do_not_overwrite_each_other(with_model: Run, tmp_path: Path) -> None:
    for number, name in enumerate(("x/a.txt", "y/a.html", "z/a-2.txt", "z/a.txt")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"Page number {number}.", encoding="utf-8")
    out = tmp_path / "out"
    for _ in range(2):
        assert with_model("strip", tmp_path / "x", tmp_path / "y", tmp_path / "z", "-o", out).code == 0
        texts = sorted(path.read_text(encoding="utf-8") for path in out.iterdir())
        assert texts == [f"Page number {number}.\n" for number in range(4)]


def test_a_file_that_cannot_be_written_leaves_nothing_half_done(with_model: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    result = with_model("strip", folder, "-o", tmp_path / "out")
    assert result.code == 1
    assert result.err.startswith(f"{folder / 'a.txt'}: {tmp_path / 'out' / 'a.txt'} could not be written")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "b.txt"]


def test_an_output_that_is_a_file_is_wrong_use(with_model: Run, page: Path) -> None:
    result = with_model("strip", page, "-o", page)
    assert result.code == 2
    assert "looks like a file" in result.err
    assert page.read_text(encoding="utf-8") == TEXT


def test_a_page_is_not_overwritten_by_its_own_text(with_model: Run, page: Path) -> None:
    with_model("strip", page, "-o", page.parent)
    assert page.read_text(encoding="utf-8") == TEXT


def test_globs(with_model: Run, folder: Path) -> None:
    assert with_model("strip", f"{folder}/**/*.HTML").out == "The mill burned down.\n"
    odd = folder / "[1].txt"
    odd.write_text("A name with brackets.", encoding="utf-8")
    assert with_model("strip", odd).out == "A name with brackets.\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.txt", None, "No such file or directory"),
        ("no*match.txt", None, "the pattern matches no file"),
        ("binary.txt", b"\x7fELF\0\0\0\0\1", "looks like a binary file"),
        ("empty.txt", b"", "the file is empty"),
        ("blank.txt", b" \n\t\n", "the file is empty"),
        ("markup.html", b"<html><p></p></html>", "empty page"),
    ],
)
@pytest.mark.parametrize("command", ["classify", "strip"])
def test_what_cannot_be_read_is_named_and_the_rest_is_done(
    with_model: Run, page: Path, command: str, name: str, content: bytes | None, said: str
) -> None:
    path = page.parent / name
    if content is not None:
        path.write_bytes(content)
    result = with_model(command, path, page)
    assert (result.code, result.err) == (1, f"{path}: {said}\n")
    assert "The mill burned down.\n" in result.out


def test_a_folder_without_pages_is_named(with_model: Run, page: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    result = with_model("strip", tmp_path / "none", page)
    assert (result.code, result.out) == (1, KEPT)
    assert result.err.startswith(f"{tmp_path / 'none'}: no pages in this folder (looked for .txt")


def test_an_unreadable_file_is_named(with_model: Run, page: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(TEXT, encoding="utf-8")
    secret.chmod(0)
    if os.access(secret, os.R_OK):
        pytest.skip("this user may read everything")
    result = with_model("strip", secret, page)
    assert (result.code, result.out, result.err) == (1, KEPT, f"{secret}: Permission denied\n")


def test_a_name_too_long_is_named(with_model: Run, page: Path) -> None:
    result = with_model("strip", "x" * 300, page)
    assert (result.code, result.out) == (1, KEPT)


def test_a_page_the_model_was_not_made_for_is_named(
    run: Run, sentence_model: Model, folder: Path, tmp_path: Path
) -> None:
    save_model(Model("text", {"text": sentence_model.heads["text"]}), tmp_path / "text-only")
    result = run("strip", folder / "deep", folder / "a.txt", "--model", tmp_path / "text-only")
    assert str(folder / "deep" / "b.HTML") in result.err
    assert result.out == KEPT


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["classify"],
        ["clasify", "x"],
        ["classify", "x", "--kind", "pdf"],
        ["classify", "x", "--format", "csv"],
        ["strip", "x", "--threshold", "1.5"],
        ["strip", "x", "--threshold", "nan"],
        ["strip", "x", "--model", "gone"],
        ["model"],
        ["model", "verify", "gone"],
        ["train"],
        ["train", "gone.tsv"],
        ["evaluate"],
        ["evaluate", "gone.tsv", "--model", "gone"],
    ],
)
def test_wrong_use_ends_with_two_and_a_sentence(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert "Traceback" not in result.err
    assert len((result.out + result.err).strip()) > 20


def test_model_info_and_verify(run: Run, sentence_folder: Path, tmp_path: Path) -> None:
    told = json.loads(run("model", "info", sentence_folder).out)
    assert (told["name"], told["info"]) == ("sentences", {"made": "by hand"})
    assert (told["heads"]["text"]["threshold"], told["heads"]["text"]["lift"]) == (0.5, 0.0)
    assert (
        "model 'sentences' is whole; kinds: text, html; 47 golden segments replayed"
        in run("model", "verify", sentence_folder).out
    )
    assert run("model", "verify").code == run("model", "info").code == 0
    damaged = shutil.copytree(sentence_folder, tmp_path / "m")
    (damaged / WEIGHTS).write_bytes((damaged / WEIGHTS).read_bytes()[:-100])
    result = run("model", "verify", damaged)
    assert result.code == 2
    assert result.err.startswith(f"detector: {damaged / WEIGHTS}: damaged weights")


def test_train_on_a_folder_and_evaluate_what_came_out(
    run: Run, write_samples: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    samples, model = write_samples(tmp_path / "samples", 24), tmp_path / "out" / "mine"
    result = run("train", samples, "-o", model, "--seed", 3)
    assert result.code == 0
    assert "samples, text" in result.out
    assert f"wrote {model}" in result.err
    assert json.loads(run("model", "info", model).out)["info"]["seed"] == 3
    row = json.loads(run("evaluate", samples, "--model", model, "--json", "-").out)["rows"][0]
    assert (row["group"], row["pages"]) == ("samples, text", 24)
    assert row["macro_f1"]["value"] > 0.9
    assert "samples, text" in run("evaluate", samples, "--model", model).out


def test_train_refuses_without_writing(run: Run, write_samples: Callable[[Path, int], Path], tmp_path: Path) -> None:
    result = run("train", write_samples(tmp_path / "samples", 3), "-o", tmp_path / "model")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("detector: too few text samples: 3 pages from 3 sites")
    assert not (tmp_path / "model").exists()
    assert run("train").err == "detector: no samples: name sample files or folders, or give --corpora\n"


def test_train_says_that_its_output_cannot_be_written(
    run: Run, sentence_model: Model, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (page.parent / "a.tsv").write_text("content\tThe mill burned down.\n", encoding="utf-8")
    monkeypatch.setattr("training.train.train", lambda *args, **kwargs: Trained(sentence_model, [], sentence_model, []))
    result = run("train", page.parent / "a.tsv", "-o", page, "--no-report")
    assert result.code == 2
    assert str(page) in result.err


def test_the_entry_point_of_a_process(sentence_folder: Path) -> None:
    command = [sys.executable, "-c", "from detector.cli import main; main()", "strip", "--model", str(sentence_folder)]
    ended = subprocess.run([*command, "-", "gone.txt"], input=TEXT.encode(), capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, KEPT.encode())
    assert ended.stderr == b"gone.txt: No such file or directory\n"


@pytest.mark.parametrize("command", ["classify", "strip"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.warc", b"WARC/1.0\r\n"), ("a.txt", gzip.compress(b"A page.")), ("pages.jsonl", b'{"text": "A page."}\n')],
)
def test_files_of_many_pages_are_not_taken_for_one(
    with_model: Run, page: Path, command: str, name: str, content: bytes
) -> None:
    (page.parent / name).write_bytes(content)
    ended = with_model(command, page.parent / name)
    assert (ended.code, ended.out) == (1, "")
    assert "clean it with 'detector run'" in ended.err


def test_of_a_sample_the_text_is_read_and_not_the_labels(with_model: Run, page: Path) -> None:
    sample = page.parent / "sample.tsv"
    sample.write_text("# url: https://a.example/\ncontent\tThe mill burned down.\nlink_list\tHome\n", encoding="utf-8")
    assert with_model("strip", sample).out == "The mill burned down.\n"
    table = page.parent / "table.tsv"
    table.write_text("name\tThe mill burned down.\n", encoding="utf-8")
    assert with_model("strip", table).out == "name\tThe mill burned down.\n"


def test_train_takes_the_place_of_nothing_but_a_model(
    run: Run, write_samples: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    samples = write_samples(tmp_path / "samples", 3)
    (samples / "README.md").write_text("Mine.", encoding="utf-8")
    refused = run("train", samples, "-o", samples, "--no-report")
    assert (refused.code, "has a README.md and no model" in refused.err) == (2, True)
    assert (samples / "README.md").read_text(encoding="utf-8") == "Mine."
    refused = run("train", samples, "-o", tmp_path / "model", "--no-report", "--cache", samples / "0.tsv")
    assert (refused.code, "is a file; name a folder" in refused.err) == (2, True)


def test_a_refusal_leaves_what_an_earlier_training_kept(
    run: Run, write_samples: Callable[[Path, int], Path], tmp_path: Path
) -> None:
    kept = tmp_path / "model" / ".unfinished" / "kept.joblib"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert run("train", write_samples(tmp_path / "samples", 3), "-o", tmp_path / "model", "--no-report").code == 2
    assert kept.exists()


def test_a_sample_with_a_fault_is_not_read_with_its_labels(with_model: Run, page: Path) -> None:
    sample = page.parent / "sample.tsv"
    sample.write_text("# url: https://a.example/\ncontent\tThe mill burned down.\nlinklist\tHome\n", encoding="utf-8")
    ended = with_model("strip", sample)
    assert (ended.code, ended.out) == (1, "")
    assert f"{sample}:3: unknown label 'linklist'" in ended.err


def test_a_page_that_a_pattern_matches_twice_is_read_once(with_model: Run, folder: Path) -> None:
    assert with_model("strip", folder / "**" / "*").out.count("burned") == 2


def test_texts_do_not_go_where_they_would_be_read(with_model: Run, folder: Path) -> None:
    refused = with_model("strip", folder, "-o", folder / "out")
    assert refused.code == 2
    assert f"{folder / 'out'} lies in the input {folder}" in refused.err
    assert not (folder / "out").exists()


def test_no_input_is_written_over(with_model: Run, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<!doctype html><p>The mill burned down.</p>", encoding="utf-8")
    (tmp_path / "a.txt").write_text("Its own text.", encoding="utf-8")
    ended = with_model("strip", tmp_path, "-o", tmp_path)
    assert ended.code == 1
    assert "would be written over the input" in ended.err
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "Its own text."


def test_names_that_inputs_share_are_numbered(tmp_path: Path) -> None:
    names = OutputNames(tmp_path, [])
    made = [names.path_for(name).name for name in ("a/index.html", "b/index.html", "index-2.html", "c/index.html")]
    assert made == ["index.txt", "index-2.txt", "index-2-2.txt", "index-3.txt"]
    assert len({names.path_for(f"{i}/index.html") for i in range(3000)}) == 3000


def test_folders_that_a_pattern_matches_are_read(with_model: Run, tmp_path: Path) -> None:
    for name in ("sub1", "sub2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"The mill of {name} burned.", encoding="utf-8")
    assert with_model("strip", tmp_path / "sub*").out == "The mill of sub1 burned.\n\nThe mill of sub2 burned.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors before the program starts")
@pytest.mark.parametrize(("name", "closed", "code"), [("strip", 0, 1), ("run", 0, 1), ("strip", 1, 0), ("strip", 2, 0)])
def test_a_stream_that_is_closed_is_no_crash(page: Path, tmp_path: Path, name: str, closed: int, code: int) -> None:
    with (tmp_path / "streams").open("w+b") as streams:
        command = [
            sys.executable,
            "-c",
            "from detector.cli.app import main; main()",
            name,
            "-" if not closed else page,
        ]
        done = subprocess.run(
            command, stdout=streams, stderr=streams, check=False, preexec_fn=partial(os.close, closed)
        )
        streams.seek(0)
        assert b"Traceback" not in streams.read()
    assert done.returncode == code


def test_standard_output_is_not_taken_for_a_folder_or_a_file(
    run: Run, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("strip", "review"):
        refused = run(command, page, "-o", "-")
        assert (refused.code, "-o names a" in refused.err) == (2, True)
    assert not Path("-").exists()
