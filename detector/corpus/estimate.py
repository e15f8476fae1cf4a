"""What a run would take and give, from a sample of its inputs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from detector.corpus.inputs import STDIN, Source
from detector.corpus.pages import PageProcessor
from detector.corpus.readers import check_readers, read_units
from detector.corpus.records import Position, Statistics
from detector.corpus.run import RunOptions, sources_of
from detector.errors import InputError, UsageError

SAMPLE_UNITS = 16
"""Units read, each from another file if there are as many: a few seconds of work."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run foretold; all but the first four from the sample.

    Attributes:
        files: Of the inputs.
        input_bytes: Of all files, packed as they are.
        sampled_bytes: How much of them was read.
        sampled_pages: How many pages were in that.
        pages: In all inputs.
        output_bytes: Of all shards.
        seconds: The run would take with the workers asked for, if each has a core.
        removed_ratio: Share of the characters.
        problems: By kind.
    """

    files: int
    input_bytes: int
    sampled_bytes: int
    sampled_pages: int
    pages: int
    output_bytes: int
    seconds: float
    removed_ratio: float
    problems: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def estimate(inputs: list[str], options: RunOptions) -> Estimate:
    """Classify a unit of up to `SAMPLE_UNITS` files, evenly spaced, or more units of a few; nothing is written.

    Raises:
        UsageError: Standard input is among the inputs: it can be read only once.
        InputError: An input is missing, empty, or needs a library that is not installed.
    """
    if STDIN in inputs:
        raise UsageError("a dry run needs inputs that can be read again; name files or folders")
    check_readers(sources_of(inputs, options.form))
    files = size = 0
    for source in sources_of(inputs, options.form):
        files += 1
        size += source.size
    if not size:
        raise InputError("the inputs are empty; there is nothing to estimate from")
    processor = PageProcessor(options.pages)
    counted = Statistics()
    output = sampled = 0
    seconds = 0.0
    for source in _spread(sources_of(inputs, options.form), files):
        begun, read = time.perf_counter(), 0
        for unit in islice(read_units([source], Position(), options.pages.max_bytes), max(1, SAMPLE_UNITS // files)):
            result = processor(unit.records)
            counted.add(result.statistics)
            counted.problems.update(str(problem.trouble) for problem in unit.problems + result.problems)
            output += len(result.output)
            read = unit.bytes_read
        sampled += read
        seconds += time.perf_counter() - begun
    factor = size / max(sampled, 1)
    return Estimate(
        files=files,
        input_bytes=size,
        sampled_bytes=sampled,
        sampled_pages=counted.pages,
        pages=round(counted.pages * factor),
        output_bytes=round(output * factor),
        seconds=round(seconds * factor / options.workers, 1),
        removed_ratio=round(counted.removed_ratio, 4),
        problems={kind: round(count * factor) for kind, count in counted.problems.items()},
    )


def _spread(sources: Iterable[Source], count: int) -> Iterator[Source]:
    """Up to `SAMPLE_UNITS` of the sources, evenly spaced."""
    taken = min(count, SAMPLE_UNITS)
    wanted = {number * count // taken for number in range(taken)}
    return (source for number, source in enumerate(sources) if number in wanted)
