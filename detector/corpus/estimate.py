"""What a run would take and give, from a sample of its inputs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from detector.corpus.inputs import STDIN, Source
from detector.corpus.pages import PageProcessor
from detector.corpus.readers import check_readers, read_units
from detector.corpus.records import Position, Statistics, Trouble
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
    figures: defaultdict[str, float] = defaultdict(float)
    sampled = sampled_pages = of_size = 0
    for source in _spread(sources_of(inputs, options.form), files):
        read, found = _sample(source, processor, max(1, SAMPLE_UNITS // files))
        sampled += read
        sampled_pages += int(found["pages"])
        of_size += source.size
        for name, value in found.items():
            # Each file by what was read of it: a packed archive and plain lines hold not as many pages a byte.
            figures[name] += value * source.size / max(read, 1)
    factor = size / max(of_size, 1)
    return Estimate(
        files=files,
        input_bytes=size,
        sampled_bytes=sampled,
        sampled_pages=sampled_pages,
        pages=round(figures["pages"] * factor),
        output_bytes=round(figures["output"] * factor),
        seconds=round(figures["seconds"] * factor / options.workers, 1),
        removed_ratio=round(figures["removed"] / max(figures["characters"], 1), 4),
        problems={str(kind): round(figures[kind] * factor) for kind in Trouble if kind in figures},
    )


def _sample(source: Source, processor: PageProcessor, units: int) -> tuple[int, dict[str, float]]:
    """The first units of a source: bytes read, and figures by name, problems by their kind."""
    begun, read = time.perf_counter(), 0
    counted, output = Statistics(), 0
    for unit in islice(read_units([source], Position(), processor.options.max_bytes), units):
        result = processor(unit.records)
        counted.add(result.statistics)
        counted.problems.update(str(problem.trouble) for problem in unit.problems + result.problems)
        output += len(result.output)
        read = unit.bytes_read
    return read, {
        "pages": counted.pages,
        "characters": counted.characters.total(),
        "removed": counted.removed.total(),
        "output": output,
        "seconds": time.perf_counter() - begun,
        **counted.problems,
    }


def _spread(sources: Iterable[Source], count: int) -> Iterator[Source]:
    """Up to `SAMPLE_UNITS` of the sources, evenly spaced."""
    taken = min(count, SAMPLE_UNITS)
    wanted = {number * count // taken for number in range(taken)}
    return (source for number, source in enumerate(sources) if number in wanted)
