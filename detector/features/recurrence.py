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


def sketched_counts_in_page(
    keys: NDArray[np.uint64], chosen: NDArray[np.bool_], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How often the chosen keys occur in their page, in linear time; at most a few per thousand too high.

    A count-min sketch (Cormode, Muthukrishnan 2005) of two rows. Every page has slots of its own, in proportion to
    its keys: what other pages the batch holds changes nothing.

    Args:
        keys: (n,) uint64, well mixed, those of one page side by side.
        chosen: (n,) bool; the others neither count nor are counted.
        offsets: (n_pages + 1,) int64; the keys of page i are `offsets[i]:offsets[i + 1]`.

    Returns:
        (n,) int64, 0 where not chosen.
    """
    at = np.flatnonzero(chosen)
    counts = np.zeros(len(keys), np.int64)
    # Powers of two, so that a slot is the key's low bits.
    slots = np.int64(1) << np.ceil(np.log2(np.maximum(np.diff(offsets), 1) * _SLOTS_PER_KEY)).astype(np.int64)
    bases = np.cumsum(slots) - slots
    sizes = np.diff(np.searchsorted(at, offsets))
    base, mask = np.repeat(bases, sizes), np.repeat(slots - 1, sizes)
    picked = keys[at].view(np.int64)
    first = base + (picked & mask)
    second = base + ((picked >> 32) & mask)
    counts[at] = np.minimum(np.bincount(first)[first], np.bincount(second)[second])
    return counts
