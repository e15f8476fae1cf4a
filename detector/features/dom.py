"""What the markup says about a segment: link density, the elements around it, repetition among siblings.

Link density after Kohlschuetter et al. (2010), computed for the segment and for the elements that enclose it, as
CETD does along the tree (Sun, Song, Liao, "DOM Based Content Extraction via Text Density", SIGIR 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.data import HIDDEN_TOKEN
from detector.features.batch import Batch
from detector.features.markup import Markup
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


def dom_features(
    batch: Batch, markup: Markup, words: NDArray[np.float32], prose: NDArray[np.float32]
) -> NDArray[np.float32]:
    """One row a segment; (n_segments, len(NAMES)) float32.

    Args:
        batch: HTML pages.
        markup: Their elements.
        words: (n_segments,) number of words.
        prose: (n_segments,) 1 where the segment is prose.
    """
    tags = [tag for tag, _ in markup.names]
    tags.append("")
    hidden = [HIDDEN_TOKEN in tokens for _, tokens in markup.names]
    groups = np.array([_AROUND_INDEX.get(tag, -1) for tag in tags])
    innermost = np.array([_INNERMOST_INDEX.get(tag, len(INNERMOST) - 1) for tag in tags])
    levels = np.array([_HEADING_LEVELS.get(tag, 0) for tag in tags])
    # What elements are, by name; roots, whose name is the last one, are nothing.
    facts = np.concatenate((groups[:, None] == np.arange(len(AROUND)), np.ones((len(tags), 1), bool)), axis=1)
    facts = np.concatenate((facts, np.array([*hidden, False])[:, None]), axis=1)
    facts[-1] = False
    around = markup.covering(facts[markup.name_of].astype(np.int64)).astype(np.float64)
    inner_name = markup.name_of[markup.innermost]
    link_ratio = markup.link_chars / np.maximum(batch.lengths, 1)
    page_segments = np.maximum(np.diff(batch.offsets), 1)[batch.page_of]
    # A kind of place: the innermost element and its parent, by name.
    place = inner_name * (len(tags) + 1) + markup.name_of[markup.parents[markup.innermost]]
    same = counts_in_page(place.astype(np.uint64), batch.page_of)
    like = np.zeros(len(place) + 1)
    like[1:-1] = (place[1:] == place[:-1]) & (batch.page_of[1:] == batch.page_of[:-1])
    own = np.stack(
        (
            levels[inner_name],
            np.log1p(around[:, -2]),
            np.minimum(around[:, -1], 1),
            np.log(np.maximum(same, 1)),
            same / page_segments,
            like[:-1],
            like[1:],
        ),
        axis=1,
    )
    links = np.stack((link_ratio, markup.links / np.maximum(words, 1), link_ratio > 0.9), axis=1)
    kinds = innermost[inner_name][:, None] == np.arange(len(INNERMOST))
    parts = (links, np.minimum(around[:, : len(AROUND)], 1), kinds, own, _levels(batch, markup, prose))
    return np.concatenate(parts, axis=1).astype(np.float32)


_AROUND_INDEX = {tag: AROUND.index(group) for tag, group in _GROUPS.items()}
_INNERMOST_INDEX = {tag: INNERMOST.index(group) for tag, group in _INNERMOST_GROUPS.items()}


def _levels(batch: Batch, markup: Markup, prose: NDArray[np.float32]) -> NDArray[np.float64]:
    """Size, link density, mean length and prose share of the elements around each segment, innermost first."""
    first, last = markup.first, markup.last
    chars = np.concatenate(([0], np.cumsum(batch.lengths)))
    links = np.concatenate(([0], np.cumsum(markup.link_chars)))
    proses = np.concatenate(([0], np.cumsum(batch.lengths * (prose > 0))))
    starts, ends = batch.offsets[:-1], batch.offsets[1:]
    # The page of an element is that of its first segment; elements cover one at least, but roots of empty pages.
    page = np.append(batch.page_of, len(starts) - 1)[np.minimum(first, len(batch))]
    total = np.maximum(chars[ends] - chars[starts], 1)[page]
    total_prose = np.maximum(proses[ends] - proses[starts], 1)[page]
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
    wider = _wider_ancestor(markup.parents, first, last)
    level = markup.innermost
    parts = []
    for _ in range(LEVELS):
        parts.append(described[level])
        level = wider[level]
    return np.concatenate(parts, axis=1)


def _wider_ancestor(parents: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element the nearest ancestor that covers more segments, or the topmost that covers as many.

    Wrappers around a single element say nothing new. Pointers are doubled, so deep nesting costs its logarithm.
    """
    wider = parents
    while True:
        wrapper = (first[wider] == first) & (last[wider] == last)
        further = np.where(wrapper, wider[wider], wider)
        if np.array_equal(further, wider):
            return wider
        wider = further
