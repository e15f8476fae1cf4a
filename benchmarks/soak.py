"""The pages of JSONL files over and over through one process: `python benchmarks/soak.py FILE... --pages 1000000`.

A pass is a pool of pages in one order, HTML among text. Prints a line of JSON: memory at the end of the first and of the
last tenth of the passes, and the largest at the end of any; processor time a page in the two tenths; whether every pass gave
the same results to the bit; and whether threads that share one detector gave the results of one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import numpy as np

from detector import Detector, Page, PageResult
from training.jsonl import read_records

PAGE_BYTES = 4096
"""What Linux calls a page of memory."""


def resident_mb() -> float:
    """Memory of this process that is in use now, in megabytes; Linux only."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 1e6


def read_pool(files: list[Path], size: int, html_share: float) -> list[Page]:
    """So many pages in mixed order; files with too few of a kind give theirs again.

    Raises:
        SystemExit: The files have no pages of a kind that is asked for.
    """
    texts, htmls = [], []
    for file in files:
        for _, record in read_records(file):
            if isinstance(record.get("html"), str):
                htmls.append(Page(record["html"], "html"))
            elif isinstance(record.get("text"), str):
                texts.append(Page(record["text"], "text"))
    n_html = round(size * html_share)
    if (n_html and not htmls) or (n_html < size and not texts):
        raise SystemExit(f"{len(texts)} records with 'text' and {len(htmls)} with 'html'; name files that have both")
    pool = [*islice(cycle(texts), size - n_html), *islice(cycle(htmls), n_html)]
    random.Random(0).shuffle(pool)
    return pool


def digest(result: PageResult, before: int) -> int:
    """A checksum of what a result says, added to one of those before it."""
    return zlib.crc32(result.probabilities.tobytes(), zlib.crc32(result.label_ids.tobytes(), before))


def soak(detector: Detector, pool: list[Page], passes: int) -> dict[str, float | bool]:
    """Classify the pool so many times; one more time first, to fill what is kept."""
    memory, seconds, digests = [], [], set()
    for number in range(-1, passes):
        began, found = time.process_time(), 0
        for result in detector.classify_many(pool):
            found = digest(result, found)
        digests.add(found)
        if number >= 0:
            seconds.append((time.process_time() - began) / len(pool) * 1e3)
            memory.append(resident_mb())
            print(f"pass {number + 1}: {memory[-1]:.1f} MB, {seconds[-1]:.3f} ms a page", file=sys.stderr, flush=True)
    tenth = max(passes // 10, 1)
    return {
        "pages": passes * len(pool),
        "first_mb": round(median(memory[:tenth]), 1),
        "last_mb": round(median(memory[-tenth:]), 1),
        "most_mb": round(max(memory), 1),
        "first_ms_a_page": round(median(seconds[:tenth]), 3),
        "last_ms_a_page": round(median(seconds[-tenth:]), 3),
        "passes_agree": len(digests) == 1,
    }


def threads_agree(detector: Detector, pool: list[Page], threads: int = 8) -> bool:
    """Whether threads that share the detector give, to the bit, what one gives."""
    alone = [detector.classify(page) for page in pool]
    with ThreadPoolExecutor(threads) as executor:
        shared = list(executor.map(detector.classify, pool))
    return all(
        one.text == other.text and np.array_equal(one.probabilities, other.probabilities)
        for one, other in zip(alone, shared, strict=True)
    )


def main() -> None:
    """Parse the arguments, soak, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="JSONL files with 'html' or 'text'")
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--pool", type=int, default=10_000, help="pages in a pass")
    parser.add_argument("--html-share", type=float, default=0.05)
    arguments = parser.parse_args()
    pool = read_pool(arguments.files, arguments.pool, arguments.html_share)
    detector = Detector()
    found = soak(detector, pool, max(arguments.pages // arguments.pool, 1))
    print(json.dumps({**found, "threads_agree": threads_agree(detector, pool[:2000])}))


if __name__ == "__main__":
    main()
