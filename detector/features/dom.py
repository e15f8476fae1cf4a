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

GROUPINGS = ("kind of place", "wider element", "second wider element")
"""What the segments of a group have in common: the name of the innermost element and of its parent; the nearest element
around the innermost one that covers more segments; the nearest around that one that covers more still."""

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


_AROUND_BITS = {tag: 1 << AROUND.index(group) for tag, group in _GROUPS.items()}
_HIDDEN_BIT = 1 << len(AROUND)
_INNERMOST_INDEX = {tag: INNERMOST.index(group) for tag, group in _INNERMOST_GROUPS.items()}

_AT = {name: place for place, name in enumerate(NAMES)}
_IN = slice(_AT[f"in_{AROUND[0]}"], _AT[f"in_{AROUND[-1]}"] + 1)
_IS = slice(_AT[f"is_{INNERMOST[0]}"], _AT[f"is_{INNERMOST[-1]}"] + 1)


def dom_features(
    batch: Batch,
    markup: Markup,
    place: NDArray[np.int64],
    words: NDArray[np.float64],
    prose: NDArray[np.float32],
) -> NDArray[np.float32]:
    """One column a segment; (len(NAMES), n_segments) float32.

    Args:
        batch: HTML pages.
        markup: Their elements.
        place: (n_segments,) the kind of place that each segment is in, the first row of `groups_of`.
        words: (n_segments,) number of words.
        prose: (n_segments,) 1 where the segment is prose.
    """
    columns = np.empty((len(NAMES), len(batch)), np.float32)
    tag_of, name_of, inner = markup.tag_of, markup.name_of, markup.innermost
    inner_name = name_of.take(inner)
    inner_tag = tag_of.take(inner_name)
    link_ratio = markup.link_chars / np.maximum(batch.lengths, 1)
    columns[_AT["link_char_ratio"]] = link_ratio
    columns[_AT["links_per_word"]] = markup.links / np.maximum(words, 1)
    columns[_AT["is_all_link"]] = link_ratio > 0.9

    bits = np.array([_AROUND_BITS.get(tag, 0) for tag in markup.tags]).take(tag_of)
    bits[[place for place, (_, tokens) in enumerate(markup.names) if HIDDEN_TOKEN in tokens]] |= _HIDDEN_BIT
    around = markup.covering(bits.take(name_of), np.bitwise_or)
    columns[_IN] = (around >> np.arange(len(AROUND))[:, None]) & 1
    columns[_AT["is_hidden"]] = around >= _HIDDEN_BIT
    columns[_AT["log_depth"]] = np.log1p(markup.covering((name_of < len(markup.names)).astype(np.int64)))

    kinds = np.array([_INNERMOST_INDEX.get(tag, len(INNERMOST) - 1) for tag in markup.tags]).take(inner_tag)
    columns[_IS] = kinds == np.arange(len(INNERMOST))[:, None]
    columns[_AT["heading_level"]] = np.array([_HEADING_LEVELS.get(tag, 0) for tag in markup.tags]).take(inner_tag)

    same = counts_in_page(place.view(np.uint64), batch.page_of)
    columns[_AT["log_same_element"]] = np.log(same)
    columns[_AT["same_element_ratio_in_page"]] = same / np.diff(batch.offsets).take(batch.page_of)
    like = np.zeros(len(place) + 1, np.float32)
    like[1:-1] = (place[1:] == place[:-1]) & (batch.page_of[1:] == batch.page_of[:-1])
    columns[_AT["element_like_previous"]] = like[:-1]
    columns[_AT["element_like_next"]] = like[1:]
    columns[_AT["level_0_log_segments"] :] = _levels(batch, markup, prose)
    return columns


def groups_of(markup: Markup) -> NDArray[np.int64]:
    """The number of each segment's group, for each of `GROUPINGS`; (len(GROUPINGS), n_segments) int64."""
    own = markup.innermost
    name, parent_name = markup.name_of.take(own), markup.name_of.take(markup.parents.take(own))
    around = markup.wider.take(own)
    return np.stack((name * (len(markup.names) + 1) + parent_name, around, markup.wider.take(around)))


def _levels(batch: Batch, markup: Markup, prose: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe the elements around each segment by `_LEVEL_NAMES`; (LEVELS * len(_LEVEL_NAMES), n_segments) float32."""
    first, last = markup.first, markup.last
    sums = np.zeros((3, len(batch) + 1), np.int64)
    sums[0, 1:] = batch.lengths
    sums[1, 1:] = markup.link_chars
    np.multiply(batch.lengths, prose > 0, out=sums[2, 1:])
    np.add.accumulate(sums, axis=1, out=sums)
    chars, links, proses = sums.take(last, axis=1) - sums.take(first, axis=1)
    page_sums = sums.take(batch.offsets, axis=1)
    # The page of an element is that of its first segment; elements cover one at least, but roots of empty pages.
    page = np.append(batch.page_of, len(batch.pages) - 1).take(first)
    total, _, total_prose = np.maximum(page_sums[:, 1:] - page_sums[:, :-1], 1).take(page, axis=1)
    size = last - first
    described = np.empty((len(_LEVEL_NAMES), len(first)), np.float32)
    described[0] = np.log1p(size)
    described[1] = links / np.maximum(chars, 1)
    described[2] = np.log1p(chars / np.maximum(size, 1))
    described[3] = chars / total
    described[4] = proses / total_prose
    level = markup.innermost
    levels = []
    for _ in range(LEVELS):
        levels.append(described.take(level, axis=1))
        level = markup.wider.take(level)
    return np.concatenate(levels)
