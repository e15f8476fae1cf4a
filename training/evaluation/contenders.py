"""What is measured: models of ours, and the peers, behind one protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.data import Page
from detector.model import Model
from detector.pipeline import Detector
from training.align import align
from training.evaluation.views import View
from training.peers import html_peers, text_peers

HALF = 0.5
"""Share of a segment's words that must stand in a peer's text, in order, for the segment to count as kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Output:
    """What came of one page.

    Attributes:
        text: The text that stays.
        kept: (n_segments,) bool.
        spam_probability: That the page as a whole is spam, from who can tell.
    """

    text: str
    kept: NDArray[np.bool_]
    spam_probability: float | None = None


class Contender(Protocol):
    """Whatever can be measured."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def outputs(self, views: Sequence[View]) -> list[Output | None]:
        """What it makes of each page; None for a page of a kind that it does not read."""


class ModelContender:
    """A model of ours."""

    def __init__(self, model: Model, name: str | None = None) -> None:
        self.name = name or model.name
        self._detector = Detector(model)

    def outputs(self, views: Sequence[View]) -> list[Output | None]:
        """All pages in one call."""
        able = [i for i, view in enumerate(views) if view.kind in self._detector.model.heads]
        found: list[Output | None] = [None] * len(views)
        results = self._detector.classify_many(Page(views[i].content, views[i].kind) for i in able)
        for i, result in zip(able, results, strict=True):
            # Of a page over a limit nothing is kept.
            nothing = np.zeros(len(views[i].page.page), bool)
            kept = result.kept if len(result) else nothing
            if result.problem:
                _log.warning("%s: %s", views[i].page.sample.id, result.problem)
            found[i] = Output(result.text, kept, result.spam_probability)
        return found


@dataclass(slots=True)
class PeerContender:
    """Another extractor, one page at a time.

    Attributes:
        name: Its name in tables.
        html: From HTML and a language to text, or None if it reads no HTML.
        text: From lines and a language to which of them stay, or None if it reads no text.
        failures: Pages on which it raised, and what; they count as empty text.
    """

    name: str
    html: Callable[[str, str | None], str] | None = None
    text: Callable[[Sequence[str], str | None], list[bool]] | None = None
    failures: list[str] = field(default_factory=list)

    def outputs(self, views: Sequence[View]) -> list[Output | None]:
        """Each page by itself."""
        return [self._output(view) if (self.html if view.kind == "html" else self.text) else None for view in views]

    def _output(self, view: View) -> Output:
        lines = view.page.page.segment_texts()
        lang = view.page.sample.lang
        try:
            if view.kind == "html":
                assert self.html is not None
                text = self.html(view.content, lang)
                return Output(text, align(lines, text)[0] >= HALF)
            assert self.text is not None
            kept = self.text(lines, lang)
            return Output("\n".join(line for line, keep in zip(lines, kept, strict=True) if keep), np.array(kept, bool))
        except Exception as error:  # peers raise what they like on hostile pages; the page is named and counts as empty
            self.failures.append(f"{view.page.sample.id}: {error!r:.120}")
            _log.warning("%s failed on %s", self.name, self.failures[-1])
            return Output("", np.zeros(len(lines), bool))


def peer_contenders() -> list[PeerContender]:
    """All peers.

    Raises:
        UsageError: One of them is not installed; the message gives the line that installs them.
    """
    html, text = html_peers(), text_peers()
    return [PeerContender(name, html.get(name), text.get(name)) for name in sorted(html.keys() | text.keys())]
