"""What a 64-bit key counts: its lowest bits say so, the others are a hash."""

from __future__ import annotations

import enum

import numpy as np
from numpy.typing import NDArray


class KeyKind(enum.IntEnum):
    """What the pages behind a key have in common."""

    LINE = 0
    """A line, on one host."""
    WEB_LINE = 1
    """A line, on any host."""
    NEAR = 2
    """A band of the MinHash signature of a line's words, on one host."""
    RUN = 3
    """A band of the MinHash signature of the lines around a line, on one host."""
    HOST = 4
    """A host: the count is that of its pages."""
    URL = 5
    """An address: the count is 1, or how many merged snapshots hold the page."""
    CONTENT = 6
    """The lines of a whole page, on one host."""


KIND_MASK = np.uint64(7)

PRUNED = (KeyKind.LINE, KeyKind.WEB_LINE, KeyKind.NEAR, KeyKind.RUN)
"""Kinds that may be forgotten where they are rare; hosts and pages are always kept."""


def tag(hashes: NDArray[np.uint64], kind: KeyKind) -> NDArray[np.uint64]:
    """Hashes as keys of a kind."""
    return (hashes & ~KIND_MASK) | np.uint64(kind)


def kinds_of(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The kind of each key, as a number."""
    return (keys & KIND_MASK).astype(np.int64)
