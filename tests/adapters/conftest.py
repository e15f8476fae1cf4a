"""Pages that the adapters' tests share; with the model made by hand, what ends like a sentence stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.adapters.recipe import DetectorRecipe

KEPT = "The mill burned down in the night.\nNobody was hurt, the council said."
TEXT = f"Home | News | Sport\n{KEPT}\n- Mayor opens bridge\n- Ten gardens to see\n- Ferry late again"
LINKS = "Home | News | Sport\n- Mayor opens bridge\n- Ten gardens to see"


def as_html(text: str) -> str:
    """A page with a line of the text a paragraph."""
    return f"<!doctype html><html><body>{''.join(f'<p>{line}</p>' for line in text.splitlines())}</body></html>"


@pytest.fixture
def pages() -> dict[str, str]:
    """A page of text, the same as HTML, what stays of both, and a page of which nothing stays."""
    return {"text": TEXT, "html": as_html(TEXT), "kept": KEPT, "links": LINKS, "links_html": as_html(LINKS)}


@pytest.fixture
def recipe(sentence_folder: Path) -> DetectorRecipe:
    """A recipe with the model made by hand."""
    return DetectorRecipe(model=str(sentence_folder))
