"""The pandas and Polars helpers, against the real libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.adapters.columns import COLUMNS
from detector.errors import UsageError


def test_pandas_keeps_the_frame_and_adds_columns(sentence_folder: Path, pages: dict[str, str]) -> None:
    pd = pytest.importorskip("pandas")
    from detector.adapters.pandas import classify_column

    frame = pd.DataFrame({"id": [7, 8, 9], "text": [pages["text"], None, pages["html"]]}, index=["a", "b", "a"])
    result = classify_column(frame, model=str(sentence_folder))
    assert list(frame.columns) == ["id", "text"]
    assert list(result.columns) == ["id", "text", *COLUMNS]
    assert result["clean_text"].to_list() == [pages["kept"], "", pages["kept"]]
    assert result["problem"].isna().to_list() == [True, False, True]
    assert list(result.index) == ["a", "b", "a"]
    assert result["removed_ratio"].dtype == float


def test_pandas_takes_bytes_and_no_rows(sentence_folder: Path, pages: dict[str, str]) -> None:
    pd = pytest.importorskip("pandas")
    from detector.adapters.pandas import classify_column

    frame = pd.DataFrame({"body": [pages["html"].encode()]})
    result = classify_column(frame, "body", model=str(sentence_folder), kind="html")
    assert result["clean_text"].to_list() == [pages["kept"]]
    assert classify_column(frame[:0], "body", model=str(sentence_folder)).dtypes.equals(result.dtypes)


@pytest.mark.parametrize("lazy", [False, True])
def test_polars_adds_columns_eager_or_lazy(sentence_folder: Path, pages: dict[str, str], lazy: bool) -> None:
    pl = pytest.importorskip("polars")
    from detector.adapters.polars import classify_column

    frame = pl.DataFrame({"id": [7, 8, 9], "text": [pages["text"], None, pages["html"]]})
    result = classify_column(frame.lazy() if lazy else frame, model=str(sentence_folder))
    assert isinstance(result, pl.LazyFrame if lazy else pl.DataFrame)
    assert result.collect_schema() == {**frame.schema, **pl.Schema(COLUMNS)}
    collected = result.collect(engine="streaming") if lazy else result
    assert collected["clean_text"].to_list() == [pages["kept"], "", pages["kept"]]
    assert collected["problem"].to_list() == [None, "empty page", None]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_column_that_is_not_there_is_named(library: str) -> None:
    from importlib import import_module

    frame = pytest.importorskip(library).DataFrame({"body": ["a page"]})
    with pytest.raises(UsageError, match=r"no column 'text'; give one of \['body'\]"):
        import_module(f"detector.adapters.{library}").classify_column(frame)
