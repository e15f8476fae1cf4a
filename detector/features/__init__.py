"""The features of segments: named columns of numbers, computed for a whole batch of pages at once.

| module | looks at |
|---|---|
| `local` | the segment alone, with `edges` for how it begins and ends and `patterns` for what stands inside |
| `markers`, `duplicates` | what recurs in its page: phrases, and whole segments |
| `cohesion` | whether its words occur elsewhere in its page |
| `context` | its place in the page |
| `dom` | the markup around it |
| `lexical` | its words, hashed for the linear scorers of the model |

They work on pages as flat arrays: `characters`, `tokens` and their `shapes`, `batch`, `markup`. `site` stands apart: it
asks a store of signatures what other pages have in common with each segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import Kind, SegmentedPage
from detector.features import cohesion, context, dom, duplicates, local, markers
from detector.features.batch import build_batch
from detector.features.lexical import ABSENT, DOM_BITS, TEXT_BITS, HashedDom, HashedText, hash_dom, hash_text
from detector.features.markup import build_markup

__all__ = [
    "ABSENT",
    "DOM_BITS",
    "SCHEMA",
    "TEXT_BITS",
    "Features",
    "HashedDom",
    "HashedText",
    "extract",
    "feature_names",
    "grouping_names",
]

SCHEMA = 3
"""Version of the columns, groupings and hashes. A model trained with another version is refused."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch.

    Attributes:
        X: (n_segments, n_features) float32, columns as in `feature_names(kind)`.
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`.
        groups: (n_groupings, n_segments) int64, a row for each of `grouping_names(kind)`; segments of one group have
            the same number.
        text: Hashed words of each segment.
        dom: Hashed class names around each segment; None in text mode.
    """

    X: NDArray[np.float32]
    offsets: NDArray[np.int64]
    groups: NDArray[np.int64]
    text: HashedText
    dom: HashedDom | None


_PAGE_NAMES = local.NAMES + markers.NAMES + duplicates.NAMES


def feature_names(kind: Kind) -> tuple[str, ...]:
    """The names of the columns of X, in order."""
    return _PAGE_NAMES + context.POSITION_NAMES + cohesion.NAMES + (dom.NAMES if kind == "html" else ())


def grouping_names(kind: Kind) -> tuple[str, ...]:
    """The names of the rows of groups, in order."""
    return dom.GROUPINGS if kind == "html" else ()


_LOG_CHARS_AT = _PAGE_NAMES.index("log_chars")
_PROSE_AT = context.POSITION_NAMES.index("is_prose")


def extract(pages: Sequence[SegmentedPage], kind: Kind) -> Features:
    """Compute the features of pages of one kind.

    The rows of a page do not depend on the other pages. X is laid out column by column (Fortran order).

    Args:
        pages: Segmented pages; for kind "html" all must have `elements`.
        kind: Which columns to compute.
    """
    batch = build_batch(pages)
    markup = build_markup(batch) if kind == "html" else None
    hashed_dom = None if markup is None else hash_dom(markup)
    groups = np.empty((0, len(batch)), np.int64) if markup is None else dom.groups_of(markup)
    if not len(batch):
        empty = np.empty((0, len(feature_names(kind))), np.float32)
        return Features(empty, batch.offsets, groups, HashedText.none(), hashed_dom)
    alone = local.local_features(batch)
    # A column a row: each column is computed, and later standardised, as a whole.
    own = np.concatenate(
        (alone.columns, markers.marker_features(batch), duplicates.duplicate_features(batch)),
        dtype=np.float32,
        casting="same_kind",
    )
    position = context.position_features(batch, alone.words, alone.sentences, own[_LOG_CHARS_AT]).astype(np.float32)
    prose = position[_PROSE_AT]
    parts = [own, position, cohesion.cohesion_features(batch, prose > 0).astype(np.float32)]
    if markup is not None:
        parts.append(dom.dom_features(batch, markup, groups[0], alone.words, prose))
    return Features(np.concatenate(parts).T, batch.offsets, groups, hash_text(batch), hashed_dom)
