"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; whatever was there stays until all of it is.

    Raises:
        OSError: The file cannot be written; `filename` is always its own.
    """
    try:
        with renamed_when_whole(path) as temporary, temporary.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        # Where the disk is full in the middle of a file, the system does not say of which.
        error.filename = str(path)
        raise


@contextlib.contextmanager
def renamed_when_whole(path: Path) -> Iterator[Path]:
    """A name beside the file to write to; it becomes the file's when the block ends, and is taken away if that fails."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        # What a killed process left, or a link that somebody put there to have another file written over.
        temporary.unlink(missing_ok=True)
        yield temporary
        temporary.replace(path)
    except BaseException:
        # A read-only disk refuses even to take away what is not there; why the block failed is what counts.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
