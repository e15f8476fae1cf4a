"""How fast and how accurate we are beside our peers, on the same pages in the same run.

    python benchmarks/speed.py --corpora DIR [--pages 200] [--rounds 5] [--json FILE] [--chart FILE.png]

Every contender does all pages once a round, one contender after the other, so that a slow minute of the machine falls on
all of them; medians over the rounds, and ratios within a round, are printed. Everything runs in one thread, and its
processor time is taken: on a shared machine the clock measures the neighbours. `corpus_run.py` measures corpus runs.
"""

from __future__ import annotations

import argparse
import html as html_module
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from detector import Detector, Page  # noqa: E402 - the threads are fixed first
from training.corpora import read_corpus, read_raw_texts  # noqa: E402
from training.evaluate import word_f1  # noqa: E402
from training.peers import html_peers  # noqa: E402

US = "link-farm-detector"
REFERENCE = "resiliparse"
BATCH = 64
GROWTH = {
    "1,000 lines": (1_000, 1),
    "10,000 lines": (10_000, 1),
    "100,000 lines": (100_000, 1),
    "1,000 long lines": (1_000, 3),
    "100,000 long lines, 20 MB": (100_000, 3),
}
"""Pages of growing size: number of lines, and sentences of 67 characters in each."""
ACCURACY_CORPORA = ("classic_eval", "multilingual_eval")
"""Measured on and never trained on."""


@dataclass(frozen=True)
class Timing:
    """One contender in one job: median seconds for all pages, and ratios of the reference's time to its own."""

    job: str
    contender: str
    seconds: float
    unit: str
    rate: float
    ratio: float
    low: float
    high: float


Contender = Callable[[list[str]], object]


def one_at_a_time(function: Callable[[Any], str]) -> Callable[[list[Any]], list[str]]:
    """A contender that does the pages one by one; what a peer cannot read counts as empty text."""

    def run(pages: list[Any]) -> list[str]:
        texts = []
        for page in pages:
            try:
                texts.append(function(page))
            except Exception as error:  # peers raise what they like on hostile pages; they are named below
                print(f"a peer failed on a page: {error!r:.100}", file=sys.stderr)
                texts.append("")
        return texts

    return run


def measure(
    job: str,
    contenders: dict[str, Contender],
    pages: list[str],
    unit: str,
    amount: float,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> list[Timing]:
    """Time every contender on all pages, `rounds` times, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for function in contenders.values():
        function(pages[:5])
    for _ in range(rounds):
        for name, function in contenders.items():
            start = clock()
            function(pages)
            times[name].append(clock() - start)
    reference = REFERENCE if REFERENCE in times else next(iter(times))
    rows = []
    for name, seconds in times.items():
        ratios = sorted(base / own for base, own in zip(times[reference], seconds, strict=True))
        middle = statistics.median(seconds)
        rows.append(Timing(job, name, middle, unit, amount / middle, statistics.median(ratios), ratios[0], ratios[-1]))
    return rows


def html_pages(corpora: Path, number: int) -> list[str]:
    """Pages drawn at random, always the same ones."""
    pages = [sample.content for sample in read_corpus(corpora, ("wcxb_dev",))]
    return random.Random(1).sample(pages, min(number, len(pages)))


def text_pages(corpora: Path, number: int) -> list[str]:
    """Crawl text drawn at random, always the same."""
    pages = read_raw_texts(corpora)
    return random.Random(1).sample(pages, min(number, len(pages)))


def megabytes(pages: Iterable[str]) -> float:
    """Size in UTF-8."""
    return sum(len(page.encode("utf-8", "replace")) for page in pages) / 1e6


def wrapped(text: str) -> str:
    """Lines as HTML paragraphs."""
    return (
        "<html><body>" + "".join(f"<p>{html_module.escape(line)}</p>" for line in text.split("\n")) + "</body></html>"
    )


def speed(corpora: Path, number: int, rounds: int) -> list[Timing]:
    """All timed jobs."""
    detector = Detector()

    def batches(kind: str) -> Contender:
        def run(pages: list[str]) -> list[str]:
            batch = [Page(page, kind) for page in pages]  # type: ignore[arg-type]
            return [result.text for result in detector.classify_many(batch, BATCH)]

        return run

    others = {name: one_at_a_time(function) for name, function in html_peers().items()}
    pages = html_pages(corpora, number)
    ours = {
        US: one_at_a_time(lambda page: detector.strip(page, "html")),
        f"{US}, batches of {BATCH}": batches("html"),
    }
    rows = measure("HTML to text", {**ours, **others}, pages, "pages/s", len(pages), rounds)
    texts = text_pages(corpora, number * 5)
    ours = {
        US: one_at_a_time(lambda page: detector.strip(page, "text")),
        f"{US}, batches of {BATCH}": batches("text"),
    }
    rows += measure("plain text", ours, texts, "MB/s", megabytes(texts), rounds)
    if "jusText" in others:
        lines = texts[:number]
        contenders = {f"{US}, batches of {BATCH}": batches("text"), US: ours[US]}
        justext = others["jusText"]
        contenders["jusText on <p>"] = lambda some: justext([wrapped(text) for text in some])
        rows += measure("the same lines", contenders, lines, "MB/s", megabytes(lines), rounds)
    for name, (size, sentences) in GROWTH.items():
        page = "\n".join(
            " ".join(
                f"Line {i} of a long page, with {(i + part) % 7} words more or less, and an end."
                for part in range(sentences)
            )
            for i in range(size)
        )
        contender = {US: one_at_a_time(lambda page: detector.strip(page, "text"))}
        rows += measure(f"one page of {name}", contender, [page], "lines/s", size, rounds)
    return rows


def cold_start(rounds: int) -> list[Timing]:
    """A process that strips one small page, beside one that imports NumPy and Typer: by the clock and by the processor."""
    samples = Path(__file__).parents[1] / "samples"
    strip = [sys.executable, "-c", "from detector.cli import main; main()", "strip"]
    commands = {
        "import numpy, typer": [sys.executable, "-c", "import numpy, typer"],
        f"{US}, HTML": [*strip, str(samples / "en_news_reservoir.html")],
        f"{US}, text": [*strip, str(samples / "en_autoblog_tidal.tsv")],
    }

    def children_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    # As installed: with compiled bytecode, which an environment for development may forbid to write.
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}

        def run(command: list[str]) -> Contender:
            return lambda pages: subprocess.run(command, check=True, capture_output=True, env=environment)

        contenders = {name: run(command) for name, command in commands.items()}
        clocks = {"cold process, clock": time.perf_counter, "cold process, processor": children_seconds}
        return [
            row
            for job, clock in clocks.items()
            for row in measure(job, contenders, [""], "runs/s", 1, rounds * 3, clock)
        ]


def accuracy(corpora: Path) -> dict[str, float]:
    """Mean word F1 of every contender on pages that nobody of us was trained on."""
    detector = Detector()
    contenders = {US: lambda html, lang: detector.strip(html, "html"), **html_peers()}
    samples = list(read_corpus(corpora, ACCURACY_CORPORA))
    found = {}
    for name, function in contenders.items():
        texts = one_at_a_time(lambda sample, run=function: run(sample.content, sample.lang))(samples)
        scores = [word_f1(text, sample.gold_text or "") for text, sample in zip(texts, samples, strict=True)]  # type: ignore[call-overload]
        found[name] = statistics.mean(scores)
    return found


def draw(rows: list[Timing], scores: dict[str, float], path: Path) -> None:
    """Pages per second against F1."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for row in rows:
        score = scores.get(row.contender.split(",")[0])
        if row.job == "HTML to text" and score is not None:
            ours = row.contender.startswith(US)
            axes.scatter(row.rate, score, s=70, color="#c2410c" if ours else "#475569", zorder=3)
            # Ours stands there twice, of one score: one name above its point, the other below.
            offset = (6, -14) if "," in row.contender else (6, 6)
            axes.annotate(row.contender, (row.rate, score), xytext=offset, textcoords="offset points", fontsize=9)
    axes.set(xscale="log", xlabel="HTML pages per second, one core (log)", ylabel="mean word F1, unseen pages")
    axes.margins(x=0.25, y=0.15)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=os.environ.get("DETECTOR_CORPORA"), help="a folder of corpora")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--chart", type=Path)
    arguments = parser.parse_args()
    if arguments.corpora is None:
        parser.error("name a folder of corpora with --corpora or DETECTOR_CORPORA")
    rows = speed(arguments.corpora, arguments.pages, arguments.rounds) + cold_start(arguments.rounds)
    print(f"{'job':28} {'contender':36} {'rate':>20}  ratio of {REFERENCE}'s time (least, most)")
    for row in rows:
        rate = f"{row.rate:,.1f} {row.unit}"
        print(f"{row.job:28} {row.contender:36} {rate:>20}  {row.ratio:.2f} ({row.low:.2f}, {row.high:.2f})")
    scores = accuracy(arguments.corpora)
    print("\nmean word F1 on " + ", ".join(ACCURACY_CORPORA))
    for name, score in sorted(scores.items(), key=lambda item: -item[1]):
        print(f"{name:36} {score:.3f}")
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"speed": [asdict(row) for row in rows], "word_f1": scores}, indent=1) + "\n"
        )
    if arguments.chart:
        draw(rows, scores, arguments.chart)


if __name__ == "__main__":
    main()
