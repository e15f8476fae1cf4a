"""The method, step by step: decode, segment, features, probabilities, labels, text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from detector.data import LABELS, Kind, KindOption, Label, Page, PageResult, SegmentedPage
from detector.decode import decode, sniff_kind
from detector.errors import ModelError, UsageError
from detector.features import extract
from detector.features.site import scheme, site_features
from detector.model import Model
from detector.reasons import explain
from detector.segment import segment_html, segment_text
from detector.signatures import SignatureStore
from detector.smoothing import decide
from detector.storage import load_model
from detector.stripping import kept_text

DEFAULT_MODEL = Path(__file__).with_name("default_model")
"""The model that ships inside the package."""

BATCH_CHARS = 1 << 21
"""A batch is closed before `batch_size` pages when it holds this many characters: memory stays flat."""

NUL_SHARE_OF_BINARY = 0.01
"""Share of NUL characters from which a page is taken for a binary file."""


class Detector:
    """Labels the segments of pages and strips the unwanted ones.

    A detector is immutable and may be shared by threads.

    >>> detector = Detector()
    >>> detector.classify("").problem
    'empty page'

    Args:
        model: A model, the path of a model folder, or None for the one that ships with the package.
        drop: Labels of the segments to remove.
        threshold: Probability of content from which a segment is content, in 0..1; None takes the model's own.
            Lower keeps more, higher removes more.
        signatures: What other pages hold: a file made by `detector signatures build`, or an opened store. A page's
            own address (`url`) tells which pages are of its host.

    Raises:
        UsageError: An unknown label in `drop`, or a threshold outside 0..1.
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
    ) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise UsageError(f"threshold is {threshold}; give a probability from 0 (keep all) to 1 (keep none)")
        unknown = [label for label in drop if label not in LABELS]
        if unknown or isinstance(drop, str):
            raise UsageError(f"cannot drop {drop!r}; give a set of labels out of {[str(label) for label in LABELS]}")
        self.model = model if isinstance(model, Model) else load_model(Path(model or DEFAULT_MODEL))
        self.drop = frozenset(Label(label) for label in drop)
        self.threshold = threshold
        if isinstance(signatures, str | Path):
            signatures = SignatureStore.open(Path(signatures), scheme())
        elif signatures is not None and signatures.scheme != scheme():
            raise UsageError("the signatures were made by another version of this package; build them again")
        self.signatures = signatures
        if signatures is not None and any(head.site is None for head in self.model.heads.values()):
            raise ModelError(
                f"model '{self.model.name}' has not learnt to use signatures; "
                "run: python -m training.site_memory MODEL, or give no signatures"
            )
        self._dropped = np.array([label in self.drop for label in LABELS])

    def classify(self, page: str | bytes | Page, kind: KindOption = "auto", url: str | None = None) -> PageResult:
        """Label every segment of one page.

        Args:
            page: Text, HTML, bytes of either, or a `Page`.
            kind: `"text"`, `"html"`, or `"auto"` to look at the content; a `Page` brings its own.
            url: Where the page came from; handed through to the result.

        Raises:
            UsageError: `page` or `kind` is of no known type. No content of a page raises.
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
        """
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; give 1 or more")
        for batch in _batches(pages, batch_size):
            yield from self._classify_batch(batch)

    def _classify_batch(self, pages: list[Page]) -> list[PageResult]:
        kinds, segmented = zip(*[segment_page(page) for page in pages], strict=True)
        results: list[PageResult | None] = [None] * len(pages)
        for kind in ("text", "html"):
            places = [i for i, found in enumerate(kinds) if found == kind]
            if not places:
                continue
            chosen = [segmented[i] for i in places]
            features = extract(chosen, kind)
            head = self.model.head(kind)
            probabilities = head.predict_proba(features)
            if self.signatures is not None and head.site is not None:
                site = site_features(chosen, [pages[i].url for i in places], self.signatures)
                chars = np.concatenate([page.ends - page.starts for page in chosen])
                probabilities = head.site.correct(probabilities, chars, site)
            labels = decide(probabilities, head.threshold if self.threshold is None else self.threshold)
            kept = ~self._dropped[labels]
            for row, place in enumerate(places):
                rows = slice(int(features.offsets[row]), int(features.offsets[row + 1]))
                page = segmented[place]
                results[place] = PageResult(
                    source_text=page.text,
                    kind=kind,
                    url=pages[place].url,
                    text=kept_text(page, kept[rows]),
                    starts=page.starts,
                    ends=page.ends,
                    label_ids=labels[rows],
                    probabilities=probabilities[rows],
                    kept=kept[rows],
                    problem=page.problem,
                    _explain=partial(explain, head, page, kind, labels[rows]),
                )
        return [result for result in results if result is not None]


def _batches(pages: Iterable[str | bytes | Page], batch_size: int) -> Iterator[list[Page]]:
    """Group pages by number and by size."""
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


def segment_page(page: Page) -> tuple[Kind, SegmentedPage]:
    """Decode the page, find out what it is, and cut it into segments.

    Raises:
        UsageError: The page's content or kind is of no known type.
    """
    if isinstance(page.content, bytes):
        text = decode(page.content, page.charset)
    elif isinstance(page.content, str):
        text = page.content
    else:
        raise UsageError(f"a page is text or bytes, not {type(page.content).__name__}")
    if page.kind not in ("auto", "text", "html"):
        raise UsageError(f"kind is {page.kind!r}; give 'auto', 'text' or 'html'")
    kind: Kind = sniff_kind(text) if page.kind == "auto" else page.kind
    segmented = segment_html(text) if kind == "html" else segment_text(text)
    problem = None
    if not len(segmented):
        problem = "empty page"
    elif text.count("\0") > len(text) * NUL_SHARE_OF_BINARY:
        problem = "looks like a binary file"
    return kind, replace(segmented, problem=problem) if problem else segmented
