"""Damaged Parquet files through the reader: `python tests/fuzz/fuzz_parquet.py --executions N`.

A file with columns of most kinds, in several codecs and encodings, with bytes changed, cut out and put in, half of the time in
its footer. Each is given as rows and problems, or refused as a whole. Arrow is C++: what ends the process ends the fuzzing,
and the file is left in the working folder. Prints a line of JSON.
"""

from __future__ import annotations

import argparse
import datetime
import faulthandler
import io
import json
import random
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from detector.corpus.parquet import read_parquet
from detector.corpus.records import Problem

ROWS = 4
FOOTER_BYTES = 2500
HANGS_AFTER = 300
LAST = Path("last.parquet")
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"use_dictionary": False, "compression": "zstd"},
    {"data_page_version": "2.0", "compression": "gzip"},
    {"store_schema": False, "write_statistics": False, "compression": "none"},
    {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY", "lists.list.element.list.element": "DELTA_BYTE_ARRAY"}},
    {"write_page_index": True, "row_group_size": 2},
)  # fmt: skip


def table() -> pa.Table:
    """A few rows of most kinds of columns."""
    text = pa.string()
    pairs = pa.map_(text, pa.int64())
    return pa.table({
        "text": ["The mill burned down.", None, "x" * 2000, ""],
        "number": pa.array([1, 2, None, 4]),
        "lists": pa.array([[["a"], []], None, [["b", None]], []], pa.list_(pa.list_(text))),
        "maps": pa.array([[("a", 1), ("b", 2)], None, [("c", 3)], []], pairs),
        "structs": pa.array([[{"a": [("k", 1)], "b": None}]] * ROWS, pa.list_(pa.struct([("a", pairs), ("b", text)]))),
        "fixed": pa.array([[1, 2]] * ROWS, pa.list_(pa.int16(), 2)),
        "bytes": pa.array([[b"\xff"]] * ROWS),
        "days": [[datetime.date(2020, 1, 1)]] * ROWS,
        "times": [datetime.datetime(2020, 1, 1)] * ROWS,
        "kinds": pa.array(["u", "v", "u", "v"]).dictionary_encode(),
    })  # fmt: skip


def originals() -> list[bytes]:
    """The table as files, each written in another way."""
    files = []
    for variant in VARIANTS:
        file = io.BytesIO()
        pq.write_table(table(), file, **variant)
        files.append(file.getvalue())
    return files


def damage(draw: random.Random, content: bytes) -> bytes:
    """A few bytes changed, cut out or put in."""
    damaged = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at = draw.randrange(len(damaged) if draw.random() < 0.5 else min(FOOTER_BYTES, len(damaged)))
        at = at if draw.random() < 0.5 else len(damaged) - 1 - at
        how = draw.random()
        if how < 0.7:
            damaged[at] = draw.choice((draw.randrange(256), 0, 255, 127, damaged[at] ^ (1 << draw.randrange(8))))
        elif how < 0.85:
            del damaged[at : at + draw.randrange(1, 9)]
        else:
            damaged[at:at] = draw.randbytes(draw.randrange(1, 9))
    return bytes(damaged)


def read(content: bytes) -> Counter[str]:
    """How many rows and problems were read of a file, or that it was refused."""
    found: Counter[str] = Counter()
    try:
        for item in read_parquet(io.BytesIO(content), "a", 0):
            found["problems" if isinstance(item.found, Problem) else "rows"] += 1
    except OSError:
        found["refused"] += 1
    return found


def main() -> None:
    """Parse the arguments, fuzz, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    files, found, slowest = originals(), Counter[str](), 0.0
    faulthandler.enable()
    for number in range(arguments.executions):
        draw = random.Random(f"{arguments.seed}/{number}")
        content = damage(draw, draw.choice(files))
        LAST.write_bytes(content)
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
        began = time.process_time()
        found += read(content)
        slowest = max(slowest, time.process_time() - began)
    faulthandler.cancel_dump_traceback_later()
    LAST.unlink(missing_ok=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"pyarrow": pa.__version__, **found, "slowest": round(slowest, 3), "memory_mb": round(memory)}))


if __name__ == "__main__":
    main()
