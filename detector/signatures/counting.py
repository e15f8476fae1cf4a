"""Counting pages by signature: in the memory of one process, with sorted runs on disk where a corpus is large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.signatures.store import SignatureStore, merge_to_file

RUN_KEYS = 1 << 23
"""Keys gathered before they are sorted into a run: 64 MB."""


@dataclass(frozen=True, slots=True)
class PageSignatures:
    """What is counted of one page.

    Attributes:
        identity: (1 or 2,) uint64, keys that tell the page: of its content, and of its address where it has one.
        keys: (n,) uint64, every key of the page once, those of `identity` included.
    """

    identity: NDArray[np.uint64]
    keys: NDArray[np.uint64]


class PageCounter(Protocol):
    """Where pages are counted: `SignatureCounter`, or `RedisSignatureCounter` for several crawlers."""

    def add(self, pages: Iterable[PageSignatures]) -> int:
        """Count pages; one whose address or content was counted before is not counted again.

        Returns:
            How many were new.
        """
        ...

    def freeze(self) -> SignatureStore:
        """The counts so far."""
        ...


class SignatureCounter:
    """Counts the pages of one process.

    Args:
        scheme: See `SignatureStore`.
        folder: Where to keep sorted runs, so that memory stays flat; None keeps them in memory.
        run_keys: Keys gathered before they become a run.
    """

    def __init__(self, scheme: str, folder: Path | None = None, run_keys: int = RUN_KEYS) -> None:
        self._scheme = scheme
        self._folder = folder
        self._run_keys = run_keys
        self._pending: list[NDArray[np.uint64]] = []
        self._gathered = 0
        self._seen: set[int] = set()
        self._runs: list[SignatureStore] = []

    def add(self, pages: Iterable[PageSignatures]) -> int:
        """Count pages; one whose address or content was counted before is not counted again.

        Returns:
            How many were new.
        """
        new = 0
        for page in pages:
            identity = page.identity.tolist()
            if not self._seen.isdisjoint(identity) or any(run.lookup(page.identity).any() for run in self._runs):
                continue
            new += 1
            self._seen.update(identity)
            self._pending.append(page.keys)
            self._gathered += len(page.keys)
            if self._gathered >= self._run_keys:
                self._close_run()
        return new

    def freeze(self) -> SignatureStore:
        """The counts so far; counting may go on."""
        self._close_run()
        if len(self._runs) == 1:
            return self._runs[0]
        return SignatureStore.merge(self._runs)

    def freeze_to_file(self, path: Path, min_pages: int = 1) -> None:
        """Write the counts so far to a file; see `merge_to_file`."""
        self._close_run()
        merge_to_file(self._runs, path, min_pages)

    def _close_run(self) -> None:
        """Sort what was gathered. The first run may be empty, so that there is always one."""
        if not self._pending and self._runs:
            return
        gathered = np.concatenate([*self._pending, np.empty(0, np.uint64)])
        keys, counts = np.unique(gathered, return_counts=True)
        run = SignatureStore(keys, counts.astype(np.uint32), self._scheme)
        if self._folder is not None:
            path = self._folder / f"run-{len(self._runs)}"
            run.save(path)
            run = SignatureStore.open(path, self._scheme)
        self._runs.append(run)
        self._pending, self._gathered = [], 0
        self._seen.clear()
