"""Spark on one machine with 1 and 2 workers: pages a second, and the bytes that the count of signatures shuffles.

    pip install -e '.[spark]'
    SPARK_LOCAL_IP=127.0.0.1 python benchmarks/spark_scaling.py PAGES.jsonl.xz... [--workers 1 2] [--rounds 3]

Inputs are lines of JSON with `url` and `text`. Every worker is a process of its own with one core (local-cluster mode). Rates
are those of the best round, after one that loads the model; bytes are those of Spark's REST interface.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

from detector.adapters.recipe import DetectorRecipe
from detector.adapters.spark import classify, count_signatures

ROOT = Path(__file__).parents[1]
PARTS = 8
"""Files of the input: enough that two workers end together."""


def write_pages(inputs: list[str], folder: Path) -> tuple[int, int]:
    """The pages as Parquet, dealt out over `PARTS` files; how many, and their characters."""
    rows = []
    for name in inputs:
        with lzma.open(name, "rt", encoding="utf-8") as lines:
            rows += [{key: page.get(key) for key in ("url", "text")} for page in map(json.loads, lines)]
    for part in range(PARTS):
        pq.write_table(pa.Table.from_pylist(rows[part::PARTS]), folder / f"{part}.parquet")
    return len(rows), sum(len(row["text"]) for row in rows)


def start(workers: int, folder: Path) -> SparkSession:
    """A cluster of that many workers with a core each."""
    session: SparkSession = (
        SparkSession.builder.master(f"local-cluster[{workers},1,2048]")
        .config("spark.executorEnv.PYTHONPATH", str(ROOT))
        .config("spark.executorEnv.OMP_NUM_THREADS", 1)
        .config("spark.executorEnv.OPENBLAS_NUM_THREADS", 1)
        .config("spark.executor.memory", "1536m")
        .config("spark.network.timeout", "600s")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 2 * workers)
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 1000)
        .config("spark.sql.files.openCostInBytes", 1 << 27)  # a task a file, as with the large files of a real corpus
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Of the best round; one more before them loads what is loaded once."""
    work()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def stages(session: SparkSession) -> list[dict[str, Any]]:
    """What Spark's REST interface says of every finished stage."""
    context = session.sparkContext
    address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages?status=complete"
    with urllib.request.urlopen(address) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def to_nowhere(frame: DataFrame) -> None:
    """Compute all of it and keep nothing."""
    frame.write.format("noop").mode("overwrite").save()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pages").mkdir()
        pages, characters = write_pages(arguments.inputs, folder / "pages")
        print(f"{pages:,} pages of {characters / pages:,.0f} characters\n")
        print(
            "| workers | classify, pages/s | count signatures, pages/s | shuffled | bytes a page | signatures a page |"
        )
        print("|--:|--:|--:|--:|--:|--:|", flush=True)
        for workers in arguments.workers:
            session = start(workers, folder)
            frame = session.read.parquet(str(folder / "pages"))
            classified = seconds(
                lambda: to_nowhere(classify(frame, recipe=DetectorRecipe(kind="text"))), arguments.rounds
            )
            counts = count_signatures(frame, recipe=DetectorRecipe(kind="text"))
            counted = seconds(lambda: to_nowhere(counts), arguments.rounds)
            before = {stage["stageId"] for stage in stages(session)}
            found, often = counts.agg(sql.count("*"), sql.sum((sql.col("pages") > 1).cast("long"))).first()
            shuffled = [stage["shuffleWriteBytes"] for stage in stages(session) if stage["stageId"] not in before]
            total = sum(shuffled)
            print(
                f"| {workers} | {pages / classified:.0f} | {pages / counted:.0f} | {total / 1e6:,.1f} MB "
                f"| {total / pages:,.0f} | {found / pages:.1f}, {often / pages:.1f} of them on two pages or more |",
                flush=True,
            )
            print(f"  stages: {shuffled}", file=sys.stderr)
            session.stop()


if __name__ == "__main__":
    main()
