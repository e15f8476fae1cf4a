"""Classified pages as one HTML file in which a person reads them, corrects labels, and saves training samples.

`render` puts everything into the file: the pages as JSON, one style and one script, both named by hash in a content
security policy that allows nothing else. Text of a page reaches the document as text nodes only, so that no page can
run a script in it or fetch anything. `most_teaching_first` orders the pages for active learning.
"""

from __future__ import annotations

from detector.review.document import GENERATED, render
from detector.review.page import ReviewPage, most_teaching, most_teaching_first, review_page

__all__ = ["GENERATED", "ReviewPage", "most_teaching", "most_teaching_first", "render", "review_page"]
