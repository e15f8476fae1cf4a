"""Words as hashed features, for the linear scorers inside the model: of the text, and of class names in the markup.

Feature hashing after Weinberger et al. (ICML 2009). What is hashed needs no language: words, pairs of tokens, word
beginnings and endings, token shapes, each also by place (first and last tokens of the segment).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import Elements
from detector.features import batch as b
from detector.features import characters as ch
from detector.features.batch import Batch, mix, tokenize

TEXT_BITS = 18
DOM_BITS = 14
"""log2 of the number of hash buckets."""


@dataclass(frozen=True, slots=True)
class HashedRows:
    """Sparse rows of hashed features: row i has the buckets `indices[offsets[i]:offsets[i + 1]]`."""

    indices: NDArray[np.int64]
    offsets: NDArray[np.int64]


def hash_text(batch: Batch) -> HashedRows:
    """Hashed features of each segment's text; buckets below 2^TEXT_BITS."""
    tokens = batch.tokens
    hashes, shapes, segments = tokens.hashes, tokens.shapes.astype(np.uint64), tokens.segments
    n_tokens = len(hashes)
    is_word = tokens.shapes <= b.LAST_WORD_SHAPE
    same = np.zeros(n_tokens, bool)
    same[:-1] = segments[1:] == segments[:-1]
    next_hashes = np.append(hashes[1:], np.uint64(0))[:n_tokens]
    pair = mix(hashes + _salt(1)) + next_hashes
    shape_pair = (shapes << np.uint64(8)) + np.append(shapes[1:], np.uint64(0))[:n_tokens]
    shape_triple = (shape_pair << np.uint64(8)) + np.append(shapes[2:], np.zeros(2, np.uint64))[:n_tokens]
    triple = np.zeros(n_tokens, bool)
    triple[:-2] = segments[2:] == segments[:-2]
    from_start = np.arange(n_tokens) - tokens.offsets[segments]
    from_end = tokens.offsets[segments + 1] - 1 - np.arange(n_tokens)
    everywhere = np.ones(n_tokens, bool)
    families = (
        (hashes, everywhere),
        (pair, same),
        (mix(shape_triple + _salt(2)), triple),
        (mix(hashes + _salt(3)) + from_start.astype(np.uint64), from_start < 2),
        (mix(hashes + _salt(4)) + from_end.astype(np.uint64), from_end < 2),
        (_affixes(batch, 4, first=True), is_word & (tokens.lengths > 4)),
        (_affixes(batch, 3, first=False), is_word & (tokens.lengths > 3)),
    )
    return _rows(families, segments, len(batch), TEXT_BITS)


def _affixes(batch: Batch, size: int, *, first: bool) -> NDArray[np.uint64]:
    """Hash of the first or last `size` characters of each token."""
    tokens = batch.tokens
    lower = ch.lower_table()
    start = tokens.starts if first else tokens.starts + np.maximum(tokens.lengths - size, 0)
    key = np.full(len(start), _salt(5 if first else 6), np.uint64)
    for offset in range(size):
        code = lower[np.minimum(b.pick(batch.codes, start + offset), 0x10000)].astype(np.uint64)
        key = key * np.uint64(0x9E3779B97F4A7C15) + code
    return mix(key)


def hash_dom(batch: Batch) -> HashedRows:
    """Hashed tag and class tokens of the elements around each segment; buckets below 2^DOM_BITS."""
    parts = [_dom_rows(page.elements) for page in batch.pages if page.elements is not None]
    counts = np.concatenate([np.diff(part.offsets) for part in parts]) if parts else np.empty(0, np.int64)
    indices = np.concatenate([part.indices for part in parts]) if parts else np.empty(0, np.int64)
    return HashedRows(indices, np.concatenate(([0], np.cumsum(counts))))


def _dom_rows(elements: Elements) -> HashedRows:
    """Every element's tokens count for all segments it covers; those of the two innermost count once more, apart."""
    n = len(elements.innermost)
    words = [f"{tag} {tokens}" for tag, tokens in zip(elements.tags, elements.tokens, strict=True)]
    lengths = np.array([len(word) for word in words], np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    codes = np.frombuffer("\n".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = ch.class_table()[np.minimum(codes, 0x10000)]
    classes = _split_camel_case(classes)
    tokens = tokenize(codes, classes, starts)
    is_word = tokens.shapes <= b.ALPHANUMERIC
    element_of = tokens.segments[is_word]
    hashes = tokens.hashes[is_word]
    inside = np.array([tag not in ("html", "body") for tag in elements.tags], bool)
    spans = (elements.last - elements.first).astype(np.int64)
    around = inside[element_of]
    repeat = spans[element_of[around]]
    rows = _ranges(elements.first.astype(np.int64)[element_of[around]], repeat)
    families = [(rows, np.repeat(hashes[around], repeat))]
    level = elements.innermost.astype(np.int64)
    token_offsets = np.searchsorted(element_of, np.arange(len(words) + 1))
    for depth in range(2):
        valid = np.flatnonzero(level >= 0)
        counts = np.diff(token_offsets)[level[valid]]
        picked = _ranges(token_offsets[level[valid]], counts)
        families.append((np.repeat(valid, counts), mix(hashes[picked] + _salt(7 + depth))))
        level = np.where(level >= 0, elements.parents[level] if len(words) else -1, -1)
    segments = np.concatenate([family[0] for family in families])
    keys = np.concatenate([family[1] for family in families])
    order = np.argsort(segments, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(segments, minlength=n))))
    return HashedRows((keys[order] >> np.uint64(64 - DOM_BITS)).astype(np.int64), offsets)


def _split_camel_case(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Start a word at every upper-case letter after a lower-case one, as class names are built."""
    hump = np.zeros(len(classes), bool)
    hump[1:] = (classes[1:] == ch.UPPER) & (classes[:-1] == ch.LOWER)
    # An UNSPACED character is a token of its own, but the hash is of code points, so only the cut matters.
    return np.where(hump, np.uint8(ch.UNSPACED), classes)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The concatenation of `starts[i], starts[i] + 1, ... starts[i] + counts[i] - 1` for every i."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)


def _salt(number: int) -> np.uint64:
    return np.uint64((number * 0xA0761D6478BD642F) & 0xFFFFFFFFFFFFFFFF)


def _rows(
    families: tuple[tuple[NDArray[np.uint64], NDArray[np.bool_]], ...], segments: NDArray[np.int64], n: int, bits: int
) -> HashedRows:
    """Gather the chosen hashes of every family under their segments."""
    chosen = [segments[mask] for _, mask in families]
    keys = np.concatenate([hashes[mask] for hashes, mask in families])
    owner = np.concatenate(chosen)
    order = np.argsort(owner, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=n))))
    return HashedRows((mix(keys)[order] >> np.uint64(64 - bits)).astype(np.int64), offsets)
