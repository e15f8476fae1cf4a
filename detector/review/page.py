"""A classified page made ready for review: what to show, what to save, and how much it would teach."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from detector.data import LABELS, Page, PageResult, SegmentedPage
from detector.decode import decode
from detector.review.layout import blocks_of
from detector.review.teaching import UNSURE, page_value, teaching_values
from detector.segment import segment_html

TITLE_CHARS = 120

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One page of a review.

    Attributes:
        digest: SHA-256 of kind and segments; under it a browser keeps the corrections, and two pages that share it
            are one page to training.
        value: How much reading it would teach, at least 0.
        facts: What the list of pages shows; plain JSON.
        body: The segments, and the markup of an HTML page, for the page once it is opened; plain JSON.
    """

    digest: str
    value: float
    facts: dict[str, Any]
    body: dict[str, Any]


def review_page(name: str, page: Page, result: PageResult) -> ReviewPage:
    """Make a page ready.

    Args:
        name: How the input is called; becomes the sample's `id`.
        page: The input: the markup is saved with the labels of an HTML page, for the training of HTML models.
        result: What the detector says of it.
    """
    content = page.content if isinstance(page.content, str) else decode(page.content, page.charset)
    html = content if result.kind == "html" else None
    as_it_is = html is None or not len(result)
    shown = SegmentedPage(result.source_text, result.starts, result.ends) if as_it_is else segment_html(content)
    lines = shown.segment_texts()
    blocks = blocks_of(shown)
    values = teaching_values(result.probabilities)
    labels = result.label_ids.tolist()
    headings = [line for line, block in zip(lines, blocks, strict=True) if block.tag == "h1"]
    likely = [line for line, label in zip(lines, labels, strict=True) if label == 0]
    digest = hashlib.sha256("\n".join([result.kind, *lines]).encode("utf-8", "surrogatepass")).hexdigest()
    phrases: dict[str, int] = {}
    reasons = [[phrases.setdefault(reason, len(phrases)) for reason in s.reasons] for s in result.segments]
    facts = {
        "name": name,
        "title": " ".join([*headings, *likely, *lines, name][0].split())[:TITLE_CHARS],
        "url": result.url,
        "kind": result.kind,
        "problem": result.problem,
        "digest": digest,
        "counts": np.bincount(result.label_ids, minlength=len(LABELS)).tolist(),
        "unsure": int((values >= UNSURE).sum()),
    }
    body = {
        "lines": lines,
        "labels": labels,
        "percents": np.rint(result.probabilities * 100).astype(int).tolist(),
        "unsure": (values >= UNSURE).astype(int).tolist(),
        "blocks": [[block.tag, block.depth, block.marker, int(block.linked)] for block in blocks],
        "phrases": list(phrases),
        "reasons": reasons,
        "html": html,
    }
    return ReviewPage(digest, page_value(values), facts, body)


def most_teaching(pages: Iterable[tuple[Named, PageResult]], most: int) -> list[tuple[Named, PageResult]]:
    """The pages that a person's correction would teach most, no more than `most`, in the order in which they came.

    Args:
        pages: Results with whatever they are called by; read one after the other, and only the chosen ones are kept.
        most: How many, at least 1.
    """
    chosen: list[tuple[float, int, tuple[Named, PageResult]]] = []
    for number, page in enumerate(pages):
        # Of pages that would teach as much, the first stay.
        entry = (page_value(teaching_values(page[1].probabilities)), -number, page)
        if len(chosen) < most:
            heapq.heappush(chosen, entry)
        else:
            heapq.heappushpop(chosen, entry)
    return [page for _, _, page in sorted(chosen, key=lambda entry: -entry[1])]


def most_teaching_first(pages: Iterable[ReviewPage]) -> list[ReviewPage]:
    """The pages in the order in which a person's time is spent best."""
    return sorted(pages, key=lambda page: -page.value)
