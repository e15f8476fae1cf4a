"""Mutated pages through the whole path, bytes to result, in both modes: `python tests/fuzz/fuzz_pages.py --executions N`.

The mutator works at three levels: bytes (flips, cuts, repeats, NULs, invalid and mixed encodings), tags (dropped,
doubled, swapped, left open, given attributes) and nesting (pieces wrapped in the same tag over and over). With
`--atheris`, the fuzzing engine picks bytes by the coverage of the Python code, and the same mutator is applied to them.
Prints a line of JSON; a crash leaves its input in the working folder. Exit status 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector import Detector, PageResult
from detector.data import Kind

LONGEST = 12_000
"""Mutants are cut here: many small pages find more than few large ones."""

_TAG = re.compile(rb"<[^<>]{0,200}>")
_TAGS = tuple(b"div p a b table td tr ul li select option svg math template plaintext textarea pre script".split())
_ODDITIES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"&#x110000;", b"&#0;", b"&" * 50, b"&lt;" * 50,
    "\u202e\u2066".encode(), "\u200b\u200d\ufeff".encode(), "e\u0301".encode() * 20, b"<!--", b"<![CDATA[", b"]]>",
    b"<plaintext>", b"\r", b"\x0b\x0c", "\u2028".encode(), b"<meta charset=utf-16>", b"<meta charset=shift_jis>",
    "Привет".encode("cp1251"), "価格".encode("shift_jis"), b"[" * 40, b"1" * 60, b"|" * 30, b"<a href=x" * 5,
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def mutate_bytes(draw: random.Random, page: bytes) -> bytes:
    """A few bytes changed, cut out, repeated, or an oddity put in."""
    at = draw.randrange(len(page) + 1)
    end = min(len(page), at + draw.choice((1, 4, 60, 2000)))
    choice = draw.randrange(4)
    if choice == 0:
        return page[:at] + draw.randbytes(end - at) + page[end:]
    if choice == 1:
        return page[:at] + page[end:]
    if choice == 2:
        return page[:at] + page[at:end] * draw.randint(2, 40) + page[end:]
    return page[:at] + draw.choice(_ODDITIES) + page[at:]


def mutate_tags(draw: random.Random, page: bytes) -> bytes:
    """One tag dropped, doubled, replaced, left open, or given a thousand attributes."""
    found = draw.choice(list(_TAG.finditer(page)) or [None])
    if found is None:
        return page + b"<" + draw.choice(_TAGS) + b">"
    tag = found[0]
    names = b" ".join(b"a%d=%d" % (i, i) for i in range(draw.choice((3, 1000))))
    replacement = draw.choice(
        (b"", tag * draw.randint(2, 50), b"<" + draw.choice(_TAGS) + b">", tag[:-1], tag[:-1] + b" " + names + b">")
    )
    return page[: found.start()] + replacement + page[found.end() :]


def mutate_nesting(draw: random.Random, page: bytes) -> bytes:
    """A piece wrapped in one tag many times over; closed, half closed or left open."""
    at, tag, depth = draw.randrange(len(page) + 1), draw.choice(_TAGS), draw.choice((5, 100, 2000))
    closed = draw.choice((0, depth // 2, depth))
    end = min(len(page), at + draw.choice((0, 300)))
    return page[:at] + (b"<%b>" % tag) * depth + page[at:end] + (b"</%b>" % tag) * closed + page[end:]


MUTATIONS: tuple[Mutation, ...] = (mutate_bytes, mutate_bytes, mutate_tags, mutate_nesting)


def mutate(draw: random.Random, page: bytes) -> bytes:
    """A page with one to six mutations."""
    for _ in range(draw.randint(1, 6)):
        page = draw.choice(MUTATIONS)(draw, page)[:LONGEST]
    return page


@dataclass(slots=True)
class Tally:
    """What came of the executions; `slowest` is in seconds a byte, of pages of 4,096 bytes and more."""

    executions: int = 0
    crashes: int = 0
    bytes_done: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    slowest: float = 0.0
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


def execute(detector: Detector, page: bytes, kind: Kind, tally: Tally) -> None:
    """Classify one page, check the result, and count it."""
    began = time.process_time()
    result = detector.classify(page, kind)
    seconds = time.process_time() - began
    check(result)
    tally.executions += 1
    tally.bytes_done += len(page)
    tally.seconds += seconds
    tally.longest = max(tally.longest, seconds)
    if len(page) >= 4096:
        tally.slowest = max(tally.slowest, seconds / len(page))
    if result.problem:
        name = result.problem.split(":")[0]
        tally.problems[name] = tally.problems.get(name, 0) + 1


def seed_pages(folder: Path) -> list[bytes]:
    """The files of a folder, and the records of its `.jsonl` files, as bytes.

    Raises:
        SystemExit: There are none.
    """
    pages: list[bytes] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".jsonl":
            rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            pages += [(row.get("html") or row.get("text") or "").encode() for row in rows]
        else:
            pages.append(path.read_bytes())
    if not any(pages):
        raise SystemExit(f"{folder}: no pages to begin with; name a folder of pages with --corpus")
    return [page[:LONGEST] for page in pages if page]


def fuzz(detector: Detector, pages: list[bytes], executions: int, seed: int, tally: Tally, seconds: float) -> None:
    """Mutants of the pages, each in both modes, until so many executions or seconds are done."""
    draw, until = random.Random(seed), time.monotonic() + seconds
    while tally.executions + tally.crashes < executions and time.monotonic() < until:
        page = mutate(draw, draw.choice(pages))
        for kind in ("html", "text"):
            try:
                execute(detector, page, kind, tally)  # type: ignore[arg-type]
            except Exception:
                tally.crashes += 1
                path = Path(f"crash-{kind}-{tally.crashes}.bin")
                path.write_bytes(page)
                print(f"{path}:\n{traceback.format_exc()}", file=sys.stderr)


def fuzz_with_atheris(detector: Detector, pages: list[bytes], executions: int, tally: Tally) -> None:
    """Let coverage choose: the engine's bytes say which page is mutated how, and end it. Ends the process."""
    import atheris

    def one(data: bytes) -> None:
        draw = random.Random(data[:4])
        page = mutate(draw, draw.choice(pages)) if len(data) % 2 else data
        for kind in ("html", "text"):
            execute(detector, page, kind, tally)  # type: ignore[arg-type]

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-runs={executions // 2}", "-max_len=4096"], one)
    atheris.Fuzz()


def main() -> None:
    """Parse the arguments, fuzz, print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many")
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "samples", help="folder of pages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", action="store_true", help="let the atheris engine choose the inputs")
    arguments = parser.parse_args()
    detector, pages, tally = Detector(), seed_pages(arguments.corpus), Tally()
    if arguments.atheris:
        fuzz_with_atheris(detector, pages, arguments.executions, tally)
    fuzz(detector, pages, arguments.executions, arguments.seed, tally, arguments.seconds)
    print(json.dumps({name: getattr(tally, name) for name in Tally.__slots__}))
    raise SystemExit(1 if tally.crashes else 0)


if __name__ == "__main__":
    main()
