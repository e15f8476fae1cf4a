"""A local clone of a public corpus to a training file, with a note of its licence and split beside it."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from detector.errors import SampleError, UsageError
from detector.files import write_whole
from training.corpora.clone import LeftOut, Record
from training.corpora.registry import Corpus
from training.labelling import label_page
from training.samples import parse_record

_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".jsonl": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".xz": lzma.compress,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of a clone.

    Attributes:
        file: The training file.
        note: The note beside it.
        pages: Number of pages in the file.
        left_out: Pages that are not, with the reason, one a string.
    """

    file: Path
    note: Path
    pages: int
    left_out: list[str]


def prepare(corpus: Corpus, root: Path, output: Path) -> Prepared:
    """Write the pages of a clone as a training file, and a note beside it.

    A page is left out where its gold text is missing or is not found in it, or where it repeats another page:
    `detector train` would refuse the file for it.

    Args:
        corpus: Which corpus; its reader knows the layout.
        root: Top folder of the clone.
        output: `NAME.jsonl`, `NAME.jsonl.gz` or `NAME.jsonl.xz`; the note becomes `NAME.md`.

    Raises:
        SampleError: The folder is no such clone, or none of its pages can be used.
        UsageError: `output` has another suffix.
    """
    if output.suffix not in _PACKERS or ".jsonl" not in output.suffixes:
        raise UsageError(f"{output}: give a name that ends in .jsonl, .jsonl.gz or .jsonl.xz")
    if not root.is_dir():
        raise SampleError(f"{root}: no such folder; clone {corpus.home} and name its top folder")
    left_out: list[str] = []
    records = list(_usable(corpus, root, left_out))
    if not records:
        raise SampleError(
            f"{root}: no page of {corpus.name} can be used; the first: {(left_out or ['no page at all'])[0]}"
        )
    lines = [
        json.dumps({k: v for k, v in asdict(record).items() if v is not None}, ensure_ascii=False) for record in records
    ]
    content = _PACKERS[output.suffix](("\n".join(lines) + "\n").encode("utf-8", "replace"))
    note = output.with_name(output.name[: output.name.index(".jsonl")] + ".md")
    _write(output, content)
    _write(note, _note(corpus, output, len(records), content, left_out).encode())
    return Prepared(output, note, len(records), left_out)


def _usable(corpus: Corpus, root: Path, left_out: list[str]) -> Iterator[Record]:
    """Records that training accepts; the others are named in `left_out`."""
    seen: dict[str, str] = {}
    for record in corpus.read(root):
        if isinstance(record, LeftOut):
            left_out.append(f"{record.id}: {record.reason}")
            continue
        first = seen.setdefault(hashlib.sha256(record.html.encode("utf-8", "replace")).hexdigest(), record.id)
        if first != record.id:
            left_out.append(f"{record.id}: the same page as {first}")
            continue
        try:
            label_page(parse_record(asdict(record), record.id, corpus.name))
        except SampleError as error:
            left_out.append(str(error))
            continue
        yield record


def _note(corpus: Corpus, output: Path, pages: int, content: bytes, left_out: list[str]) -> str:
    use = {
        "train": "train, tune and measure",
        "measure": "measure only; do not give away a model that was trained on it",
    }[corpus.use]
    rest = "".join(f"\n- {line}" for line in left_out) or " none"
    return f"""\
# {corpus.title}

- file: `{output.name}`, {pages} pages, SHA-256 `{hashlib.sha256(content).hexdigest()}`
- made by: `detector corpora prepare {corpus.name} PATH -o {output.name}`
- source: {corpus.home}
- licence: {corpus.licence}
- use: {use}
- split: {corpus.split}

Left out:{rest}
"""


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another file with -o") from error
