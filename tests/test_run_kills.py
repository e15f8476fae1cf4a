"""A run that is killed, at any moment and however often, ends with the files it would have had."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detector.corpus.inputs import walk
from detector.corpus.packing import unpack

KILLER = """
# Kills a run at its n-th step on the disk, for n drawn at random, and starts it again, until one gets through.
import os, random, signal, sys
from pathlib import Path
from detector.corpus import outputs, pages, readers, run, sinks

model, corpus, out, seed, most = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
parquet = sys.argv[6] == "parquet"
draw = random.Random(seed)
readers.UNIT_RECORDS = 4
processor = pages.PageProcessor(pages.PageOptions(model=model, packing=".zst", removed=True, max_bytes=2000))

class InlinePool:
    def __init__(self, *_): pass
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def map(self, units):
        for unit in units:
            yield unit, processor(unit.records)

run.WorkerPool = InlinePool
options = run.RunOptions(
    pages=pages.PageOptions(model=model, packing=".zst", max_bytes=2000),
    files=sinks.SinkOptions(
        parquet=parquet, shard_bytes=1000, removed=out.with_suffix(".removed.jsonl.zst"), checkpoint_seconds=draw.choice([0, 0, 1e9])
    ),
)

def attempt(steps):
    left = steps
    def counted(function):
        def call(*arguments, **named):
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return function(*arguments, **named)
        return call
    if steps is not None:
        os.fsync = counted(os.fsync)
        Path.replace = counted(Path.replace)
        Path.unlink = counted(Path.unlink)
        outputs.write_table = counted(outputs.write_table)
        for name in ("write", "sync", "publish", "publish_as_table", "__init__"):
            setattr(outputs.GrowingFile, name, counted(getattr(outputs.GrowingFile, name)))
    run.run([corpus], out, options)

kills = 0
while True:
    steps = draw.randint(0, most) if most and kills < 40 else None
    child = os.fork()
    if not child:
        try:
            attempt(steps)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        print(kills)
        sys.exit(os.WEXITSTATUS(status))
    kills += 1
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with lines, good and bad, plain and packed, and with pages."""
    draw = random.Random(5)
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        rows = []
        for _ in range(draw.randint(5, 25)):
            text = "\n".join(
                draw.choice(["Home | News", "The mill burned down.", "- One", "Nobody rebuilt it."]) for _ in range(9)
            )
            rows.append(draw.choice([b"{bad", b"x" * 3000] + [json.dumps({"text": text}).encode()] * 8))
        content = b"\n".join(rows)
        if number % 2:
            (folder / f"{number}.jsonl.gz").write_bytes(gzip.compress(content)[: -12 if number == 3 else None])
        else:
            (folder / f"{number}.jsonl").write_bytes(content)
        (folder / f"{number}.txt").write_text(f"Page {number}.\nHome", encoding="utf-8")
    return folder


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a run but its checkpoint, the shards together with what they are named."""
    files = [*out.iterdir(), *out.parent.glob("*.removed.jsonl*")]
    return {path.name.replace(out.name, ""): path.read_bytes() for path in files if path.name != "checkpoint.json"}


def killed(tmp_path: Path, model: Path, corpus: Path, out: Path, shards: str, seed: int, most: int) -> int:
    """Run, killed at up to the `most`-th step of each start; how often it was."""
    script = tmp_path / "killer.py"
    script.write_text(KILLER, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, script, model, corpus, out, str(seed), str(most), shards],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    return int(ended.stdout)


@pytest.mark.parametrize("shards", ["jsonl", "parquet"])
def test_killed_at_random_steps_the_output_is_the_same_to_the_byte(
    tmp_path: Path, sentence_folder: Path, corpus: Path, shards: str
) -> None:
    (tmp_path / "whole").mkdir()
    assert killed(tmp_path, sentence_folder, corpus, tmp_path / "whole" / "out", shards, 0, 0) == 0
    expected = contents(tmp_path / "whole" / "out")
    assert len([name for name in expected if name.startswith("part-") and f".{shards}" in name]) > 3
    assert not any(name.endswith(".part") for name in expected)
    kills = 0
    for seed, most in ((1, 12), (2, 30), (3, 60), (4, 100)) if shards == "jsonl" else ((1, 12), (2, 40)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        kills += killed(tmp_path, sentence_folder, corpus, folder / "out", shards, seed, most)
        assert contents(folder / "out") == expected, f"seed {seed}"
    assert kills > 10


@pytest.mark.parametrize("seed", [1])
def test_killed_at_random_times_with_workers_no_page_is_lost_or_doubled(
    tmp_path: Path, sentence_folder: Path, seed: int
) -> None:
    path = tmp_path / "in.jsonl"
    lines = ["The mill burned down.", "Home | News", "- Another story", "Nobody rebuilt it."] * 2
    with path.open("w", encoding="utf-8") as stream:
        for number in range(3_000):
            stream.write(json.dumps({"id": number, "text": "\n".join([f"Page {number}.", *lines])}) + "\n")
    out = tmp_path / "out"
    command = [
        sys.executable, "-c", "from detector.cli import main; main()", "run", str(path), "-o", str(out),
        "--workers", "2", "--shard-mb", "0.005", "--model", str(sentence_folder),
    ]  # fmt: skip
    draw = random.Random(seed)
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for(out / "checkpoint.json", process)
        time.sleep(draw.uniform(0.1, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for part in out.glob("part-*.zst"):
            ids_of(part)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, list(out.glob("*.part"))) == (0, []), ended.stderr
    found = [number for part in sorted(out.glob("part-*")) for number in ids_of(part)]
    assert found == list(range(3_000))


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the run has begun, or ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


def ids_of(part: Path) -> list[int]:
    """The ids of the pages of a whole shard."""
    with part.open("rb") as raw:
        return [json.loads(line)["id"] for line in unpack(raw, ".zst")]


def test_a_run_over_standard_input_starts_over(tmp_path: Path, sentence_folder: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable, "-c", "from detector.cli import main; main()", "run", "-", "-o", str(out), "--model",
        str(sentence_folder),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    _wait_for(out / "checkpoint.json", process)
    process.kill()
    process.communicate()
    ended = subprocess.run(command, input=b'{"id": 0, "text": "A page."}\n', capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ids_of(out / "part-00000.jsonl.zst") == [0]


def test_inputs_are_told_apart_by_size_and_time(tmp_path: Path) -> None:
    from detector.corpus.inputs import fingerprint

    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    first = fingerprint(walk(str(path)))
    assert fingerprint(walk(str(path))) == first
    os.utime(path, ns=(1, 1))
    assert fingerprint(walk(str(path))) != first
