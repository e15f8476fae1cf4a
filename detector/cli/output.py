"""Results as JSON lines or as a table for the terminal."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from detector.data import PageResult

_WIDTH = 100


def as_jsonl(name: str, result: PageResult) -> str:
    """One JSON object for a page, with a record a segment."""
    spam = result.spam_probability
    return json.dumps(
        {
            "input": name,
            "kind": result.kind,
            "problem": result.problem,
            "removed_ratio": round(result.removed_ratio, 4),
            "spam_probability": None if spam is None else round(spam, 4),
            "segments": [
                {
                    "start": segment.start,
                    "end": segment.end,
                    "label": segment.label,
                    "probabilities": {label: round(value, 4) for label, value in segment.probabilities.items()},
                    "reasons": segment.reasons,
                    "text": segment.text,
                }
                for segment in result.segments
            ],
        },
        ensure_ascii=False,
    )


def as_table(name: str, result: PageResult) -> Iterator[str]:
    """A line a segment: label, probability of the label, and the text cut to the line."""
    yield f"{printable(name)}  ({result.kind}, {len(result)} segments, {result.removed_ratio:.0%} removed)"
    if result.problem:
        yield f"  problem: {result.problem}"
    for segment in result.segments:
        text = segment.text if len(segment.text) <= _WIDTH else segment.text[: _WIDTH - 1] + "…"
        yield f"  {segment.label:11} {segment.probabilities[segment.label]:4.2f}  {printable(text)}"


def printable(text: str) -> str:
    """The text without control characters: a page must not steer the terminal."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs") else " " for c in text)
