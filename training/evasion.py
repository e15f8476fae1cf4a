"""Pages rewritten for training as those would rewrite them who want a list kept or an article gone.

Every line of a page's lists, or of its content, is changed in one way, and keeps its label: sentences of other pages
beside links, or dates, names, footers, separators and capitals in an article. The wording is drawn anew for every page,
from real pages or of words that no language has, so that only the operation can be learnt. `tests/evasion` measures
on other pages, with wordings of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.data import BOILERPLATE, CONTENT, LINK_LIST, SegmentedPage
from training.compose import Template
from training.labelling import UNKNOWN, LabelledPage

SHARE = 0.1
"""Rewritten pages by pages given."""

LEAST_LINES = 3
"""Lines of a list, or of content, from which a page is rewritten."""

HEADLINE_CHARS = 60
"""Up to this length a line of content dressed like an item of a list may as well be one: nobody can know."""

MOST_ITEM_CHARS = 150
"""Longer lines labelled as a list are prose already: those of spun pages."""

_SENTENCE = re.compile(r"[^.!?。！？।]{30,180}[.!?。！？।]")
_FOOTER_CHARS = (8, 50)
_GLUES = (" ", " ", ", ", ". ", ": ", " - ", " — ", "; ", " … ", " (")
_SEPARATORS = (" · ", "·", " / ", "/", " • ", " - ", "-", "_", " _ ", "~", " ~ ", " » ", "+")

Rewrite = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Wording:
    """What other pages lend, each with its site.

    Attributes:
        sentences: Of content, by corpus and language.
        footers: Short lines of boilerplate.
        words: Of headlines, for markers.
    """

    sentences: dict[tuple[str, str | None], list[tuple[str, str]]]
    footers: list[tuple[str, str]]
    words: list[str]


def evade_pages(pages: Sequence[LabelledPage], seed: int, share: float = SHARE) -> list[LabelledPage]:
    """Make further pages of labelled ones, rewritten to be mistaken.

    Args:
        pages: Labelled pages of one kind; HTML pages keep their elements, and nothing new stands in a link.
        seed: Of the random choices.
        share: Rewritten pages by pages given.

    Returns:
        The rewritten pages, each of the site of the page it is made of. Empty where no page has lines enough.
    """
    random = np.random.default_rng(seed)
    wording = _wording(pages)
    able = {label: [p for p in pages if (p.labels == label).sum() >= LEAST_LINES] for label in (LINK_LIST, CONTENT)}
    if not (able[LINK_LIST] and able[CONTENT] and wording.sentences and wording.footers):
        return []
    made = []
    for number in range(int(len(pages) * share)):
        label = (LINK_LIST, CONTENT)[number % 2]
        page = able[label][random.integers(len(able[label]))]
        rewritten = _with_prose(page, wording, random) if label == LINK_LIST else _disguised(page, wording, random)
        sample = replace(page.sample, id=f"evading/{number}/{page.sample.id}", source="composed")
        made.append(replace(rewritten, sample=sample))
    return made


def _wording(pages: Sequence[LabelledPage]) -> _Wording:
    wording = _Wording({}, [], [])
    for page in pages:
        key = page.sample.source, page.sample.lang
        for text, label in zip(page.page.segment_texts(), page.labels.tolist(), strict=True):
            if label == CONTENT:
                found = [(page.sample.site, sentence.strip()) for sentence in _SENTENCE.findall(text)]
                wording.sentences.setdefault(key, []).extend(found)
            elif label == BOILERPLATE and _FOOTER_CHARS[0] <= len(text) <= _FOOTER_CHARS[1]:
                wording.footers.append((page.sample.site, text))
            elif label == LINK_LIST:
                wording.words.extend(word for word in text.split() if word.isalpha())
    return replace(wording, sentences={key: found for key, found in wording.sentences.items() if found})


def _borrowed(lenders: Sequence[tuple[str, str]], site: str, count: int, random: np.random.Generator) -> list[str]:
    """Texts of other sites; of the page's own where there is no other."""
    drawn = [lenders[i] for i in random.integers(len(lenders), size=4 * count)]
    return [text for lender, text in drawn if lender != site][:count] or [text for _, text in drawn[:count]]


def _with_prose(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> LabelledPage:
    """A sentence beside each line of the page's lists: a few that recur, or another one each time."""
    sample = page.sample
    lenders = wording.sentences.get((sample.source, sample.lang))
    if lenders is None:
        keys = list(wording.sentences)
        lenders = wording.sentences[keys[random.integers(len(keys))]]
    size = int((page.labels == LINK_LIST).sum())
    number = (1, int(random.integers(2, 7)), size)[random.choice(3, p=(0.45, 0.35, 0.2))]
    sentences = _borrowed(lenders, sample.site, number, random)
    every = int(random.integers(1, 4))
    between = page.page.elements is None and random.random() < 0.3
    glue = _GLUES[random.integers(len(_GLUES))]
    lines: list[tuple[str, int]] = []
    listed = 0
    for place, (text, label) in enumerate(zip(page.page.segment_texts(), page.labels.tolist(), strict=True)):
        sentence = sentences[random.integers(len(sentences))]
        if label != LINK_LIST or len(text) > MOST_ITEM_CHARS:
            lines.append((text, place))
        elif between:
            lines.append((text, place))
            listed += 1
            if listed % every == 0:
                lines.append((sentence, place))
        else:
            lines.append((text + glue + sentence, place))
    return _rewritten(page, lines)


def _disguised(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> LabelledPage:
    """Every line of the content dressed as what is no content."""
    disguise = _DISGUISES[random.choice(len(_DISGUISES), p=_DISGUISE_SHARES)]
    rewrite = disguise(page, wording, random)
    lines = [
        (rewrite(text) if label == CONTENT else text, place)
        for place, (text, label) in enumerate(zip(page.page.segment_texts(), page.labels.tolist(), strict=True))
    ]
    made = _rewritten(page, lines)
    if disguise is _dressed:
        short = (page.page.ends - page.page.starts <= HEADLINE_CHARS) & (page.labels == CONTENT)
        made.labels[short], made.weights[short] = UNKNOWN, 0
    return made


def _dressed(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> Rewrite:
    return Template(wording.words, random).item


def _separated(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> Rewrite:
    separator = _SEPARATORS[random.integers(len(_SEPARATORS))]
    return lambda text: separator.join(text.split())


def _cased(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> Rewrite:
    share = random.choice((0.5, 0.8, 1.0))

    def capitalise(text: str) -> str:
        words = text.split(" ")
        chosen = (random.random(len(words)) < share).tolist()
        return " ".join(word[:1].upper() + word[1:] if hit else word for word, hit in zip(words, chosen, strict=True))

    return (capitalise, capitalise, str.upper, str.lower)[random.integers(4)]


def _footed(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> Rewrite:
    number = int(random.integers(1, 5))
    footer = (" ", " | ", " - ", ". ")[random.integers(4)].join(
        _borrowed(wording.footers, page.sample.site, number, random)
    )
    first = random.random() < 0.2
    return lambda text: f"{footer} {text}" if first else f"{text} {footer}"


def _unstopped(page: LabelledPage, wording: _Wording, random: np.random.Generator) -> Rewrite:
    end = ("", "", "", "…", " »", ",", " -", ":")[random.integers(8)]
    return lambda text: text.rstrip(".!?…。！？।") + end


_DISGUISES = (_dressed, _separated, _cased, _footed, _unstopped)
_DISGUISE_SHARES = (0.45, 0.15, 0.15, 0.15, 0.1)


def _rewritten(page: LabelledPage, lines: Sequence[tuple[str, int]]) -> LabelledPage:
    """The page of other lines, each with the number of the line whose label it has."""
    texts, origins = [text for text, _ in lines], [place for _, place in lines]
    bounds = np.concatenate(([0], np.cumsum([len(text) + 1 for text in texts])))
    made = SegmentedPage("\n".join(texts), bounds[:-1], bounds[1:] - 1, page.page.elements)
    return LabelledPage(page.sample, made, page.labels[origins], page.weights[origins])
