"""Samples to labelled segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from detector.data import BOILERPLATE, CONTENT, LABELS, LINK_LIST, SegmentedPage
from detector.errors import SampleError
from detector.segment import segment_html, segment_text
from training.align import align
from training.samples import Sample

UNKNOWN = -1
"""In the place of a label: nobody says what the segment is, so it is neither learnt nor counted."""

MIN_GOLD_FOUND = 0.6
"""Share of the gold's words that must be found in the page for the two to belong together."""

CONTENT_SHARE, DOUBTFUL_SHARE = 0.5, 0.2
"""Share of a segment's words in the gold from which it is content, and from which it is not surely anything."""

LINK_SHARE = 0.5
"""Share of a segment's characters in links from which it belongs to a link list."""

SPUN_CHARS = 80
"""Characters from which a line of a page without content teaches nothing: see `without_spun`."""

BESIDE_LINKS_CHARS = 200
"""Characters from which a segment is too long to be the heading, a date or a teaser of the links around it."""

LINKED_AROUND = 3
"""Of the two segments before a short one and the two after it, how many must be links for it to belong to their list;
both of those after it are enough as well, since a heading has no links before it."""

LINE_CHARS, LEAST_WEIGHT, MOST_WEIGHT = 60.0, 0.5, 4.0
"""A segment weighs the least plus the square root of its length in lines of so many characters, at most the most: 1 at
15 characters, 4 from 735 on."""

LEAVES_OUT_TITLES = frozenset(("fundus",))
"""Corpora whose gold has no title, byline or caption: such segments are unknown there, not boilerplate."""

_INDEX = {str(label): number for number, label in enumerate(LABELS)}


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A segmented page and what its segments are.

    Attributes:
        sample: Where it came from.
        page: Its segments.
        labels: (n_segments,) int8, index into `LABELS`, -1 where unknown.
        weights: (n_segments,) float32, 0 where unknown or where the label is not to be learnt.
    """

    sample: Sample
    page: SegmentedPage
    labels: NDArray[np.int8]
    weights: NDArray[np.float32]


def label_page(sample: Sample) -> LabelledPage:
    """Segment a sample and give every segment its label; unknown where there are only snippets to measure on.

    Raises:
        SampleError: The gold text or the labelled blocks do not belong to the page.
    """
    page = segment_html(sample.content) if sample.kind == "html" else segment_text(sample.content)
    if sample.gold_text is not None:
        labels = _labels_from_gold(sample, page)
    elif sample.lines is None or sample.labels is None:
        if sample.must_stay or sample.must_go:
            return weighted(sample, page, np.full(len(page), UNKNOWN, np.int8))
        raise SampleError(f"{sample.id}: neither labels nor a gold text")
    elif sample.kind == "text":
        labels = [
            _INDEX.get(label, UNKNOWN)
            for line, label in zip(sample.lines, sample.labels, strict=True)
            if len(segment_text(line))
        ]
    else:
        labels = _labels_from_blocks(sample, page.segment_texts())
    if len(labels) != len(page):
        raise SampleError(f"{sample.id}: {len(labels)} labelled lines, but {len(page)} segments")
    return weighted(sample, page, np.array(labels, np.int8))


def as_text(labelled: LabelledPage) -> LabelledPage:
    """An HTML page as plain text: the markup is forgotten, the labels stay."""
    page = segment_text(labelled.page.text)
    at = np.searchsorted(labelled.page.starts, page.starts, side="right") - 1
    return weighted(labelled.sample, page, labelled.labels[at])


def without_spun(page: LabelledPage) -> LabelledPage:
    """A text page, with nothing to be learnt of its long lines if none of it is content.

    By all that is known of a line, spun prose is prose. Networks that are taught its labels come to doubt every page of
    nothing but prose, most of all in languages they have seldom seen. Whether a page is spam is said of the page as a
    whole (`training.spam`).
    """
    if (page.labels == CONTENT).any():
        return page
    is_long = page.page.ends - page.page.starts >= SPUN_CHARS
    return replace(page, weights=np.where(is_long, np.float32(0), page.weights))


def weighted(sample: Sample, page: SegmentedPage, labels: NDArray[np.int8]) -> LabelledPage:
    """A page with the label of each segment. Longer ones weigh more, gently: what is lost or left is characters.

    Args:
        sample: Where the page came from.
        page: Its segments.
        labels: (n_segments,) int8, index into `LABELS`, -1 where unknown.
    """
    return LabelledPage(sample, page, labels, np.where(labels >= 0, length_weights(page), np.float32(0)))


def length_weights(page: SegmentedPage) -> NDArray[np.float32]:
    """What each segment weighs by its length; (n_segments,) float32, above 0."""
    lines = (page.ends - page.starts) / LINE_CHARS
    return np.minimum(MOST_WEIGHT, LEAST_WEIGHT + np.sqrt(lines)).astype(np.float32)


def _labels_from_blocks(sample: Sample, texts: Sequence[str]) -> list[int]:
    """Labelled blocks matched to segments in order; a segment no block speaks for is unknown."""
    blocks = [" ".join(line.split()) for line in sample.lines or ()]
    labels = [UNKNOWN] * len(texts)
    names = sample.labels or ()
    segments = [" ".join(text.split()) for text in texts]
    matches = SequenceMatcher(None, segments, blocks, autojunk=False).get_matching_blocks()
    for i, j, size in matches:
        for step in range(size):
            labels[i + step] = _INDEX.get(names[j + step], UNKNOWN)
    if sum(size for _, _, size in matches) < MIN_GOLD_FOUND * len(blocks):
        raise SampleError(
            f"{sample.id}: most labelled blocks were not found in the page; label its blocks in page order"
        )
    return labels


def _labels_from_gold(sample: Sample, page: SegmentedPage) -> list[int]:
    if not (sample.gold_text or "").split():
        raise SampleError(f"{sample.id}: the gold text is empty; of a page without content label the blocks (.tsv)")
    shares, found = align(page.segment_texts(), sample.gold_text or "")
    if found < MIN_GOLD_FOUND:
        raise SampleError(
            f"{sample.id}: the gold text and the page do not belong together: "
            f"only {found:.0%} of its words were found in the page in order; "
            "give the content of this very page, in page order"
        )
    content = shares >= CONTENT_SHARE
    linked = np.zeros(len(page), bool)
    if page.elements is not None:
        linked = page.elements.link_chars >= LINK_SHARE * (page.ends - page.starts)
    labels = np.where(content, CONTENT, np.where(linked | _beside_links(linked, content, page), LINK_LIST, BOILERPLATE))
    labels[~content & (shares >= DOUBTFUL_SHARE)] = UNKNOWN
    if sample.source in LEAVES_OUT_TITLES:
        labels[_titles_and_captions(sample, page, content)] = UNKNOWN
    return [int(label) for label in labels]


def _beside_links(linked: NDArray[np.bool_], content: NDArray[np.bool_], page: SegmentedPage) -> NDArray[np.bool_]:
    """Short segments that belong to a list of links: its heading, its dates, its teasers; (n_segments,) bool."""
    padded = np.concatenate(([0, 0], linked.astype(np.int8), [0, 0]))
    before, after = padded[1:-3] + padded[:-4], padded[3:-1] + padded[4:]
    short = (page.ends - page.starts) < BESIDE_LINKS_CHARS
    return ~content & short & ((before + after >= LINKED_AROUND) | (after == 2))


def _titles_and_captions(sample: Sample, page: SegmentedPage, content: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Unmatched segments that a gold text without titles leaves out; (n_segments,) bool.

    They are the title, what stands between it and the text, and captions.
    """
    chosen = np.zeros(len(page), bool)
    if page.elements is None:
        return chosen
    tags = [page.elements.tags[i] if i >= 0 else "" for i in page.elements.innermost.tolist()]
    title = " ".join((sample.title or "").lower().split())
    heads = [
        i
        for i, (tag, text) in enumerate(zip(tags, page.segment_texts(), strict=True))
        if tag == "h1" or text.lower() == title
    ]
    chosen[heads] = True
    first_content = int(np.argmax(content)) if content.any() else 0
    if heads and min(heads) < first_content:
        chosen[min(heads) : first_content] = True
    chosen[[i for i, tag in enumerate(tags) if tag == "figcaption"]] = True
    return chosen & ~content
