"""Mutated pages through the whole path, bytes to result, in both modes: `python -m tests.fuzz.fuzz_pages --executions N`.

Most go in batches of small mutants, cut from anywhere in real pages, because that tries most in an hour; some are as large
as real pages and go alone, which is where time a byte is measured. Of every batch one page is classified alone as well, and
has to come out the same to the bit. A batch depends on the seed and its number only: `--first N` begins where one crashed.
With `--atheris`, the fuzzing engine picks bytes by the coverage of the Python code, and the same mutations are applied.
Prints a line of JSON; what raised, or gave an unsound result, is left in the working folder. Exit status 1 if there was any.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import random
import resource
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector import Detector, Page, PageResult
from detector.data import Kind
from tests.fuzz.mutations import mutate, piece
from training.jsonl import SUFFIXES, read_records

BATCH, SHORTEST, LONGEST = 256, 50, 2000
LARGE_EVERY, LARGE_BATCH, LARGE_SHORTEST, LARGE_LONGEST = 8, 8, 4096, 100_000
"""Pages of a batch and their sizes in bytes; one batch of so many has pages as large as real ones."""

HANGS_AFTER = 600
"""Seconds, on a busy machine, for a batch after which the process prints where it is and ends, though it be in the parser's native code."""

KINDS: tuple[Kind, ...] = ("html", "text")


@dataclass(slots=True)
class Tally:
    """What came of the executions; one is one page in one mode.

    Attributes:
        seconds: Of the processor, in the detector.
        longest: Seconds of the page or batch that took longest.
        slowest: Seconds a byte at the worst, of pages alone and as large as real ones.
        slowest_batch: Seconds a byte at the worst, of batches of small pages.
        memory_mb: Peak of the process.
    """

    batches: int = 0
    executions: int = 0
    crashes: int = 0
    bytes_done: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    slowest: float = 0.0
    slowest_batch: float = 0.0
    memory_mb: float = 0.0
    problems: dict[str, int] = field(default_factory=dict)


def check(result: PageResult) -> None:
    """What holds of every result, whatever the page.

    Raises:
        AssertionError: It does not.
    """
    starts, ends, size = result.starts, result.ends, len(result.source_text)
    assert len(starts) == len(ends) == len(result.kept) == len(result.label_ids) == len(result.probabilities)
    assert (starts < ends).all()
    assert (starts[1:] >= ends[:-1]).all()
    assert not len(starts) or (starts[0] >= 0 and ends[-1] <= size)
    assert np.isfinite(result.probabilities).all()
    assert len(result.text) <= size


def check_same(result: PageResult, other: PageResult) -> None:
    """A page's result does not depend on the pages it came with.

    Raises:
        AssertionError: It does.
    """
    assert (result.text, result.problem) == (other.text, other.problem)
    assert np.array_equal(result.probabilities, other.probabilities)


def execute(detector: Detector, pages: list[bytes], kind: Kind, tally: Tally) -> list[PageResult]:
    """Classify the pages together, check the results, and count them."""
    began = time.process_time()
    results = list(detector.classify_many([Page(page, kind) for page in pages]))
    seconds, size = time.process_time() - began, sum(map(len, pages))
    assert len(results) == len(pages)
    for result in results:
        check(result)
        if result.problem:
            name = result.problem.split(":")[0]
            tally.problems[name] = tally.problems.get(name, 0) + 1
    tally.executions += len(pages)
    tally.bytes_done += size
    tally.seconds += seconds
    tally.longest = max(tally.longest, seconds)
    if len(pages) > 1:
        tally.slowest_batch = max(tally.slowest_batch, seconds / size)
    elif size >= LARGE_SHORTEST:
        tally.slowest = max(tally.slowest, seconds / size)
    return results


def attempt(detector: Detector, pages: list[bytes], kind: Kind, tally: Tally) -> list[PageResult] | None:
    """Execute; of pages that do not get through together, each alone, and those that fail alone are kept as files."""
    try:
        return execute(detector, pages, kind, tally)
    except Exception:
        if len(pages) > 1:
            failed = tally.crashes
            for page in pages:
                attempt(detector, [page], kind, tally)
            if tally.crashes > failed:
                return None
        keep(pages, kind, tally)
        return None


def keep(pages: list[bytes], kind: Kind, tally: Tally) -> None:
    """Count the exception at hand, and leave the pages that raised it in a file."""
    tally.crashes += 1
    path = Path(f"crash-{kind}-{tally.batches}-{tally.crashes}.bin")
    path.write_bytes(b"\n\0page\0\n".join(pages))
    print(f"{path}:\n{traceback.format_exc()}", file=sys.stderr)


def attempt_batch(detector: Detector, pages: list[bytes], one: int, kind: Kind, tally: Tally) -> None:
    """Attempt the pages together, and one of them alone: kept as a file as well if it does not come out the same."""
    results = attempt(detector, pages, kind, tally)
    if results is None:
        return
    try:
        check_same(results[one], detector.classify(pages[one], kind))
    except Exception:
        keep(pages, kind, tally)


def draw_batch(draw: random.Random, pages: list[bytes], *, large: bool) -> list[bytes]:
    """Mutants for a batch."""
    number, shortest, longest = (LARGE_BATCH, LARGE_SHORTEST, LARGE_LONGEST) if large else (BATCH, SHORTEST, LONGEST)
    return [mutate(draw, piece(draw, draw.choice(pages), shortest, longest), longest) for _ in range(number)]


def fuzz(detector: Detector, pages: list[bytes], arguments: argparse.Namespace, tally: Tally) -> None:
    """Batches of mutants, each in both modes, until there were so many executions, or so many seconds are over."""
    until = time.monotonic() + arguments.seconds
    number = arguments.first
    try:
        while tally.executions < arguments.executions and time.monotonic() <= until:
            if number % 100 == 0:
                print(
                    f"batch {number}: {tally.executions:,} executions, {tally.crashes} crashes",
                    file=sys.stderr,
                    flush=True,
                )
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            draw = random.Random(f"{arguments.seed}/{number}")
            large = number % LARGE_EVERY == LARGE_EVERY - 1
            batch = draw_batch(draw, pages, large=large)
            tally.batches += 1
            for kind in KINDS:
                if large:
                    for page in batch:
                        attempt(detector, [page], kind, tally)
                else:
                    attempt_batch(detector, batch, draw.randrange(len(batch)), kind, tally)
            tally.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            number += 1
    finally:
        faulthandler.cancel_dump_traceback_later()


def fuzz_with_atheris(detector: Detector, pages: list[bytes], executions: int, tally: Tally) -> None:
    """Let coverage choose: the engine's bytes say which page is mutated how, and end it. Ends the process."""
    import atheris

    def one(data: bytes) -> None:
        draw = random.Random(data[:4])
        page = mutate(draw, piece(draw, draw.choice(pages), SHORTEST, LONGEST), LONGEST) if len(data) % 2 else data
        for kind in KINDS:
            execute(detector, [page], kind, tally)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-runs={executions // 2}", f"-max_len={LONGEST}"], one)
    atheris.Fuzz()


def seed_pages(folder: Path) -> list[bytes]:
    """The files of a folder, and the records of its JSONL files, as bytes.

    Raises:
        SystemExit: There are none.
    """
    pages: list[bytes] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.name.endswith(SUFFIXES):
            pages += [(row.get("html") or row.get("text") or "").encode() for _, row in read_records(path)]
        else:
            pages.append(path.read_bytes())
    if not any(pages):
        raise SystemExit(f"{folder}: no pages to begin with; name a folder of pages with --corpus")
    return [page for page in pages if page]


def main() -> None:
    """Parse the arguments, fuzz, print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many")
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "samples", help="folder of pages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the batch to begin with")
    parser.add_argument("--atheris", action="store_true", help="let the atheris engine choose the inputs")
    arguments = parser.parse_args()
    detector, pages, tally = Detector(), seed_pages(arguments.corpus), Tally()
    faulthandler.enable()
    if arguments.atheris:
        fuzz_with_atheris(detector, pages, arguments.executions, tally)
    fuzz(detector, pages, arguments, tally)
    print(json.dumps({name: getattr(tally, name) for name in Tally.__slots__}))
    raise SystemExit(1 if tally.crashes else 0)


if __name__ == "__main__":
    main()
