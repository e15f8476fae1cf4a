"""The records that pass between the steps: pages in, segments inside, results out."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["text", "html"]
KindOption = Literal["auto", "text", "html"]


class Label(enum.StrEnum):
    """What a segment is: the page's own content, a list of links, or anything else."""

    CONTENT = "content"
    LINK_LIST = "link_list"
    BOILERPLATE = "boilerplate"


LABELS: tuple[Label, ...] = tuple(Label)
"""Every label in the order of the probability columns."""

CONTENT, LINK_LIST, BOILERPLATE = range(len(LABELS))


@dataclass(frozen=True, slots=True)
class Page:
    """One input.

    Attributes:
        content: Text or HTML; bytes are decoded by byte-order mark, `charset`, `<meta>`, then detection.
        kind: `"text"`, `"html"`, or `"auto"` to look at the content.
        url: Where the page came from, if known.
        charset: The encoding named by the HTTP header, if known; only used for bytes.
    """

    content: str | bytes
    kind: KindOption = "auto"
    url: str | None = None
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """The DOM of a page as spans over its segments: element i covers segments `first[i]:last[i]`.

    Attributes:
        tags: Lower-case tag names of the block elements that cover a segment, in document order.
        tokens: For each element its class, id, role and itemprop values, joined by spaces.
        parents: (n_elements,) int32, index of the enclosing element, -1 at the top.
        first: (n_elements,) int32, the first segment covered.
        last: (n_elements,) int32, one past the last segment covered.
        innermost: (n_segments,) int32, index of the innermost element around the segment, -1 if none.
        link_chars: (n_segments,) int32, characters that stand inside links.
        links: (n_segments,) int32, number of links that begin in the segment.
    """

    tags: list[str]
    tokens: list[str]
    parents: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    innermost: NDArray[np.int32]
    link_chars: NDArray[np.int32]
    links: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SegmentedPage:
    """A page split into segments: `text[starts[i]:ends[i]]` is segment i.

    Attributes:
        text: The source text; for kind "text" the input itself, for HTML one line a block (`<pre>` keeps its lines).
        starts: (n_segments,) int64 offsets into `text`.
        ends: (n_segments,) int64 offsets into `text`, one past the last character.
        elements: DOM facts; None in text mode.
        problem: Why the page could not be read as it is, or None.
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    elements: Elements | None = None
    problem: str | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def segment_texts(self) -> list[str]:
        """The text of every segment, in order."""
        text = self.text
        return [text[s:e] for s, e in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a classified page.

    Attributes:
        text: The block's text.
        start: Offset of its first character in `PageResult.source_text`.
        end: Offset one past its last character.
        label: The decision.
        probabilities: Probability by label; they sum to 1.
        reasons: The few features that weighed most for the label, in words.
    """

    text: str
    start: int
    end: int
    label: Label
    probabilities: dict[Label, float]
    reasons: tuple[str, ...] = ()
