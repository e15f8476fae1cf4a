"""The method, step by step: decode, segment, features, probabilities, labels, text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.data import LABELS, Kind, KindOption, Label, Page, PageResult, SegmentedPage
from detector.decisions import KIND_OF_PLACE, PROSE_AT, label_segments, raise_prose
from detector.decode import BINARY, decode, looks_binary, sniff_kind
from detector.errors import ModelError, UsageError
from detector.features import extract
from detector.features.site import scheme, site_features
from detector.limits import MAX_BYTES, MAX_SEGMENTS, MAX_TAGS, TIMEOUT_SECONDS, Limits
from detector.model import Head, Model
from detector.reasons import explain
from detector.segment import WINDOW, segment_html, segment_text, windows_of
from detector.signatures import SignatureStore
from detector.storage import load_model
from detector.stripping import kept_texts

DEFAULT_MODEL = Path(__file__).with_name("default_model")
"""The model that ships inside the package."""

BATCH_CHARS = 1 << 21
"""A batch is closed before `batch_size` pages when it holds this many characters: memory stays flat."""

GROUP_CHARS = 1 << 16
"""Pages are worked on together until they hold this many characters: their arrays stay in the processor's cache."""

EMPTY = "empty page"
"""The problem of a page that is within the limits and has no segments."""


class Detector:
    """Labels the segments of pages and strips the unwanted ones.

    A detector may be shared by threads. To change what it does, make another.

    >>> detector = Detector()
    >>> detector.classify("").problem
    'empty page'

    Args:
        model: A model, the path of a model folder, or None for the one that ships with the package.
        drop: Labels of the segments to remove.
        threshold: Probability of content from which a segment is content on a page without sure content, in 0..1; None
            takes the model's own. It rises on a page whose content is sure, by the model's `lift`; see
            docs/how-it-works.md. Lower keeps more, higher removes more. A page that has prose is never emptied, unless
            the threshold is 1.
        signatures: What other pages hold: a file made by `detector signatures build`, or an opened store. A page's
            own address (`url`) tells which pages are of its host.
        max_bytes: Largest page: bytes as it comes, or characters where it comes decoded.
        max_segments: Most segments of a page.
        max_tags: Most opening brackets ("<") of an HTML page.
        timeout: Seconds a page may take to be decoded and cut into segments; see `Limits` for what it cannot do.
            A page over one of these limits is not classified and none of its text is kept; its problem says so.

    Raises:
        UsageError: An unknown label in `drop`, a threshold outside 0..1, or a limit that lets no page through.
        ModelError: The model folder cannot be used, or its model has not learnt to use signatures.
        SignatureError: The signature file cannot be used.
    """

    def __init__(
        self,
        model: Model | str | Path | None = None,
        *,
        drop: Collection[Label | str] = (Label.LINK_LIST, Label.BOILERPLATE),
        threshold: float | None = None,
        signatures: SignatureStore | str | Path | None = None,
        max_bytes: int = MAX_BYTES,
        max_segments: int = MAX_SEGMENTS,
        max_tags: int = MAX_TAGS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        if threshold is not None and not (isinstance(threshold, Real) and 0 <= threshold <= 1):
            raise UsageError(f"threshold is {threshold!r}; give a probability from 0 (keep all) to 1 (keep none)")
        labels = (drop,) if isinstance(drop, str) else tuple(drop)
        if isinstance(drop, str) or not all(label in LABELS for label in labels):
            raise UsageError(f"cannot drop {drop!r}; give a set of labels out of {[str(label) for label in LABELS]}")
        self.model = model if isinstance(model, Model) else load_model(DEFAULT_MODEL if model is None else Path(model))
        self.drop = frozenset(map(Label, labels))
        self.threshold = threshold
        if isinstance(signatures, str | Path):
            signatures = SignatureStore.open(Path(signatures), scheme())
        elif signatures is not None and signatures.scheme != scheme():
            raise UsageError("the signatures were made by another version of this package; build them again")
        self.signatures = signatures
        if signatures is not None and any(head.site is None for head in self.model.heads.values()):
            raise ModelError(
                f"model '{self.model.name}' has not learnt to use signatures; "
                "run: detector signatures teach MODEL --corpora DIR, or give no signatures"
            )
        self.limits = Limits(max_bytes, max_segments, max_tags, timeout)
        self._dropped = np.array([label in self.drop for label in LABELS])

    def classify(self, page: str | bytes | Page, kind: KindOption = "auto", url: str | None = None) -> PageResult:
        """Label every segment of one page.

        Args:
            page: Text, HTML, bytes of either, or a `Page`.
            kind: `"text"`, `"html"`, or `"auto"` to look at the content; a `Page` brings its own.
            url: Where the page came from; handed through to the result.

        Returns:
            Its segments, their labels, and the text that stays. A page that cannot be judged, as one over a limit or one of
            a kind that the model has not learnt, has no segments and says why in `problem`; no content of a page raises.

        Raises:
            UsageError: `page` or `kind` is of no known type.
        """
        return self._classify_batch([page if isinstance(page, Page) else Page(page, kind, url)])[0]

    def strip(self, page: str | bytes | Page, kind: KindOption = "auto") -> str:
        """The text of the page without link lists and boilerplate."""
        return self.classify(page, kind).text

    def classify_many(self, pages: Iterable[str | bytes | Page], batch_size: int = 256) -> Iterator[PageResult]:
        """Label pages lazily and in order, many at a time.

        A page's result does not depend on the other pages, nor on the batch size.

        Args:
            pages: Any iterable of what `classify` takes.
            batch_size: Most pages worked on at a time, at least 1.

        Raises:
            UsageError: `pages` is a single page, or `batch_size` is below 1; at once, and a page of no known type when its batch is read.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; give 1 or more")
        if isinstance(pages, str | bytes | Page):
            raise UsageError("classify_many takes many pages; give a list, or one page to classify")
        return (result for batch in batches(pages, batch_size) for result in self._classify_batch(batch))

    def _classify_batch(self, pages: list[Page]) -> list[PageResult]:
        results: dict[int, PageResult] = {}
        groups: dict[Kind, list[_Segmented]] = {"text": [], "html": []}
        chars = dict.fromkeys(groups, 0)
        for number, page in enumerate(pages):
            kind, segmented = segment_page(page, self.limits)
            groups[kind].append(_Segmented(number, page.url, segmented))
            chars[kind] += len(segmented.text)
            if chars[kind] >= GROUP_CHARS:
                results |= self._classify_group(groups[kind], kind)
                groups[kind], chars[kind] = [], 0
        for kind, group in groups.items():
            if group:
                results |= self._classify_group(group, kind)
        return [results[number] for number in range(len(pages))]

    def _classify_group(self, group: list[_Segmented], kind: Kind) -> dict[int, PageResult]:
        """Results of pages of one kind, by their numbers."""
        head = self.model.heads.get(kind)
        if head is None:
            problem = f"model '{self.model.name}' was not trained on {kind} pages"
            return {number: _unjudged(kind, url, page.problem or problem) for number, url, page in group}
        pages = [page for _, _, page in group]
        probabilities, prose = score(head, pages, kind)
        site = None
        if self.signatures is not None and head.site is not None:
            site = site_features(pages, [url for _, url, _ in group], self.signatures)
            probabilities = head.site.correct(probabilities, site)
        threshold = head.threshold if self.threshold is None else self.threshold
        labels, comments = label_segments(probabilities, prose, pages, kind, threshold, head.lift)
        kept = ~self._dropped[labels]
        offsets = np.cumsum([0, *map(len, pages)])
        texts = kept_texts(pages, offsets, kept)
        results = {}
        for (number, url, page), text, (first, last) in zip(group, texts, pairwise(offsets.tolist()), strict=True):
            rows = slice(first, last)
            host_pages = None if site is None else site.host_pages[rows]
            results[number] = PageResult(
                source_text=page.text,
                kind=kind,
                url=url,
                text=text,
                starts=page.starts,
                ends=page.ends,
                label_ids=labels[rows],
                probabilities=probabilities[rows],
                kept=kept[rows],
                problem=page.problem,
                _explain=partial(explain, head, page, kind, labels[rows], comments[rows], host_pages),
                _judge=partial(self.model.spam_probability, page),
            )
        return results


class _Segmented(NamedTuple):
    """A page of a batch: its number there, its address, and its segments."""

    number: int
    url: str | None
    page: SegmentedPage


def _unjudged(kind: Kind, url: str | None, problem: str) -> PageResult:
    """The result of a page of which nothing was judged."""
    nothing = segment_text("")
    labels, kept = np.empty(0, np.uint8), np.empty(0, bool)
    probabilities = np.empty((0, len(LABELS)), np.float32)
    return PageResult("", kind, url, "", nothing.starts, nothing.ends, labels, probabilities, kept, problem)


def score(head: Head, pages: Sequence[SegmentedPage], kind: Kind) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probabilities, (n_segments, n_labels) float32, and whether a segment is prose; pieces of long pages each alone."""
    long = any(len(page) > WINDOW for page in pages)
    groups = [[piece] for page in pages for piece in windows_of(page)] if long else [pages]
    scored = []
    for group in groups:
        features = extract(group, kind)
        probabilities, prose = head.predict_proba(features), features.X[:, PROSE_AT] > 0
        if kind == "html":
            raise_prose(probabilities, prose, features.groups[KIND_OF_PLACE])
        scored.append((probabilities, prose))
    all_probabilities, all_prose = zip(*scored, strict=True)
    return np.concatenate(all_probabilities), np.concatenate(all_prose)


def batches(pages: Iterable[str | bytes | Page], batch_size: int) -> Iterator[list[Page]]:
    """Group pages by number and by size: a list has `batch_size` pages, or fewer that are long together."""
    batch: list[Page] = []
    chars = 0
    for item in pages:
        page = item if isinstance(item, Page) else Page(item)
        batch.append(page)
        chars += len(page.content) if isinstance(page.content, (str, bytes)) else 0
        if len(batch) >= batch_size or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def segment_page(page: Page, limits: Limits) -> tuple[Kind, SegmentedPage]:
    """Decode the page, find out what it is, and cut it into segments; none if it is over a limit.

    Raises:
        UsageError: The page's content or kind is of no known type.
    """
    content = page.content
    if not isinstance(content, (str, bytes)):
        raise UsageError(f"a page is text or bytes, not {type(content).__name__}")
    if page.kind not in ("auto", "text", "html"):
        raise UsageError(f"kind is {page.kind!r}; give 'auto', 'text' or 'html'")
    if problem := limits.of_size(content):
        return _refused(page, problem)
    clock = limits.clock()
    text = decode(content, page.charset) if isinstance(content, bytes) else content
    kind: Kind = sniff_kind(text) if page.kind == "auto" else page.kind
    tags = text.count("<") if kind == "html" else 0
    if problem := clock.overrun() or limits.of_tags(tags, len(text)):
        return _refused(page, problem)
    segmented = segment_html(text, tags) if kind == "html" else segment_text(text)
    if problem := limits.of_segments(len(segmented)) or clock.overrun():
        return _refused(page, problem)
    if not len(segmented):
        problem = EMPTY
    elif looks_binary(text):
        problem = BINARY
    return kind, replace(segmented, problem=problem) if problem else segmented


def _refused(page: Page, problem: str) -> tuple[Kind, SegmentedPage]:
    """In place of a page over a limit: no segments, and no text, for none of it was judged."""
    kind: Kind = "text" if page.kind == "auto" else page.kind
    empty = segment_html("") if kind == "html" else segment_text("")
    return kind, replace(empty, problem=problem)
