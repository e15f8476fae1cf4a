"""When a whole page is dropped, and what the reason is called in statistics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from detector.data import PageResult
from detector.errors import UsageError

Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class DropRule:
    """Drops pages of which too little stays.

    Args:
        min_chars: Characters of kept text below which a page goes; 0 keeps them all.
        max_removed_ratio: Share of a page's characters, in 0..1, that may be removed before all of it goes.

    Raises:
        UsageError: An argument is out of range.
    """

    min_chars: int = 0
    max_removed_ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.min_chars < 0:
            raise UsageError(f"min_chars is {self.min_chars}; give 0 or more")
        if not 0 <= self.max_removed_ratio <= 1:
            raise UsageError(f"max_removed_ratio is {self.max_removed_ratio}; give a share from 0 to 1")

    def reason(self, result: PageResult) -> str | None:
        """Why the page goes, a word or two joined by underscores, or None if it stays."""
        if len(result.text) < self.min_chars:
            return result.problem.replace(" ", "_") if result.problem else "too_short"
        return "mostly_removed" if result.removed_ratio > self.max_removed_ratio else None


def number(settings: Mapping[str, Any], name: str, default: Default) -> float | Default:
    """A setting that is a number, or the default where it is not set.

    Raises:
        UsageError: It is something else.
    """
    value = settings.get(name)
    if value is None:
        return default
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise UsageError(f"{name} is {value!r}; give a number")
    return found
