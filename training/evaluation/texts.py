"""Figures of a kept text against what people say it should be: words, shingles, snippets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from training.align import UNSPACED, words

SHINGLE = 4
_TOKEN = re.compile(r"\w+")

Shingles = Counter[tuple[str, ...]]


def word_f1(text: str, gold: str) -> float:
    """F1 of the words of a text against those of the gold text, as multisets.

    >>> round(word_f1("a good article", "a good long article"), 3)
    0.857
    """
    return multiset_f1(Counter(words(text)), Counter(words(gold)))


def multiset_f1(ours: Counter[str], gold: Counter[str]) -> float:
    """F1 of two multisets; 1 if both are empty."""
    total = ours.total() + gold.total()
    return 2 * (ours & gold).total() / total if total else 1.0


def shingles(text: str) -> Shingles:
    """The multiset of runs of four tokens; a shorter text is one shingle, an empty one none.

    Tokens are `\\w+`, case kept, as in the article-extraction-benchmark
    (https://github.com/scrapinghub/article-extraction-benchmark, `evaluate.py`); other than there, every character of
    an unspaced script is a token, or a Chinese clause would be one.

    >>> sorted(shingles("a b c d e"))
    [('a', 'b', 'c', 'd'), ('b', 'c', 'd', 'e')]
    """
    tokens = _TOKEN.findall(UNSPACED.sub(r" \1 ", text))
    if len(tokens) < SHINGLE:
        return Counter([tuple(tokens)] if tokens else [])
    return Counter(zip(*(tokens[i:] for i in range(SHINGLE)), strict=False))


def shingle_scores(ours: Shingles, gold: Shingles) -> tuple[float | None, float | None]:
    """Precision and recall of a page's shingles; None where the benchmark leaves the page out of the mean.

    A page counts in the mean precision if something was kept and in the mean recall if there is gold. The corpus's F1
    is the harmonic mean of the two means.
    """
    common = (ours & gold).total()
    kept, wanted = ours.total(), gold.total()
    return common / kept if kept else None, common / wanted if wanted else None


def snippets_found(text: str, snippets: Sequence[str]) -> int:
    """How many of the snippets stand in the text, white space aside."""
    flat = " ".join(text.split())
    return sum(" ".join(snippet.split()) in flat for snippet in snippets)
