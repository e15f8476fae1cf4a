"""Files, folders, globs and standard input to pages; what cannot be read is named and the rest goes on."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from detector.corpus.packing import sniff_packing
from detector.data import KindOption, Page
from detector.decode import BINARY, PAGE_SUFFIXES, looks_binary
from detector.errors import InputError, SampleError
from detector.limits import MAX_BYTES, Limits

STDIN = "-"
SAMPLE = ".tsv"
"""Of text pages with a label before each line: `samples/README.md`."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input's name, and the page read from it or why it could not be read."""

    name: str
    page: Page | None
    problem: str | None = None


def read_sources(inputs: Iterable[str], kind: KindOption, *, corpora: bool = False) -> Iterator[Source]:
    """Read every input, one at a time.

    Args:
        inputs: Paths of files or folders, glob patterns, or "-" for standard input.
        kind: Handed to the pages.
        corpora: Give the pages of files that hold many, such as JSONL and WARC, which have a problem otherwise.
    """
    for name in inputs:
        if name == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""
            yield _source("<stdin>", content, kind)
            continue
        files = _files(name)
        if not files:
            nothing = f"no pages in this folder (looked for {', '.join(PAGE_SUFFIXES)})"
            yield Source(name, None, nothing if os.path.isdir(name) else "the pattern matches no file")
        for file in files:
            if corpora and file.is_file() and _is_corpus(str(file)):
                yield from _records(str(file), kind)
                continue
            try:
                with file.open("rb") as stream:
                    content = stream.read(MAX_BYTES + 1)
            except (OSError, ValueError) as error:
                yield Source(str(file), None, getattr(error, "strerror", None) or str(error))
                continue
            yield _sample(file, content) or _source(str(file), content, kind)


def matches(name: str) -> list[str]:
    """What a pattern matches, in order; the name itself if it is none, or the name of something."""
    # os.path says no where Path would raise, as for a name that is too long.
    if os.path.exists(name) or not glob.has_magic(name):
        return [name]
    return sorted(glob.glob(name, recursive=True))


def _files(name: str) -> list[Path]:
    """The files that an input stands for: itself, those in a folder that are named as pages, or those that a pattern matches."""
    found = matches(name)
    if found == [name] and not os.path.isdir(name):
        return [Path(name)]
    return sorted({file for match in found for file in (_pages_in(match) if os.path.isdir(match) else [Path(match)])})


def _pages_in(folder: str) -> list[Path]:
    """The files in a folder, and in those in it, that are named as pages; and folders that cannot be listed, to be named."""
    unlisted: list[Path] = []
    pages = [
        Path(where, name)
        for where, _, names in os.walk(folder, onerror=lambda error: unlisted.append(Path(error.filename)))
        for name in names
        if Path(name).suffix.lower() in PAGE_SUFFIXES
    ]
    return sorted([*(page for page in pages if page.is_file()), *unlisted])


def _sample(file: Path, content: bytes) -> Source | None:
    """The page of a labelled sample, without its labels; None for other files."""
    if file.suffix.lower() != SAMPLE or b"\t" not in content:
        return None
    from training.jsonl import KNOWN_LABELS
    from training.samples import read_samples

    try:
        (sample,) = read_samples([file])
    except SampleError as error:
        first = next((line for line in content.decode("utf-8", "replace").splitlines() if not line.startswith("#")), "")
        # Some other table, or a sample with something wrong.
        return Source(str(file), None, str(error)) if first.partition("\t")[0] in KNOWN_LABELS else None
    return Source(str(file), Page(sample.content, "text", sample.url))


def _source(name: str, content: bytes, kind: KindOption) -> Source:
    if _holds_many(name, content):
        return Source(name, None, "is a packed or a corpus file and not a page; clean it with 'detector run'")
    if problem := Limits().of_size(content):
        return Source(name, None, problem)
    if not content.strip():
        return Source(name, None, "the file is empty")
    if looks_binary(content):
        return Source(name, None, BINARY)
    return Source(name, Page(content, kind))


def _holds_many(name: str, content: bytes) -> bool:
    """Whether a file is packed, or one of many pages, by its suffix or by what it begins with."""
    return bool(sniff_packing(content)) or content.startswith(b"WARC/") or _is_corpus(name)


def _is_corpus(name: str) -> bool:
    """Whether a file is one of many pages by its suffix."""
    if Path(name).suffix.lower() in PAGE_SUFFIXES:
        return False
    # To know the other suffixes takes a tenth of the time in which a process starts.
    from detector.corpus.inputs import form_of

    return form_of(name) not in ("page", None)


def _records(name: str, kind: KindOption) -> Iterator[Source]:
    """The pages of a file of many, as `detector run` reads them."""
    from detector.corpus.pages import PageOptions, read_pages
    from detector.corpus.records import Problem

    for found in read_pages(name, PageOptions(kind=kind)):
        if isinstance(found, Problem):
            yield Source(found.place, None, found.detail)
        else:
            yield Source(f"{name}:{found.record.number}", found.page)


class OutputNames:
    """Names for the texts of inputs, in a folder: that of the input with `.txt`, numbered if several share it.

    Args:
        folder: Where the texts go.
        inputs: As `read_sources` takes them; no text is written over a file among them.
    """

    def __init__(self, folder: Path, inputs: Iterable[str]) -> None:
        self._folder = folder
        self._names = [name for name in inputs if name != STDIN]
        self._numbers: dict[str, int] = {}
        self._taken: set[str] = set()

    def path_for(self, name: str) -> Path:
        """Where the text of an input goes.

        Raises:
            InputError: The name has nothing to make a file name of, or the text would be written over an input.
        """
        stem = Path(name).name.removesuffix(Path(name).suffix).strip("<>") or Path(name).name
        if not stem or stem in (".", ".."):
            raise InputError("no output name can be made of it; rename it")
        number = self._numbers.get(stem, 0) + 1
        while (numbered := stem if number == 1 else f"{stem}-{number}") in self._taken:
            number += 1
        self._numbers[stem] = number
        self._taken.add(numbered)
        path = self._folder / f"{numbered}.txt"
        if path.exists() and os.path.realpath(path) in self._inputs:
            raise InputError(f"its text would be written over the input {path}; name another folder with -o")
        return path

    @cached_property
    def _inputs(self) -> set[str]:
        """The files that are read; to be walked a second time only where something stands in the way."""
        return {os.path.realpath(file) for name in self._names for file in _files(name)}
