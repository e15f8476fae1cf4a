"""The records that pass between the steps: pages in, segments inside, results out."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Literal

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


HIDDEN_TOKEN = "is-hidden"
"""Stands among the words of an element's name where an attribute of its own hides it."""


@dataclass(frozen=True, slots=True)
class Elements:
    """The DOM of a page as spans over its segments: element i covers segments `first[i]:last[i]`.

    Attributes:
        names: The different elements of the page: lower-case tag, and class, id, role and itemprop values joined by
            spaces.
        name_of: (n_elements,) int32, index into `names`; elements are in document order and each covers a segment.
        parents: (n_elements,) int32, index of the enclosing element, -1 at the top.
        first: (n_elements,) int32, the first segment covered.
        last: (n_elements,) int32, one past the last segment covered.
        innermost: (n_segments,) int32, index of the innermost element around the segment, -1 if none.
        link_chars: (n_segments,) int32, characters that stand inside links.
        links: (n_segments,) int32, number of links that begin in the segment.
    """

    names: list[tuple[str, str]]
    name_of: NDArray[np.int32]
    parents: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    innermost: NDArray[np.int32]
    link_chars: NDArray[np.int32]
    links: NDArray[np.int32]

    @property
    def tags(self) -> list[str]:
        """The tag of every element."""
        return [self.names[i][0] for i in self.name_of.tolist()]


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


@dataclass(slots=True, eq=False)
class PageResult:
    """A classified page. Results are compared by identity, since they hold arrays.

    Attributes:
        source_text: What the segments' offsets refer to: the input itself for kind "text", the segments a line each
            for HTML.
        kind: How the page was read.
        url: As given with the page.
        text: What is kept.
        starts: (n_segments,) int64 offsets into `source_text`.
        ends: (n_segments,) int64 offsets into `source_text`.
        label_ids: (n_segments,) uint8, indices into `LABELS`.
        probabilities: (n_segments, len(LABELS)) float32.
        kept: (n_segments,) bool.
        problem: Why the page could not be classified as it is ("empty page"), or None.
    """

    source_text: str
    kind: Kind
    url: str | None
    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    label_ids: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    kept: NDArray[np.bool_]
    problem: str | None = None
    _explain: Callable[[], list[tuple[str, ...]]] | None = field(default=None, repr=False)
    _judge: Callable[[], float | None] | None = field(default=None, repr=False)
    _segments: list[Segment] | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.starts)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """For pickles: reasons and the probability of spam are computed first, so that the model is not pickled as well.

        That takes several times as long as classifying did; send `text` or arrays where they will do.
        """
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        known = {"_segments": self.segments, "_explain": None, "_judge": partial(_told, self.spam_probability)}
        return None, state | known

    @property
    def segments(self) -> list[Segment]:
        """Every segment, in page order; built when first asked for."""
        if self._segments is None:
            reasons = self._explain() if self._explain is not None else [()] * len(self)
            self._segments = [
                Segment(
                    self.source_text[start:end],
                    start,
                    end,
                    LABELS[label],
                    dict(zip(LABELS, row, strict=True)),
                    reason,
                )
                for start, end, label, row, reason in zip(
                    self.starts.tolist(),
                    self.ends.tolist(),
                    self.label_ids.tolist(),
                    self.probabilities.tolist(),
                    reasons,
                    strict=True,
                )
            ]
        return self._segments

    @property
    def removed(self) -> list[Segment]:
        """The segments that are not part of `text`, in page order."""
        return [segment for segment, kept in zip(self.segments, self.kept.tolist(), strict=True) if not kept]

    @property
    def removed_ratio(self) -> float:
        """Share of the segments' characters that was removed; 0 for a page without segments."""
        lengths = self.ends - self.starts
        total = int(lengths.sum())
        return float(lengths[~self.kept].sum()) / total if total else 0.0

    @property
    def spam_probability(self) -> float | None:
        """Probability that the page as a whole is spam (spun, keywords, links only), in 0..1; computed when asked for.

        None for a page without text, or if the model has not learnt it.
        """
        return self._judge() if self._judge is not None else None


def _told(spam_probability: float | None) -> float | None:
    """What was computed before."""
    return spam_probability
