"""Floors: figures that a model must reach, for use in CI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from detector.errors import UsageError
from training.evaluation.bootstrap import Score
from training.evaluation.figures import FIGURES, Figure
from training.evaluation.rows import ALL_PAGES, Row
from training.samples import SAMPLES

_FIGURES = {figure.name: figure for figure in FIGURES}


@dataclass(frozen=True, slots=True)
class Floor:
    """What a figure must reach.

    Attributes:
        group: Name of the group of pages, empty for the samples as a whole, or all pages where there are no samples.
        figure: Which figure; for shares of errors `value` is the most that is allowed.
        value: The bound.
    """

    group: str
    figure: Figure
    value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A floor, and what was measured: the row's group and the figure."""

    floor: Floor
    group: str
    score: Score

    @property
    def is_met(self) -> bool:
        """Whether the figure itself, not its interval, is within the floor."""
        value, bound = self.score.value, self.floor.value
        return value >= bound if self.floor.figure.higher_is_better else value <= bound

    def __str__(self) -> str:
        side = "at least" if self.floor.figure.higher_is_better else "at most"
        word = "met" if self.is_met else "missed"
        return (
            f"floor {word}: {self.group}: {self.floor.figure.name} is {self.score}, wanted {side} {self.floor.value:g}"
        )


def parse_floor(text: str) -> Floor:
    """Read `FIGURE=VALUE` or `GROUP:FIGURE=VALUE`.

    >>> floor = parse_floor("wcxb_dev, html:word_f1=0.86")
    >>> floor.group, floor.figure.name, floor.value
    ('wcxb_dev, html', 'word_f1', 0.86)

    Raises:
        UsageError: It is no such thing; the message gives the names of the figures.
    """
    target, equals, value = text.rpartition("=")
    group, _, name = target.rpartition(":")
    if not equals:
        raise UsageError(f"--floor {text!r}: write FIGURE=VALUE or 'GROUP:FIGURE=VALUE', as in macro_f1=0.9")
    if name.strip() not in _FIGURES:
        raise UsageError(f"--floor {text!r}: no figure {name.strip()!r}; there are {', '.join(_FIGURES)}")
    try:
        bound = float(value)
    except ValueError:
        bound = math.nan
    if not 0 <= bound <= 1:
        raise UsageError(f"--floor {text!r}: {value!r} is no number from 0 to 1")
    return Floor(group.strip(), _FIGURES[name.strip()], bound)


def check_floors(floors: Sequence[Floor], rows: Sequence[Row]) -> tuple[list[Verdict], list[str]]:
    """Compare what was measured to the floors.

    Args:
        floors: The floors.
        rows: The rows of one contender.

    Returns:
        A verdict a floor, and what is wrong with those for a group or figure that was not measured: the message gives the
        names of those that were.
    """
    verdicts, unmeasured = [], []
    for floor in floors:
        row = next((row for row in rows if row.group == floor.group), None) if floor.group else overall_row(rows)
        score = None if row is None else row.figure(floor.figure.name)
        if row is None:
            known = "; ".join(row.group for row in rows)
            unmeasured.append(f"--floor: no pages '{floor.group}' were measured; there are: {known}")
        elif score is None:
            able = ", ".join(figure.name for figure in FIGURES if row.figure(figure.name) is not None)
            wrong = f"'{row.group}' has no {floor.figure.name}, its pages lack what it is measured on"
            unmeasured.append(f"--floor: {wrong}; it has {able}")
        else:
            verdicts.append(Verdict(floor, row.group, score))
    return verdicts, unmeasured


def overall_row(rows: Sequence[Row]) -> Row | None:
    """The row of the samples as a whole, or, where there are none, of all pages; of the rows of one contender."""
    names = (f"{SAMPLES}, {ALL_PAGES}", f"{SAMPLES}, text", f"{SAMPLES}, html", f"{SAMPLES}, text without markup")
    by_name = {row.group: row for row in rows}
    found = next((by_name[name] for name in (*names, ALL_PAGES) if name in by_name), None)
    return found or next(iter(rows), None)
