"""How often a key occurs in its page: exact for segments, by a count-min sketch for tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.features.batch import mix

_SLOTS_PER_KEY = 4


def counts_in_page(keys: NDArray[np.uint64], page_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of the same page have the same key; (n,) int64, at least 1."""
    if not len(keys):
        return np.empty(0, np.int64)
    paged = mix(keys + mix(page_of.astype(np.uint64)))
    _, inverse, counts = np.unique(paged, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse], np.int64)


def sketched_counts_in_page(keys: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Like `counts_in_page` in linear time, at most a few per thousand too high (Cormode, Muthukrishnan 2005).

    Every page has slots of its own, in proportion to its keys: what other pages the batch holds changes nothing.

    Args:
        keys: (n,) uint64, those of one page side by side.
        offsets: (n_pages + 1,) int64; the keys of page i are `offsets[i]:offsets[i + 1]`.
    """
    sizes = np.diff(offsets)
    slots = np.maximum(sizes, 1) * _SLOTS_PER_KEY
    bases = np.cumsum(slots) - slots
    base = np.repeat(bases, sizes).astype(np.uint64)
    slot = np.repeat(slots, sizes).astype(np.uint64)
    total = int(slots.sum())
    first = base + (keys >> np.uint64(32)) % slot
    second = base + (keys & np.uint64(0xFFFFFFFF)) % slot
    return np.minimum(
        np.bincount(first.astype(np.int64), minlength=total)[first.astype(np.int64)],
        np.bincount(second.astype(np.int64), minlength=total)[second.astype(np.int64)],
    )
