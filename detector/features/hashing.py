"""Hashes of spans of characters, for all spans of a batch at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch

PREFIX_CHARS = 4
SUFFIX_CHARS = 3
"""Lengths of the beginnings and endings of tokens that are hashed beside the whole."""

BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(BASE, -1, 1 << 64)

_PIECE_CHARS = 1 << 15
"""About how many characters are hashed at a time: sums fit the processor's cache, and tables of powers are small."""


@cache
def _powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers 0 to size - 1 of the hash base and of its inverse, modulo 2^64; (size,) uint64 each."""
    factors = np.full(size, BASE, np.uint64)
    inverses = np.full(size, _BASE_INVERSE, np.uint64)
    factors[0] = inverses[0] = 1
    return np.multiply.accumulate(factors), np.multiply.accumulate(inverses)


def affixed_hashes(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64], segment_starts: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Hashes of the tokens, of their beginnings and of their endings; (3, n_tokens) uint64."""
    bounds = np.empty((4, len(starts)), np.int64)
    bounds[0] = starts
    bounds[1] = ends
    np.minimum(starts + PREFIX_CHARS, ends, out=bounds[2])
    np.maximum(ends - SUFFIX_CHARS, starts, out=bounds[3])
    hashes = np.empty((3, len(starts)), np.uint64)
    for first, tokens, running, inverses in _hashed_pieces(codes, starts, ends, segment_starts):
        here = bounds[:, tokens]
        if first:
            here = here - first
        sums = running.take(here)
        shifts = inverses.take(here[::3])
        found = hashes[:, tokens]
        np.subtract(sums[1:3], sums[0], out=found[:2])
        np.subtract(sums[1], sums[3], out=found[2])
        found[:2] *= shifts[0]
        found[2] *= shifts[1]
    return mix_in_place(hashes)


def word_hashes(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64], segment_starts: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Hashes of tokens, the same as `Tokens.hashes`; (n_tokens,) uint64.

    Args:
        codes: (n_chars,) uint32 code points.
        starts: (n_tokens,) int64, ascending.
        ends: (n_tokens,) int64.
        segment_starts: (n_segments,) int64; no token lies across one.
    """
    hashes = np.empty(len(starts), np.uint64)
    for first, tokens, running, inverses in _hashed_pieces(codes, starts, ends, segment_starts):
        here = starts[tokens] - first
        np.subtract(running.take(ends[tokens] - first), running.take(here), out=hashes[tokens])
        hashes[tokens] *= inverses.take(here)
    return mix_in_place(hashes)


def _hashed_pieces(
    codes: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64], segment_starts: NDArray[np.int64]
) -> Iterator[tuple[int, slice, NDArray[np.uint64], NDArray[np.uint64]]]:
    """Running sums from which the hashes of spans of characters follow, piece by piece.

    The hash of a span is polynomial: the sum of code times base^position, modulo 2^64, divided by base^start. The base
    is odd, so it has an inverse, and the hash does not depend on where in the batch the span stands. Sums over spans
    are differences of a running sum, which is taken piece by piece, so that powers are needed for one piece only.

    Yields:
        Where the piece begins; the tokens in it; from there on, the sums up to each position and the inverse powers.
    """
    cuts = _piece_cuts(segment_starts, len(codes))
    token_cuts = starts.searchsorted(cuts).tolist()
    for first, tokens in zip(cuts[:-1], pairwise(token_cuts), strict=True):
        # The piece ends with its last token: a million blank lines may follow.
        last = int(ends[tokens[1] - 1]) if tokens[1] > tokens[0] else first
        size = last - first
        powers, inverses = _powers(1 << max(16, size.bit_length()))
        terms = ch.hash_codes().take(ch.places(codes[first:last]))
        terms *= powers[:size]
        running = np.zeros(size + 1, np.uint64)
        np.add.accumulate(terms, out=running[1:])
        yield first, slice(*tokens), running, inverses


def _piece_cuts(segment_starts: NDArray[np.int64], n_chars: int) -> list[int]:
    """Where pieces of about `_PIECE_CHARS` begin, each at the beginning of a segment, and where the last ends."""
    if n_chars <= 2 * _PIECE_CHARS:
        return [0, n_chars]
    at = segment_starts.searchsorted(np.arange(_PIECE_CHARS, n_chars, _PIECE_CHARS))
    inner = np.unique(segment_starts.take(at[at < len(segment_starts)]))
    first = int(segment_starts[0]) if len(segment_starts) else 0
    return [first, *(cut for cut in inner.tolist() if first < cut < n_chars), n_chars]


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of a 64-bit hash (the finalizer of SplitMix64)."""
    return mix_in_place(hashes.copy())


def mix_in_place(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """As `mix`, but changes the array that is given: that of a long page is large."""
    shifted = hashes >> np.uint64(30)
    hashes ^= shifted
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(hashes, np.uint64(27), out=shifted)
    hashes ^= shifted
    hashes *= np.uint64(0x94D049BB133111EB)
    np.right_shift(hashes, np.uint64(31), out=shifted)
    hashes ^= shifted
    return hashes
