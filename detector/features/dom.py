"""What the markup says about a segment: link density, the elements around it, repetition among siblings.

Link density after Kohlschuetter et al. (2010), computed for the segment and for the elements that enclose it, as
CETD does along the tree (Sun, Song, Liao, "DOM Based Content Extraction via Text Density", SIGIR 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.data import Elements
from detector.features.batch import Batch, mix
from detector.features.recurrence import counts_in_page

AROUND = (
    "nav",
    "header",
    "footer",
    "aside",
    "article",
    "main",
    "section",
    "form",
    "table",
    "list",
    "figure",
    "blockquote",
    "details",
)
"""Elements asked about anywhere above the segment; "list" is ul, ol, menu or dl."""

INNERMOST = ("p", "li", "heading", "div", "cell", "pre", "definition", "button", "figcaption", "other")
LEVELS = 5
"""How many enclosing elements, from the innermost outwards, are described."""

_LEVEL_NAMES = ("log_segments", "link_ratio", "log_mean_chars", "page_char_ratio", "prose_ratio")

NAMES = (
    "link_char_ratio",
    "links_per_word",
    "is_all_link",
    *(f"in_{name}" for name in AROUND),
    *(f"is_{name}" for name in INNERMOST),
    "heading_level",
    "log_depth",
    "is_hidden",
    "log_same_element",
    "same_element_ratio_in_page",
    "element_like_previous",
    "element_like_next",
    *(f"level_{level}_{name}" for level in range(LEVELS) for name in _LEVEL_NAMES),
)

_GROUPS = {
    **{name: name for name in AROUND if name != "list"},
    **dict.fromkeys(("ul", "ol", "menu", "dl"), "list"),
}
_INNERMOST_GROUPS = {
    **{name: name for name in ("p", "li", "div", "pre", "figcaption")},
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("td", "th", "tr", "caption", "table"), "cell"),
    **dict.fromkeys(("dt", "dd", "dl"), "definition"),
    **dict.fromkeys(("button", "option", "select", "optgroup"), "button"),
}
_HEADING_LEVELS = {f"h{level}": level for level in range(1, 7)}


def dom_features(batch: Batch, words: NDArray[np.float32], prose: NDArray[np.float32]) -> NDArray[np.float32]:
    """One row a segment; (n_segments, len(NAMES)) float32.

    Args:
        batch: HTML pages.
        words: (n_segments,) number of words.
        prose: (n_segments,) 1 where the segment is prose.
    """
    parts = [
        _page_features(page.elements, batch.lengths[a:z], words[a:z], prose[a:z])
        for page, a, z in zip(batch.pages, batch.offsets[:-1].tolist(), batch.offsets[1:].tolist(), strict=True)
        if page.elements is not None
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(NAMES)), np.float32)


def _page_features(
    elements: Elements, lengths: NDArray[np.int64], words: NDArray[np.float32], prose: NDArray[np.float32]
) -> NDArray[np.float32]:
    n = len(lengths)
    groups = np.array([_AROUND_INDEX.get(tag, -1) for tag in elements.tags], np.int64)
    first, last = elements.first.astype(np.int64), elements.last.astype(np.int64)
    link_ratio = elements.link_chars / np.maximum(lengths, 1)
    inner = elements.innermost
    inner_tags = [elements.tags[i] if i >= 0 else "" for i in inner.tolist()]
    kinds = np.array([_INNERMOST_INDEX.get(tag, len(INNERMOST) - 1) for tag in inner_tags], np.int64)
    hidden = np.array(["is-hidden" in tokens for tokens in elements.tokens], bool)
    signature = _element_signatures(elements)
    own = np.where(inner >= 0, signature[inner] if len(signature) else 0, 0).astype(np.uint64)
    same = counts_in_page(own, np.zeros(n, np.int64))
    like = np.zeros(n + 1)
    like[1:-1] = own[1:] == own[:-1]
    columns: list[NDArray[np.float64]] = [
        link_ratio,
        elements.links / np.maximum(words, 1),
        (link_ratio > 0.9).astype(np.float64),
        *(np.minimum(_covering(first, last, groups == group, n), 1) for group in range(len(AROUND))),
        *((kinds == kind).astype(np.float64) for kind in range(len(INNERMOST))),
        np.array([_HEADING_LEVELS.get(tag, 0) for tag in inner_tags], np.float64),
        np.log1p(_covering(first, last, np.ones(len(first), bool), n)),
        np.minimum(_covering(first, last, hidden, n), 1),
        np.log(np.maximum(same, 1)),
        same / max(n, 1),
        like[:-1],
        like[1:],
    ]
    columns += _levels(elements, lengths, prose)
    return np.stack(columns, axis=1).astype(np.float32)


_AROUND_INDEX = {tag: AROUND.index(group) for tag, group in _GROUPS.items()}
_INNERMOST_INDEX = {tag: INNERMOST.index(group) for tag, group in _INNERMOST_GROUPS.items()}


def _covering(
    first: NDArray[np.int64], last: NDArray[np.int64], chosen: NDArray[np.bool_], n: int
) -> NDArray[np.float64]:
    """How many of the chosen elements cover each segment."""
    edges = np.bincount(first[chosen], minlength=n + 1) - np.bincount(last[chosen], minlength=n + 1)
    return np.cumsum(edges[:n]).astype(np.float64)


def _element_signatures(elements: Elements) -> NDArray[np.uint64]:
    """A hash of the tags and class tokens of each element and its parent."""
    ids: dict[tuple[str, str], int] = {}
    own = np.array(
        [ids.setdefault(key, len(ids)) for key in zip(elements.tags, elements.tokens, strict=True)], np.uint64
    )
    if not len(own):
        return own
    parent = np.where(elements.parents >= 0, own[elements.parents] + np.uint64(1), np.uint64(0))
    return mix(own * np.uint64(0x100000001) + mix(parent))


def _levels(elements: Elements, lengths: NDArray[np.int64], prose: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Size, link density, mean length and prose share of the elements around each segment, innermost first."""
    n = len(lengths)
    chars = np.concatenate(([0], np.cumsum(lengths)))
    links = np.concatenate(([0], np.cumsum(elements.link_chars, dtype=np.int64)))
    proses = np.concatenate(([0], np.cumsum(lengths * (prose > 0))))
    total, total_prose = max(int(chars[-1]), 1), max(int(proses[-1]), 1)
    first = np.append(elements.first, 0).astype(np.int64)
    last = np.append(elements.last, n).astype(np.int64)
    parents = np.append(elements.parents, -1).astype(np.int64)
    size = last - first
    element_chars = chars[last] - chars[first]
    described = np.stack(
        (
            np.log1p(size),
            (links[last] - links[first]) / np.maximum(element_chars, 1),
            np.log1p(element_chars / np.maximum(size, 1)),
            element_chars / total,
            (proses[last] - proses[first]) / total_prose,
        ),
        axis=1,
    )
    columns: list[NDArray[np.float64]] = []
    # Wrappers around a single element say nothing new: climb until the span grows.
    wider = _wider_ancestor(parents, first, last)
    level = elements.innermost.astype(np.int64)
    for _ in range(LEVELS):
        columns += list(described[level].T)
        level = wider[level]
    return columns


def _wider_ancestor(parents: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element the nearest ancestor that covers more segments; -1, the page, above all."""
    wider = parents.copy()
    for element in range(len(parents) - 1):
        parent = parents[element]
        if parent >= 0 and first[parent] == first[element] and last[parent] == last[element]:
            wider[element] = wider[parent]
    return wider
