"""Shingles and MinHash signatures, for all segments of a batch at once.

MinHash after Broder, "On the resemblance and containment of documents" (1997). The signatures are those of
datasketch's `MinHash` with scheme "affine32" and its default seed, bit for bit, at a twentieth of the cost.
"""

from __future__ import annotations

import random
from functools import cache

import numpy as np
from numpy.typing import NDArray

SEED = 1
"""datasketch's default seed."""

EMPTY = np.uint32(0xFFFFFFFF)
"""The value of every position in the signature of an empty set."""

_BLOCK = 1 << 15
"""Permuted shingles worked on at a time."""


@cache
def permutations(count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The factors (odd) and summands of `count` affine permutations of the 32-bit integers, each (count,) uint32."""
    numbers = np.array(_mersenne_twister(2 * count), np.uint32)
    return numbers[:count] << np.uint32(1) | np.uint32(1), numbers[count:]


def _mersenne_twister(count: int) -> list[int]:
    """The first 32-bit numbers of MT19937 seeded with `SEED` (Matsumoto, Nishimura 1998), as `np.random` has it.

    Importing `np.random` for 32 numbers would take a fifth of the time in which a process starts. Python's generator
    is the same, but seeds itself in another way.
    """
    state = [SEED]
    for place in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + place) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, (*state, 624), None))
    return [generator.getrandbits(32) for _ in range(count)]


def minhash(shingles: NDArray[np.uint32], offsets: NDArray[np.int64], count: int) -> NDArray[np.uint32]:
    """MinHash signatures of many sets of shingles.

    Args:
        shingles: (n_shingles,) uint32 hashes; repeats are harmless.
        offsets: (n_sets + 1,) int64; the shingles of set i are `shingles[offsets[i]:offsets[i + 1]]`.
        count: Number of permutations.

    Returns:
        (n_sets, count) uint32; a row of `EMPTY` for an empty set.
    """
    signatures = np.full((count, len(offsets) - 1), EMPTY, np.uint32)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        minima_of_filled = np.empty((count, len(filled)), np.uint32)
        minima(finalize(shingles[offsets[0] : offsets[-1]]), offsets[filled] - offsets[0], minima_of_filled)
        signatures[:, filled] = minima_of_filled
    return np.ascontiguousarray(signatures.T)


def minima(shingles: NDArray[np.uint32], firsts: NDArray[np.int64], out: NDArray[np.uint32]) -> None:
    """The least shingle of each set under each permutation: signatures, one column a set.

    Args:
        shingles: (n_shingles,) uint32 hashes, as `finalize` gives them.
        firsts: (n_sets,) int64, the first shingle of each set; no set is empty.
        out: (number of permutations, n_sets) uint32.
    """
    factors, summands = permutations(len(out))
    # As many permutations at a time as stay in the processor's cache: one for large batches, all for a small page.
    step = max(1, _BLOCK // max(len(shingles), 1))
    for first in range(0, len(out), step):
        block = slice(first, first + step)
        permuted = shingles * factors[block, None]
        permuted += summands[block, None]
        np.minimum.reduceat(permuted, firsts, axis=1, out=out[block])


def finalize(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The 32-bit finalizer of MurmurHash3, which datasketch applies before the permutations."""
    mixed = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))
