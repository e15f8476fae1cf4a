"""Pages over and over through one process: `python benchmarks/soak.py FOLDER --pages 20000`.

Prints a line of JSON: memory and processor time a page in the first and the last tenth after the first pass, and
whether threads that share one detector gave the results of one.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from detector import Detector

PAGE_BYTES = 4096
"""What Linux calls a page of memory."""


def resident_mb() -> float:
    """Memory of this process that is in use now, in megabytes; Linux only."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 1e6


def soak(detector: Detector, pages: list[bytes], count: int) -> dict[str, float]:
    """Classify so many pages one by one and compare the first tenth with the last."""
    for page in pages:
        detector.classify(page)
    memory, seconds = [], []
    tenth = max(count // 10, 1)
    stream = cycle(pages)
    for _ in range(10):
        began = time.process_time()
        for page in islice(stream, tenth):
            detector.classify(page)
        seconds.append(time.process_time() - began)
        memory.append(resident_mb())
    return {
        "pages": tenth * 10,
        "first_mb": round(memory[0], 1),
        "last_mb": round(memory[-1], 1),
        "first_ms_a_page": round(seconds[0] / tenth * 1e3, 3),
        "last_ms_a_page": round(seconds[-1] / tenth * 1e3, 3),
    }


def threads_agree(detector: Detector, pages: list[bytes], threads: int = 8) -> bool:
    """Whether threads that share the detector give, to the bit, what one gives."""
    alone = [detector.classify(page) for page in pages]
    with ThreadPoolExecutor(threads) as pool:
        shared = list(pool.map(detector.classify, pages))
    return all(
        one.text == other.text and np.array_equal(one.probabilities, other.probabilities)
        for one, other in zip(alone, shared, strict=True)
    )


def main() -> None:
    """Parse the arguments, soak, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of pages")
    parser.add_argument("--pages", type=int, default=1_000_000)
    arguments = parser.parse_args()
    pages = [path.read_bytes() for path in sorted(arguments.folder.rglob("*.*")) if path.is_file()]
    if not pages:
        raise SystemExit(f"{arguments.folder}: no pages; name a folder of pages")
    detector = Detector()
    print(json.dumps({**soak(detector, pages, arguments.pages), "threads_agree": threads_agree(detector, pages)}))


if __name__ == "__main__":
    main()
