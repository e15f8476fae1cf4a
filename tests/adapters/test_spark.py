"""Spark with two workers in processes of their own (local-cluster mode)."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.adapters.columns import COLUMNS
from detector.adapters.recipe import DetectorRecipe
from detector.data import Page
from detector.errors import UsageError
from detector.features.site import scheme
from detector.signatures import SignatureCounter, SignatureStore
from detector.signatures.keys import KeyKind
from detector.site_memory import count_pages

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

from pyspark.sql import SparkSession

from detector.adapters.spark import classify, count_signatures, snapshot

ROOT = Path(__file__).parents[2]
# PySpark leaves its sockets to the garbage collector, and warns of a pandas that is newer than it.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:PySpark does not yet fully support pandas:FutureWarning",
)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of two workers; started once, for it takes longer than all tests."""
    # Read when the context is made; without it workers run the python3 of the path, not that of the tests.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")  # the machine's own name may lead nowhere
        # Six virtual machines start on as few cores as there are: what they compile well costs more than it gives.
        environment.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        session = _session(str(tmp_path_factory.mktemp("warehouse")))
        yield session
        session.stop()


def _session(warehouse: str) -> Any:
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.network.timeout", "600s")  # nobody is dead on a busy machine
        .config("spark.executor.heartbeatInterval", "60s")
        .config("spark.ui.enabled", False)
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.sql.warehouse.dir", warehouse)
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


@pytest.fixture(scope="module")
def site() -> list[tuple[str, str]]:
    """Addresses and texts of twelve pages of two hosts, each with its host's menu, and one line twice on its page."""
    return [
        (
            f"http://{host}.example/{name}",
            f"Home | {host} news\nAbout the town of {host}\nOnly page {name} of {host} says this.\nMore\nMore",
        )
        for host in ("salt", "pepper")
        for name in ("one", "two", "three", "four", "five", "six")
    ]


def test_columns_are_added_by_every_worker(spark: Any, recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    rows = [(i, text) for i, text in enumerate([pages["text"], None, pages["html"], pages["links"]] * 5)]
    frame = spark.createDataFrame(rows, "id int, text string").repartition(4)
    result = classify(frame, recipe=recipe)
    assert result.columns == ["id", "text", *COLUMNS]
    found = {row["id"]: row for row in result.collect()}
    assert [found[i]["clean_text"] for i in range(20)] == [pages["kept"], "", pages["kept"], ""] * 5
    assert [found[i]["problem"] for i in range(4)] == [None, "empty page", None, None]
    assert found[0]["removed_ratio"] == recipe.columns([pages["text"]])["removed_ratio"][0]


def test_binary_pages(spark: Any, recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    frame = spark.createDataFrame([(bytearray(pages["html"].encode()),)], "body binary")
    assert [row["clean_text"] for row in classify(frame, "body", recipe=recipe).collect()] == [pages["kept"]]


def test_a_column_that_is_not_there_is_named_before_the_work(spark: Any, recipe: DetectorRecipe) -> None:
    frame = spark.createDataFrame([("a page",)], "body string")
    for name in ("text", "BODY"):
        with pytest.raises(UsageError, match=f"no column '{name}'.*body"):
            classify(frame, name, recipe=recipe)
    with pytest.raises(UsageError, match="a column 'Problem' already"):
        classify(frame.withColumnRenamed("body", "Problem"), "Problem", recipe=recipe)


def test_the_snapshot_is_that_of_one_machine(spark: Any, site: list[tuple[str, str]], tmp_path: Path) -> None:
    counter = SignatureCounter(scheme())
    count_pages((Page(text, "text", url) for url, text in site), counter)
    expected = counter.freeze()
    empty = [("http://salt.example/empty", ""), ("http://pepper.example/empty", None)]
    frame = spark.createDataFrame([*site, *empty], "url string, text string").repartition(3)
    store = snapshot(count_signatures(frame, recipe=DetectorRecipe(kind="text")))
    assert np.array_equal(store.keys, expected.keys)
    assert np.array_equal(store.counts, expected.counts)
    assert snapshot(count_signatures(frame.where("text is null"))).totals()[KeyKind.CONTENT] == (0, 0)
    store.save(tmp_path / "signatures")
    assert len(SignatureStore.open(tmp_path / "signatures", scheme())) == len(store)


def test_a_page_under_two_addresses_counts_once(spark: Any, site: list[tuple[str, str]]) -> None:
    copies = [(f"{url}?print=yes", text) for url, text in site]
    once, twice = (
        snapshot(count_signatures(spark.createDataFrame(rows, "url string, text string"))).totals()
        for rows in (site, [*site, *copies])
    )
    assert twice == once


def test_rare_signatures_are_forgotten_and_pages_are_not(spark: Any, site: list[tuple[str, str]]) -> None:
    frame = spark.createDataFrame(site, "url string, text string")
    totals = snapshot(count_signatures(frame), min_pages=2).totals()
    assert totals[KeyKind.LINE] == (6, 36)
    assert totals[KeyKind.URL] == (12, 12)
    assert totals[KeyKind.HOST] == (2, 12)
