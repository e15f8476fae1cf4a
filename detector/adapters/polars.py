"""Polars: the columns of `detector.adapters.columns.COLUMNS` beside a column of pages, eager or lazy."""

from __future__ import annotations

from typing import Any

from detector.adapters import framework
from detector.adapters.columns import COLUMNS, chosen_columns
from detector.adapters.recipe import DetectorRecipe

with framework("polars"):
    import polars as pl


def classify_column(
    frame: pl.DataFrame | pl.LazyFrame, column: str = "text", url_column: str | None = None, **recipe: Any
) -> pl.DataFrame | pl.LazyFrame:
    """The frame with `clean_text`, `removed_ratio` and `problem` beside a column of pages.

    A lazy frame stays lazy and is worked on in batches by the streaming engine.

    Args:
        frame: Eager or lazy.
        column: The column that holds the pages, as text or bytes; a null is an empty page.
        url_column: The column that holds their addresses, which a recipe with signatures needs.
        **recipe: As in `DetectorRecipe`.

    Raises:
        UsageError: There is no such column, or the recipe is of no use.
        ModelError: The model cannot be used.
    """
    schema = frame.collect_schema()
    chosen = chosen_columns(schema, column, url_column)
    made = DetectorRecipe(**recipe)
    added = pl.Schema(COLUMNS)

    def classify(batch: pl.DataFrame) -> pl.DataFrame:
        columns = made.columns(*(batch[name] for name in chosen))
        return batch.with_columns(pl.Series(name, values, added[name]) for name, values in columns.items())

    if isinstance(frame, pl.LazyFrame):
        return frame.map_batches(classify, schema={**schema, **added}, streamable=True)
    return classify(frame)
