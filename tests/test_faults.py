"""Disks that are full or read-only, folders that are not ours, and signals at the worst moment, for every command that writes.

The worst moment is when a file is whole under its temporary name and is about to be renamed. Nothing that was there before
is lost, nothing half-written stays, and the message names the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from detector.errors import RunError
from detector.signatures.store import MAGIC
from training.resume import remember
from training.train import Trained

Run = Callable[..., Any]
PAGE = "Home | News\nThe mill burned down.\n"
OLD = MAGIC + b"from before\n"
"""Where signatures are written, nothing else is written over."""
FAULTS = ("full", "limited", "read-only", "forbidden")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that writes to a folder.

    Attributes:
        arguments: With `{page}`, `{corpus}`, `{samples}`, `{model}` and `{out}` to be filled in.
        file: What it writes there, first of all.
        code: Exit status where the file cannot be written: 1 where other inputs go on, 2 where nothing does.
    """

    arguments: tuple[str, ...]
    file: str
    code: int = 2


COMMANDS = {
    "strip": Command(("strip", "{page}", "-o", "{out}", "--model", "{model}"), "page.txt", 1),
    "review": Command(("review", "{page}", "-o", "{out}/review.html", "--model", "{model}"), "review.html"),
    "train": Command(("train", "{samples}", "-o", "{out}", "--no-report"), "weights.npz"),
    "evaluate": Command(("evaluate", "{samples}", "--json", "{out}/all.json", "--model", "{model}"), "all.json"),
    "chart": Command(("evaluate", "{samples}", "--chart", "{out}/all.png", "--model", "{model}"), "all.png"),
    "signatures": Command(("signatures", "build", "{corpus}", "-o", "{out}/a.signatures"), "a.signatures"),
    "run": Command(("run", "{corpus}", "-o", "{out}/shards", "--pack", "none", "--model", "{model}"), "shards"),
}
ATOMIC = tuple(name for name in COMMANDS if name != "run")
"""`detector run` goes on from a checkpoint instead, and tests/test_run_kills.py kills it."""


@pytest.fixture(autouse=True)
def heeding() -> Iterator[None]:
    """SIGINT ends the process, also where the tests were started in the background, whose shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def places(
    tmp_path: Path,
    write_samples: Callable[[Path, int], Path],
    sentence_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained: Trained,
) -> dict[str, Path]:
    """What the commands read; training is over before it begins."""
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-8")
    record = {"url": "https://a.example/1", "text": PAGE * 500}
    (tmp_path / "corpus.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    monkeypatch.setattr("training.train.train", lambda *_, **__: trained)
    return {
        "page": tmp_path / "page.txt", "corpus": tmp_path / "corpus.jsonl", "model": sentence_folder,
        "samples": write_samples(tmp_path / "samples", 6),
    }  # fmt: skip


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """A disk of 64 kilobytes in place of a folder."""
    if os.geteuid() or not sys.platform.startswith("linux"):
        pytest.skip("only root may mount a disk to fill it")
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no disk could be mounted: {mount.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filling").open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(512))


@contextlib.contextmanager
def at_fault(fault: str, folder: Path) -> Iterator[None]:
    """Nothing, or little, can be written to the folder, for one of `FAULTS`."""
    if fault in ("full", "read-only"):
        with mounted(folder):
            (folder / "old").write_bytes(OLD)
            if fault == "full":
                fill(folder)
            else:
                subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            yield
        return
    (folder / "old").write_bytes(OLD)
    if fault == "forbidden":
        folder.chmod(0o500)
        try:
            if os.access(folder, os.W_OK):
                pytest.skip("root may write where it is forbidden")
            yield
        finally:
            folder.chmod(0o700)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def filled(command: Command, places: dict[str, Path], out: Path) -> list[str]:
    return [argument.format(out=out, **places) for argument in command.arguments]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_written_is_named_and_leaves_nothing(
    run: Run, places: dict[str, Path], tmp_path: Path, name: str, fault: str
) -> None:
    command, out = COMMANDS[name], tmp_path / "out"
    out.mkdir()
    with at_fault(fault, out):
        before = sorted(out.rglob("*"))
        result = run(*filled(command, places, out))
        # A run's checkpoint and a training's results may stay: they are gone on from.
        left = [path for path in out.rglob("*") if path.relative_to(out).parts[0] not in ("shards", ".unfinished")]
        assert sorted(left) == before
        assert (out / "old").read_bytes() == OLD
    early = fault in ("read-only", "forbidden") and name not in ("review", "run")
    assert result.code == (2 if early else command.code)
    # Signatures are sorted in files beside theirs first.
    assert str(out if early or name == "signatures" else out / command.file) in result.err
    assert "Traceback" not in result.err
    assert len(result.err.strip()) > len(str(out)) + 40, "the message says why, and what to do"


@pytest.mark.parametrize("name", ATOMIC)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_renaming_leaves_what_was_there(
    run: Run,
    places: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: signal.Signals,
) -> None:
    command, out = COMMANDS[name], tmp_path / "out"
    out.mkdir()
    (out / command.file).write_bytes(OLD)
    replace = Path.replace

    def signalled(path: Path, target: Path) -> Path:
        if Path(target).name == command.file:
            os.kill(os.getpid(), number)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", signalled)
    assert run(*filled(command, places, out)).code == 128 + number
    assert [path.name for path in out.iterdir() if path.name != ".unfinished"] == [command.file]
    assert (out / command.file).read_bytes() == OLD
    monkeypatch.setattr(Path, "replace", replace)
    assert run(*filled(command, places, out)).code == 0
    assert (out / command.file).read_bytes() != OLD


SUICIDE = """
import os, sys
from pathlib import Path
from detector.cli import main

replace = Path.replace
def killed(path, target):
    if Path(target).name == os.environ["KILLED_AT"]:
        os.kill(os.getpid(), int(os.environ["KILLED_BY"]))
    return replace(path, target)
Path.replace = killed
main()
"""


def ended(arguments: list[str], file: str, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """A process that sends itself a signal before it renames a file."""
    environment = {**os.environ, "KILLED_AT": file, "KILLED_BY": str(int(number))}
    return subprocess.run(
        [sys.executable, "-c", SUICIDE, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["strip", "review", "evaluate", "chart", "signatures"])
def test_a_kill_before_the_renaming_leaves_what_was_there_and_the_next_start_nothing_else(
    run: Run, places: dict[str, Path], tmp_path: Path, name: str
) -> None:
    command, out = COMMANDS[name], tmp_path / "out"
    out.mkdir()
    (out / command.file).write_bytes(OLD)
    assert ended(filled(command, places, out), command.file, signal.SIGKILL).returncode == -signal.SIGKILL
    assert (out / command.file).read_bytes() == OLD
    assert run(*filled(command, places, out)).code == 0
    assert list(out.iterdir()) == [out / command.file]


def test_a_signal_is_said_on_standard_error(places: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    result = ended(filled(COMMANDS["strip"], places, tmp_path / "out"), "page.txt", signal.SIGTERM)
    assert (result.returncode, result.stdout) == (143, "")
    assert result.stderr == "detector: ended by SIGTERM; every file is whole or was not written\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("strip", "{page}"),
        ("classify", "{page}", "--format", "jsonl", "--model", "{model}"),
        ("model", "info"),
        ("run", "{corpus}", "--model", "{model}"),
    ],
)
def test_standard_output_on_a_full_disk_is_said(places: dict[str, Path], arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-c", "from detector.cli import main; main()", *(a.format(**places) for a in arguments)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "output" in result.stderr
    assert "No space left on device" in result.stderr


def test_a_result_of_training_that_cannot_be_kept_does_not_take_the_others_along(tmp_path: Path) -> None:
    kept = remember(tmp_path, "first", lambda: 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(RunError, match=r"cannot be kept .*start the command again"):
            remember(tmp_path, "second", lambda: bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(list(tmp_path.iterdir())) == 1
    assert remember(tmp_path, "first", lambda: 2) == kept


def test_a_training_that_ran_out_of_room_keeps_what_it_computed(
    run: Run, places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any, cache: Path, **__: Any) -> None:
        cache.mkdir()
        (cache / "computed").touch()
        raise RunError(f"{cache}: what was computed cannot be kept (No space left on device)")

    monkeypatch.setattr("training.train.train", train)
    assert run(*filled(COMMANDS["train"], places, tmp_path / "out")).code == 2
    assert (tmp_path / "out" / ".unfinished" / "computed").exists()


def test_a_page_over_a_limit_is_named_and_no_file_is_made_for_it(
    run: Run, places: dict[str, Path], tmp_path: Path
) -> None:
    from detector.limits import MAX_SEGMENTS

    (tmp_path / "large.txt").write_text("a\n" * (MAX_SEGMENTS + 1), encoding="utf-8")
    out = tmp_path / "out"
    result = run("strip", tmp_path / "large.txt", places["page"], "-o", out, "--model", places["model"])
    assert result.code == 1
    assert result.err == f"{tmp_path / 'large.txt'}: too many segments: 200,001, at most 200,000 are classified\n"
    assert [path.name for path in out.iterdir()] == ["page.txt"]
    assert run("strip", tmp_path / "large.txt", "--model", places["model"]).out == ""


def unblamed(_: object) -> None:
    raise OSError(5, "Input/output error")


def test_an_error_that_names_no_file_is_not_blamed_on_standard_output(
    run: Run, monkeypatch: pytest.MonkeyPatch, sentence_folder: Path
) -> None:
    monkeypatch.setattr("detector.storage.load_model", unblamed)
    result = run("model", "info", sentence_folder)
    assert (result.code, result.err) == (2, "detector: Input/output error\n")


def test_a_reader_that_goes_away_is_no_error(sentence_folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        result = subprocess.run(
            [sys.executable, "-c", "from detector.cli import main; main()", "model", "info", sentence_folder],
            stdout=stream, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_was_ignored_from_the_start_stays_ignored(
    places: dict[str, Path], tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "out").mkdir()
    before = signal.signal(number, signal.SIG_IGN)
    try:
        result = ended(filled(COMMANDS["strip"], places, tmp_path / "out"), "page.txt", number)
    finally:
        signal.signal(number, before)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "out" / "page.txt").exists()
