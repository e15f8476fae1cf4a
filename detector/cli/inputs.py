"""Files, folders, globs and standard input to pages; what cannot be read is named and the rest goes on."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.data import KindOption, Page
from detector.decode import PAGE_SUFFIXES
from detector.errors import InputError
from detector.limits import MAX_BYTES, Limits

STDIN = "-"
_NUL_WINDOW = 8192
_NUL_SHARE_OF_BINARY = 0.05


@dataclass(frozen=True, slots=True)
class Source:
    """An input's name, and the page read from it or why it could not be read."""

    name: str
    page: Page | None
    problem: str | None = None


def read_sources(inputs: Iterable[str], kind: KindOption) -> Iterator[Source]:
    """Read every input, one at a time.

    Args:
        inputs: Paths of files or folders, glob patterns, or "-" for standard input.
        kind: Handed to the pages.
    """
    for name in inputs:
        if name == STDIN:
            yield _source("<stdin>", sys.stdin.buffer.read(MAX_BYTES + 1), kind)
            continue
        path = Path(name)
        # os.path says no where Path would raise, as for a name that is too long.
        if os.path.isdir(name):
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PAGE_SUFFIXES and file.is_file())
            if not files:
                yield Source(name, None, f"no pages in this folder (looked for {', '.join(PAGE_SUFFIXES)})")
        elif not os.path.exists(name) and glob.has_magic(name):
            files = [Path(match) for match in sorted(glob.glob(name, recursive=True))]
            if not files:
                yield Source(name, None, "the pattern matches no file")
        else:
            files = [path]
        for file in files:
            try:
                with file.open("rb") as stream:
                    content = stream.read(MAX_BYTES + 1)
            except (OSError, ValueError) as error:
                yield Source(str(file), None, getattr(error, "strerror", None) or str(error))
                continue
            yield _source(str(file), content, kind)


def _source(name: str, content: bytes, kind: KindOption) -> Source:
    if problem := Limits().of_size(content):
        return Source(name, None, problem)
    if not content.strip():
        return Source(name, None, "the file is empty")
    head = content[:_NUL_WINDOW]
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not utf16 and head.count(0) > len(head) * _NUL_SHARE_OF_BINARY:
        return Source(name, None, "looks like a binary file, not a page")
    return Source(name, Page(content, kind))


def output_path(folder: Path, name: str, taken: set[Path]) -> Path:
    """Where the text of an input goes: its name with `.txt`, numbered if two inputs share it.

    Raises:
        InputError: The name has nothing to make a file name of, or the text would be written over the input.
    """
    stem = Path(name).name.removesuffix(Path(name).suffix).strip("<>") or Path(name).name
    if not stem or stem in (".", ".."):
        raise InputError("no output name can be made of it; rename it")
    path, number = folder / f"{stem}.txt", 1
    while path in taken:
        number += 1
        path = folder / f"{stem}-{number}.txt"
    if os.path.exists(path) and os.path.exists(name) and os.path.samefile(path, name):
        raise InputError(f"its text would be written over it; name another folder with -o than {folder}")
    taken.add(path)
    return path
