"""What passes between the steps of a run: records, problems, work units and their results."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Form = Literal["jsonl", "warc", "parquet", "page"]
"""How a source is cut into records: by lines, by WARC records (WET included), by rows, or not at all."""

FORMS: tuple[Form, ...] = ("jsonl", "warc", "parquet", "page")


CHECKPOINT = "checkpoint.json"
STATISTICS = "statistics.json"
PROBLEMS = "problems.jsonl"
"""Files of a run in its folder, beside the shards."""


class Trouble(enum.StrEnum):
    """Why a record, or the rest of a source, is not among the results."""

    CORRUPT = "corrupt record"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    WORKER_DIED = "worker died"
    FAILED = "failed"
    EMPTY = "nothing to read"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not read as it should be.

    Attributes:
        source: The name of the file.
        record: The number of the record in it, from 1; 0 for the source as a whole.
        trouble: What kind of problem.
        detail: The same in words.
        url: Of the page, where known.
    """

    source: str
    record: int
    trouble: Trouble
    detail: str
    url: str | None = None

    @property
    def place(self) -> str:
        """File and record, or the file alone, for messages."""
        return f"{self.source}:{self.record}" if self.record else self.source

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "input": self.source,
            "record": self.record,
            "problem": self.trouble,
            "detail": self.detail,
            "url": self.url,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in its source; workers parse it.

    Attributes:
        source: The name of the file.
        number: Of the record in it, from 1.
        form: How to parse it.
        content: A line of JSONL, the block of a WARC record, a file; empty for a row.
        fields: The cells of a row, the header of a WARC record; empty otherwise.
    """

    source: str
    number: int
    form: Form
    content: bytes
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is no page and is not meant to be one: the request that led to a response, say."""

    reason: str


class Position(NamedTuple):
    """A place between two records.

    Attributes:
        source: Which source, counted from 0.
        record: How many records of it come before.
        offset: How many bytes of its unpacked content come before, where its reader can use that; else 0.
    """

    source: int = 0
    record: int = 0
    offset: int = 0


class Item(NamedTuple):
    """One step of reading: what was found, and the place behind it as in `Position`."""

    found: Record | Problem | Skipped
    record: int
    offset: int = 0


@dataclass(slots=True)
class Statistics:
    """What a run did, counted.

    Attributes:
        pages: Pages classified.
        characters: Characters of all segments by label.
        removed: Characters of removed segments by label.
        problems: Problems by kind.
        skipped: Records that are no pages by reason.
    """

    pages: int = 0
    characters: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, other: Statistics) -> None:
        """Count what the other counted."""
        self.pages += other.pages
        for name in ("characters", "removed", "problems", "skipped"):
            getattr(self, name).update(getattr(other, name))

    @property
    def removed_ratio(self) -> float:
        """Share of the segments' characters that was removed."""
        return self.removed.total() / self.characters.total() if self.characters else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the counts, and the removed share of all characters, whole and by label."""
        total = self.characters.total()
        return {
            "pages": self.pages,
            "characters": dict(self.characters),
            "removed": dict(self.removed),
            "removed_ratio": round(self.removed_ratio, 6),
            "removed_ratio_by_label": {label: round(count / total, 6) for label, count in self.removed.items()},
            "problems": dict(self.problems),
            "skipped": dict(self.skipped),
        }

    @classmethod
    def from_dict(cls, counts: dict[str, Any]) -> Statistics:
        """What `as_dict` gave."""
        names = ("characters", "removed", "problems", "skipped")
        return cls(counts["pages"], *(Counter(counts[name]) for name in names))


@dataclass(slots=True)
class Unit:
    """Consecutive records that one worker does at a time.

    Attributes:
        number: From 0.
        records: What to classify.
        problems: What was found wrong while reading.
        skipped: Records that are no pages by reason.
        end: Where the next unit begins.
        bytes_read: Bytes of the inputs read so far, packed as they are.
    """

    number: int
    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    end: Position = field(default_factory=Position)
    bytes_read: int = 0


@dataclass(slots=True)
class UnitResult:
    """What a worker made of records.

    Attributes:
        output: The pages as lines of JSON, packed.
        removed: The removed segments as lines of JSON, packed; empty unless asked for.
        problems: Records that are not among the pages, and pages with nothing in them.
        statistics: Of the pages, and of records that turned out to be none; problems are counted where they are written down.
    """

    output: bytes = b""
    removed: bytes = b""
    problems: list[Problem] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)

    def add(self, other: UnitResult) -> None:
        """Put what follows behind this."""
        self.output += other.output
        self.removed += other.removed
        self.problems += other.problems
        self.statistics.add(other.statistics)
