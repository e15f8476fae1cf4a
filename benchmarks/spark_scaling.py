"""Spark on one machine with 1 and 2 workers: pages a second, and the bytes that the count of signatures shuffles.

    pip install -e '.[spark]'
    SPARK_LOCAL_IP=127.0.0.1 python benchmarks/spark_scaling.py PAGES.jsonl.xz... [--workers 1 2] [--copies 4] [--rounds 3]

Inputs are lines of JSON with `url` and `text`; each page comes `--copies` times, every time on another host. A worker is a
process of its own with one core (local-cluster mode). Rates are those of the best round, after one that loads the model; CPU
time is that of all processes of Spark, the driver's included, and bears a busy machine; bytes are those of Spark's REST interface.
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
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from processes import stats_of_family
from pyspark.sql import DataFrame, SparkSession

from detector.adapters.recipe import DetectorRecipe
from detector.adapters.spark import classify, count_signatures

ROOT = Path(__file__).parents[1]
PARTS = 8
"""Files of the input: enough that two workers end together."""


def write_pages(inputs: list[str], copies: int, folder: Path) -> tuple[int, int]:
    """The pages as Parquet, dealt out over `PARTS` files; how many, and their characters."""
    rows = []
    for name in inputs:
        with lzma.open(name, "rt", encoding="utf-8") as lines:
            for page in map(json.loads, lines):
                rows += [{"url": _moved(page.get("url"), copy), "text": page["text"]} for copy in range(copies)]
    for part in range(PARTS):
        pq.write_table(pa.Table.from_pylist(rows[part::PARTS]), folder / f"{part}.parquet")
    return len(rows), sum(len(row["text"]) for row in rows)


def _moved(url: str | None, copy: int) -> str | None:
    return url and url.replace("://", f"://copy{copy}.", 1)


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


def measure(frame: DataFrame, rounds: int) -> tuple[float, float]:
    """Seconds of the best round of computing all of a frame, and CPU seconds of a round on average."""
    to_nowhere(frame)
    times, before = [], cpu_seconds()
    for _ in range(rounds):
        begun = time.perf_counter()
        to_nowhere(frame)
        times.append(time.perf_counter() - begun)
    return min(times), (cpu_seconds() - before) / rounds


def to_nowhere(frame: DataFrame) -> None:
    """Compute all of it and keep nothing."""
    frame.write.format("noop").mode("overwrite").save()


def cpu_seconds() -> float:
    """Of all processes below this one: driver, executors and their Python workers."""
    ticks = sum(sum(map(int, fields[11:15])) for fields in stats_of_family(os.getpid()).values())
    return ticks / os.sysconf("SC_CLK_TCK")


def stages(session: SparkSession) -> list[dict[str, Any]]:
    """What Spark's REST interface says of every finished stage."""
    context = session.sparkContext
    address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/stages?status=complete"
    with urllib.request.urlopen(address) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pages").mkdir()
        pages, characters = write_pages(arguments.inputs, arguments.copies, folder / "pages")
        print(f"{pages:,} pages of {characters / pages:,.0f} characters\n")
        print("| workers | job | pages/s | CPU ms a page | shuffled, bytes a page |\n|--:|---|--:|--:|--:|", flush=True)
        for workers in arguments.workers:
            session = start(workers, folder)
            frame = session.read.parquet(str(folder / "pages"))
            recipe = DetectorRecipe(kind="text")
            counts = count_signatures(frame, recipe=recipe)
            for job, work in (("classify", classify(frame, recipe=recipe)), ("count signatures", counts)):
                wall, cpu = measure(work, arguments.rounds)
                known = {stage["stageId"] for stage in stages(session)}
                to_nowhere(work)
                shuffled = [stage["shuffleWriteBytes"] for stage in stages(session) if stage["stageId"] not in known]
                each = " + ".join(f"{size / pages:,.0f}" for size in shuffled if size) or "0"
                print(f"| {workers} | {job} | {pages / wall:,.0f} | {1000 * cpu / pages:.2f} | {each} |", flush=True)
            session.stop()


if __name__ == "__main__":
    main()
