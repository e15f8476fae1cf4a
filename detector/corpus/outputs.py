"""Files that grow while a run goes on, and the checkpoint that says how much of them counts."""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from detector.corpus.records import CHECKPOINT, PROBLEMS, STATISTICS, Position, Statistics
from detector.corpus.tables import write_table
from detector.errors import RunError
from detector.files import write_whole

_SHARD = re.compile(r"part-[0-9]{5,}\.(jsonl(\.(gz|zst))?|parquet)(\.part){0,2}")


def shard_name(number: int, suffix: str) -> str:
    """The name of an output file.

    >>> shard_name(7, ".jsonl.zst")
    'part-00007.jsonl.zst'
    """
    return f"part-{number:05d}{suffix}"


INPUT = "input "
"""Before the name of an input in the settings of a checkpoint; the value is a digest of its files."""


def is_of_run(name: str) -> bool:
    """Whether a run gives a file in its folder that name without being told to."""
    return name in (CHECKPOINT, STATISTICS, PROBLEMS) or _SHARD.fullmatch(name) is not None


def shards_in(folder: Path) -> list[Path]:
    """The shards in a folder, whole or not; what else begins with `part-` is somebody's own."""
    return sorted(path for path in folder.iterdir() if _SHARD.fullmatch(path.name) and path.is_file())


class GrowingFile:
    """A file that is written as `NAME.part` and gets its name when it is whole.

    Args:
        path: Its name in the end.
        length: How much of it counts; what an interrupted run wrote after its last checkpoint is cut off.

    Raises:
        RunError: Less is there than the checkpoint says.
    """

    def __init__(self, path: Path, length: int = 0) -> None:
        self.path = path
        self.part = self.part_of(path)
        if length and not self.part.exists() and path.exists():
            path.replace(self.part)  # the run ended after the file got its name and before the checkpoint said so
        self._stream = self.part.open("r+b" if self.part.exists() else "w+b")
        if self._stream.seek(0, os.SEEK_END) < length:
            self._stream.close()
            raise RunError(f"{self.part} is shorter than {CHECKPOINT} says; remove the output folder and start anew")
        self._stream.truncate(length)
        self.length = self._stream.seek(length)

    @staticmethod
    def part_of(path: Path) -> Path:
        """What a file is named before it is whole."""
        return path.with_name(path.name + ".part")

    def write(self, content: bytes) -> None:
        """Append."""
        self._stream.write(content)
        self.length += len(content)

    def sync(self) -> None:
        """Have all of it on the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def publish(self) -> None:
        """Give the file its name."""
        self.sync()
        self._stream.close()
        self.part.replace(self.path)

    def publish_as_table(self, packing: str) -> None:
        """Give the name to a Parquet file of the lines. The lines stay, until the checkpoint no longer counts on them."""
        self.sync()
        self._stream.close()
        table = self.part_of(self.part)
        write_table(self.part, packing, table)
        table.replace(self.path)

    def abandon(self) -> None:
        """Close it as it is; what counts is in the checkpoint."""
        # Closing flushes, which a full disk refuses once more; the stream is closed all the same.
        with contextlib.suppress(OSError):
            self._stream.close()


@dataclass(slots=True)
class Checkpoint:
    """How far a run is.

    Attributes:
        settings: What must not differ when the run is gone on with, by name.
        position: Where to read on.
        shard: Number of the shard that is being written.
        lengths: Bytes that count, of the shard, the problems and the removed segments.
        statistics: Of all that counts.
        finished: Nothing is left to do.
    """

    settings: dict[str, Any]
    position: Position = field(default_factory=Position)
    shard: int = 0
    lengths: dict[str, int] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)
    finished: bool = False

    def save(self, folder: Path) -> None:
        """Put it in place of the one before."""
        content = {**asdict(self), "statistics": self.statistics.as_dict()}
        write_whole(folder / CHECKPOINT, json.dumps(content, indent=1).encode(), synced=True)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """The one in a folder, or None.

        Raises:
            RunError: It cannot be read.
        """
        path = folder / CHECKPOINT
        try:
            content = json.loads(path.read_bytes())
            content["position"] = Position(*content["position"])
            content["statistics"] = Statistics.from_dict(content["statistics"])
            return cls(**content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{path} cannot be read ({error}); remove the output folder and start anew") from error

    def check(self, settings: dict[str, Any], folder: Path) -> None:
        """Refuse to go on with another run.

        Raises:
            RunError: A setting differs; the message names each.
        """
        names = sorted(self.settings.keys() | settings.keys())
        changed = [name for name in names if self.settings.get(name) != settings.get(name)]
        if changed:
            told = "; ".join(_difference(name, self.settings.get(name), settings.get(name)) for name in changed)
            raise RunError(f"{folder} holds a run that began otherwise ({told}); give it as it was, or another folder")


def _difference(name: str, before: Any, now: Any) -> str:
    """How a setting differs; of digests, that they do."""
    if name.startswith(INPUT) and before and now:
        return f"the files of {name} have changed in number, name, size or time"
    if name == "model":
        return "the model is another"
    if name == "signatures" and before and now:
        return "the signatures are others"
    return f"{name} was {before!r}, now {now!r}"


class FolderLock:
    """Keeps a second run out of a folder; the system lets go of it when the process ends, however it ends.

    Raises:
        RunError: Another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        try:
            import fcntl
        except ImportError:  # no such locks on Windows
            return
        descriptor = self._descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise RunError(f"another run is writing to {folder}; wait for it or name another folder") from error

    def release(self) -> None:
        """Let others in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
