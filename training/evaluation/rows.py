"""Pages measured and grouped: a row of figures for each group and contender."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import numpy as np

from detector.data import CONTENT
from training.evaluation.bootstrap import Columns, Score, score
from training.evaluation.contenders import Contender
from training.evaluation.counts import COLUMNS, Gold, count
from training.evaluation.figures import FIGURES
from training.evaluation.views import View, views_of
from training.labelling import LabelledPage

BATCH = 64
"""Pages measured at a time."""

MIN_PAGES_OF_A_LANGUAGE = 5
"""A row for fewer would say nothing; the pages count in their corpus."""

ALL_PAGES = "all pages"

Split = Literal["overall", "corpus", "content", "page type", "language"]
SPLITS: tuple[Split, ...] = ("overall", "corpus", "content", "page type", "language")
"""What sets the pages of a group apart; the order of the tables."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one contender on one group of pages; None where a figure is of nothing.

    Attributes:
        group: Corpus, how its pages are read, and page type or language.
        pages: Number of pages.
        contender: Whose figures these are.
        split: What sets the pages apart.
        macro_f1: Mean F1 of keep and remove over segments.
        content_lost: Share of the content's characters that was removed, in pages with content.
        unwanted_left: Share of the other characters that was kept, in pages with content.
        link_lists_removed: Share of the characters of link lists that was removed.
        genuine_lists_kept: Share of the characters of genuine lists (`counts.genuine_lists`) that was kept.
        word_f1: Mean over pages of the F1 of kept words against the gold text's.
        shingle_f1: Harmonic mean of the next two, as the article-extraction-benchmark has it.
        shingle_precision: Mean over pages of the share of kept runs of four words that are in the gold text.
        shingle_recall: Mean over pages of the share of the gold text's runs of four words that were kept.
        snippets: Share of the snippets that stayed or went as they must.
        snippets_stayed: Share of those that must stay.
        snippets_gone: Share of those that must go.
        spam_found: Share of the pages without content that are found when one good page in a hundred may be lost.
        spam_auc: Probability that a page without content looks more like spam than one with content.
    """

    group: str
    pages: int
    contender: str
    split: Split
    macro_f1: Score | None = None
    content_lost: Score | None = None
    unwanted_left: Score | None = None
    link_lists_removed: Score | None = None
    genuine_lists_kept: Score | None = None
    word_f1: Score | None = None
    shingle_f1: Score | None = None
    shingle_precision: Score | None = None
    shingle_recall: Score | None = None
    snippets: Score | None = None
    snippets_stayed: Score | None = None
    snippets_gone: Score | None = None
    spam_found: Score | None = None
    spam_auc: Score | None = None

    def figure(self, name: str) -> Score | None:
        """The figure of that name, one of `FIGURES`."""
        value: Score | None = getattr(self, name)
        return value


@dataclass(slots=True)
class Group:
    """Pages that are summed up together, and what each contender did on each.

    Attributes:
        corpus: Corpus and reading, or "all pages".
        part: Which of its pages; empty for all.
        split: As in `Row`.
        counts: By contender and number of the page, the counts of the pages it reads.
    """

    corpus: str
    part: str
    split: Split
    counts: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As in `Row`."""
        return f"{self.corpus}, {self.part}" if self.part else self.corpus

    @property
    def pages(self) -> int:
        """Pages that anyone reads."""
        return len(set().union(*self.counts.values()))

    def numbers(self, *contenders: str) -> list[int]:
        """The pages that all these contenders read."""
        return sorted(set.intersection(*(set(self.counts.get(contender, ())) for contender in contenders)))

    def columns(self, contender: str, numbers: Sequence[int]) -> Columns:
        """What was counted of a contender on the pages of these numbers: (n_pages,) each."""
        counts = [self.counts[contender][number] for number in numbers]
        return {name: np.array([page.get(name, 0.0) for page in counts]) for name in COLUMNS}


def measure(
    contenders: Sequence[Contender], pages: Iterable[LabelledPage], *, html_as_text: bool = True
) -> list[Group]:
    """Give every contender all pages, and count.

    Args:
        contenders: With different names.
        pages: Labelled pages, of both kinds; read lazily.
        html_as_text: Measure HTML pages a second time without their markup.

    Returns:
        Groups by corpus and reading, and parts of them by page type and language where they differ; where lines are
        labelled, so that a page may be spam from top to bottom, also the pages that have content; and all pages as
        what they are where there are several corpora. In the order of `SPLITS`, then by name.
    """
    groups: dict[tuple[Split, str, str], Group] = {}
    number = 0
    for batch in _batches(pages):
        views = [(view, gold) for page, gold in batch for view in views_of(page, html_as_text)]
        outputs = [contender.outputs([view for view, _ in views]) for contender in contenders]
        for (view, gold), *made in zip(views, *outputs, strict=True):
            number += 1
            for contender, output in zip(contenders, made, strict=True):
                if output is None:
                    continue
                counts = count(view, gold, output)
                for split, corpus, part in _groups_of(view):
                    group = groups.setdefault((split, corpus, part), Group(corpus, part, split))
                    group.counts.setdefault(contender.name, {})[number] = counts
    return sorted(_telling(list(groups.values())), key=lambda group: (SPLITS.index(group.split), group.name))


def rows_of(groups: Iterable[Group]) -> list[Row]:
    """A row for each group and contender, contenders in the order they were measured."""
    rows = []
    for group in groups:
        for contender in group.counts:
            numbers = group.numbers(contender)
            if group.split == "overall" and len(numbers) < group.pages:
                continue  # of all pages nobody who reads a part of them can be compared with who reads all
            columns = group.columns(contender, numbers)
            scores = {figure.name: score(figure.compute, columns, figure.pages(columns)) for figure in FIGURES}
            rows.append(Row(group.name, len(numbers), contender, group.split, **scores))
    return rows


def _batches(pages: Iterable[LabelledPage]) -> Iterator[list[tuple[LabelledPage, Gold | None]]]:
    source = iter(pages)
    while batch := [(page, Gold.of(page.sample)) for page in islice(source, BATCH)]:
        yield batch


def _groups_of(view: View) -> Iterator[tuple[Split, str, str]]:
    sample = view.page.sample
    corpus = f"{sample.source}, {view.mode}"
    if view.is_as_given:
        yield "overall", ALL_PAGES, ""
        yield "overall", sample.source, ALL_PAGES
    yield "corpus", corpus, ""
    if sample.lines is not None and (view.page.labels == CONTENT).any():
        yield "content", corpus, "pages with content"
    if sample.page_type:
        yield "page type", corpus, sample.page_type
    if sample.lang:
        yield "language", corpus, sample.lang


def _telling(groups: Sequence[Group]) -> list[Group]:
    """The groups that say what no other says: a part is not its whole, and a language is a few pages at least."""
    pages = {(group.corpus, group.part): set().union(*group.counts.values()) for group in groups}
    whole = {group.corpus: pages[group.corpus, ""] for group in groups if group.split == "corpus"}

    def tells(group: Group) -> bool:
        its = pages[group.corpus, group.part]
        if group.split == "overall":
            return its not in whole.values() and (group.part != "" or its != pages_of_one_corpus)
        if group.split == "language" and len(its) < MIN_PAGES_OF_A_LANGUAGE:
            return False
        return group.split in ("corpus", "content") or its != whole[group.corpus]

    pages_of_one_corpus = next((pages[group.corpus, group.part] for group in groups if group.part == ALL_PAGES), None)
    return [group for group in groups if tells(group)]
