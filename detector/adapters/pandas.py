"""pandas: the columns of `detector.adapters.recipe.COLUMNS` beside a column of pages."""

from __future__ import annotations

from typing import Any

from detector.adapters import framework
from detector.adapters.recipe import DetectorRecipe
from detector.errors import UsageError

with framework("pandas"):
    import pandas as pd


def classify_column(frame: pd.DataFrame, column: str = "text", **recipe: Any) -> pd.DataFrame:
    """A copy of the frame with `clean_text`, `removed_ratio` and `problem` beside a column of pages.

    Args:
        frame: Any index, which stays as it is.
        column: The column that holds the pages, as text or bytes; a missing value is an empty page.
        **recipe: As in `DetectorRecipe`.

    Raises:
        UsageError: There is no such column, or the recipe is of no use.
        ModelError: The model cannot be used.
    """
    if column not in frame.columns:
        raise UsageError(f"there is no column {column!r}; give one of {list(frame.columns)}")
    missing = frame[column].isna()
    columns = DetectorRecipe(**recipe).columns(frame[column].astype(object).mask(missing, None))
    return frame.assign(
        clean_text=pd.array(columns["clean_text"], dtype="str"),
        removed_ratio=pd.array(columns["removed_ratio"], dtype="float64"),
        problem=pd.array(columns["problem"], dtype="str"),
    )
