"""Polars: the columns of `detector.adapters.recipe.COLUMNS` beside a column of pages, eager or lazy."""

from __future__ import annotations

from typing import Any

from detector.adapters import framework
from detector.adapters.recipe import COLUMNS, DetectorRecipe
from detector.errors import UsageError

with framework("polars"):
    import polars as pl


def classify_column(
    frame: pl.DataFrame | pl.LazyFrame, column: str = "text", **recipe: Any
) -> pl.DataFrame | pl.LazyFrame:
    """The frame with `clean_text`, `removed_ratio` and `problem` beside a column of pages.

    A lazy frame stays lazy and is worked on in batches by the streaming engine.

    Args:
        frame: Eager or lazy.
        column: The column that holds the pages, as text or bytes; a null is an empty page.
        **recipe: As in `DetectorRecipe`.

    Raises:
        UsageError: There is no such column, or the recipe is of no use.
        ModelError: The model cannot be used.
    """
    schema = frame.collect_schema()
    if column not in schema:
        raise UsageError(f"there is no column {column!r}; give one of {schema.names()}")
    made = DetectorRecipe(**recipe)
    added = pl.Schema(COLUMNS)

    def classify(batch: pl.DataFrame) -> pl.DataFrame:
        columns = made.columns(batch[column])
        return batch.with_columns(pl.Series(name, values, added[name]) for name, values in columns.items())

    if isinstance(frame, pl.LazyFrame):
        return frame.map_batches(classify, schema={**schema, **added}, streamable=True)
    return classify(frame)
