"""Pages to segments: lines of plain text, or the block-level elements of HTML."""

from __future__ import annotations

from detector.segment.html import segment_html
from detector.segment.text import segment_text
from detector.segment.windows import WINDOW, windows_of

__all__ = ["WINDOW", "segment_html", "segment_text", "windows_of"]
