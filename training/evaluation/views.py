"""A labelled page as it is measured: with its markup, or as text without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detector.data import Kind
from training.labelling import LabelledPage, as_text

Mode = Literal["text", "html", "text without markup"]


@dataclass(frozen=True, slots=True)
class View:
    """A labelled page read in one way.

    Attributes:
        page: The segments and labels of this reading.
        mode: How it is read; only an HTML page can be read without its markup.
    """

    page: LabelledPage
    mode: Mode

    @property
    def kind(self) -> Kind:
        """What a classifier is given."""
        return "html" if self.mode == "html" else "text"

    @property
    def content(self) -> str:
        """The markup, or the text with a segment a line."""
        return self.page.sample.content if self.mode == "html" else self.page.page.text

    @property
    def is_as_given(self) -> bool:
        """Whether the page is read as what it is."""
        return self.mode == self.page.sample.kind


def views_of(page: LabelledPage, html_as_text: bool) -> list[View]:
    """Every reading of a page.

    Args:
        page: A labelled page.
        html_as_text: Read HTML a second time without its markup.
    """
    as_given = View(page, page.sample.kind)
    if page.sample.kind == "text" or not html_as_text:
        return [as_given]
    return [as_given, View(as_text(page), "text without markup")]
