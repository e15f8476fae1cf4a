"""Where results go: a folder of shards that can be gone on with, or a stream."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from detector.corpus.outputs import Checkpoint, FolderLock, GrowingFile, shard_name, shards_in
from detector.corpus.records import (
    CHECKPOINT,
    PROBLEMS,
    STATISTICS,
    Position,
    Problem,
    Statistics,
    Unit,
    UnitResult,
)  # fmt: skip
from detector.errors import RunError
from detector.files import write_whole


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """Which files are written and how.

    Attributes:
        packing: Of the shards while they are lines, a value of `WRITABLE`.
        parquet: Make a Parquet file of each shard when it is whole.
        shard_bytes: A shard is closed at this size, packed as it is.
        removed: A file for what was taken out, packed by its suffix; None for none.
        problems: A file for the problems; None for `problems.jsonl` in the folder, or for standard error.
        statistics: A file for the counts; None for `statistics.json` in the folder, or for none.
        checkpoint_seconds: How often the state is saved; 0 for every unit.
    """

    packing: str = ""
    parquet: bool = False
    shard_bytes: int = 256_000_000
    removed: Path | None = None
    problems: Path | None = None
    statistics: Path | None = None
    checkpoint_seconds: float = 2.0


class Sink(Protocol):
    """Takes the results of units in order."""

    @property
    def statistics(self) -> Statistics:
        """Of all that was taken."""

    @property
    def start(self) -> Position:
        """Where to read from."""

    def write(self, unit: Unit, result: UnitResult) -> None:
        """Take the next unit's result."""

    def finish(self) -> None:
        """All is written; files get their names."""


class FolderSink:
    """A folder of shards with a checkpoint; made again after the run was killed, it says where to read on.

    Args:
        folder: Made if it is missing.
        options: Which files.
        settings: What must not differ for the run to be gone on with.
        resumable: False where the inputs cannot be read again: an interrupted run starts over.

    Raises:
        RunError: The folder holds another run, or files of one; or another process writes to it.
        OSError: It cannot be written.
    """

    def __init__(self, folder: Path, options: SinkOptions, settings: dict[str, Any], resumable: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._options = options
        self._lock = FolderLock(folder)
        self._files: dict[str, GrowingFile] = {}
        try:
            self._state = self._load(settings, resumable)
            self._remove_leftovers()
            if not self.finished:
                self._state.save(folder)
                for name in ("problems", "removed", "shard"):
                    if (path := self._path(name)) is not None:
                        self._files[name] = GrowingFile(path, self._state.lengths.get(name, 0))
        except BaseException:
            self.__exit__()
            raise
        self._saved = time.monotonic()

    def __enter__(self) -> FolderSink:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.abandon()
        self._lock.release()

    @property
    def statistics(self) -> Statistics:
        """Of all that was written, by earlier starts included."""
        return self._state.statistics

    @property
    def start(self) -> Position:
        """Where to read from."""
        return self._state.position

    @property
    def finished(self) -> bool:
        """Whether an earlier run did it all."""
        return self._state.finished

    def write(self, unit: Unit, result: UnitResult) -> None:
        """Append a unit's result; now and then, and with every whole shard, save how far the run is."""
        self._files["shard"].write(result.output)
        if "removed" in self._files:
            self._files["removed"].write(result.removed)
        self._files["problems"].write(_lines(_count(self.statistics, unit, result)))
        self._state.position = unit.end
        if self._files["shard"].length >= self._options.shard_bytes:
            self._next_shard()
        elif time.monotonic() - self._saved >= self._options.checkpoint_seconds:
            self._save()

    def finish(self) -> None:
        """Give every file its name and say that the run is done."""
        self._save()
        shard = self._files.pop("shard")
        if shard.length:
            self._publish(shard)
        else:
            shard.abandon()
            shard.part.unlink()
        for name in ("removed", "problems"):
            if name in self._files:
                self._files.pop(name).publish()
        path = self._options.statistics or self._folder / STATISTICS
        write_whole(path, _as_json(self.statistics), synced=True)
        self._state.finished = True
        self._state.save(self._folder)
        self._remove_leftovers()

    def _load(self, settings: dict[str, Any], resumable: bool) -> Checkpoint:
        state = Checkpoint.load(self._folder)
        if state is not None:
            state.check(settings, self._folder)
            if resumable:
                self._check_whole(state)
                return state
        beside = [
            path for path in (self._path("problems"), self._path("removed")) if path is not None and path.exists()
        ]
        there = beside + shards_in(self._folder)
        if state is None and there:
            raise RunError(f"{there[0]} is there already, and no {CHECKPOINT} of this run; name another")
        for path in there:
            path.unlink()
        return Checkpoint(settings)

    def _check_whole(self, state: Checkpoint) -> None:
        """Refuse to take a run for finished whose files are gone."""
        if not state.finished:
            return
        suffix = ".parquet" if self._options.parquet else f".jsonl{self._options.packing}"
        written = state.shard + bool(state.lengths.get("shard"))
        paths = [self._folder / shard_name(number, suffix) for number in range(written)]
        paths += [path for path in (self._path("problems"), self._path("removed")) if path is not None]
        for path in paths:
            if not path.exists():
                raise RunError(
                    f"{path} is gone, though the run was finished; remove {self._folder / CHECKPOINT} and what else is of "
                    "the run to do it again"
                )

    def _path(self, name: str) -> Path | None:
        if name == "shard":
            return self._shard()
        return self._options.removed if name == "removed" else self._options.problems or self._folder / PROBLEMS

    def _shard(self) -> Path:
        suffix = ".parquet" if self._options.parquet else f".jsonl{self._options.packing}"
        return self._folder / shard_name(self._state.shard, suffix)

    def _save(self) -> None:
        for name, file in self._files.items():
            file.sync()
            self._state.lengths[name] = file.length
        self._state.save(self._folder)
        self._saved = time.monotonic()

    def _next_shard(self) -> None:
        self._publish(self._files.pop("shard"))
        self._state.shard += 1
        self._state.lengths["shard"] = 0
        self._save()
        self._remove_leftovers()
        self._files["shard"] = GrowingFile(self._shard())

    def _publish(self, shard: GrowingFile) -> None:
        if self._options.parquet:
            shard.publish_as_table(self._options.packing)
        else:
            shard.publish()

    def _remove_leftovers(self) -> None:
        """Remove what the checkpoint no longer counts on: the lines of shards that are tables now, half a table."""
        counted = None if self.finished else GrowingFile.part_of(self._shard())
        for path in shards_in(self._folder):
            if path.suffix == ".part" and path != counted:
                path.unlink()


class StreamSink:
    """A stream for all lines, as for standard output; nothing is kept of a run that was interrupted.

    Args:
        stream: Where the lines go.
        options: Which files besides.
        say: Told each problem, unless there is a file for them.

    Raises:
        OSError: A file cannot be written.
    """

    def __init__(self, stream: BinaryIO, options: SinkOptions, say: Callable[[str], None]) -> None:
        self.statistics = Statistics()
        self.start = Position()
        self._stream = stream
        self._options = options
        self._say = say
        self._removed = GrowingFile(options.removed) if options.removed is not None else None
        self._problems = GrowingFile(options.problems) if options.problems is not None else None

    def __enter__(self) -> StreamSink:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._removed, self._problems):
            if file is not None:
                file.abandon()

    def write(self, unit: Unit, result: UnitResult) -> None:
        """Write a unit's lines and flush them, so that the next program in the pipe can begin."""
        self._stream.write(result.output)
        self._stream.flush()
        if self._removed is not None:
            self._removed.write(result.removed)
        problems = _count(self.statistics, unit, result)
        if self._problems is not None:
            self._problems.write(_lines(problems))
            return
        for problem in problems:
            self._say(f"{problem.place}: {problem.trouble}: {problem.detail}")

    def finish(self) -> None:
        """Give every file its name."""
        for file in (self._removed, self._problems):
            if file is not None:
                file.publish()
        if self._options.statistics is not None:
            write_whole(self._options.statistics, _as_json(self.statistics), synced=True)


def _count(statistics: Statistics, unit: Unit, result: UnitResult) -> list[Problem]:
    """Count a unit; its problems, those of reading first."""
    problems = unit.problems + result.problems
    statistics.add(result.statistics)
    statistics.add(Statistics(problems=Counter(str(p.trouble) for p in problems), skipped=unit.skipped))
    return problems


def _as_json(statistics: Statistics) -> bytes:
    return (json.dumps(statistics.as_dict(), indent=1) + "\n").encode()


def _lines(problems: list[Problem]) -> bytes:
    return "".join(json.dumps(problem.as_dict()) + "\n" for problem in problems).encode()
