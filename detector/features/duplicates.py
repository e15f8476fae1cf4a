"""Exact and near-duplicate segments of a page, by their words and by their shape.

Near-duplicates share a band of their MinHash signatures (locality-sensitive hashing; Leskovec, Rajaraman, Ullman,
"Mining of Massive Datasets", section 3.4); the similarity of neighbours is the share of equal signature positions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.features.batch import Batch, mix, shape_hashes
from detector.features.recurrence import counts_in_page
from detector.signatures import minhash

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

PERMUTATIONS = 16
BANDS = 4
_SHAPE_SALT = np.uint64(0xD6E8FEB86659FD93)


def duplicate_features(batch: Batch) -> NDArray[np.float32]:
    """One row a segment; (n_segments, len(NAMES)) float32."""
    tokens = batch.tokens
    words = minhash((tokens.hashes >> np.uint64(32)).astype(np.uint32), tokens.offsets, PERMUTATIONS)
    shapes = minhash(_shape_shingles(batch), tokens.offsets, PERMUTATIONS)
    page_segments = np.maximum(np.diff(batch.offsets), 1)[batch.page_of]
    exact = counts_in_page(segment_keys(batch), batch.page_of)
    near = _most_in_a_band(words, batch.page_of)
    alike = _most_in_a_band(shapes, batch.page_of)
    columns = (
        np.log(np.maximum(exact, 1)),
        np.log(np.maximum(near, 1)),
        near / page_segments,
        np.log(np.maximum(alike, 1)),
        alike / page_segments,
        *_similarity(words, batch.page_of, 1),
        *_similarity(shapes, batch.page_of, 1),
        *_similarity(shapes, batch.page_of, 2),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _shape_shingles(batch: Batch) -> NDArray[np.uint32]:
    """A hash of each token's shape and the next one's; the last token of a segment stands alone."""
    tokens = batch.tokens
    hashes = shape_hashes()[tokens.shapes]
    shingles = hashes * _SHAPE_SALT
    shingles[:-1] += np.where(tokens.segments[1:] == tokens.segments[:-1], hashes[1:], np.uint64(0))
    return (shingles >> np.uint64(32)).astype(np.uint32)


def segment_keys(batch: Batch) -> NDArray[np.uint64]:
    """A hash of each segment's tokens in order; the sum wraps, so it is exact and independent of the batch."""
    tokens = batch.tokens
    place = (np.arange(len(tokens.hashes)) - tokens.offsets[tokens.segments] + 1).astype(np.uint64)
    sums = np.zeros(len(tokens.hashes) + 1, np.uint64)
    np.cumsum(mix(tokens.hashes + place * _SHAPE_SALT), out=sums[1:])
    return mix(sums[tokens.offsets[1:]] - sums[tokens.offsets[:-1]])


def _most_in_a_band(signatures: NDArray[np.uint32], page_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest number of segments of the page, itself included, that share one of the signature's bands."""
    rows = PERMUTATIONS // BANDS
    factors = mix(np.arange(1, rows + 1, dtype=np.uint64))
    keys = (signatures.reshape(-1, BANDS, rows) * factors).sum(axis=2)
    counts = [counts_in_page(mix(keys[:, band] + np.uint64(band)), page_of) for band in range(BANDS)]
    return np.max(counts, axis=0)


def _similarity(
    signatures: NDArray[np.uint32], page_of: NDArray[np.int64], distance: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimated Jaccard similarity with the segment `distance` before, and after; 0 beyond the page."""
    before, after = np.zeros((2, len(signatures)))
    if len(signatures) > distance:
        equal = np.count_nonzero(signatures[distance:] == signatures[:-distance], axis=1) / PERMUTATIONS
        equal *= page_of[distance:] == page_of[:-distance]
        before[distance:] = after[:-distance] = equal
    return before, after
