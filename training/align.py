"""Gold text aligned to the segments of a page, in order.

"Share" in the menu is not content because the article says "share": words are matched as sequences. Anchors are
word sequences that occur once in the page and once in the gold (the patience diff of Bram Cohen); between anchors the
longest matching runs count (Ratcliff, Metzener, Dr. Dobb's Journal 1988, as `difflib` has it).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""A character of a script that is written without spaces."""

ANCHOR_SIZES = (4, 3, 2)
"""Tokens in an anchor: longer ones are surer, and shorter ones are tried only where there is none that is longer."""

SMALL_GAP = 40_000
"""Product of the two sizes of a gap up to which the longest matching runs are searched directly; that takes time in
proportion to it."""

PREFIX_GAP = 2_000
"""Tokens on either side from which a gap's beginnings are not matched just because they are equal. A long gap may be
the whole page, which begins with a title and a menu that may repeat words of the article; there only anchors decide."""

MIN_RUN = 2
"""Matched runs shorter than this, standing alone, are chance."""


class Run(NamedTuple):
    """Tokens that are equal in the page and in the gold.

    Attributes:
        page_start: The first of them in the page.
        gold_start: The first of them in the gold.
        size: How many there are.
    """

    page_start: int
    gold_start: int
    size: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the page and one of the gold, whose tokens can only match each other's; ends are not included."""

    page_start: int
    page_end: int
    gold_start: int
    gold_end: int

    @property
    def page_size(self) -> int:
        """Tokens of the page in it."""
        return self.page_end - self.page_start

    @property
    def gold_size(self) -> int:
        """Tokens of the gold in it."""
        return self.gold_end - self.gold_start

    @property
    def is_empty(self) -> bool:
        """Whether one of its sides has no token, so that nothing in it can match."""
        return self.page_size <= 0 or self.gold_size <= 0

    def after(self, page_at: int, gold_at: int) -> Gap:
        """What is left of it from these tokens on."""
        return Gap(page_at, self.page_end, gold_at, self.gold_end)

    def before(self, page_at: int, gold_at: int) -> Gap:
        """What is left of it up to these tokens."""
        return Gap(self.page_start, page_at, self.gold_start, gold_at)


def words(text: str) -> list[str]:
    """Lower-cased words; every character of an unspaced script is one.

    >>> words("Don't panic: 東京!")
    ['don', 't', 'panic', '東', '京']
    """
    return re.findall(r"[^\W_]+", UNSPACED.sub(r" \1 ", text.lower()))


def align(segment_texts: Sequence[str], gold_text: str) -> tuple[NDArray[np.float32], float]:
    """Match the words of the segments to those of the gold text, in order.

    Args:
        segment_texts: The segments of a page.
        gold_text: The text that belongs to the page's content.

    Returns:
        (n_segments,) float32, the share of each segment's words that was matched, and the share of the gold's words
        that was found.
    """
    tokens = [words(text) for text in segment_texts]
    page = [token for segment in tokens for token in segment]
    gold = words(gold_text)
    matched = np.zeros(len(page), bool)
    for run in _matches(page, gold):
        matched[run.page_start : run.page_start + run.size] = True
    counts = np.array([len(segment) for segment in tokens], np.int64)
    sums = np.concatenate(([0], np.cumsum(matched)))
    ends = np.cumsum(counts)
    shares = (sums[ends] - sums[ends - counts]) / np.maximum(counts, 1)
    return shares.astype(np.float32), float(matched.sum()) / max(len(gold), 1)


def _matches(page: list[str], gold: list[str]) -> list[Run]:
    """Runs that match, ascending in page and gold."""
    found: list[Run] = []
    gaps = [Gap(0, len(page), 0, len(gold))]
    while gaps:
        gap = gaps.pop()
        if gap.page_size < PREFIX_GAP and gap.gold_size < PREFIX_GAP:
            size = _common_prefix(page, gold, gap)
            if size >= ANCHOR_SIZES[0]:
                found.append(Run(gap.page_start, gap.gold_start, size))
                gap = gap.after(gap.page_start + size, gap.gold_start + size)
        if gap.is_empty:
            continue
        if gap.page_size * gap.gold_size <= SMALL_GAP:
            found += _longest_runs(page, gold, gap)
        else:
            runs, smaller_gaps = _split_at_anchors(page, gold, gap)
            found += runs
            gaps += smaller_gaps
    return sorted(found)


def _longest_runs(page: list[str], gold: list[str], gap: Gap) -> list[Run]:
    """The longest matching run of a gap, and so on to its left and right; too short ones are left out."""
    page_part, gold_part = page[gap.page_start : gap.page_end], gold[gap.gold_start : gap.gold_end]
    blocks = SequenceMatcher(None, page_part, gold_part, autojunk=False).get_matching_blocks()
    least = min(MIN_RUN, gap.gold_size)
    return [Run(gap.page_start + i, gap.gold_start + j, size) for i, j, size in blocks if size >= least]


def _split_at_anchors(page: list[str], gold: list[str], gap: Gap) -> tuple[list[Run], list[Gap]]:
    """The anchors of a gap, drawn out as far as they match, and the gaps between them; none where it has no anchor."""
    chains = (_anchors(page, gold, gap, size) for size in ANCHOR_SIZES)
    chain = next((chain for chain in chains if chain), [])
    runs, gaps, rest = [], [], gap
    for page_at, gold_at in chain:
        if page_at < rest.page_start or gold_at < rest.gold_start:
            continue  # inside the run that an earlier anchor grew into
        before = rest.before(page_at, gold_at)
        back = _common_suffix(page, gold, before)
        size = _common_prefix(page, gold, rest.after(page_at, gold_at))
        runs.append(Run(page_at - back, gold_at - back, back + size))
        gaps.append(before.before(page_at - back, gold_at - back))
        rest = rest.after(page_at + size, gold_at + size)
    if chain:
        gaps.append(rest)
    return runs, [smaller for smaller in gaps if not smaller.is_empty]


def _common_prefix(page: list[str], gold: list[str], gap: Gap) -> int:
    """How many tokens match from the beginnings of a gap on."""
    most = min(gap.page_size, gap.gold_size)
    size = 0
    while size < most and page[gap.page_start + size] == gold[gap.gold_start + size]:
        size += 1
    return size


def _common_suffix(page: list[str], gold: list[str], gap: Gap) -> int:
    """How many tokens match from the ends of a gap back."""
    most = min(gap.page_size, gap.gold_size)
    size = 0
    while size < most and page[gap.page_end - size - 1] == gold[gap.gold_end - size - 1]:
        size += 1
    return size


def _anchors(page: list[str], gold: list[str], gap: Gap, size: int) -> list[tuple[int, int]]:
    """Where sequences of `size` tokens are that occur once on each side of a gap, in page and gold.

    Only the longest chain of them that ascends on both sides is kept: of two that cross, one is out of order.
    """
    page_grams = _grams(page[gap.page_start : gap.page_end], size)
    gold_grams = _grams(gold[gap.gold_start : gap.gold_end], size)
    page_counts, gold_counts = Counter(page_grams), Counter(gold_grams)
    place_in_gold = {gram: place for place, gram in enumerate(gold_grams) if gold_counts[gram] == 1}
    pairs = [
        (place, place_in_gold[gram])
        for place, gram in enumerate(page_grams)
        if page_counts[gram] == 1 and gram in place_in_gold
    ]
    chain = _longest_ascending([in_gold for _, in_gold in pairs])
    return [(gap.page_start + pairs[number][0], gap.gold_start + pairs[number][1]) for number in chain]


def _grams(tokens: list[str], size: int) -> list[tuple[str, ...]]:
    """The sequence of `size` tokens that begins at each token, up to the last whole one."""
    return list(zip(*(tokens[first:] for first in range(size)), strict=False))


def _longest_ascending(values: Sequence[int]) -> list[int]:
    """Which of the values make the longest ascending subsequence (Fredman, Discrete Mathematics 1975).

    >>> _longest_ascending([3, 9, 1, 4, 5])
    [2, 3, 4]
    """
    # For each length, the last value of the subsequence of that length that ends lowest, and where it is.
    lowest_ends: list[int] = []
    end_places: list[int] = []
    predecessors: list[int] = []
    for place, value in enumerate(values):
        length = bisect_left(lowest_ends, value)
        predecessors.append(end_places[length - 1] if length else -1)
        lowest_ends[length : length + 1] = [value]
        end_places[length : length + 1] = [place]
    chain = []
    place = end_places[-1] if end_places else -1
    while place >= 0:
        chain.append(place)
        place = predecessors[place]
    return chain[::-1]
