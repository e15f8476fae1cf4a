"""Exact and near-duplicate segments of a page, by their words and by their shape.

Near-duplicates share a band of their MinHash signatures (locality-sensitive hashing; Leskovec, Rajaraman, Ullman,
"Mining of Massive Datasets", section 3.4); the similarity of neighbours is the share of equal signature positions.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import shapes as sh
from detector.features.batch import HEAD_CHARS, TAIL_CHARS, Batch
from detector.features.hashing import mix
from detector.features.recurrence import counts_in_page
from detector.signatures import finalize, minima

NAMES = (
    "log_exact_duplicates",
    "log_near_duplicates",
    "near_duplicate_ratio_in_page",
    "log_shape_duplicates",
    "shape_duplicate_ratio_in_page",
    "words_like_previous",
    "words_like_next",
    "shape_like_previous",
    "shape_like_next",
    "shape_like_second_previous",
    "shape_like_second_next",
)

_AT = {name: place for place, name in enumerate(NAMES)}

# Pairs of columns, of words and of shapes.
_NEAR = [_AT["log_near_duplicates"], _AT["log_shape_duplicates"]]
_NEAR_RATIOS = [_AT["near_duplicate_ratio_in_page"], _AT["shape_duplicate_ratio_in_page"]]
_LIKE_PREVIOUS = [_AT["words_like_previous"], _AT["shape_like_previous"]]
_LIKE_NEXT = [_AT["words_like_next"], _AT["shape_like_next"]]

PERMUTATIONS = 16
BANDS = 4
_SHAPE_SALT = np.uint64(0xD6E8FEB86659FD93)
_BAND_FACTORS = mix(np.arange(1, PERMUTATIONS // BANDS + 1, dtype=np.uint64))[:, None]


def duplicate_features(batch: Batch) -> NDArray[np.float64]:
    """One column a segment; (len(NAMES), n_segments) float64."""
    tokens, n = batch.tokens, len(batch)
    signatures = np.empty((2, PERMUTATIONS, n), np.uint32)
    words = finalize((tokens.hashes >> np.uint64(32)).astype(np.uint32))
    shapes = _shape_shingles().take(tokens.trigrams >> sh.SHAPE_BITS)
    for signature, shingles in zip(signatures, (words, shapes), strict=True):
        minima(shingles, tokens.firsts, signature)
    keys = np.empty((1 + 2 * BANDS, n), np.uint64)
    keys[0] = segment_keys(batch)
    keys[1:] = (signatures.reshape(2 * BANDS, -1, n) * _BAND_FACTORS).sum(axis=1)
    counts = counts_in_page(keys, batch.page_of)
    page_segments = (batch.offsets[1:] - batch.offsets[:-1]).take(batch.page_of)
    # The largest number of segments, itself included, that share one of the signature's bands.
    near = counts[1:].reshape(2, BANDS, n).max(axis=1)
    columns = np.zeros((len(NAMES), n))
    columns[_AT["log_exact_duplicates"]] = np.log(counts[0])
    columns[_NEAR] = np.log(near)
    columns[_NEAR_RATIOS] = near / page_segments
    columns[_LIKE_PREVIOUS, 1:] = columns[_LIKE_NEXT, :-1] = _similarity(signatures, batch.page_of, 1)
    second = _similarity(signatures[1:], batch.page_of, 2)[0]
    columns[_AT["shape_like_second_previous"], 2:] = columns[_AT["shape_like_second_next"], :-2] = second
    return columns


@cache
def _shape_shingles() -> NDArray[np.uint32]:
    """The finalized hash of two shapes, by a trigram without its third, which may hold one shape and `NO_SHAPE`."""
    first, second = (shapes[:: 1 << sh.SHAPE_BITS] for shapes in sh.all_trigrams()[:2])
    hashes = np.append(sh.shape_hashes(), np.uint64(0))
    return finalize(((hashes[first] * _SHAPE_SALT + hashes[second]) >> np.uint64(32)).astype(np.uint32))


def segment_keys(batch: Batch) -> NDArray[np.uint64]:
    """A hash of each segment's tokens in order; (n_segments,) uint64, modulo 2^64, so the same in any batch."""
    tokens = batch.tokens
    place = np.arange(len(tokens.shapes)) - tokens.firsts.take(tokens.segments)
    terms = _place_factors().take(place)
    terms *= tokens.hashes
    return np.add.reduceat(terms, tokens.firsts)


@cache
def _place_factors() -> NDArray[np.uint64]:
    """An odd factor for each place of a token in a clipped segment, from the first; uint64."""
    return mix(np.arange(1, HEAD_CHARS + TAIL_CHARS + 2, dtype=np.uint64)) | np.uint64(1)


def _similarity(signatures: NDArray[np.uint32], page_of: NDArray[np.int64], distance: int) -> NDArray[np.float64]:
    """Estimated Jaccard similarity of each segment with the one `distance` before; 0 across pages.

    Args:
        signatures: (k, PERMUTATIONS, n_segments) uint32.
        page_of: (n_segments,) int64.
        distance: In segments.

    Returns:
        (k, n_segments - distance) float64, from segment `distance` on.
    """
    equal = (signatures[:, :, distance:] == signatures[:, :, :-distance]).view(np.uint8).sum(axis=1, dtype=np.uint8)
    equal *= page_of[distance:] == page_of[:-distance]
    return equal / PERMUTATIONS
