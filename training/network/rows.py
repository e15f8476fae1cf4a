"""Segments as networks are fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS
from detector.places import Places
from training.dataset import Dataset, join_groups

Floats = NDArray[np.float32]
Reals = NDArray[np.floating]
"""float32 in `fit_network`, float64 in `fit_on`."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The segments of some pages, page after page, with what is to be learnt of them.

    Attributes:
        X: (n_segments, n_inputs) float32, standardised inputs.
        targets: (n_segments, n_labels) float32, labels or probabilities of them; each row sums to 1. Not looked at in
            the cross-entropy where the weight is 0.
        weights: (n_segments,) float32, weight of each segment in the cross-entropy.
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`, and no page is empty.
        groups: (n_groupings, n_segments) int64, as in `Features`.
        chars: (n_segments,) int64, length of each segment.
        page_weights: (n_pages,) float32, weight of each page in the mean of the pages' F1.
    """

    X: Reals
    targets: Floats
    weights: Floats
    offsets: NDArray[np.int64]
    groups: NDArray[np.int64]
    chars: NDArray[np.int64]
    page_weights: Floats

    @classmethod
    def of(cls, data: Dataset, X: Floats, targets: Floats, weights: Floats, page_weights: Floats) -> Rows:
        """The segments of a dataset; the other arguments are as in `Rows`."""
        return cls(X, targets, weights, data.offsets, data.groups, data.chars, page_weights)

    @property
    def places(self) -> Places:
        """Which page each segment is in, and which segments stand in the same kind of place."""
        return Places.of(self.offsets, self.groups)

    def of_pages(self, first: int, last: int) -> Rows:
        """The rows of the pages from `first` up to, not including, `last`."""
        bounds = self.offsets[first : last + 1]
        return self.chosen(np.arange(bounds[0], bounds[-1]), bounds - bounds[0], np.arange(first, last))

    def chosen(self, rows: NDArray[np.int64], offsets: NDArray[np.int64], pages: NDArray[np.int64]) -> Rows:
        """Some of the rows.

        Args:
            rows: (n_rows,) which, page after page.
            offsets: (n_pages + 1,) the bounds of the pages within them.
            pages: (n_pages,) which pages those are.
        """
        return Rows(
            self.X[rows],
            self.targets[rows],
            self.weights[rows],
            offsets,
            self.groups[:, rows],
            self.chars[rows],
            self.page_weights[pages],
        )

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The pages of all parts, one part after the other; no group holds segments of two parts."""
        bases = np.cumsum([0, *(len(part.X) for part in parts)])
        offsets = [part.offsets[1:] + base for part, base in zip(parts, bases.tolist(), strict=False)]
        return cls(
            np.concatenate([part.X for part in parts]),
            np.concatenate([part.targets for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate(([0], *offsets)),
            join_groups([part.groups for part in parts]),
            np.concatenate([part.chars for part in parts]),
            np.concatenate([part.page_weights for part in parts]),
        )


def one_hot(labels: NDArray[np.int8]) -> Floats:
    """Labels as targets; (n_segments, n_labels) float32. Unknown labels become the first: their weight must be 0."""
    return np.eye(len(LABELS), dtype=np.float32)[np.maximum(labels, 0)]
