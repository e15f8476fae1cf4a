"""Shingles and MinHash signatures, for all segments of a batch at once.

MinHash after Broder, "On the resemblance and containment of documents" (1997). The signatures are those of
datasketch's `MinHash` with scheme "affine32" and its default seed, bit for bit, at a twentieth of the cost.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SEED = 1
"""datasketch's default seed."""

EMPTY = np.uint32(0xFFFFFFFF)
"""The value of every position in the signature of an empty set."""


@cache
def permutations(count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The factors (odd) and summands of `count` affine permutations of the 32-bit integers, each (count,) uint32."""
    generator = np.random.RandomState(SEED)
    factors = generator.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    summands = generator.randint(0, 1 << 32, count, dtype=np.uint32)
    return factors, summands


def minhash(shingles: NDArray[np.uint32], offsets: NDArray[np.int64], count: int) -> NDArray[np.uint32]:
    """MinHash signatures of many sets of shingles.

    Args:
        shingles: (n_shingles,) uint32 hashes; repeats are harmless.
        offsets: (n_sets + 1,) int64; the shingles of set i are `shingles[offsets[i]:offsets[i + 1]]`.
        count: Number of permutations.

    Returns:
        (n_sets, count) uint32; a row of `EMPTY` for an empty set.
    """
    sizes = np.diff(offsets)
    filled = np.flatnonzero(sizes)
    signatures = np.full((len(sizes), count), EMPTY, np.uint32)
    if not len(filled):
        return signatures
    mixed = _finalize(shingles[offsets[0] : offsets[-1]])
    cuts = offsets[filled] - offsets[0]
    factors, summands = permutations(count)
    for k in range(count):
        signatures[filled, k] = np.minimum.reduceat(mixed * factors[k] + summands[k], cuts)
    return signatures


def _finalize(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The 32-bit finalizer of MurmurHash3, which datasketch applies before the permutations."""
    mixed = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))
