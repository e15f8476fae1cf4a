"""What a page may cost, and what is said of one that would cost more."""

from __future__ import annotations

import time
from dataclasses import dataclass

from detector.amplification import NODES_A_TAG, most_nodes
from detector.errors import UsageError

MAX_BYTES = 32_000_000
"""Largest page by default."""

MAX_SEGMENTS = 200_000
"""Most segments of a page by default. A segment has some hundred features however short its text, so bytes alone
do not bound the memory."""

MAX_TAGS = 1_000_000
"""Most opening brackets of an HTML page by default, for tags begin with them: the parser takes a hundred bytes for an
element and as much for its text, so 32 MB of nothing but tags would take two gigabytes. Of 3,200 crawled pages none had
more than 22,000."""

TIMEOUT_SECONDS = 60.0
"""Seconds a page may take by default."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may cost. A page over a limit is not classified and nothing of it is kept: its problem says so.

    No limit interrupts a step that has begun. Steps take time linear in the size of the page, so the size is what
    bounds them; the clock is read between them. Where pages must be stopped in mid-step, as on a parser that hangs,
    run them in processes that can be killed, as `detector run` does.

    Attributes:
        max_bytes: Largest page: bytes as it came, or characters where it came decoded.
        max_segments: Most segments.
        max_tags: Most opening brackets ("<") of an HTML page: it has no more tags than that. Beyond 100,000, at most one
            in six characters may be one.
        timeout: Seconds for decoding a page and cutting it into segments.
    """

    max_bytes: int = MAX_BYTES
    max_segments: int = MAX_SEGMENTS
    max_tags: int = MAX_TAGS
    timeout: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_segments", "max_tags"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; give 1 or more")
        if not self.timeout > 0:
            raise UsageError(f"timeout is {self.timeout}; give a number of seconds above 0, or math.inf for no limit")

    def of_size(self, content: str | bytes) -> str | None:
        """What is wrong with the size of a page, or None."""
        if len(content) <= self.max_bytes:
            return None
        unit = "bytes" if isinstance(content, bytes) else "characters"
        return f"too large: {len(content):,} {unit}, at most {self.max_bytes:,} are read"

    def of_segments(self, count: int) -> str | None:
        """What is wrong with the number of segments, or None."""
        if count <= self.max_segments:
            return None
        return f"too many segments: {count:,}, at most {self.max_segments:,} are classified"

    def of_tags(self, tags: int, size: int) -> str | None:
        """What is wrong with the number of opening brackets of an HTML page of so many characters, or None."""
        if tags > self.max_tags:
            return f"too much markup: {tags:,} opening brackets, at most {self.max_tags:,} are read"
        if tags > (most := most_nodes(size) // NODES_A_TAG):
            return f"too much markup: {tags:,} opening brackets in {size:,} characters, at most {most:,} are read"
        return None

    def clock(self) -> Clock:
        """A clock that has just been started."""
        return Clock(self.timeout, time.monotonic())


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a page may still take."""

    timeout: float
    started: float

    def overrun(self) -> str | None:
        """What is wrong with the time a page has taken so far, or None."""
        if time.monotonic() - self.started <= self.timeout:
            return None
        return f"too slow: took longer than {self.timeout:g} s"
