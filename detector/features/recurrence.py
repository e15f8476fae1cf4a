"""How often a key occurs in its page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SLOTS_PER_KEY = 2
_PAGE_SALT, _ROW_SALT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def counts_in_page(keys: NDArray[np.uint64], page_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many segments of the same page have the same key, at least 1.

    Args:
        keys: (n,) uint64, or (k, n), whose rows are counted apart.
        page_of: (n,) int64.

    Returns:
        int64, of the shape of `keys`.
    """
    paged = keys + page_of.view(np.uint64) * _PAGE_SALT
    if paged.ndim > 1:
        paged += (np.arange(len(paged), dtype=np.uint64) * _ROW_SALT)[:, None]
    return _occurrences(paged.ravel()).reshape(keys.shape)


def counts_of_many_in_page(keys: NDArray[np.uint64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each key occurs in its page, for many keys of which few recur; (n,) int64, at least 1.

    A key alone in its slot of a hash table occurs once; only the others are sorted. The table grows with the number of
    keys, so which of them share a slot depends on the batch; the counts do not.

    Args:
        keys: (n,) uint64, well mixed, those of one page side by side.
        sizes: (n_pages,) int64, the number of keys of each page.
    """
    paged = (np.arange(len(sizes), dtype=np.uint64) * _PAGE_SALT).repeat(sizes)
    paged += keys
    slots = (paged & np.uint64((_SLOTS_PER_KEY << len(keys).bit_length()) - 1)).view(np.int64)
    counts = np.bincount(slots).take(slots)
    shared = (counts > 1).nonzero()[0]
    counts[shared] = _occurrences(paged.take(shared))
    return counts


def _occurrences(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How often each key is among the keys."""
    if not len(keys):
        return np.empty(0, np.int64)
    order = keys.argsort()
    ordered = keys.take(order)
    lasts = (ordered[1:] != ordered[:-1]).nonzero()[0]
    # Not by `np.diff` with `prepend` and `append`: for a page of a few lines, that takes longer than the sorting.
    bounds = np.empty(len(lasts) + 2, np.int64)
    bounds[0], bounds[1:-1], bounds[-1] = 0, lasts + 1, len(ordered)
    sizes = bounds[1:] - bounds[:-1]
    counts = np.empty(len(ordered), np.int64)
    counts[order] = sizes.repeat(sizes)
    return counts
