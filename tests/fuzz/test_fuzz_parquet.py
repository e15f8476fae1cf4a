"""Some hundred damaged Parquet files; `fuzz_parquet.py` makes as many as wanted."""

from __future__ import annotations

import random

from tests.fuzz.fuzz_parquet import ROWS, damage, originals, read


def test_damaged_parquet_files_are_rows_and_problems_or_refused() -> None:
    files = originals()
    assert all(read(content) == {"rows": ROWS} for content in files)
    draw = random.Random(0)
    for _ in range(300):
        assert read(damage(draw, draw.choice(files))).keys() <= {"rows", "problems", "refused"}
