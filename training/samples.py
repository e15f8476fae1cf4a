"""Labelled pages from files: TSV and HTML for people, JSONL for machines."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from detector.data import LABELS, Kind
from detector.errors import SampleError
from detector.segment.text import NEWLINES
from training.sites import site_of

COMMENT = "comment"
"""A fourth label some corpora use for readers' comments; it is masked: neither learnt nor counted."""

KNOWN_LABELS = (*map(str, LABELS), COMMENT)
_HEADER = re.compile(r"#\s*(url|lang|title|page_type)\s*:\s*(.*)")
_JSONL = (".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.bz2", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled page as it was read.

    Attributes:
        id: The file's path, or the `id` of a JSONL record.
        source: Name of the corpus, or "samples".
        site: Registered domain, or the id where the URL is unknown.
        kind: Text or HTML.
        content: Text with a block a line, or markup.
        lines: Labelled blocks, or None where there is a gold text.
        labels: One of `KNOWN_LABELS` for each of `lines`.
        gold_text: The clean article.
    """

    id: str
    source: str
    site: str
    kind: Kind
    content: str
    lines: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    gold_text: str | None = None
    url: str | None = None
    lang: str | None = None
    page_type: str | None = None
    title: str | None = None


def read_samples(paths: Iterable[Path]) -> list[Sample]:
    """Read files and folders (with all below them) of samples, in sorted order.

    Raises:
        SampleError: A file is missing, broken or of no known format, there is no sample at all, or two samples hold
            the same page. The message names file and line.
    """
    samples: list[Sample] = []
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.name.endswith((".tsv", ".html", *_JSONL)))
            files = [file for file in files if file.suffix != ".tsv" or not file.with_suffix(".html").exists()]
            if not files:
                raise SampleError(f"{path}: no samples here; expected .tsv, .html or .jsonl files")
        else:
            files = [path]
        for file in files:
            samples += _read_file(file)
    if not samples:
        raise SampleError("no samples: name at least one file or folder")
    seen: dict[str, str] = {}
    for sample in samples:
        key = hashlib.sha256(sample.content.encode("utf-8", "surrogatepass")).hexdigest()
        if key in seen:
            raise SampleError(f"{sample.id}: the same page as {seen[key]}; remove one of them")
        seen[key] = sample.id
    return samples


def _read_file(path: Path) -> Iterator[Sample]:
    try:
        if path.name.endswith(_JSONL):
            yield from _read_jsonl(path)
        elif path.suffix == ".tsv":
            yield _read_tsv(path)
        elif path.suffix == ".html":
            yield _read_html(path)
        else:
            raise SampleError(f"{path}: unknown format; samples are .tsv, .html (beside .txt or .tsv) or .jsonl")
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise SampleError(f"{path}: cannot be read ({error})") from error
    except UnicodeDecodeError as error:
        raise SampleError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


def _read_blocks(path: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """The header, labels and texts of a TSV file."""
    header: dict[str, str] = {}
    labels: list[str] = []
    lines: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip():
            continue
        if not lines and (match := _HEADER.fullmatch(line)):
            header[match[1]] = match[2].strip()
            continue
        label, tab, text = line.partition("\t")
        if not tab:
            raise SampleError(f"{path}:{number}: no tab; write label<TAB>text")
        if label not in KNOWN_LABELS:
            raise SampleError(f"{path}:{number}: unknown label {label!r}; use {', '.join(KNOWN_LABELS)}")
        if not text.strip():
            raise SampleError(f"{path}:{number}: a label without text; remove the line")
        labels.append(label)
        lines.append(text)
    if not lines:
        raise SampleError(f"{path}: empty; write one label<TAB>text a line")
    return header, labels, lines


def _read_tsv(path: Path) -> Sample:
    header, labels, lines = _read_blocks(path)
    return _text_sample(str(path), "samples", lines, labels, header)


def _text_sample(name: str, source: str, lines: list[str], labels: list[str], facts: dict[str, Any]) -> Sample:
    """A text sample; whatever Unicode calls a newline inside a line becomes a space, and blank lines drop out."""
    table = str.maketrans(dict.fromkeys(NEWLINES, " "))
    pairs = [(line.translate(table), label) for line, label in zip(lines, labels, strict=True) if line.strip()]
    return Sample(
        id=name,
        source=source,
        site=site_of(facts.get("url"), name),
        kind="text",
        content="\n".join(line for line, _ in pairs),
        lines=tuple(line for line, _ in pairs),
        labels=tuple(label for _, label in pairs),
        url=facts.get("url"),
        lang=facts.get("lang"),
        page_type=facts.get("page_type"),
        title=facts.get("title"),
    )


def _read_html(path: Path) -> Sample:
    content = path.read_text(encoding="utf-8-sig")
    name = str(path)
    if path.with_suffix(".tsv").exists():
        header, labels, lines = _read_blocks(path.with_suffix(".tsv"))
        site = site_of(header.get("url"), name)
        return Sample(
            name,
            "samples",
            site,
            "html",
            content,
            tuple(lines),
            tuple(labels),
            url=header.get("url"),
            lang=header.get("lang"),
        )
    if not path.with_suffix(".txt").exists():
        raise SampleError(
            f"{path}: no labels; put the clean article in {path.stem}.txt or labelled blocks in {path.stem}.tsv"
        )
    gold = path.with_suffix(".txt").read_text(encoding="utf-8-sig")
    return Sample(name, "samples", name, "html", content, gold_text=gold)


def _open(path: Path) -> TextIO:
    if path.suffix == ".zst":
        try:
            import zstandard
        except ImportError as error:
            raise SampleError(f"{path}: reading .zst needs zstandard; run: pip install zstandard") from error
        return zstandard.open(path, "rt", encoding="utf-8")
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
    stream: TextIO = openers.get(path.suffix, open)(path, "rt", encoding="utf-8")
    return stream


def _read_jsonl(path: Path) -> Iterator[Sample]:
    with _open(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield parse_record(line, f"{path}:{number}", "samples")


def parse_record(line: str, where: str, source: str) -> Sample:
    """A sample from one JSONL record.

    Args:
        line: The record: `lines` and `labels`, or `html` and `gold_text`; optional `id`, `url`, `lang`, `title`,
            `page_type`. Labels 1 and 0 mean keep and drop.
        where: File and line, for messages.
        source: Name of the corpus.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise SampleError(f"{where}: not JSON ({error})") from error
    if not isinstance(record, dict):
        raise SampleError(f"{where}: not an object; write one JSON object a line")
    name = str(record.get("id") or where)
    if "lines" in record and "labels" in record:
        lines, labels = record["lines"], [_label_name(label, where) for label in record["labels"]]
        if len(lines) != len(labels):
            raise SampleError(f"{where}: {len(lines)} lines but {len(labels)} labels; give one label a line")
        return _text_sample(name, source, lines, labels, record)
    if "html" in record and "gold_text" in record:
        facts = {key: record.get(key) for key in ("url", "lang", "page_type", "title")}
        site = site_of(record.get("url"), name)
        return Sample(name, source, site, "html", record["html"], gold_text=record["gold_text"], **facts)
    raise SampleError(f"{where}: needs 'lines' and 'labels', or 'html' and 'gold_text'; has {sorted(record)}")


def _label_name(label: Any, where: str) -> str:
    name = {1: "content", 0: "boilerplate"}.get(label, label) if isinstance(label, int) else label
    if name not in KNOWN_LABELS:
        raise SampleError(f"{where}: unknown label {label!r}; use {', '.join(KNOWN_LABELS)}")
    return str(name)
