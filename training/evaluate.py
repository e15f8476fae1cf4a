"""How good a model is, on pages it has not seen: per segment, per character, per page, with error bars."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, Page
from detector.model import Model
from detector.pipeline import Detector
from training.align import words
from training.labelling import LabelledPage, as_text

BOOTSTRAPS = 1000
SEED = 7


@dataclass(frozen=True, slots=True)
class Score:
    """A figure with its 95 % interval, by bootstrap over pages."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one group of pages.

    Attributes:
        group: Corpus, mode and page type.
        pages: Number of pages.
        macro_f1: Mean F1 of keep and remove over segments.
        content_lost: Share of the content's characters that was removed, in pages with content.
        unwanted_left: Share of the other characters that was kept, in pages with content.
        word_f1: Mean over pages of the F1 of kept words against the gold text's; None without gold texts.
    """

    group: str
    pages: int
    macro_f1: Score
    content_lost: Score
    unwanted_left: Score
    word_f1: Score | None


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one page: true and false keeps and removals in segments, then in characters, and the word F1."""

    segments: tuple[int, int, int, int]
    lost: int
    content: int
    left: int
    unwanted: int
    word_f1: float | None


def evaluate(model: Model, pages: Iterable[LabelledPage], *, html_as_text: bool = True) -> list[Row]:
    """Classify labelled pages and compare.

    Args:
        model: The model.
        pages: Labelled pages, of both kinds. Unknown segments do not count, except in the word F1.
        html_as_text: Measure HTML pages a second time without their markup.

    Returns:
        A row a corpus and mode, and a row for each page type of a corpus; where lines are labelled, so that a page
        may be spam from top to bottom, also a row of the pages that have content.
    """
    detector = Detector(model)
    groups: dict[str, list[_Counts]] = defaultdict(list)
    for page in pages:
        for mode in _modes(page, html_as_text, model):
            counts = _count(detector, mode)
            name = f"{page.sample.source}, {'html' if mode.page.elements else 'text'}"
            if page.sample.kind == "html" and not mode.page.elements:
                name += " without markup"
            groups[name].append(counts)
            if page.sample.lines is not None and counts.content:
                groups[f"{name}, pages with content"].append(counts)
            if page.sample.page_type:
                groups[f"{name}, {page.sample.page_type}"].append(counts)
    return [_row(name, groups[name]) for name in sorted(groups)]


def _modes(page: LabelledPage, html_as_text: bool, model: Model) -> list[LabelledPage]:
    if page.sample.kind == "text":
        return [page] if "text" in model.heads else []
    modes = [page] if "html" in model.heads else []
    return modes + ([as_text(page)] if html_as_text and "text" in model.heads else [])


def _count(detector: Detector, page: LabelledPage) -> _Counts:
    is_html = page.page.elements is not None
    result = detector.classify(Page(page.sample.content if is_html else page.page.text, "html" if is_html else "text"))
    known = page.labels >= 0
    wanted = page.labels == CONTENT
    chars = page.page.ends - page.page.starts
    kept = result.kept
    gold = page.sample.gold_text
    return _Counts(
        segments=tuple(int((known & a & b).sum()) for a in (wanted, ~wanted) for b in (kept, ~kept)),  # type: ignore[arg-type]
        lost=int(chars[known & wanted & ~kept].sum()),
        content=int(chars[known & wanted].sum()),
        left=int(chars[known & ~wanted & kept].sum()),
        unwanted=int(chars[known & ~wanted].sum()),
        word_f1=None if gold is None else word_f1(result.text, gold),
    )


def word_f1(text: str, gold: str) -> float:
    """F1 of the words of a text against those of the gold text, as multisets.

    >>> round(word_f1("a good article", "a good long article"), 3)
    0.857
    """
    ours, theirs = Counter(words(text)), Counter(words(gold))
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 1.0


def _row(group: str, counts: Sequence[_Counts]) -> Row:
    segments = np.array([page.segments for page in counts], float)
    with_content = [page for page in counts if page.content]
    lost = np.array([(page.lost, page.content) for page in with_content], float).reshape(-1, 2)
    left = np.array([(page.left, page.unwanted) for page in with_content], float).reshape(-1, 2)
    word_scores = np.array([(page.word_f1, 1.0) for page in counts if page.word_f1 is not None], float)
    return Row(
        group,
        len(counts),
        _bootstrap(segments, _macro_f1),
        _bootstrap(lost, _ratio),
        _bootstrap(left, _ratio),
        _bootstrap(word_scores, _ratio) if len(word_scores) else None,
    )


def _bootstrap(rows: NDArray[np.float64], figure: object) -> Score:
    """The figure of the summed rows, and its interval over resampled pages."""
    assert callable(figure)
    if not len(rows):
        return Score(0.0, 0.0, 0.0)
    drawn = np.random.default_rng(SEED).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=BOOTSTRAPS)
    low, high = np.quantile(figure(drawn @ rows), (0.025, 0.975))
    return Score(float(figure(rows.sum(axis=0)[None])[0]), float(low), float(high))


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return sums[:, 0] / np.maximum(sums[:, 1], 1)


def _macro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    kept_right, lost, left, removed_right = sums.T
    errors = lost + left
    keep = 2 * kept_right / np.maximum(2 * kept_right + errors, 1)
    remove = 2 * removed_right / np.maximum(2 * removed_right + errors, 1)
    return np.asarray((keep + remove) / 2)


def as_table(rows: Sequence[Row]) -> str:
    """The rows as a text table."""
    head = f"{'group':48} {'pages':>5}  {'macro F1':22} {'content lost':22} {'unwanted left':22} word F1"
    lines = [
        f"{row.group:48} {row.pages:5}  {row.macro_f1!s:22} {row.content_lost!s:22} {row.unwanted_left!s:22} {row.word_f1 or ''}"
        for row in rows
    ]
    return "\n".join([head, *lines])


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| pages of | pages | word F1 | macro F1 | content lost | unwanted left |\n|---|--:|---|---|---|---|"
    lines = [
        f"| {row.group} | {row.pages} | {row.word_f1 or ''} | {row.macro_f1} | {row.content_lost} | {row.unwanted_left} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def as_dicts(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows as plain dictionaries, for JSON."""
    return [asdict(row) for row in rows]
