"""Where counts of signatures are kept best: our sorted file, SQLite, LMDB and DuckDB, with the same keys.

    pip install lmdb duckdb
    python benchmarks/signature_storage.py [--keys 10000000] [--queries 20000]

Prints time to write, bytes on disk, and time a key for looking up random keys, half of them present, many at once.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from detector.signatures import SignatureStore

ROUNDS = 5
Lookup = Callable[[np.ndarray], int]
"""Looks up keys and gives the sum of their counts."""


def sorted_file(folder: Path, keys: np.ndarray, counts: np.ndarray) -> Lookup:
    """Ours."""
    SignatureStore(keys, counts, "benchmark").save(folder / "sorted")
    store = SignatureStore.open(folder / "sorted", "benchmark")
    return lambda queries: int(store.lookup(queries).sum())


def sqlite(folder: Path, keys: np.ndarray, counts: np.ndarray) -> Lookup:
    """A table whose primary key is the signature, queried by a join with the batch."""
    base = sqlite3.connect(folder / "sqlite")
    base.execute("CREATE TABLE store (key INTEGER PRIMARY KEY, count INTEGER) WITHOUT ROWID")
    base.executemany("INSERT INTO store VALUES (?, ?)", zip(keys.view(np.int64).tolist(), counts.tolist(), strict=True))
    base.commit()
    base.execute("CREATE TEMP TABLE asked (key INTEGER)")

    def look(queries: np.ndarray) -> int:
        base.execute("DELETE FROM asked")
        base.executemany("INSERT INTO asked VALUES (?)", ((key,) for key in queries.view(np.int64).tolist()))
        found = base.execute("SELECT sum(count) FROM asked JOIN store USING (key)").fetchone()[0]
        return int(found or 0)

    return look


def lmdb(folder: Path, keys: np.ndarray, counts: np.ndarray) -> Lookup:
    """A key of eight bytes, the highest first, asked for one by one in order."""
    import lmdb as library

    base = library.open(str(folder / "lmdb"), map_size=1 << 33, subdir=False)
    names, values = keys.astype(">u8").tobytes(), counts.astype("<u4").tobytes()
    with base.begin(write=True) as transaction:
        for place in range(len(keys)):
            transaction.put(names[8 * place : 8 * place + 8], values[4 * place : 4 * place + 4], append=True)

    def look(queries: np.ndarray) -> int:
        packed = np.sort(queries).astype(">u8").tobytes()
        with base.begin(buffers=False) as transaction:
            found = [transaction.get(packed[place : place + 8]) for place in range(0, len(packed), 8)]
        return int(np.frombuffer(b"".join(value for value in found if value), "<u4").sum())

    return look


def duckdb(folder: Path, keys: np.ndarray, counts: np.ndarray) -> Lookup:
    """A sorted table, queried by a join with the batch."""
    import duckdb as library

    base = library.connect(str(folder / "duckdb"))
    base.execute("SET threads = 1").fetchall()
    rows = {"key": keys, "count": counts}
    base.register("rows", rows)
    base.execute("CREATE TABLE store AS SELECT * FROM rows").fetchall()
    base.execute("CHECKPOINT").fetchall()

    def look(queries: np.ndarray) -> int:
        base.register("asked", {"key": queries})
        ((found,),) = base.execute("SELECT sum(count) FROM asked JOIN store USING (key)").fetchall()
        return int(found or 0)

    return look


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=20_000)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    # SQLite and DuckDB have signed integers at best in their keys: 63 bits do for all.
    keys = np.unique(random.integers(0, 1 << 63, arguments.keys, np.uint64))
    counts = random.integers(1, 1000, len(keys)).astype(np.uint32)
    strangers = random.integers(0, 1 << 63, arguments.queries // 2, np.uint64)
    queries = np.concatenate((random.choice(keys, arguments.queries // 2), strangers))
    print(
        f"| store of {len(keys):,} | written in | on disk | a look-up, {arguments.queries:,} at once |\n|---|--:|--:|--:|"
    )
    answers = set()
    for make in (sorted_file, sqlite, lmdb, duckdb):
        with tempfile.TemporaryDirectory() as name:
            started = time.perf_counter()
            look = make(Path(name), keys, counts)
            written = time.perf_counter() - started
            best = float("inf")
            for _ in range(ROUNDS):
                started = time.perf_counter()
                answers.add(look(queries))
                best = min(best, time.perf_counter() - started)
            size = sum(path.stat().st_size for path in Path(name).iterdir())
        print(
            f"| {make.__name__} | {written:.1f} s | {size / 1e6:,.0f} MB | {best / len(queries) * 1e6:.2f} us |",
            flush=True,
        )
    assert len(answers) == 1, "the stores disagree"


if __name__ == "__main__":
    main()
