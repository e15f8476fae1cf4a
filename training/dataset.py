"""Labelled pages to arrays: features, hashed words, labels and weights of all segments, cached on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from detector import data, features, matmul, signatures
from detector.data import Kind
from detector.features import DOM_BITS, TEXT_BITS, Features, HashedDom, HashedText, extract
from detector.places import Places
from training.labelling import LabelledPage
from training.resume import code_digest, remember
from training.samples import COMPOSED, Sample

_CHUNK = 32
"""Pages whose features are computed, and cached, at a time."""

_FEATURE_CODE = (features, signatures, data, matmul)
"""What features depend on besides the page; a change of any of it computes them anew."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The segments of labelled pages of one kind.

    Attributes:
        kind: Text or HTML.
        samples: (n_pages) where each page came from.
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`.
        groups: (n_groupings, n_segments) int64, as in `Features`.
        X: (n_segments, n_features) float32.
        words: (n_segments, 2^TEXT_BITS) sparse float32, rows as the model's scorer weighs them.
        classes: (n_segments, 2^DOM_BITS) sparse float32; None for text.
        labels: (n_segments,) int8, -1 where unknown.
        weights: (n_segments,) float32, 0 where unknown or where the label is not to be learnt.
        chars: (n_segments,) int64.
    """

    kind: Kind
    samples: list[Sample]
    offsets: NDArray[np.int64]
    groups: NDArray[np.int64]
    X: NDArray[np.float32]
    words: sp.csr_matrix
    classes: sp.csr_matrix | None
    labels: NDArray[np.int8]
    weights: NDArray[np.float32]
    chars: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def page_of(self) -> NDArray[np.int64]:
        """(n_segments,) the page of each segment."""
        return np.repeat(np.arange(len(self.samples)), np.diff(self.offsets))

    @property
    def places(self) -> Places:
        """Which page each segment is in, and which segments stand in the same kind of place."""
        return Places.of(self.offsets, self.groups)

    @property
    def labelled_by_line(self) -> NDArray[np.bool_]:
        """Which pages are text labelled line by line: neither HTML read as text, nor composed; (n_pages,) bool."""
        return np.array([sample.kind == "text" and sample.source != COMPOSED for sample in self.samples], bool)

    def digest(self) -> str:
        """SHA-256 in hexadecimal digits, equal for equal contents.

        `joblib.hash` is not: it tells a string from its copy, and so one process from another.
        """
        facts = [(sample.id, sample.kind, sample.source, sample.site, sample.page_type) for sample in self.samples]
        content = hashlib.sha256(repr((self.kind, facts)).encode("utf-8", "surrogatepass"))
        tables = [table for table in (self.words, self.classes) if table is not None]
        parts = [part for table in tables for part in (table.indptr, table.indices, table.data)]
        for array in (self.offsets, self.groups, self.X, self.labels, self.weights, self.chars, *parts):
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()

    def select(self, pages: NDArray[np.bool_]) -> Dataset:
        """The chosen pages only.

        Args:
            pages: (n_pages,) bool.
        """
        rows = np.repeat(pages, np.diff(self.offsets))
        return Dataset(
            kind=self.kind,
            samples=[sample for sample, chosen in zip(self.samples, pages.tolist(), strict=True) if chosen],
            offsets=np.concatenate(([0], np.cumsum(np.diff(self.offsets)[pages]))),
            groups=self.groups[:, rows],
            X=self.X[rows],
            words=self.words[rows],
            classes=None if self.classes is None else self.classes[rows],
            labels=self.labels[rows],
            weights=self.weights[rows],
            chars=self.chars[rows],
        )

    def joined(self, other: Dataset) -> Dataset:
        """These pages, then those of another dataset of the same kind."""
        both = self.classes is not None and other.classes is not None
        return Dataset(
            kind=self.kind,
            samples=self.samples + other.samples,
            offsets=np.concatenate((self.offsets, self.offsets[-1] + other.offsets[1:])),
            groups=join_groups([self.groups, other.groups]),
            X=np.concatenate((self.X, other.X)),
            words=sp.vstack((self.words, other.words), format="csr"),
            classes=sp.vstack((self.classes, other.classes), format="csr") if both else None,
            labels=np.concatenate((self.labels, other.labels)),
            weights=np.concatenate((self.weights, other.weights)),
            chars=np.concatenate((self.chars, other.chars)),
        )


def build_dataset(pages: Iterable[LabelledPage], kind: Kind, cache: Path | None = None) -> Dataset:
    """Compute, or fetch from the cache, the features of labelled pages.

    Args:
        pages: Pages of the given kind; those without segments are left out.
        kind: Which features to compute.
        cache: Folder to keep features in, see `training.resume`; None computes everything anew.
    """
    code = code_digest(_FEATURE_CODE) if cache is not None else ""
    parts: list[Features] = []
    kept: list[LabelledPage] = []
    for chunk in _chunks((page for page in pages if len(page.page)), _CHUNK):
        kept += chunk
        segmented = [page.page for page in chunk]
        parts.append(remember(cache, ("features", code, kind, segmented), partial(extract, segmented, kind)))
    counts = np.array([len(page.page) for page in kept], np.int64)
    return Dataset(
        kind=kind,
        samples=[page.sample for page in kept],
        offsets=np.concatenate(([0], np.cumsum(counts))),
        groups=join_groups([part.groups for part in parts]) if parts else np.empty((0, 0), np.int64),
        X=np.concatenate([part.X for part in parts]) if parts else np.empty((0, 0), np.float32),
        words=_sparse([part.text for part in parts], TEXT_BITS),
        classes=_sparse([part.dom for part in parts if part.dom is not None], DOM_BITS) if kind == "html" else None,
        labels=_join([page.labels for page in kept], np.int8),
        weights=_join([page.weights for page in kept], np.float32),
        chars=_join([page.page.ends - page.page.starts for page in kept], np.int64),
    )


def join_groups(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The groups of all parts, numbered so that no two parts share one; (n_groupings, n_segments in all) int64."""
    spans = [int(part.max(initial=-1)) + 1 for part in parts]
    return np.concatenate([part + base for part, base in zip(parts, np.cumsum([0, *spans]), strict=False)], axis=1)


def _join(arrays: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate(arrays).astype(dtype) if arrays else np.empty(0, dtype)


def _chunks(pages: Iterable[LabelledPage], size: int) -> Iterator[list[LabelledPage]]:
    iterator = iter(pages)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _sparse(rows: Sequence[HashedText | HashedDom], bits: int) -> sp.csr_matrix:
    """The rows as one sparse matrix, weighted as `HashedScorer.score` weighs them."""
    parts = [_sparse_part(part, bits) for part in rows]
    return sp.vstack(parts, format="csr") if parts else sp.csr_matrix((0, 1 << bits), dtype=np.float32)


def _sparse_part(part: HashedText | HashedDom, bits: int) -> sp.csr_matrix:
    sizes = part.sizes()
    rows, buckets = part.entries()
    values = (1 / np.sqrt(sizes)).astype(np.float32)[rows]
    return sp.csr_matrix((values, (rows, buckets)), shape=(len(sizes), 1 << bits), dtype=np.float32)
