"""Matrix products that keep to the thread that asks for them.

OpenBLAS, which comes with NumPy, hands larger products to as many threads as there are processors. Ours are too small to
gain by that, and threads that wait for the next one keep their processors busy: without a bound on their number, a page
took two to six times the processor time, and longer by the clock.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNTHREADED = 1 << 17
"""Multiplications up to which OpenBLAS stays on one thread; it starts others from twice as many on."""


def product(rows: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows @ weight`, some rows at a time; the same to the bit if every sum is exact.

    Args:
        rows: (n_rows, n_in) float32.
        weight: (n_in, n_out) float32.

    Returns:
        (n_rows, n_out) float32.
    """
    n_rows, n_out = len(rows), weight.shape[1]
    together = max(1, UNTHREADED // weight.size)
    if n_rows <= together:
        whole: NDArray[np.float32] = rows @ weight
        return whole
    products = np.empty((n_rows, n_out), np.float32)
    even = n_rows - n_rows % together
    # One call for many small products of equal size.
    np.matmul(rows[:even].reshape(-1, together, len(weight)), weight, out=products[:even].reshape(-1, together, n_out))
    np.matmul(rows[even:], weight, out=products[even:])
    return products
