"""pandas: the columns of `detector.adapters.columns.COLUMNS` beside a column of pages."""

from __future__ import annotations

from typing import Any

from detector.adapters import framework
from detector.adapters.columns import chosen_columns
from detector.adapters.recipe import DetectorRecipe

with framework("pandas"):
    import pandas as pd


def classify_column(
    frame: pd.DataFrame, column: str = "text", url_column: str | None = None, **recipe: Any
) -> pd.DataFrame:
    """A copy of the frame with `clean_text`, `removed_ratio` and `problem` beside a column of pages.

    Args:
        frame: Any index, which stays as it is.
        column: The column that holds the pages, as text or bytes; a missing value is an empty page.
        url_column: The column that holds their addresses, which a recipe with signatures needs.
        **recipe: As in `DetectorRecipe`.

    Raises:
        UsageError: There is no such column, or the recipe is of no use.
        ModelError: The model cannot be used.
    """
    chosen = chosen_columns(frame.columns, column, url_column)
    columns = DetectorRecipe(**recipe).columns(*(_values(frame[name]) for name in chosen))
    return frame.assign(
        clean_text=pd.array(columns["clean_text"], dtype="str"),
        removed_ratio=pd.array(columns["removed_ratio"], dtype="float64"),
        problem=pd.array(columns["problem"], dtype="str"),
    )


def _values(column: pd.Series) -> list[Any]:
    """The values, with None for whatever the column's type marks a missing one by."""
    return [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
