"""What a worker does: records to pages, pages to results, results to lines of JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.corpus.inputs import walk
from detector.corpus.packing import pack
from detector.corpus.readers import read_units
from detector.corpus.records import Form, Position, Problem, Record, Skipped, Statistics, Trouble, UnitResult
from detector.corpus.warc_pages import page_of_warc
from detector.data import LABELS, KindOption, Page, PageResult
from detector.decode import BINARY, looks_binary
from detector.errors import ModelError
from detector.limits import MAX_BYTES
from detector.pipeline import EMPTY, Detector

FIELDS = ("html", "text", "content", "raw_content")
"""Where the page of a JSON object or a row is looked for, in this order, unless the field is named."""
MOST_NAMED = 12
"""Fields that are named where none of them is a page."""

MOST_LEVELS = 200
"""Of a JSON object: what is deeper is read by some parsers, or with some stacks, and not by others."""

SOURCE_TEXT = "source_text"
"""Where `--annotate` puts the text of an HTML page, which its spans refer to."""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How pages are found, classified and written.

    Attributes:
        model: A model folder, or None for the one that ships.
        threshold: Of the detector; None takes the model's.
        signatures: A signature file: what other pages of a page's host hold; or None. The host is that of its `url`.
        kind: How to read pages; "auto" goes by field and content type, and looks at the content where they say nothing.
        field: The field that holds the page, or None for the first of `FIELDS`.
        annotate: Leave the text as it is and add spans only.
        keep_original: A field for the text before it was cleaned, or None.
        spam: Also say how likely a page is spam as a whole.
        removed: Also give the removed segments.
        packing: Of what is written, a value of `WRITABLE`.
        removed_packing: Of the removed segments.
        max_bytes: Largest page, for the detector too.
    """

    model: str | None = None
    threshold: float | None = None
    signatures: Path | None = None
    kind: KindOption = "auto"
    field: str | None = None
    annotate: bool = False
    keep_original: str | None = None
    spam: bool = False
    removed: bool = False
    packing: str = ""
    removed_packing: str = ""
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A record with its fields and its page; `field` is where the page came from, None for WARC records and files."""

    record: Record
    fields: dict[str, Any]
    page: Page
    field: str | None = None


class PageProcessor:
    """Records in, lines of JSON out; holds the model, and is made once a worker.

    Raises:
        ModelError: The model cannot be used, not with signatures, or does not tell spam.
        SignatureError: The signature file cannot be used.
        UsageError: An option is out of range.
    """

    def __init__(self, options: PageOptions) -> None:
        self.options = options
        # The clock of a run is that of its workers, who can be killed in mid-step.
        self.detector = Detector(
            options.model,
            threshold=options.threshold,
            signatures=options.signatures,
            max_bytes=options.max_bytes,
            timeout=math.inf,
        )
        if options.spam and not self.detector.model.tells_spam:
            raise ModelError(f"model '{self.detector.model.name}' has not learnt to tell spam; leave --spam out")

    def __call__(self, records: list[Record]) -> UnitResult:
        """Classify records; what is no page, or cannot be classified, becomes a problem in its result."""
        unit = UnitResult()
        parsed = []
        for record in records:
            found = parse(record, self.options)
            if isinstance(found, Problem):
                unit.problems.append(found)
            elif isinstance(found, Skipped):
                unit.statistics.skipped[found.reason] += 1
            else:
                parsed.append(found)
        lines, removed = [], []
        for item, result in zip(parsed, self._classify(parsed), strict=True):
            if isinstance(result, Problem):
                unit.problems.append(result)
                continue
            if result.problem:
                trouble, record = self._trouble(result), item.record
                unit.problems.append(Problem(record.source, record.number, trouble, result.problem, item.page.url))
                if trouble != Trouble.EMPTY:
                    continue
            _count(unit.statistics, result)
            lines.append(_line(enrich(item.fields, item.field, result, self.options)))
            if self.options.removed and not result.kept.all():
                removed.append(_line(_removed(item, result)))
        unit.output = pack(b"".join(lines), self.options.packing)
        unit.removed = pack(b"".join(removed), self.options.removed_packing)
        unit.problems.sort(key=lambda problem: (problem.source, problem.record))
        return unit

    def _trouble(self, result: PageResult) -> Trouble:
        """What kind of problem a page has."""
        if result.problem == EMPTY:
            return Trouble.EMPTY
        if result.problem == BINARY:
            return Trouble.UNREADABLE
        return Trouble.TOO_LARGE if result.kind in self.detector.model.heads else Trouble.FAILED

    def _classify(self, parsed: list[ParsedRecord]) -> Iterator[PageResult | Problem]:
        """A result a page. A page that raises takes its batch with it, so then they are done one at a time."""
        try:
            yield from list(self.detector.classify_many([item.page for item in parsed]))
            return
        except Exception as error:
            if len(parsed) == 1:
                yield _failure(parsed[0], error)
                return
        for item in parsed:
            yield from self._classify([item])


def _failure(item: ParsedRecord, error: Exception) -> Problem:
    detail = f"{type(error).__name__}: {error}"
    return Problem(item.record.source, item.record.number, Trouble.FAILED, detail, item.page.url)


def read_pages(name: str, options: PageOptions, form: Form | None = None) -> Iterator[ParsedRecord | Problem]:
    """The pages of a file or of all files in a folder, one after the other, and what is wrong with the others.

    Args:
        name: Of the file or folder.
        options: How pages are found.
        form: Of all files; None tells it by suffix, then by content.

    Raises:
        InputError: There is nothing of that name, or nothing to read in it.
    """
    for unit in read_units(walk(name, form), Position(), options.max_bytes):
        yield from unit.problems
        for record in unit.records:
            found = parse(record, options)
            if not isinstance(found, Skipped):
                yield found


def parse(record: Record, options: PageOptions) -> ParsedRecord | Problem | Skipped:
    """The fields and the page of a record, or why there is none."""
    if record.form == "warc":
        found = page_of_warc(record, options.max_bytes)
        if isinstance(found, Problem | Skipped):
            return found
        fields, page = found
        kind = page.kind if options.kind == "auto" else options.kind
        return ParsedRecord(record, fields, Page(page.content, kind, page.url, page.charset))
    if record.form == "page":
        if looks_binary(record.content):
            return Problem(record.source, record.number, Trouble.UNREADABLE, BINARY)
        return ParsedRecord(record, {"path": record.source}, Page(record.content, options.kind))
    if record.form == "parquet":
        return _page_of_fields(record, _finite(record.fields), options)
    try:
        loaded = json.loads(record.content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return Problem(record.source, record.number, Trouble.CORRUPT, f"not JSON: {error}")
    if not isinstance(loaded, dict):
        return Problem(record.source, record.number, Trouble.CORRUPT, "not a JSON object")
    if problem := _unwritable(loaded):
        return Problem(record.source, record.number, Trouble.CORRUPT, problem)
    return _page_of_fields(record, loaded, options)


def _finite(value: Any) -> Any:
    """The cells of a row with null for numbers that are not finite, which stand for missing ones there and have no word in JSON."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _unwritable(fields: dict[str, Any]) -> str | None:
    """Why the fields of a record could not be written as JSON that everyone reads, or None; level by level."""
    level: list[Any] = [fields]
    for _ in range(MOST_LEVELS):
        level = [item for value in level for item in (value.values() if isinstance(value, dict) else value)]
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            return "holds a number that is not finite, which JSON has no word for"
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return None
    return f"nested deeper than {MOST_LEVELS} levels"


def _page_of_fields(record: Record, fields: dict[str, Any], options: PageOptions) -> ParsedRecord | Problem:
    names = FIELDS if options.field is None else (options.field,)
    held = [name for name in names if isinstance(fields.get(name), (str, bytes))]
    name = next((name for name in held if fields[name].strip()), held[0] if held else None)
    url = fields.get("url")
    url = url if isinstance(url, str) else None
    if name is None:
        others = f"it has {', '.join(list(fields)[:MOST_NAMED])}; " if fields else ""
        detail = f"no text in {' or '.join(names)}; {others}name the field with --field"
        return Problem(record.source, record.number, Trouble.CORRUPT, detail, url)
    content = fields[name]
    if len(content) > options.max_bytes:
        detail = f"{len(content):,} characters; at most {options.max_bytes:,} are read"
        return Problem(record.source, record.number, Trouble.TOO_LARGE, detail, url)
    kind: KindOption = "html" if name == "html" and options.kind == "auto" else options.kind
    return ParsedRecord(record, fields, Page(content, kind, url), name)


def enrich(fields: dict[str, Any], field: str | None, result: PageResult, options: PageOptions) -> dict[str, Any]:
    """The fields of a record with what was found out about its page.

    `spans` is a list of [start, end, label, probability of the label] over the text before it was cleaned.
    No field of the input is lost: one that has the name of a new one goes on as `input_NAME`. `text` alone is
    replaced, where the page came from it.

    Args:
        fields: Of the record.
        field: The one the page came from.
        result: Of the page.
        options: Of the run.
    """
    added: dict[str, Any] = {}
    original = options.keep_original
    if not options.annotate:
        added["text"] = result.text
    elif field is None or result.kind == "html":
        original = original or SOURCE_TEXT
    if original is not None:
        added[original] = result.source_text
    added["spans"] = spans(result)
    added["removed_ratio"] = round(result.removed_ratio, 4)
    if options.spam:
        probability = result.spam_probability
        added["spam_probability"] = None if probability is None else round(probability, 4)
    kept = dict(fields)
    for name in added:
        if name in kept and not (name == "text" and field == "text"):
            moved = f"input_{name}"
            while moved in kept or moved in added:
                moved = f"input_{moved}"
            kept[moved] = kept.pop(name)
    return {**kept, **added}


def spans(result: PageResult) -> list[tuple[int, int, str, float]]:
    """Every segment as (start, end, label, probability of the label)."""
    labels = [str(label) for label in LABELS]
    probabilities = result.probabilities[np.arange(len(result)), result.label_ids]
    return [
        (start, end, labels[label], round(probability, 4))
        for start, end, label, probability in zip(
            result.starts.tolist(), result.ends.tolist(), result.label_ids.tolist(), probabilities.tolist(), strict=True
        )
    ]


def _removed(item: ParsedRecord, result: PageResult) -> dict[str, Any]:
    """What was taken out of a page, for audit."""
    segments = [
        {"start": start, "end": end, "label": label, "probability": probability, "text": result.source_text[start:end]}
        for (start, end, label, probability), kept in zip(spans(result), result.kept.tolist(), strict=True)
        if not kept
    ]
    return {"input": item.record.source, "record": item.record.number, "url": item.page.url, "removed": segments}


def _count(statistics: Statistics, result: PageResult) -> None:
    lengths = result.ends - result.starts
    statistics.pages += 1
    for counter, counted in ((statistics.characters, slice(None)), (statistics.removed, ~result.kept)):
        sums = np.bincount(result.label_ids[counted], lengths[counted], len(LABELS))
        counter.update({str(label): int(count) for label, count in zip(LABELS, sums, strict=True) if count})


def _line(record: dict[str, Any]) -> bytes:
    """A line of JSON. Half surrogates, which JSON can name and UTF-8 cannot hold, are written as JSON names them."""
    try:
        return (json.dumps(record, ensure_ascii=False, default=_as_json) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(record, default=_as_json) + "\n").encode()


def _as_json(value: object) -> str:
    """Cells of Parquet that JSON has no type for: bytes as text or else in base 64, others as they print."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return str(value)
