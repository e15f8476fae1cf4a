"""Columns of pages and of results: which there are, and that they fit the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from detector.errors import UsageError

COLUMNS: Mapping[str, type] = {"clean_text": str, "removed_ratio": float, "problem": str}
"""What comes out for a column of pages, and of what type; only `problem` can be null."""


def chosen_columns(known: Collection[str], column: str, url_column: str | None) -> list[str]:
    """The columns of pages and of their addresses, if there is one.

    Args:
        known: All columns there are.
        column: The one that holds the pages.
        url_column: The one that holds their addresses, or None.

    Raises:
        UsageError: One is not there.
    """
    chosen = [column] if url_column is None else [column, url_column]
    for name in chosen:
        if name not in known:
            raise UsageError(f"there is no column {name!r}; give one of {list(known)}")
    return chosen


def check_free(known: Collection[str]) -> None:
    """Refuse a table that has a column of a new one's name, whatever its case.

    Raises:
        UsageError: It has.
    """
    if taken := [name for name in known if name.lower() in COLUMNS]:
        raise UsageError(f"there is a column {taken[0]!r} already; rename or drop it")
