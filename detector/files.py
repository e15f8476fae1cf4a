"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]

_STREAM_FOLDERS = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Where the system keeps links to the open files of the process, as `/dev/stdout`."""

_MOST_NAME = 50
"""Characters of a file's name that its temporary begins with, so that the name stays under the 255 bytes of most systems."""

_TEMPORARY = re.compile(r"(\..*\.)[0-9a-f]{16}\.part", re.DOTALL)


def write_whole(path: Path, content: bytes, *, synced: bool = False) -> None:
    """Write a file; whatever was there stays until all of it is. Pipes and devices are written to as they are.

    Args:
        path: A link is replaced, not followed, but for those of the system to streams, as `/dev/stdout`.
        content: All of it.
        synced: Have it on the disk when this returns.

    Raises:
        OSError: The file cannot be written; `filename` is always its own.
    """
    if _is_stream(path):
        with _named(path), path.open("ab") as stream:
            stream.write(content)
    else:
        write_together({path: content}, synced=synced)


def write_together(contents: Mapping[Path, bytes], *, synced: bool = False) -> None:
    """Write files that need each other: all of them are written before the first takes its name, in their order.

    Args:
        contents: By path; the last one is there when all are.
        synced: Have them on the disk when this returns.

    Raises:
        OSError: One of them cannot be written; `filename` says which.
    """
    with contextlib.ExitStack() as stack:
        # Left from the last that was entered to the first.
        temporaries = {path: stack.enter_context(renamed_when_whole(path)) for path in reversed(list(contents))}
        for path, content in contents.items():
            with _named(path), temporaries[path].open("wb") as stream:
                stream.write(content)
                if synced:
                    stream.flush()
                    os.fsync(stream.fileno())
    if synced:
        for folder in {path.parent for path in contents}:
            sync_folder(folder)


@contextlib.contextmanager
def renamed_when_whole(path: Path) -> Iterator[Path]:
    """An empty file beside the file to write to; it becomes the file when the block ends, and is taken away if that fails.

    No other process is given the same name, nor can it be guessed and a link be put there. What a process that was killed
    left of the same file is taken away first: it is told from what another is writing now by a lock, which the system lets
    go of when a process ends, however it ends.

    Raises:
        OSError: The file cannot be written; `filename` is always its own.
    """
    _remove_leftovers(path)
    with _named(path):
        temporary, lock = _make_temporary(path)
    try:
        yield temporary
        with _named(path):
            temporary.replace(path)
    except BaseException:
        # A read-only disk refuses even to take away what is not there; why the block failed is what counts.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _make_temporary(path: Path) -> tuple[Path, int | None]:
    """An empty file for one to be written, and the descriptor that holds its lock."""
    while True:
        temporary = path.with_name(f"{_prefix(path)}{secrets.token_hex(8)}.part")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0), 0o666)
        if fcntl is not None and _is_locked(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)
        if fcntl is None:
            return temporary, None
        # Another process took it for a leftover before it could be locked.


def _is_locked(temporary: Path, descriptor: int) -> bool:
    """Whether a file could be locked, and still has its name; where the system has no locks, nobody takes it away either."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    try:
        return os.path.samestat(os.stat(temporary), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_leftovers(path: Path) -> None:
    """Take away what killed processes left of a file. Once in a process: the folder may hold a million others."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):  # a folder may be written to and not be listed
        for leftover in _leftovers(path.parent).pop(_prefix(path), ()):
            with contextlib.suppress(OSError), leftover.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftover.unlink()


@lru_cache(maxsize=64)
def _leftovers(folder: Path) -> dict[str, list[Path]]:
    """The temporaries in a folder when it was first written to, by the beginning of their names; some may be in use."""
    found = defaultdict(list)
    for entry in os.scandir(folder):
        if (left := _TEMPORARY.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
            found[left[1]].append(Path(entry.path))
    return found


def _prefix(path: Path) -> str:
    return f".{path.name[:_MOST_NAME]}."


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_stream(path: Path) -> bool:
    """Whether a path is a pipe, a device, or a name of the system for an open file."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False  # what is wrong with it, writing will say
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or (stat.S_ISLNK(mode) and path.parent in _STREAM_FOLDERS)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Have errors name the file: where the disk is full in the middle of it, the system does not say of which."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
