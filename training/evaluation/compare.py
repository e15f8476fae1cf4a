"""Two models on the same pages: which is better, and whether that can be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.evaluation.bootstrap import Score, difference
from training.evaluation.figures import FIGURES, Figure
from training.evaluation.rows import Group

LEAST_PAGES = 6
"""Of fewer pages even a sign test cannot tell two models apart at 5 %, and one page drawn again is always the same."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger a figure is for the new model than for the old on the same pages, with a 95 % interval.

    The interval is by paired bootstrap: in every draw both models have the same pages.
    """

    group: str
    figure: Figure
    change: Score

    @property
    def verdict(self) -> int:
        """1 if the new model is better, -1 if it is worse, 0 if the interval holds 0 or there are few pages."""
        if self.change.pages < LEAST_PAGES or self.change.low <= 0 <= self.change.high:
            return 0
        return 1 if (self.change.value > 0) == self.figure.higher_is_better else -1

    def __str__(self) -> str:
        change = self.change
        return f"{self.group}: {self.figure.title} {change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"


def compare(groups: Iterable[Group], new: str, old: str) -> list[Difference]:
    """The differences of all figures in all groups.

    Args:
        groups: Pages that both were measured on.
        new: Name of the one contender.
        old: Name of the other.
    """
    found = []
    for group in groups:
        numbers = group.numbers(new, old)
        # What is said of all pages is not said of those that both read.
        if not numbers or (group.split == "overall" and len(numbers) < group.pages):
            continue
        columns, others = group.columns(new, numbers), group.columns(old, numbers)
        for figure in FIGURES:
            change = difference(figure.compute, columns, others, figure.pages(columns))
            if change is not None:
                found.append(Difference(group.name, figure, change))
    return found


def in_words(differences: Sequence[Difference], overall: str, new: str, old: str) -> str:
    """A sentence on the whole, and a line for each difference that can be seen.

    Args:
        differences: Of two models.
        overall: Name of the group that the first sentence is about.
        new: How to call the new model.
        old: How to call the old model.
    """
    if not differences:
        return f"{new} and {old} read no page in common: nothing can be compared"
    whole = [item for item in differences if item.group == overall] or list(differences)
    first = whole[0]
    few = f" (of {first.change.pages} pages: too few to tell)" if first.change.pages < LEAST_PAGES else ""
    lines = [f"{new} {_WORDS[first.verdict]} {old} on {first}{few}"]
    for sign, word in ((1, "better"), (-1, "worse")):
        seen = [item for item in differences if item.verdict == sign and item is not first]
        lines += [f"  {word} on {item}" for item in seen]
    unseen = sum(item.verdict == 0 for item in differences if item is not first)
    if unseen:
        lines.append(f"  no difference can be seen in {unseen} other figures")
    return "\n".join(lines)


_WORDS = {1: "is better than", -1: "is worse than", 0: "cannot be told from"}
