"""Simulated sites: many pages of one template, each with an article of its own, as a crawler would find them.

Template and articles are those of real labelled pages: all segments of one page but its content make the template, the
content of others the articles, each inside its own markup. Around the article stands what a site puts there, and what a
page alone does not give away as recurring: a byline, links to the next page, and a block of other pages' headlines that
changes from page to page. Some pages are listings with the first paragraphs of articles as teasers, and some exist
twice, under two addresses.
"""

from __future__ import annotations

import html as html_module
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detector.data import CONTENT, LABELS, Kind, Label, SegmentedPage
from training.labelling import LabelledPage, as_text
from training.samples import Sample

MIN_ARTICLE_CHARS, MIN_TEMPLATE_SEGMENTS = 500, 8
"""Characters of content from which a page gives an article, and other segments from which it gives a template."""

LISTING_SHARE, SECOND_ADDRESS_SHARE = 0.04, 0.03
"""Listings by articles of a site, and the share of the articles that stand under a second address too."""

MOST_TITLE_CHARS = 140
"""Characters of a title; a longer first line of an article is no title."""

FILLER_LINES = (3, 40)
"""Lines of an unlabelled text from which it gives an article, and how many of them are taken."""

FILLER_TITLE_WORDS = 10
"""Words of its first line that make the title of an unlabelled text."""

_HEADINGS = (
    "Latest posts",
    "Recent articles",
    "Neueste Beiträge",
    "Más noticias",
    "More from us",
    "Новости",
    "最新文章",
)
_AUTHORS = ("Ana Lind", "J. Okafor", "the editors", "María Ruiz", "K. Tanaka", "Pavel Novák", "R. Lefèvre", "S. Kaya")
_BYLINE_MONTHS = ("January", "March", "April", "June", "August", "September", "November", "December")
_INNER_TAGS = frozenset(
    "p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre div section figure figcaption dl dt dd article".split()
)
"""Tags an article keeps when it moves into another page; others would need a table or a form around them."""


@dataclass(frozen=True, slots=True)
class Block:
    """A line of a page: its label, its text, and the markup that gives it."""

    label: Label
    text: str
    markup: str


@dataclass(frozen=True, slots=True)
class Article:
    """The content of one real page."""

    title: Block
    body: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class SiteTemplate:
    """The rest of one real page: what stands before and after the article, as lines and as markup."""

    before: tuple[Block, ...]
    after: tuple[Block, ...]
    markup_before: str
    markup_after: str


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page of a simulated site.

    Attributes:
        url: Its address.
        sample: The page with the label of each line.
        article: Lines of its article that stand on no other page of the site.
        judged: Whether it is an article with labels that are known, so that it can be learnt from and measured.
    """

    url: str
    sample: Sample
    article: frozenset[str]
    judged: bool


def make_article(labelled: LabelledPage) -> Article | None:
    """The content of a labelled page, or None where there is too little."""
    rows = np.flatnonzero(labelled.labels == CONTENT).tolist()
    texts = labelled.page.segment_texts()
    if sum(len(texts[row]) for row in rows) < MIN_ARTICLE_CHARS:
        return None
    markups = _fragments(labelled.page, rows)
    body = [Block(Label.CONTENT, _one_line(texts[row]), markup) for row, markup in zip(rows, markups, strict=True)]
    if len(body[0].text) <= MOST_TITLE_CHARS and not body[0].text.endswith("."):
        return Article(body[0], tuple(body[1:]))
    title = _one_line(labelled.sample.title or "")[:MOST_TITLE_CHARS]
    if not title:
        return None
    return Article(_title(title), tuple(body))


def make_filler(text: str) -> Article | None:
    """An article of unlabelled text, to fill a site with; its pages are counted and not judged."""
    lines = [_one_line(line) for line in text.split("\n") if line.strip()][: FILLER_LINES[1]]
    if len(lines) < FILLER_LINES[0]:
        return None
    blocks = [Block(Label.CONTENT, line, f"<p>{_escape(line)}</p>") for line in lines]
    title = " ".join(lines[0].split()[:FILLER_TITLE_WORDS])[:MOST_TITLE_CHARS]
    return Article(_title(title), tuple(blocks[1:]))


def make_template(labelled: LabelledPage) -> SiteTemplate | None:
    """What a labelled page has besides its content, or None where that is too little or there is no content."""
    content = np.flatnonzero(labelled.labels == CONTENT)
    others = np.flatnonzero(labelled.labels > CONTENT)
    if not len(content) or len(others) < MIN_TEMPLATE_SEGMENTS:
        return None
    texts = labelled.page.segment_texts()
    blocks = {row: Block(LABELS[labelled.labels[row]], _one_line(texts[row]), "") for row in others.tolist()}
    first = int(content[0])
    before, after = [row for row in blocks if row < first], [row for row in blocks if row > first]
    markup = ("", "")
    if labelled.page.elements is not None:
        markup = _around(labelled.page, before, after, (first, int(content[-1])))
    return SiteTemplate(tuple(blocks[row] for row in before), tuple(blocks[row] for row in after), *markup)


def make_site(
    template: SiteTemplate,
    articles: Sequence[Article],
    fillers: Sequence[Article],
    kind: Kind,
    host: str,
    random: np.random.Generator,
) -> list[SitePage]:
    """All pages of a site.

    Args:
        template: Made of an HTML page where `kind` is "html".
        articles: Those to judge.
        fillers: Those that only fill the site.
        kind: Pages with markup or as plain text.
        host: Of the addresses.
        random: Decides everything that varies.
    """
    style = _Style(random)
    everything = [*articles, *fillers]
    order = random.permutation(len(everything)).tolist()
    pages = []
    recurring = {article.title.text for article in everything}
    for place, number in enumerate(order):
        others = [everything[i].title.text for i in (*order[:place][::-1], *order[place + 1 :])]
        article = everything[number]
        judged = number < len(articles)
        unique = frozenset(block.text for block in article.body) - recurring
        url = f"https://{host}/{number}"
        blocks = style.dress(article, others, random)
        pages.append(_page(template, blocks, kind, url, unique, judged))
        if random.random() < SECOND_ADDRESS_SHARE:
            blocks = style.dress(article, others, random)
            pages.append(_page(template, blocks, kind, f"{url}/print", unique, judged=False))
    listed = [article for article in everything if article.body]
    for number in range(int(np.ceil(len(everything) * LISTING_SHARE))):
        shown = [listed[i] for i in random.permutation(len(listed))[: style.listed].tolist()]
        pages.append(_page(template, _listing(shown), kind, f"https://{host}/list/{number}", frozenset(), judged=False))
    return pages


def _page(
    template: SiteTemplate, blocks: Sequence[Block], kind: Kind, url: str, article: frozenset[str], judged: bool
) -> SitePage:
    """One page: the template with the blocks in it."""
    all_blocks = (*template.before, *blocks, *template.after)
    lines, labels = tuple(block.text for block in all_blocks), tuple(block.label for block in all_blocks)
    if kind == "html":
        content = template.markup_before + "".join(block.markup for block in blocks) + template.markup_after
    else:
        content = "\n".join(lines)
    return SitePage(url, Sample(url, "simulated", url, kind, content, lines, labels, url=url), article, judged)


def _listing(articles: Sequence[Article]) -> list[Block]:
    blocks = []
    for article in articles:
        title, teaser = article.title.text, article.body[0].text
        blocks.append(_link(title, "h2"))
        blocks.append(Block(Label.LINK_LIST, teaser, f"<p>{_escape(teaser)}</p>"))
    return blocks


def _title(text: str) -> Block:
    return Block(Label.CONTENT, text, f"<h1>{_escape(text)}</h1>")


def _link(text: str, tag: str) -> Block:
    return Block(Label.LINK_LIST, text, f'<{tag}><a href="/x">{_escape(text)}</a></{tag}>')


class _Style:
    """What a site puts around its articles: the same parts on every page, with other contents."""

    def __init__(self, random: np.random.Generator) -> None:
        self._heading = str(random.choice(_HEADINGS))
        self._items = int(random.integers(4, 13))
        self._newest = random.random() < 0.5
        self._first = random.random() < 0.3
        self._dated = random.random() < 0.4
        self._byline = random.random() < 0.7
        self._neighbours = random.random() < 0.5
        self.listed = int(random.integers(5, 15))

    def dress(self, article: Article, others: Sequence[str], random: np.random.Generator) -> list[Block]:
        """The article of a page with its byline, neighbours and rotating block.

        Args:
            article: The article.
            others: Titles of other pages, the newest first.
            random: Decides what varies from page to page.
        """
        blocks = [article.title]
        if self._byline:
            line = f"By {random.choice(_AUTHORS)} on {_date(random)}"
            blocks.append(Block(Label.BOILERPLATE, line, f'<div class="meta">{line}</div>'))
        blocks += article.body
        if self._neighbours and len(others) > 1:
            blocks += [_link(f"← {others[0]}", "div"), _link(f"{others[-1]} →", "div")]
        pool = others[: 3 * self._items] if self._newest else others
        shown = [pool[i] for i in random.permutation(len(pool))[: self._items].tolist()]
        if self._newest:
            shown = list(others[: self._items])
        latest = [Block(Label.LINK_LIST, self._heading, f"<h3>{self._heading}</h3>")]
        latest += [_link(f"{title} {_date(random)}" if self._dated else title, "li") for title in shown]
        return latest + blocks if self._first else blocks + latest


def _date(random: np.random.Generator) -> str:
    return f"{random.choice(_BYLINE_MONTHS)} {random.integers(1, 29)}, {random.integers(2009, 2027)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    return html_module.escape(text, quote=False)


class _Writer:
    """Writes segments of a page inside the elements around them."""

    def __init__(self, page: SegmentedPage, above: int = -1, tags: frozenset[str] | None = None) -> None:
        assert page.elements is not None
        self._elements = page.elements
        self._texts = page.segment_texts()
        self._parents = page.elements.parents.tolist()
        self._above = set(self._chain(above)) if above >= 0 else set()
        self._tags = tags
        self._open: list[int] = []

    def _chain(self, element: int) -> list[int]:
        chain = []
        while element >= 0:
            chain.append(element)
            element = self._parents[element]
        return chain[::-1]

    def _name(self, element: int) -> tuple[str, str]:
        tag, words = self._elements.names[self._elements.name_of[element]]
        return (tag if self._tags is None or tag in self._tags else "div"), words

    def move_to(self, element: int) -> str:
        """Close and open elements until the innermost open one is the given one."""
        chain = [found for found in self._chain(element) if found not in self._above]
        common = 0
        while common < min(len(chain), len(self._open)) and chain[common] == self._open[common]:
            common += 1
        closed = "".join(f"</{self._name(found)[0]}>" for found in reversed(self._open[common:]))
        opened = ""
        for found in chain[common:]:
            tag, words = self._name(found)
            opened += f'<{tag} class="{html_module.escape(words)}">' if words else f"<{tag}>"
        apart = "<br>" if chain == self._open else ""
        self._open = chain
        return closed + opened + apart

    def segment(self, row: int) -> str:
        """A segment's text, with its links, inside its elements."""
        words = _escape(self._texts[row]).split()
        links = min(int(self._elements.links[row]), len(words))
        linked = int(self._elements.link_chars[row])
        if linked * 2 >= len(self._texts[row]):
            cuts = np.linspace(0, len(words), max(links, 1) + 1).astype(int).tolist()
            parts = [f'<a href="/x">{" ".join(words[a:b])}</a>' for a, b in pairwise(cuts)]
            return self.move_to(int(self._elements.innermost[row])) + " ".join(parts)
        if linked:
            words[0] = f'<a href="/x">{words[0]}</a>'
        return self.move_to(int(self._elements.innermost[row])) + " ".join(words)


def _common_ancestor(page: SegmentedPage, first: int, last: int) -> int:
    """The innermost element that covers both rows, or -1."""
    assert page.elements is not None
    element = int(page.elements.innermost[first])
    while element >= 0 and page.elements.last[element] <= last:
        element = int(page.elements.parents[element])
    return element


def _fragments(page: SegmentedPage, rows: Sequence[int]) -> list[str]:
    """The markup of each row inside the element that all of them share; plain paragraphs on a page without markup."""
    if page.elements is None:
        texts = page.segment_texts()
        return [f"<p>{_escape(_one_line(texts[row]))}</p>" for row in rows]
    writer = _Writer(page, _common_ancestor(page, rows[0], rows[-1]), _INNER_TAGS)
    parts = [writer.segment(row) for row in rows]
    parts[-1] += writer.move_to(-1)
    return parts


def _around(
    page: SegmentedPage, before: Sequence[int], after: Sequence[int], content: tuple[int, int]
) -> tuple[str, str]:
    """The markup before and after the place where the content stood."""
    writer = _Writer(page)
    place = _common_ancestor(page, *content)
    head = "".join([writer.segment(row) for row in before]) + writer.move_to(place)
    return head, "".join([writer.segment(row) for row in after]) + writer.move_to(-1)


def both_modes(pages: Sequence[LabelledPage]) -> list[LabelledPage]:
    """The pages, and those with markup a second time without."""
    return [*pages, *(as_text(page) for page in pages if page.sample.kind == "html")]
