"""Gold text aligned to the segments of a page, in order.

"Share" in the menu is not content because the article says "share": words are matched as sequences. Anchors are
word sequences that occur once in the page and once in the gold (patience diff); between anchors the longest
matching runs count.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""A character of a script that is written without spaces."""

ANCHOR = 4
"""Tokens in an anchor; shorter ones are tried where there is none of this length."""

SMALL_GAP = 40_000
"""Product of the sizes of a gap up to which the longest matching runs are searched directly."""

MIN_RUN = 2
"""Matched runs shorter than this, standing alone, are chance."""


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
    for page_start, _, size in _matches(page, gold):
        matched[page_start : page_start + size] = True
    counts = np.array([len(segment) for segment in tokens], np.int64)
    sums = np.concatenate(([0], np.cumsum(matched)))
    ends = np.cumsum(counts)
    shares = (sums[ends] - sums[ends - counts]) / np.maximum(counts, 1)
    return shares.astype(np.float32), float(matched.sum()) / max(len(gold), 1)


def _matches(page: list[str], gold: list[str]) -> list[tuple[int, int, int]]:
    """Runs (page start, gold start, length) that match, ascending in both."""
    found: list[tuple[int, int, int]] = []
    gaps = [(0, len(page), 0, len(gold))]
    while gaps:
        a, z, c, d = gaps.pop()
        while (
            a < z
            and c < d
            and page[a] == gold[c]
            and z - a < 2_000
            and d - c < 2_000
            and _run(page, gold, a, c, z, d) >= ANCHOR
        ):
            size = _run(page, gold, a, c, z, d)
            found.append((a, c, size))
            a, c = a + size, c + size
        if a >= z or c >= d:
            continue
        if (z - a) * (d - c) <= SMALL_GAP:
            blocks = SequenceMatcher(None, page[a:z], gold[c:d], autojunk=False).get_matching_blocks()
            found += [(a + i, c + j, size) for i, j, size in blocks if size >= min(MIN_RUN, d - c)]
            continue
        anchors = next((chain for size in (ANCHOR, 3, 2) if (chain := _anchors(page, gold, a, z, c, d, size))), [])
        at, gold_at = a, c
        for i, j in anchors:
            if i < at or j < gold_at:
                continue
            back = 0
            while i - back > at and j - back > gold_at and page[i - back - 1] == gold[j - back - 1]:
                back += 1
            size = _run(page, gold, i, j, z, d)
            found.append((i - back, j - back, size + back))
            if i - back > at and j - back > gold_at:
                gaps.append((at, i - back, gold_at, j - back))
            at, gold_at = i + size, j + size
        if anchors and at < z and gold_at < d:
            gaps.append((at, z, gold_at, d))
    return sorted(found)


def _run(page: list[str], gold: list[str], i: int, j: int, z: int, d: int) -> int:
    """How many tokens match from `page[i]` and `gold[j]` on."""
    size = 0
    while i + size < z and j + size < d and page[i + size] == gold[j + size]:
        size += 1
    return size


def _anchors(page: list[str], gold: list[str], a: int, z: int, c: int, d: int, size: int) -> list[tuple[int, int]]:
    """Positions of the token sequences that occur once on each side, as the longest chain ascending on both."""
    page_grams = list(zip(*(page[a + k : z - size + 1 + k] for k in range(size)), strict=True))
    gold_grams = list(zip(*(gold[c + k : d - size + 1 + k] for k in range(size)), strict=True))
    page_counts, gold_counts = Counter(page_grams), Counter(gold_grams)
    gold_at = {gram: j for j, gram in enumerate(gold_grams) if gold_counts[gram] == 1}
    pairs = [(i, gold_at[gram]) for i, gram in enumerate(page_grams) if page_counts[gram] == 1 and gram in gold_at]
    tails: list[int] = []
    tail_at: list[int] = []
    previous: list[int] = []
    for number, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        previous.append(tail_at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(j)
            tail_at.append(number)
        else:
            tails[place] = j
            tail_at[place] = number
    chain = []
    number = tail_at[-1] if tail_at else -1
    while number >= 0:
        chain.append((a + pairs[number][0], c + pairs[number][1]))
        number = previous[number]
    return chain[::-1]
