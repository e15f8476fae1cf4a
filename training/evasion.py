"""Pages rewritten for training by somebody who wants a list of links kept, or an article removed.

Every line of a page's lists gets a sentence beside it (`evade_pages`), or every line of its prose is dressed as an item
of a list (`dress_pages`); all lines keep their labels. The sentences are those of other pages. What joins them to a
line, and how lines are dressed, is drawn anew for every page, so that only the operation can be learnt. `tests/evasion`
measures on other pages, with wordings of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.data import BOILERPLATE, CONTENT, LINK_LIST
from training.compose import ListStyle, texts_labelled
from training.labelling import LabelledPage
from training.rewriting import Lines, rewrite_pages

EVADING_SHARE = 0.03
"""Pages with rewritten lists by pages given."""

DRESSED_SHARE = 0.02
"""Pages with dressed prose by pages given."""

LEAST_PROSE = 4
"""Lines of prose that a page must have for its prose to be dressed."""

PROSE_CHARS = 80
"""Shorter lines of content are left as they are: dressed, they would look like items of genuine lists."""

LEAST_LINES = 3
"""Lines of link lists that a page must have to be rewritten."""

FURNITURE_CHARS = 40
"""Longer lines of boilerplate are not put behind prose."""

MOST_ITEM_CHARS = 150
"""Longer lines labelled `link_list` are prose already (spun pages have such) and get no sentence."""

_SENTENCE = re.compile(r"[^.!?。！？।]{30,180}[.!?。！？।]")
_SEPARATORS = (" · ", " / ", " - ", " • ", " > ", "_", " » ", "  ", ", ")
_GLUES = (" ", " ", ", ", ". ", ": ", " - ", " — ", "; ", " … ", " (")

Language = tuple[str, str | None]
"""Corpus, and language where it is known. Sentences are borrowed within one of these pairs."""

Lenders = dict[Language, list[tuple[str, str]]]
"""Sentences of content, each with its site."""


def evade_pages(pages: Sequence[LabelledPage], seed: int, share: float = EVADING_SHARE) -> list[LabelledPage]:
    """Make further pages of labelled ones, with prose beside the links of their lists.

    Args:
        pages: Labelled pages read as text.
        seed: Of the random choices.
        share: Rewritten pages by pages given.

    Returns:
        The rewritten pages, each of the site of the page it is made of. Empty where no page has lines enough.
    """
    random = np.random.default_rng(seed)
    lenders = _lenders(pages)
    able = [page for page in pages if (page.labels == LINK_LIST).sum() >= LEAST_LINES]
    if not lenders:
        return []
    return rewrite_pages(
        able, int(len(pages) * share), random, "evading", lambda page: _with_prose(page, lenders, random)
    )


def dress_pages(pages: Sequence[LabelledPage], seed: int, share: float = DRESSED_SHARE) -> list[LabelledPage]:
    """Make further pages of labelled ones, with the lines of their prose dressed as the items of a list.

    They get bullets, markers and a source, or separators for their spaces, or furniture behind them, or capitals.

    Args:
        pages: Labelled pages read as text.
        seed: Of the random choices.
        share: Rewritten pages by pages given.

    Returns:
        The rewritten pages, each of the site of the page it is made of. Empty where no page has prose enough, or
        none has furniture.
    """
    random = np.random.default_rng(seed)
    able = [page for page in pages if _prose(page).sum() >= LEAST_PROSE]
    # Short, as what recurs in real furniture is.
    furniture = [text for page in pages for text in texts_labelled(page, BOILERPLATE) if len(text) <= FURNITURE_CHARS]
    words = [word for text in furniture for word in text.split() if word.isalpha()]
    if not words:
        return []
    return rewrite_pages(
        able, int(len(pages) * share), random, "dressed", lambda page: _dressed(page, furniture, words, random)
    )


def _prose(page: LabelledPage) -> NDArray[np.bool_]:
    """The lines of a page that are its prose; (n_segments,) bool."""
    return (page.labels == CONTENT) & (page.page.ends - page.page.starts >= PROSE_CHARS)


def _dressed(page: LabelledPage, furniture: list[str], words: list[str], random: np.random.Generator) -> Lines:
    """The lines of the page with each line of its prose dressed, all in one way."""
    style, separator = ListStyle(words, random), str(random.choice(_SEPARATORS))
    recurring = [furniture[i] for i in random.integers(len(furniture), size=random.integers(1, 4))]
    ways: list[Callable[[str], str]] = [
        style.item,
        lambda text: separator.join(text.split()),
        lambda text: " ".join((text, *recurring)),
        str.title,
    ]
    dress = ways[random.choice(len(ways), p=(0.5, 0.2, 0.2, 0.1))]
    pairs = zip(page.page.segment_texts(), _prose(page).tolist(), strict=True)
    return [(dress(text) if is_prose else text, place) for place, (text, is_prose) in enumerate(pairs)]


def _lenders(pages: Sequence[LabelledPage]) -> Lenders:
    lenders: Lenders = {}
    for page in pages:
        sample = page.sample
        for text in texts_labelled(page, CONTENT):
            if found := _SENTENCE.findall(text):
                sentences = [(sample.site, sentence.strip()) for sentence in found]
                lenders.setdefault((sample.source, sample.lang), []).extend(sentences)
    return lenders


def _borrowed(lenders: Sequence[tuple[str, str]], site: str, count: int, random: np.random.Generator) -> list[str]:
    """At most `count` sentences of other sites; of the page's own site where none of another was drawn."""
    drawn = [lenders[i] for i in random.integers(len(lenders), size=4 * count)]
    return [text for lender, text in drawn if lender != site][:count] or [text for _, text in drawn[:count]]


def _with_prose(page: LabelledPage, lenders: Lenders, random: np.random.Generator) -> Lines:
    """The lines of the page, with a sentence beside each line of its lists but their headings.

    One sentence for all lines, a few that recur, or about as many as there are lines; joined to the line, or on a line
    of its own after every first, second or third line.
    """
    sample = page.sample
    languages = list(lenders)
    language: Language = (sample.source, sample.lang)
    if language not in lenders:
        language = languages[random.integers(len(languages))]
    size = int((page.labels == LINK_LIST).sum())
    different = (1, int(random.integers(2, 7)), size)[random.choice(3, p=(0.45, 0.35, 0.2))]
    sentences = _borrowed(lenders[language], sample.site, different, random)
    every = int(random.integers(1, 4))
    between = random.random() < 0.3
    glue = _GLUES[random.integers(len(_GLUES))]
    lines: Lines = []
    listed = 0
    begins = np.diff(page.labels == LINK_LIST, prepend=False) & (page.labels == LINK_LIST)
    for place, (text, label) in enumerate(zip(page.page.segment_texts(), page.labels.tolist(), strict=True)):
        sentence = sentences[random.integers(len(sentences))]
        if label != LINK_LIST or len(text) > MOST_ITEM_CHARS or begins[place]:
            lines.append((text, place))
        elif between:
            lines.append((text, place))
            listed += 1
            if listed % every == 0:
                lines.append((sentence, place))
        else:
            lines.append((text + glue + sentence, place))
    return lines
