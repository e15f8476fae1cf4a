"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary name beside the file, then rename; whatever was there stays until then.

    Raises:
        OSError: The file cannot be written; `filename` is always its own.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        # Where the disk is full in the middle of a file, the system does not say of which.
        error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
