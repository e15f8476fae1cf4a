"""Matrix products in parts are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from detector.matmul import UNTHREADED, product


@pytest.mark.parametrize("n_rows", [0, 1, 5, UNTHREADED // 64 // 8, UNTHREADED // 64 // 8 * 3, 10_007])
@pytest.mark.parametrize("n_out", [8, 1])
def test_whole_numbers_come_out_to_the_bit(n_rows: int, n_out: int) -> None:
    draw = np.random.default_rng(n_rows)
    rows = draw.integers(-100, 100, (n_rows, 64)).astype(np.float32)
    weight = draw.integers(-100, 100, (64, n_out)).astype(np.float32)
    assert np.array_equal(product(rows, weight), rows.astype(np.int64) @ weight.astype(np.int64))
    assert product(rows, weight).dtype == np.float32


def test_one_row_may_be_more_than_a_thread_is_left() -> None:
    weight = np.ones((UNTHREADED, 2), np.float32)
    assert np.array_equal(product(np.ones((3, UNTHREADED), np.float32), weight), np.full((3, 2), UNTHREADED))


def test_rows_and_weights_may_lie_in_memory_in_any_order() -> None:
    rows, weight = np.ones((64, 9_000), np.float32).T, np.ones((8, 64), np.float32).T
    assert np.array_equal(product(rows, weight), np.full((9_000, 8), 64))
