"""Labelled pages from files: TSV and HTML for people, JSONL for machines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.data import Kind
from detector.errors import SampleError
from detector.review import GENERATED
from detector.segment.text import NEWLINES
from detector.storage import MANIFEST, WEIGHTS
from training.jsonl import KNOWN_LABELS, SUFFIXES, read_records
from training.sites import canonical_url, site_of

_HEADER = re.compile(r"#\s*(url|lang|title|page_type)\s*:\s*(.*)")
TSV, HTML = ".tsv", (".html", ".htm")
_HEAD_BYTES = 1024

SAMPLES = "samples"
"""What is said to be the source of people's own files."""

COMPOSED = "composed"
"""What is said to be the source of pages that were made or rewritten for training."""

_FACTS = ("url", "lang", "page_type", "title")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled page as it was read.

    Attributes:
        id: The file's path, or file, line and `id` of a JSONL record.
        source: Name of the corpus, or "samples".
        site: Registered domain, or the id where the URL is unknown.
        kind: Text or HTML.
        content: Text with a block a line, or markup.
        lines: Labelled blocks, or None where there is a gold text.
        labels: One of `KNOWN_LABELS` for each of `lines`.
        gold_text: The clean article.
        must_stay: Snippets that belong to the content.
        must_go: Snippets that do not.
        reviewed: Whether a person has read the labels in the review page.
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
    must_stay: tuple[str, ...] = ()
    must_go: tuple[str, ...] = ()
    reviewed: bool = False

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content, however its lines end; equal for the same page."""
        content = self.content.replace("\r\n", "\n").replace("\r", "\n")
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def read_samples(paths: Iterable[Path]) -> list[Sample]:
    """Read files and folders (with all below them, but for models and what this package wrote) of samples, in sorted order.

    A page that was reviewed takes the place of the same page with the labels it had before.

    Raises:
        SampleError: A file is missing, broken or of no known format, there is no sample at all, or two samples hold
            the same page. The message names file and line.
    """
    by_page: dict[bytes, Sample] = {}
    for file in _files(paths):
        for sample in _read_file(file):
            key = sample.digest
            known = by_page.get(key)
            if known is not None and known.reviewed == sample.reviewed:
                raise SampleError(f"{sample.id}: the same page as {known.id}; remove one of them")
            if known is None or sample.reviewed:
                by_page[key] = sample
    if not by_page:
        raise SampleError("no samples: name at least one file or folder")
    return list(by_page.values())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files of samples, each once: those in folders, and those that are named."""
    seen: set[Path] = set()
    for path in paths:
        for file in _files_in(path) if path.is_dir() else [_labelled_by(path)]:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _files_in(folder: Path) -> list[Path]:
    """The files of samples in a folder, in order.

    Raises:
        SampleError: There is none.
    """
    named = [file for file in folder.rglob("*") if file.name.lower().endswith((TSV, *HTML, *SUFFIXES))]
    # A model that was written among the samples has a report of pages, which are none.
    models = {found.parent for found in folder.rglob(MANIFEST) if found.with_name(WEIGHTS).exists()} - {folder}
    files = {_labelled_by(file) for file in named if models.isdisjoint(file.parents) and not _is_ours(file)}
    if not files:
        raise SampleError(
            f"{folder}: no samples here; expected .tsv, .html or .jsonl files, as samples/README.md describes them"
        )
    return sorted(files)


def _labelled_by(file: Path) -> Path:
    """The page of markup that a file of labels stands beside, or the file itself."""
    pages = (file.with_suffix(suffix) for suffix in (*HTML, *map(str.upper, HTML)))
    return next((page for page in pages if page.exists()), file) if file.suffix.lower() == TSV else file


def _is_ours(file: Path) -> bool:
    """Whether a file is a review or a report that this package wrote."""
    if file.suffix.lower() not in HTML:
        return False
    with file.open("rb") as stream:
        return GENERATED.encode() in stream.read(_HEAD_BYTES)


def read_jsonl(path: Path, source: str = SAMPLES) -> Iterator[Sample]:
    """The samples of a JSONL file.

    Raises:
        SampleError: The file cannot be read, or a record is no sample; the message names file and line.
    """
    for where, record in read_records(path):
        yield parse_record(record, where, source)


def _read_file(path: Path) -> Iterator[Sample]:
    if path.name.lower().endswith(SUFFIXES):
        yield from read_jsonl(path)
    elif path.suffix.lower() == TSV:
        yield _read_tsv(path)
    elif path.suffix.lower() in HTML:
        yield _read_html(path)
    elif not path.exists():
        raise SampleError(f"{path}: there is no such file or folder")
    else:
        raise SampleError(f"{path}: unknown format; samples are .tsv, .html (beside .txt or .tsv) or .jsonl")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SampleError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SampleError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


def _read_blocks(path: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """The header, labels and texts of a TSV file."""
    header: dict[str, str] = {}
    labels: list[str] = []
    lines: list[str] = []
    for number, line in enumerate(_read_text(path).split("\n"), 1):
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
    return _text_sample(str(path), SAMPLES, lines, labels, header, site_of(header.get("url"), str(path)))


def _text_sample(
    name: str, source: str, lines: list[str], labels: list[str], facts: dict[str, Any], site: str
) -> Sample:
    """A text sample; whatever Unicode calls a newline inside a line becomes a space, and blank lines drop out."""
    table = str.maketrans(dict.fromkeys(NEWLINES, " "))
    pairs = [(line.translate(table), label) for line, label in zip(lines, labels, strict=True) if line.strip()]
    if not pairs:
        raise SampleError(f"{name}: a page without text; remove it")
    return Sample(
        id=name,
        source=source,
        site=site,
        kind="text",
        content="\n".join(line for line, _ in pairs),
        lines=tuple(line for line, _ in pairs),
        labels=tuple(label for _, label in pairs),
        **_facts(facts),
    )


def _read_html(path: Path) -> Sample:
    content = _read_text(path)
    name = str(path)
    if path.with_suffix(".tsv").exists():
        header, labels, lines = _read_blocks(path.with_suffix(".tsv"))
        facts = _facts(header)
        facts["url"] = facts["url"] or canonical_url(content)
        site = site_of(facts["url"], name)
        return Sample(name, SAMPLES, site, "html", content, tuple(lines), tuple(labels), **facts)
    if not path.with_suffix(".txt").exists():
        raise SampleError(
            f"{path}: no labels; put the clean article in {path.stem}.txt or labelled blocks in {path.stem}.tsv"
        )
    url = canonical_url(content)
    gold = _read_text(path.with_suffix(".txt"))
    return Sample(name, SAMPLES, site_of(url, name), "html", content, gold_text=gold, url=url)


def parse_record(record: dict[str, Any], where: str, source: str) -> Sample:
    """A sample from one JSONL record.

    Args:
        record: `lines` and `labels`, for an HTML page with its `html` as well; or `html` and `gold_text`. Optional
            `id`, `url`, `lang`, `title`, `page_type`, `reviewed`. Labels 1 and 0 mean keep and drop. To measure on, `html`
            may come with `with` and `without` as well as or instead of the gold text: lists of snippets that must stay and
            must go. Null is as good as absent.
        where: File and line, for messages.
        source: Name of the corpus.
    """
    record = {key: value for key, value in record.items() if value is not None}
    facts = _facts(record)
    wrong = [key for key in _FACTS if not isinstance(facts[key], str | None)]
    if wrong:
        raise SampleError(f"{where}: {wrong[0]!r} is not a string")
    name = f"{where} ({record['id']})" if record.get("id") else where
    # Without a URL the id stands for the site: it is the same wherever the file lies.
    fallback = f"{source}/{record['id']}" if record.get("id") else where
    if isinstance(record.get("html"), str):
        facts["url"] = facts["url"] or canonical_url(record["html"])
    site = site_of(facts["url"], fallback)
    if "lines" in record and "labels" in record:
        lines, labels = record["lines"], record["labels"]
        if not isinstance(lines, list) or not isinstance(labels, list) or not all(isinstance(x, str) for x in lines):
            raise SampleError(f"{where}: 'lines' is a list of strings and 'labels' a list of as many labels")
        if len(lines) != len(labels):
            raise SampleError(f"{where}: {len(lines)} lines but {len(labels)} labels; give one label a line")
        names = [_label_name(label, where) for label in labels]
        if "html" not in record:
            return _text_sample(name, source, lines, names, facts, site)
        if not isinstance(record["html"], str):
            raise SampleError(f"{where}: 'html' is a string")
        return Sample(name, source, site, "html", record["html"], tuple(lines), tuple(names), **facts)
    must_stay, must_go = _snippets(record, "with", where), _snippets(record, "without", where)
    if "html" in record and ("gold_text" in record or must_stay or must_go):
        html, gold = record["html"], record.get("gold_text")
        if not isinstance(html, str) or not isinstance(gold, str | None):
            raise SampleError(f"{where}: 'html' and 'gold_text' are strings")
        return Sample(name, source, site, "html", html, gold_text=gold, must_stay=must_stay, must_go=must_go, **facts)
    raise SampleError(f"{where}: needs 'lines' and 'labels', or 'html' and 'gold_text'; has {sorted(record)}")


def _facts(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: record.get(key) for key in _FACTS} | {"reviewed": record.get("reviewed") is True}


def _snippets(record: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    snippets = record.get(key) or []
    if not isinstance(snippets, list) or not all(isinstance(snippet, str) and snippet.strip() for snippet in snippets):
        raise SampleError(f"{where}: {key!r} is a list of strings that are not blank")
    return tuple(snippets)


def _label_name(label: object, where: str) -> str:
    name = {1: "content", 0: "boilerplate"}.get(label, label) if isinstance(label, int) else label
    if name not in KNOWN_LABELS:
        raise SampleError(f"{where}: unknown label {label!r}; use {', '.join(KNOWN_LABELS)}")
    return str(name)
