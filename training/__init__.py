"""Samples in, models out: readers, alignment of gold text, fitting, evaluation.

This package may import `detector`, never the reverse.

`SegmentClassifier` wraps any scikit-learn classifier; `docs/training-library.md` shows it at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.estimator import SegmentClassifier

__all__ = ["SegmentClassifier"]


def __getattr__(name: str) -> Any:
    """Import scikit-learn when it is first needed: readers of samples work without it."""
    if name == "SegmentClassifier":
        from training.estimator import SegmentClassifier

        return SegmentClassifier
    raise AttributeError(f"module 'training' has no attribute {name!r}")
