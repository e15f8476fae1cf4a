"""What other pages of the host, and of the web, have in common with each segment, by a frozen `SignatureStore`.

Three signatures a segment: a hash of the whole line (lower case, digits folded); bands of the MinHash signature of its
words, for near-duplicates; bands of the MinHash signature of the lines around it, for runs that recur with an item
more or less. Recurrence within a site as the mark of a template: Bar-Yossef and Rajagopalan, "Template detection via
data mining and its applications" (WWW 2002).

A page never counts for itself: where the store holds its address or its content, one is taken off every count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from detector.data import SegmentedPage
from detector.features.batch import Batch, build_batch
from detector.features.duplicates import segment_keys
from detector.features.hashing import mix
from detector.segment import segment_text
from detector.signatures import PageSignatures, SignatureStore, minhash
from detector.signatures.keys import KeyKind, tag

NEAR_BANDS, NEAR_ROWS = 4, 4
"""Words of two lines: half of the pairs with a Jaccard similarity of .63 share a band, 19 in 20 with .85."""

RUN_BANDS, RUN_ROWS = 2, 2
RUN_BEFORE, RUN_AFTER = 3, 4
"""Lines before and after a line that make its run. With two bands of two rows most runs with one line changed match."""

MOST_PAGES = 1000
"""Counts above it are cut to it: a thousand pages of the web say as much as a million."""

NAMES = (
    "log_pages_with_line",
    "page_share_with_line",
    "log_pages_with_near_duplicate",
    "page_share_with_near_duplicate",
    "log_pages_with_run",
    "page_share_with_run",
    "log_pages_elsewhere_with_line",
    "log_pages_without_line",
    "log_pages_without_near_duplicate",
    "log_pages_of_host",
    "log_chars",
)


@dataclass(frozen=True, slots=True)
class SiteFeatures:
    """What a store knows of the segments of a batch.

    Attributes:
        X: (n_segments, len(NAMES)) float32.
        offsets: (n_pages + 1,) int64; page i is rows `offsets[i]:offsets[i + 1]`.
        host_known: (n_segments,) bool, whether other pages of the host are known.
        recurs: (n_segments,) bool, whether the line, a near-duplicate or the run was found on any other page.
        host_pages: (n_segments, 2) int64, the other known pages of the host that hold the line or a near-duplicate,
            and all of them.
    """

    X: NDArray[np.float32]
    offsets: NDArray[np.int64]
    host_known: NDArray[np.bool_]
    recurs: NDArray[np.bool_]
    host_pages: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys into a store; those of pages without a host are not to be used.

    Attributes:
        host: (n_pages,) uint64.
        url: (n_pages,) uint64.
        content: (n_pages,) uint64.
        has_host: (n_pages,) bool.
        line: (n_segments,) uint64.
        web_line: (n_segments,) uint64.
        near: (n_segments, NEAR_BANDS) uint64.
        run: (n_segments, RUN_BANDS) uint64.
    """

    host: NDArray[np.uint64]
    url: NDArray[np.uint64]
    content: NDArray[np.uint64]
    has_host: NDArray[np.bool_]
    line: NDArray[np.uint64]
    web_line: NDArray[np.uint64]
    near: NDArray[np.uint64]
    run: NDArray[np.uint64]


def page_signatures(pages: Sequence[SegmentedPage], urls: Sequence[str | None]) -> list[PageSignatures]:
    """What a counter counts of pages.

    Args:
        pages: Segmented pages of any kind; a page is the same with its markup and without.
        urls: The address of each. Without one, a page counts for the web and for no host.
    """
    batch = build_batch(pages)
    keys = _keys(batch, urls)
    found = []
    for page, (start, end) in enumerate(zip(batch.offsets[:-1].tolist(), batch.offsets[1:].tolist(), strict=True)):
        rows = slice(start, end)
        parts = [keys.content[page : page + 1], keys.web_line[rows]]
        identity = keys.content[page : page + 1]
        if keys.has_host[page]:
            identity = np.append(identity, keys.url[page])
            parts += [keys.host[page : page + 1], keys.url[page : page + 1], keys.line[rows]]
            parts += [keys.near[rows].ravel(), keys.run[rows].ravel()]
        found.append(PageSignatures(identity, np.unique(np.concatenate(parts))))
    return found


def site_features(pages: Sequence[SegmentedPage], urls: Sequence[str | None], store: SignatureStore) -> SiteFeatures:
    """Look up every segment of a batch of pages; the rows of a page do not depend on the other pages.

    Args:
        pages: Segmented pages of any kind.
        urls: The address of each, or None.
        store: Counts of `page_signatures`.
    """
    batch = build_batch(pages)
    keys = _keys(batch, urls)
    page_of = batch.page_of
    own = np.maximum(store.lookup(keys.content), store.lookup(keys.url) * keys.has_host)

    def others(segment_keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.maximum(store.lookup(segment_keys) - own[page_of], 0)

    on_host = keys.has_host[page_of]
    line = others(keys.line) * on_host
    near = np.max([others(keys.near[:, band]) for band in range(NEAR_BANDS)], axis=0) * on_host
    run = np.max([others(keys.run[:, band]) for band in range(RUN_BANDS)], axis=0) * on_host
    elsewhere = np.maximum(others(keys.web_line) - line, 0)
    known = (np.maximum(store.lookup(keys.host) - own, 0) * keys.has_host)[page_of]
    logs = {name: np.log1p(np.minimum(counts, MOST_PAGES)) for name, counts in
            (("line", line), ("near", near), ("run", run), ("elsewhere", elsewhere), ("known", known))}  # fmt: skip
    share = {name: np.minimum(counts / np.maximum(known, 1), 1.0) for name, counts in
             (("line", line), ("near", near), ("run", run))}  # fmt: skip
    columns = (
        logs["line"],
        share["line"],
        logs["near"],
        share["near"],
        logs["run"],
        share["run"],
        logs["elsewhere"],
        logs["known"] * (line == 0),
        logs["known"] * (near == 0),
        logs["known"],
        np.log1p(batch.lengths),
    )
    return SiteFeatures(
        X=np.stack(columns, axis=1).astype(np.float32),
        offsets=batch.offsets,
        host_known=known > 0,
        recurs=(near > 0) | (run > 0) | (elsewhere > 0),
        host_pages=np.stack((near, known), axis=1),
    )


@cache
def scheme() -> str:
    """A digest of the keys of two fixed pages: it changes with the way keys are made, so that no change goes unseen."""
    pages = [segment_text("Home | News\nPosted on 12 May 2021 by Ana\n河が町を流れる。"), segment_text("x " * 300)]
    digest = hashlib.sha256()
    for page in page_signatures(pages, ["https://www.Example.org/a?b=1#c", None]):
        digest.update(page.identity.astype("<u8").tobytes() + page.keys.astype("<u8").tobytes())
    return digest.hexdigest()[:16]


def host_of(url: object) -> str | None:
    """The host of an address without a leading "www.", or None where there is none.

    >>> host_of("https://WWW.Example.org:8080/a"), host_of("no address"), host_of(None)
    ('example.org', None, None)

    Args:
        url: An address with its scheme; whatever else crawlers hold in its place has no host.
    """
    if not isinstance(url, str):
        return None
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") or None
    except ValueError:
        return None


def _address(url: str, host: str) -> str:
    """The address without scheme, fragment and final slash, which often differ between links to one page."""
    parts = urlsplit(url)
    return f"{host}{parts.path.rstrip('/')}?{parts.query}"


def _keys(batch: Batch, urls: Sequence[str | None]) -> _Keys:
    hosts = [host_of(url) for url in urls]
    host = np.array([_hash(name or "") for name in hosts], np.uint64)
    addresses = [_address(url, name) if url and name else "" for url, name in zip(urls, hosts, strict=True)]
    lines = mix(segment_keys(batch)) if len(batch) else np.empty(0, np.uint64)
    of_host = host[batch.page_of]
    tokens = batch.tokens
    words = minhash((tokens.hashes >> np.uint64(32)).astype(np.uint32), tokens.offsets, NEAR_BANDS * NEAR_ROWS)
    runs = _run_signatures(batch, lines)
    sums = np.zeros(len(lines) + 1, np.uint64)
    np.cumsum(lines, out=sums[1:])
    content = mix(sums[batch.offsets[1:]] - sums[batch.offsets[:-1]])
    return _Keys(
        host=tag(mix(host), KeyKind.HOST),
        url=tag(mix(np.array([_hash(address) for address in addresses], np.uint64)), KeyKind.URL),
        content=tag(mix(content ^ host), KeyKind.CONTENT),
        has_host=np.array([name is not None for name in hosts], bool),
        line=tag(mix(lines ^ of_host), KeyKind.LINE),
        web_line=tag(lines, KeyKind.WEB_LINE),
        near=tag(mix(band_hashes(words, NEAR_ROWS) ^ of_host[:, None]), KeyKind.NEAR),
        run=tag(mix(band_hashes(runs, RUN_ROWS) ^ of_host[:, None]), KeyKind.RUN),
    )


def _run_signatures(batch: Batch, lines: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """MinHash signature of the lines of the page around each line; (n_segments, RUN_BANDS * RUN_ROWS) uint32."""
    steps = np.arange(-RUN_BEFORE, RUN_AFTER + 1)
    first, last = batch.offsets[:-1][batch.page_of], batch.offsets[1:][batch.page_of] - 1
    at = np.clip(np.arange(len(lines))[:, None] + steps, first[:, None], last[:, None])
    shingles = (lines >> np.uint64(32)).astype(np.uint32)[at].ravel()
    return minhash(shingles, np.arange(len(lines) + 1) * len(steps), RUN_BANDS * RUN_ROWS)


def band_hashes(signatures: NDArray[np.uint32], rows: int) -> NDArray[np.uint64]:
    """A hash of each band of `rows` positions, different for equal bands in different places.

    Args:
        signatures: (n, bands * rows) uint32.
        rows: Positions in a band.

    Returns:
        (n, bands) uint64; two signatures are candidates where a band is equal, as in datasketch's `MinHashLSH`.
    """
    bands = signatures.shape[1] // rows
    factors = mix(np.arange(1, rows + 1, dtype=np.uint64))
    sums = (signatures.reshape(-1, bands, rows) * factors).sum(axis=2)
    return mix(sums + np.arange(1, bands + 1, dtype=np.uint64))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")
