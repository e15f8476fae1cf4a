"""What `detector run` takes over a corpus file: two workers against one, and the memory of a large run.

    python benchmarks/corpus_run.py --corpora DIR [--megabytes 60] [--rounds 3] [--memory-megabytes 1000]

The file is crawl text, repeated up to the size asked for, as JSON lines. Runs with one and with two workers take turns;
medians and the ratio are printed. Then a run over the larger file is watched: the peak memory of each of its processes,
over its first tenth and over all of it. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

from processes import stats_of_family

from training.corpora import read_raw_texts

STATUSES = (0, 1)
"""Of a run that went well: 1 says that some pages could not be read, and crawls have binary files among them."""

PAUSE_SECONDS = 0.25
"""Between two looks at the memory of the processes."""

WORKERS = (1, 2)


def write_corpus(path: Path, texts: list[str], megabytes: float) -> int:
    """Write the texts over and over, as JSON lines, until the file has its size; returns the number of pages."""
    size, pages = 0, 0
    with path.open("wb") as file:
        for text in cycle(texts):
            line = json.dumps({"id": pages, "text": text}, ensure_ascii=False).encode("utf-8", "replace")
            size += file.write(line + b"\n")
            pages += 1
            if size >= megabytes * 1e6:
                return pages
    raise ValueError("no texts to repeat")


def command(corpus: Path, output: Path, workers: int) -> list[str]:
    """The command line of a run."""
    start = [sys.executable, "-c", "from detector.cli import main; main()", "run", str(corpus)]
    return [*start, "--output", str(output), "--workers", str(workers)]


def seconds_of_run(corpus: Path, workers: int) -> float:
    """How long a run takes by the clock."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = subprocess.run(command(corpus, Path(folder) / "out", workers), check=False, capture_output=True)
        check(run.returncode)
        return time.perf_counter() - began


def check(status: int) -> None:
    """Stop if a run ended badly."""
    if status not in STATUSES:
        raise SystemExit(f"the run ended with status {status}; give the command of the run by itself to see why")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had in use; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields.get("VmHWM", "0 kB").split()[0]) / 1e3


def peaks_of_run(corpus: Path, workers: int) -> tuple[list[float], float]:
    """Watch a run: the peak memory of each of its processes in megabytes, largest first, and its seconds."""
    peaks: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with subprocess.Popen(
            command(corpus, Path(folder) / "out", workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            while run.poll() is None:
                for pid in stats_of_family(run.pid):
                    peaks[pid] = max(peaks.get(pid, 0.0), peak_megabytes(pid))
                time.sleep(PAUSE_SECONDS)
        check(run.returncode)
        return sorted(peaks.values(), reverse=True), time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=os.environ.get("DETECTOR_CORPORA"), help="a folder of corpora")
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-megabytes", type=float, default=1000)
    arguments = parser.parse_args()
    if arguments.corpora is None:
        parser.error("name a folder of corpora with --corpora or DETECTOR_CORPORA")
    texts = read_raw_texts(arguments.corpora)
    if not texts:
        parser.error(f"{arguments.corpora}: no raw/*.jsonl.xz there to repeat; name another folder of corpora")
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        write_corpus(corpus, texts, arguments.megabytes)
        seconds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
        for _ in range(arguments.rounds):
            for workers in WORKERS:
                seconds[workers].append(seconds_of_run(corpus, workers))
        ratios = [one / two for one, two in zip(*seconds.values(), strict=True)]
        for workers, measured in seconds.items():
            print(f"{workers} workers: {arguments.megabytes / statistics.median(measured):.1f} MB/s")
        print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})")
        for megabytes in (arguments.memory_megabytes / 10, arguments.memory_megabytes):
            pages = write_corpus(corpus, texts, megabytes)
            peaks, took = peaks_of_run(corpus, WORKERS[-1])
            shown = ", ".join(f"{peak:.0f}" for peak in peaks)
            print(f"{megabytes:,.0f} MB, {pages:,} pages, {took:.0f} s: peak memory of each process {shown} MB")


if __name__ == "__main__":
    main()
