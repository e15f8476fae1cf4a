"""The mean and the spread of columns, by which a model standardises its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_and_spread(
    columns: NDArray[np.floating], least_spread: float, weights: NDArray[Any] | None = None
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The mean and the standard deviation of each column, as a model keeps them.

    Args:
        columns: (n_rows, n_columns).
        least_spread: Standard deviation below which a column counts as constant. Its spread is given as 1: divided by
            the little it varies in training, it would explode on pages where it varies more.
        weights: (n_rows,) of the rows; None weighs all the same.

    Returns:
        (n_columns,) means, and (n_columns,) spreads of the precision of the columns.

    >>> mean_and_spread(np.array([[1.0, 5.0], [3.0, 5.0]]), 1e-3)
    (array([2., 5.]), array([1., 1.]))
    """
    mean = np.average(columns, axis=0, weights=weights)
    deviations = columns - mean
    np.square(deviations, out=deviations)
    spread = np.sqrt(np.average(deviations, axis=0, weights=weights))
    return mean, np.where(spread < least_spread, 1.0, spread).astype(columns.dtype)
