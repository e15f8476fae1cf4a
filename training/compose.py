"""Pages composed for training: a real page with a link farm's list before, inside or after its article.

Real crawls hold few pages of the kind that matters most here: an article followed by dozens of headlines, each with
the same dated markers. The article and the headlines are real; the markers' wording is made up anew for every page,
half of the time of words that no language has, so that only their shape and their recurrence can be learnt.

Around the article some composed pages keep the rest of its own page, some get the beginning and the end of another
page, and some a short menu of real entries: otherwise everything beside such a list would be content.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.data import CONTENT, LABELS, LINK_LIST, Label
from training.evaluation.counts import genuine_lists
from training.jsonl import COMMENT
from training.labelling import LabelledPage, label_page
from training.samples import COMPOSED, Sample

MIN_ARTICLE_SEGMENTS = 4
"""Segments of content from which a page has an article that a list can stand inside of."""

COMPOSED_SHARE = 0.4
"""Composed pages by pages given."""

MOST_FRAME = 15
"""Segments that a page's beginning or end lends to another."""

FRAMES = ("none", "none", "menu", "own", "other", "other")
"""What stands around the article, drawn anew for each page; what is named twice is drawn twice as often."""

LIST_PLACES = ("below article", "below article", "end of page", "above article", "inside article")
"""Where the list stands, drawn likewise."""

MENU_CHARS, MENU_WORDS, MENU_ENTRIES = 25, 3, (3, 9)
"""Characters and words of an entry of a menu at most, and the number of entries: from the first, below the second."""

HEADLINE_CHARS, LEAST_HEADLINES = (20, 110), 20
"""Characters of a line of a link list that may be a headline, and how many such lines are needed to compose pages."""

ITEMS = (4, 300)
"""Items of a list, at least and at most, evenly on a logarithmic scale: networks that see all that follows an article
must not take the page for a list because the list is long."""

FEW_HEADLINES, RECOMBINED = (4, 25), 2 / 3
"""A list's items may be halves of a few headlines in all combinations, so that they share words as a site's own
headlines do, and the article does not: how many headlines, and the share of such lists."""

HEADED = 0.7
"""Share of the lists that have a heading of one to three words."""

LISTED_SEGMENTS, LISTED_EVERY = 3, 4
"""One in so many articles is drawn from those that hold a list themselves, of at least so many segments: one fewer than
where lists are measured."""

INVENTED, SOURCED = 0.5, 0.6
"""Shares of the lists whose words are of no language, and whose items name a source."""

_LETTERS = tuple("aaabcdeeefghiiijklmnooopqrstuvwxyzäéñøžабвгдеклмнопрстαβγδεлש")
_BRACKETS = ("[]", "()", "{}", "【】", "（）", "<>", "  ", "||")
_COLONS = (": ", ":", " - ", " ", " | ", "：")
_BULLETS = ("- ", "* ", "• ", "» ", "– ", "", "", "")
_SOURCE_SEPARATORS = (" - ", " – ", " | ", " :: ", " » ", ", ")
_MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def compose_pages(pages: Sequence[LabelledPage], seed: int, share: float = COMPOSED_SHARE) -> list[LabelledPage]:
    """Make text pages of articles and lists out of labelled text pages.

    Args:
        pages: Labelled pages in text mode; segments of known labels are drawn from them.
        seed: Of the random choices.
        share: Composed pages by pages given.

    Returns:
        The composed pages; each keeps the site of its article. Empty where there are no headlines to draw from.
    """
    random = np.random.default_rng(seed)
    linked = [text for page in pages for text in texts_labelled(page, LINK_LIST)]
    headlines = [text for text in linked if HEADLINE_CHARS[0] <= len(text) <= HEADLINE_CHARS[1]]
    entries = [text for text in linked if len(text) <= MENU_CHARS and len(text.split()) <= MENU_WORDS]
    articles = [page for page in pages if len(texts_labelled(page, CONTENT)) >= MIN_ARTICLE_SEGMENTS]
    vocabulary = [word for text in headlines for word in text.split() if word.isalpha()]
    if len(headlines) < LEAST_HEADLINES or not articles:
        return []
    with_lists = [page for page in articles if _holds_list(page)] or articles
    composed = []
    for number in range(int(len(pages) * share)):
        among = articles if number % LISTED_EVERY else with_lists
        article = among[random.integers(len(among))]
        shown = _recombined(headlines, random) if random.random() < RECOMBINED else headlines
        composed.append(_compose(article, pages, shown, entries, vocabulary, random, number))
    return composed


def _holds_list(page: LabelledPage) -> bool:
    """Whether a genuine list is in the page."""
    return bool(genuine_lists(page.labels, page.page.ends - page.page.starts, LISTED_SEGMENTS).any())


def _recombined(headlines: list[str], random: np.random.Generator) -> list[str]:
    """The first halves of a few headlines, each joined to every second half, in random order."""
    few = [headlines[i].split() for i in random.integers(len(headlines), size=random.integers(*FEW_HEADLINES))]
    halves = [(" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])) for words in few]
    combined = [f"{first} {second}".strip() for first, _ in halves for _, second in halves]
    random.shuffle(combined)
    return combined


def texts_labelled(page: LabelledPage, label: int) -> list[str]:
    """The texts of a page's segments of one label, without those of weight 0, from which nothing is to be learnt."""
    chosen = ((page.labels == label) & (page.weights > 0)).tolist()
    return [text for text, is_one in zip(page.page.segment_texts(), chosen, strict=True) if is_one]


def _compose(
    article: LabelledPage,
    pages: Sequence[LabelledPage],
    headlines: list[str],
    entries: list[str],
    vocabulary: list[str],
    random: np.random.Generator,
    number: int,
) -> LabelledPage:
    """One article with one list."""
    frame = FRAMES[random.integers(len(FRAMES))]
    pairs = _named(article) if frame == "own" else [pair for pair in _named(article) if pair[1] == Label.CONTENT]
    if frame == "other":
        head, foot = _frame(pages[int(random.integers(len(pages)))])
        pairs = head + pairs + foot
    if frame == "menu" and entries:
        chosen = random.integers(len(entries), size=random.integers(*MENU_ENTRIES))
        pairs = [(entries[i], str(Label.LINK_LIST)) for i in chosen] + pairs
    lines, labels = [text for text, _ in pairs], [label for _, label in pairs]
    size = int(np.exp(random.uniform(*np.log(ITEMS))))
    style = ListStyle(vocabulary, random)
    items = [style.item(headlines[i]) for i in random.integers(len(headlines), size=size)]
    if random.random() < HEADED:
        items.insert(0, style.words(int(random.integers(1, 4))).capitalize())
    at = _list_place(labels, random)
    lines[at:at] = items
    labels[at:at] = [str(Label.LINK_LIST)] * len(items)
    sample = article.sample
    composed = Sample(
        f"composed/{number}/{sample.id}", COMPOSED, sample.site, "text", "\n".join(lines), tuple(lines), tuple(labels)
    )
    return label_page(composed)


def _list_place(labels: list[str], random: np.random.Generator) -> int:
    """The line of a page before which its list stands, of lines with these labels."""
    content = [place for place, label in enumerate(labels) if label == Label.CONTENT]
    places = {
        "inside article": content[random.integers(1, len(content))],
        "below article": content[-1] + 1,
        "above article": content[0],
        "end of page": len(labels),
    }
    return places[LIST_PLACES[random.integers(len(LIST_PLACES))]]


def _named(page: LabelledPage) -> list[tuple[str, str]]:
    """The text and the name of the label of each segment, `comment` where nothing is to be learnt."""
    names = [str(LABELS[label]) if weight else COMMENT for label, weight in zip(page.labels, page.weights, strict=True)]
    return list(zip(page.page.segment_texts(), names, strict=True))


def _frame(page: LabelledPage) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What stands nearest before a page's content and after it, or the page's two ends where it has none."""
    pairs = _named(page)
    content = [place for place, (_, label) in enumerate(pairs) if label == Label.CONTENT]
    first, last = (content[0], content[-1] + 1) if content else (len(pairs) // 2, len(pairs) // 2)
    return pairs[max(first - MOST_FRAME, 0) : first], pairs[last : last + MOST_FRAME]


class ListStyle:
    """The look of one site's list: bullet, source, and one or two markers, the same in every item.

    Args:
        vocabulary: Words to name sources and markers with.
        random: What chooses.
    """

    def __init__(self, vocabulary: list[str], random: np.random.Generator) -> None:
        self._random = random
        self._vocabulary = vocabulary
        self._invented = not vocabulary or random.random() < INVENTED
        self._bullet = str(random.choice(_BULLETS))
        self._source = str(random.choice(_SOURCE_SEPARATORS)) if random.random() < SOURCED else ""
        self._sources = [self.words(int(random.integers(1, 4))).title() for _ in range(int(random.integers(1, 30)))]
        self._markers = [
            (str(random.choice(_BRACKETS)), self.words(int(random.integers(0, 4))), str(random.choice(_COLONS)))
            for _ in range(int(random.choice([0, 1, 1, 2, 2])))
        ]
        self._date_style = int(random.integers(6))

    def words(self, count: int) -> str:
        """That many words: of the page's own vocabulary, or of no language at all."""
        if not self._invented:
            return " ".join(self._vocabulary[i] for i in self._random.integers(len(self._vocabulary), size=count))
        sizes = self._random.integers(2, 10, size=count)
        return " ".join("".join(self._random.choice(_LETTERS, size)) for size in sizes)

    def item(self, headline: str) -> str:
        """A headline dressed as an item of the list."""
        text = self._bullet + headline.lstrip("-*•»– ")
        if self._source:
            text += self._source + str(self._random.choice(self._sources))
        for brackets, words, colon in self._markers:
            text += f" {brackets[0]}{words}{colon if words else ''}{self._date()}{brackets[1]}"
        return text

    def _date(self) -> str:
        day, month, year = (int(self._random.integers(*ends)) for ends in ((1, 29), (1, 13), (1998, 2027)))
        name = _MONTH_NAMES[month - 1] if not self._invented else self.words(1)
        return (
            f"{name} {day}th, {year}",
            f"{day}. {name} {year}",
            f"{year}年{month}月{day}日",
            f"{day:02}/{month:02}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day:02}.{month:02}.{year} {month:02}:{day:02}",
        )[self._date_style]
