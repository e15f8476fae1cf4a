"""What is counted on one page; every figure is made of these counts, summed over pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, LINK_LIST
from training.align import words
from training.evaluation.contenders import Output
from training.evaluation.texts import Shingles, multiset_f1, shingle_scores, shingles, snippets_found
from training.evaluation.views import View
from training.samples import Sample

GENUINE_LIST_SEGMENTS = 4
GENUINE_LIST_CHARS = 80
"""A genuine list is a run of at least so many segments in a row that are content and at most so long each."""

COLUMNS = (
    *("kept_right", "lost", "left", "removed_right"),
    *("content_chars", "content_lost_chars", "unwanted_chars", "unwanted_left_chars"),
    *("link_list_chars", "link_list_removed_chars", "genuine_list_chars", "genuine_list_kept_chars"),
    *("gold_pages", "word_f1", "precision_pages", "shingle_precision", "recall_pages", "shingle_recall"),
    *("must_stay", "stayed", "must_go", "gone"),
    *("spam_pages", "good_pages", "spam_probability"),
)
"""The names of all counts."""


@dataclass(frozen=True, slots=True)
class Gold:
    """A page's gold text, counted once for all readings and contenders."""

    words: Counter[str]
    shingles: Shingles

    @classmethod
    def of(cls, sample: Sample) -> Gold | None:
        """None where there is no gold text."""
        if sample.gold_text is None:
            return None
        return cls(Counter(words(sample.gold_text)), shingles(sample.gold_text))


def count(view: View, gold: Gold | None, output: Output) -> dict[str, float]:
    """Compare a contender's output with what people say of the page.

    Args:
        view: The page as it was read.
        gold: Its gold text, or None.
        output: What the contender made of it.

    Returns:
        A count for each of `COLUMNS` that is not 0. Unknown segments do not count.
    """
    counts = _of_segments(view, output.kept)
    if output.spam_probability is not None:
        counts |= _of_spam(view, counts, output.spam_probability)
    if gold is not None:
        counts |= _of_text(gold, output.text)
    sample = view.page.sample
    if sample.must_stay or sample.must_go:
        counts["must_stay"], counts["must_go"] = len(sample.must_stay), len(sample.must_go)
        counts["stayed"] = snippets_found(output.text, sample.must_stay)
        counts["gone"] = len(sample.must_go) - snippets_found(output.text, sample.must_go)
    return counts


def _of_segments(view: View, kept: NDArray[np.bool_]) -> dict[str, float]:
    labels = view.page.labels
    chars = view.page.page.ends - view.page.page.starts
    wanted, unwanted, listed = labels == CONTENT, labels > CONTENT, labels == LINK_LIST
    genuine = genuine_lists(labels, chars)
    counts = {
        "kept_right": (wanted & kept).sum(),
        "lost": (wanted & ~kept).sum(),
        "left": (unwanted & kept).sum(),
        "removed_right": (unwanted & ~kept).sum(),
        "link_list_chars": chars[listed].sum(),
        "link_list_removed_chars": chars[listed & ~kept].sum(),
        "genuine_list_chars": chars[genuine].sum(),
        "genuine_list_kept_chars": chars[genuine & kept].sum(),
    }
    if wanted.any():
        counts |= {
            "content_chars": chars[wanted].sum(),
            "content_lost_chars": chars[wanted & ~kept].sum(),
            "unwanted_chars": chars[unwanted].sum(),
            "unwanted_left_chars": chars[unwanted & kept].sum(),
        }
    return {name: float(value) for name, value in counts.items()}


def genuine_lists(
    labels: NDArray[np.int8], chars: NDArray[np.int64], least: int = GENUINE_LIST_SEGMENTS
) -> NDArray[np.bool_]:
    """(n_segments,) bool, the segments of genuine lists.

    A genuine list is a run of at least `least` consecutive segments that are labelled content and have
    at most `GENUINE_LIST_CHARS` characters each: ingredients, track lists, references, specifications, but short
    answers in a forum and the lines of a poem as well.
    """
    short = (labels == CONTENT) & (chars <= GENUINE_LIST_CHARS)
    edges = np.diff(short.astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long_enough = last - first >= least
    steps = np.zeros(len(short) + 1, np.int64)
    steps[first[long_enough]] += 1
    steps[last[long_enough]] -= 1
    return np.cumsum(steps)[:-1] > 0


def _of_spam(view: View, counts: dict[str, float], probability: float) -> dict[str, float]:
    """Where every line is labelled, a page of link lists without any content is spam; pages with content are good."""
    if view.page.sample.lines is None:
        return {}
    if counts["kept_right"] + counts["lost"]:
        return {"good_pages": 1.0, "spam_probability": probability}
    return {"spam_pages": 1.0, "spam_probability": probability} if counts["link_list_chars"] else {}


def _of_text(gold: Gold, text: str) -> dict[str, float]:
    counts = {"gold_pages": 1.0, "word_f1": multiset_f1(Counter(words(text)), gold.words)}
    for name, value in zip(("precision", "recall"), shingle_scores(shingles(text), gold.shingles), strict=True):
        if value is not None:
            counts |= {f"{name}_pages": 1.0, f"shingle_{name}": value}
    return counts
