"""Spark: pages of a DataFrame classified where they lie, and the site memory counted over all of them.

`classify` is a map; each Python worker makes the detector once. `count_signatures` is a groupBy, and `snapshot` makes of
its counts the file that `detector signatures` makes on one machine, which workers map into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from detector.adapters import framework
from detector.adapters.columns import COLUMNS, check_free, chosen_columns
from detector.adapters.recipe import DetectorRecipe
from detector.features.site import scheme
from detector.signatures import SignatureStore
from detector.signatures.keys import KIND_MASK, PRUNED
from detector.site_memory import signatures_of

with framework("spark"):
    import pyarrow as pa
    from pyspark.sql import DataFrame
    from pyspark.sql import functions as sql
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

_SPARK_TYPES = {str: StringType(), float: DoubleType()}
_ARROW_TYPES = {str: pa.string(), float: pa.float64()}
_COUNTED = pa.schema({"content": pa.int64(), "address": pa.int64(), "keys": pa.list_(pa.int64())})


def classify(
    pages: DataFrame, column: str = "text", url_column: str | None = None, recipe: DetectorRecipe | None = None
) -> DataFrame:
    """The DataFrame with `clean_text`, `removed_ratio` and `problem` beside a column of pages.

    Args:
        pages: A page a row.
        column: The column that holds the pages, as string or binary; a null is an empty page.
        url_column: The column that holds their addresses, which a recipe with signatures needs.
        recipe: What the detector is made of.

    Raises:
        UsageError: There is no such column, or one has the name of a new one; said now, and not by a worker.
    """
    made = recipe or DetectorRecipe()
    chosen = chosen_columns(pages.columns, column, url_column)
    check_free(pages.columns)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for name, values in made.columns(*(batch.column(each).to_pylist() for each in chosen)).items():
                batch = batch.append_column(name, pa.array(values, _ARROW_TYPES[COLUMNS[name]]))
            yield batch

    added = [StructField(name, _SPARK_TYPES[kind]) for name, kind in COLUMNS.items()]
    return pages.mapInArrow(work, StructType([*pages.schema.fields, *added]))


def count_signatures(
    pages: DataFrame, column: str = "text", url_column: str = "url", recipe: DetectorRecipe | None = None
) -> DataFrame:
    """On how many pages each signature is found: `key` (its 64 bits as a signed number) and `pages`; copies count once.

    Args:
        pages: A page a row; `dropDuplicates` the addresses first where one may come with several contents.
        column: The column that holds the pages.
        url_column: The column that holds their addresses.
        recipe: Its `kind` says what the pages are.
    """
    made = recipe or DetectorRecipe()

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = (batch.column(name).to_pylist() for name in (column, url_column))
            for signatures in signatures_of(made.pages(*columns)):
                views = ((page.identity.view(np.int64)[[0, -1]], page.keys.view(np.int64)) for page in signatures)
                rows = [{"content": content, "address": address, "keys": keys} for (content, address), keys in views]
                yield pa.RecordBatch.from_pylist(rows, _COUNTED)

    counted = pages.select(column, url_column).mapInArrow(work, "content long, address long, keys array<long>")
    distinct = counted.groupBy("content").agg(sql.min_by("keys", "address").alias("keys"))
    keys = distinct.select(sql.explode("keys").alias("key"))
    return keys.groupBy("key").agg(sql.count("*").alias("pages"))


def snapshot(counts: DataFrame, min_pages: int = 1) -> SignatureStore:
    """Bring counts to the driver as a frozen store, to be saved where every worker can read it.

    Args:
        counts: Of `count_signatures`.
        min_pages: Pages below which a signature is forgotten, but for hosts and pages.
    """
    kinds = sql.col("key").bitwiseAND(int(KIND_MASK))
    table = counts.where((sql.col("pages") >= min_pages) | ~kinds.isin([int(kind) for kind in PRUNED])).toArrow()
    keys, pages = table["key"].to_numpy().view(np.uint64), table["pages"].to_numpy().astype(np.uint32)
    order = np.argsort(keys)
    return SignatureStore(keys[order], pages[order], scheme())
