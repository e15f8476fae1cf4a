"""How far each step moves the weights: Adam, a learning rate that rises and falls, and gradients of bounded length."""

from __future__ import annotations

import numpy as np

from training.network.rows import Reals

LEARNING_RATE = 2e-3
"""The highest, after the warm-up."""

WARM_UP = 0.15
"""Share of the steps in which the learning rate rises; then it falls to 0 as a cosine."""

LEAST_WARM_UP = 0.04
"""Share of the learning rate that the first steps have at least: at a rate of 0 the very first one would do nothing."""

MOST_GRADIENT = 1.0
"""Length of the gradient, over all arrays together, beyond which it is cut to that length."""

LEAST_GRADIENT = 1e-12
"""Length taken for one of 0, which nothing can be divided by."""

MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8
"""beta 1, beta 2 and epsilon of Adam, as its paper recommends them (Kingma, Ba, ICLR 2015, algorithm 1)."""


def learning_rate(progress: float) -> float:
    """The rate after a share of the steps: warm-up, then half a cosine (Loshchilov, Hutter, "SGDR", ICLR 2017)."""
    if progress < WARM_UP:
        return LEARNING_RATE * max(progress / WARM_UP, LEAST_WARM_UP)
    return LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


class Adam:
    """Adam with gradients cut to a length (Pascanu, Mikolov, Bengio, ICML 2013); changes the arrays in place.

    Args:
        arrays: What is fitted, float32.
    """

    def __init__(self, arrays: list[Reals]) -> None:
        self._arrays = arrays
        self._means = [np.zeros_like(array) for array in arrays]
        self._squares = [np.zeros_like(array) for array in arrays]
        self._steps = 0

    def step(self, gradients: list[Reals], rate: float) -> None:
        """One step against the gradients, which are in the order of the arrays."""
        self._steps += 1
        length = float(np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients)))
        cut = np.float32(min(1.0, MOST_GRADIENT / max(length, LEAST_GRADIENT)))
        # Both averages begin at 0; dividing by these shares takes that out.
        mean_share, square_share = (np.float32(1 - decay**self._steps) for decay in (MEAN_DECAY, SQUARE_DECAY))
        for array, gradient, mean, square in zip(self._arrays, gradients, self._means, self._squares, strict=True):
            gradient = gradient * cut
            mean += (gradient - mean) * np.float32(1 - MEAN_DECAY)
            square += (gradient**2 - square) * np.float32(1 - SQUARE_DECAY)
            array -= np.float32(rate) * (mean / mean_share) / (np.sqrt(square / square_share) + np.float32(EPSILON))
