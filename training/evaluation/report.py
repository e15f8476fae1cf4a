"""Rows as tables for people and as dictionaries for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.evaluation.bootstrap import Score
from training.evaluation.figures import FIGURES, Figure
from training.evaluation.rows import SPLITS, Row

DIGITS = 5
"""Of figures in JSON; the intervals are a hundred times as wide."""

_HEADINGS = {
    "overall": "all pages, read as what they are",
    "corpus": "by corpus",
    "content": "pages that have content",
    "page type": "by page type",
    "language": "by language",
}


def as_table(rows: Sequence[Row]) -> str:
    """The rows as text tables, one for each split and family of figures; a column or row without figures is left out."""
    blocks = []
    for split in SPLITS:
        for figures, table in _tables([row for row in rows if row.split == split]):
            cells = [[_HEADINGS[split], "pages", *(figure.title for figure in figures)]]
            for row, first in table:
                name = row.group if first else f"    {row.contender}"
                cells.append([name, str(row.pages), *(_cell(row, figure) for figure in figures)])
            blocks.append(_aligned(cells))
    return "\n\n".join(blocks)


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as Markdown tables, one for each family of figures."""
    blocks = []
    for figures, table in _tables(rows):
        lines = [f"| pages of | pages | {' | '.join(figure.title for figure in figures)} |"]
        lines.append(f"|---|--:|{'---|' * len(figures)}")
        for row, first in table:
            name = row.group if first else f"{row.group}: {row.contender}"
            lines.append(f"| {name} | {row.pages} | {' | '.join(_cell(row, figure) for figure in figures)} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_dicts(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows as plain dictionaries, for JSON; figures of nothing are left out."""
    return [
        {"group": row.group, "split": row.split, "contender": row.contender, "pages": row.pages}
        | {figure.name: score_dict(found) for figure in FIGURES if (found := row.figure(figure.name)) is not None}
        for row in rows
    ]


def score_dict(score: Score) -> dict[str, float]:
    """A figure and its interval for JSON, and of how many pages it is."""
    return {
        "pages": score.pages,
        "value": round(score.value, DIGITS),
        "low": round(score.low, DIGITS),
        "high": round(score.high, DIGITS),
    }


def _tables(rows: Sequence[Row]) -> Iterator[tuple[list[Figure], list[tuple[Row, bool]]]]:
    """For each family, the figures and rows that have any, and whether a row is the first of its group."""
    for family in dict.fromkeys(figure.family for figure in FIGURES):
        figures = [f for f in FIGURES if f.family == family and any(row.figure(f.name) for row in rows)]
        chosen = [row for row in rows if any(row.figure(figure.name) for figure in figures)]
        if chosen:
            before = [None, *(row.group for row in chosen)]
            yield figures, [(row, row.group != group) for row, group in zip(chosen, before, strict=False)]


def _cell(row: Row, figure: Figure) -> str:
    """A figure and its interval, and of how many pages it is where not of all of the row."""
    score = row.figure(figure.name)
    if score is None:
        return ""
    return str(score) if score.pages == row.pages else f"{score} of {score.pages}"


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the second one, of numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(w) if i == 1 else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )
    return "\n".join(line.rstrip() for line in lines)
