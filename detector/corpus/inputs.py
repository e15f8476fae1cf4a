"""Arguments of the command line to sources: files, folders of them, and standard input."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from detector.corpus.packing import packing_of
from detector.corpus.records import CHECKPOINT, PROBLEMS, STATISTICS, Form
from detector.decode import PAGE_SUFFIXES
from detector.errors import InputError

STDIN = "-"

_FORM_OF_SUFFIX: dict[str, Form] = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".warc", ".wet"), "warc"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys(PAGE_SUFFIXES, "page"),
}

_TABLES = (".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or standard input.

    Attributes:
        name: For messages and results.
        path: None for standard input.
        form: How it is cut into records; None to find out from its first bytes.
        size: In bytes, 0 for standard input.
        changed_ns: When the file was last changed.
    """

    name: str
    path: Path | None
    form: Form | None
    size: int = 0
    changed_ns: int = 0


def walk(argument: str, form: Form | None = None) -> Iterator[Source]:
    """The sources an argument stands for, always in the same order.

    Folders are walked by name, a folder at a time, so that memory does not grow with the number of files; files in
    them whose suffix says nothing are passed over, and links to folders are not followed.

    Args:
        argument: A file, a folder, or "-".
        form: Of all sources; None tells it by suffix, then by content.

    Raises:
        InputError: There is no such file or folder, it cannot be listed, nothing in the folder can be read, or it is a table.
    """
    if argument == STDIN:
        yield Source("<stdin>", None, form)
    elif os.path.isdir(argument):
        empty = True
        for source in _files(argument, form):
            empty = False
            yield source
        if empty:
            known = ", ".join(_FORM_OF_SUFFIX)
            raise InputError(f"{argument}: no files to read in this folder (looked for {known}, packed or not)")
    else:
        try:
            found = os.stat(argument)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{argument}: {getattr(error, 'strerror', None) or error}; name files or folders"
            ) from error
        if form is None and PurePath(argument).suffix.lower() in _TABLES:
            raise InputError(
                f"{argument}: is a table; make JSON lines or Parquet of it, or read it as one page with --from page"
            )
        yield Source(argument, Path(argument), form or form_of(argument), found.st_size, found.st_mtime_ns)


def folder_around(output: Path, arguments: Iterable[str]) -> str | None:
    """The first argument that is a folder which `output` lies in, or is; None if there is none."""
    real = Path(os.path.realpath(output))
    return next(
        (each for each in arguments if os.path.isdir(each) and real.is_relative_to(os.path.realpath(each))), None
    )


def form_of(name: str) -> Form | None:
    """How a file is cut into records by its suffix, or None.

    >>> form_of("CC-MAIN-1.warc.wet.gz"), form_of("notes.doc")
    ('warc', None)
    """
    path = PurePath(name.removesuffix(packing_of(name)) if packing_of(name) else name)
    return _FORM_OF_SUFFIX.get(path.suffix.lower())


def sniff_form(head: bytes) -> Form:
    """How an unpacked stream is cut into records by its first bytes.

    >>> sniff_form(b'{"text": 1}'), sniff_form(b"<html>")
    ('jsonl', 'page')
    """
    if head.startswith(b"WARC/"):
        return "warc"
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "page"


def fingerprint(sources: Iterable[Source]) -> str:
    """A digest of names, sizes and times of change: equal as long as nobody touched the files."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.name}\0{source.size}\0{source.changed_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: str, form: Form | None) -> Iterator[Source]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be listed ({error.strerror})") from error
    # What an earlier run says of itself is no part of what it wrote.
    of_run = {CHECKPOINT, STATISTICS, PROBLEMS} if any(entry.name == CHECKPOINT for entry in entries) else set()
    for entry in entries:
        if entry.name in of_run:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, form)
        elif form_of(entry.name) and entry.is_file():
            found = entry.stat()
            yield Source(entry.path, Path(entry.path), form or form_of(entry.name), found.st_size, found.st_mtime_ns)
