"""Whether a page is spam as a whole: spun, stuffed with keywords, or nothing but links.

A small network looks at a summary of the page: the means of its segments' inputs, how much of it recurs (after Ntoulas,
Najork, Manasse, Fetterly, "Detecting Spam Web Pages through Content Analysis", WWW 2006), and a linear score of its
words. Of a long segment, only the words of its head and tail are seen, as in all features.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.features import ABSENT, TEXT_BITS, HashedText

CLIP = 6.0
"""Standardised columns of a summary are clipped to -CLIP..CLIP."""

REPETITION_NAMES = (
    "different_words",
    "different_pairs",
    "different_triples",
    "commonest_word",
    "commonest_3_words",
    "commonest_10_words",
    "commonest_30_words",
    "commonest_pair",
    "commonest_triple",
    "pairs_that_recur",
    "triples_that_recur",
    "words_of_first_line",
    "words_of_first_line_below",
    "lines_with_words_of_first",
    "log_words",
    "words_a_line",
    "lines_with_commonest_word",
    "lines_with_4th_word",
    "lines_with_11th_word",
    "lines_with_31st_word",
)
"""Shares of a page's words (the first thirteen) or of its lines (the others), with three exceptions.

`lines_with_words_of_first` is a share of the lines below the first, `log_words` the logarithm of the number of words
plus one, `words_a_line` the mean number of words of a line. The "4th" word is fourth by the number of lines that it
stands in. Pairs lie within a line, triples may go across lines. A line is a segment, and words are tokens.
"""

_WORDS, _PAIRS = 0, 1
"""Rows of `HashedText.by_token`: tokens and pairs of tokens."""

_COMMONEST = (1, 3, 10, 30)
_RANKS = (0, 3, 10, 30)

Bag = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The buckets of a page's words and pairs of words, and 1 + log of how often each occurs, scaled to norm 1."""

Part = tuple[NDArray[np.float32], NDArray[np.int64], HashedText]
"""Part of a page: (n_segments, n_inputs) standardised inputs, (n_segments,) lengths in characters, hashed words."""


@dataclass(frozen=True, slots=True)
class SpamScorer:
    """A network with one hidden layer over a page's summary.

    Attributes:
        words: (2^TEXT_BITS,) int8, weights of words and pairs of words.
        words_scale: Log-odds of a weight of 1.
        mean: (n_columns,) float32, subtracted from the summary with the score of words.
        scale: (n_columns,) float32, divides what is left.
        hidden: (n_columns, n_hidden) float32.
        hidden_bias: (n_hidden,) float32.
        output: (n_hidden,) float32.
        bias: Log-odds of a page whose hidden layer is zero.
    """

    words: NDArray[np.int8]
    words_scale: float
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float32]
    bias: float

    def probability(self, parts: Iterable[Part]) -> float:
        """The probability that a page holds no content of its own, in 0..1.

        Args:
            parts: The page in order, with at least one segment; one part is held in memory at a time.
        """
        summary, (buckets, values) = summarise(parts)
        score = float(values @ self.words.take(buckets).astype(np.float64)) * self.words_scale
        columns = np.append(summary, score)
        standard = np.clip((columns - self.mean) / self.scale.astype(np.float64), -CLIP, CLIP)
        active = np.maximum(standard @ self.hidden.astype(np.float64) + self.hidden_bias, 0)
        odds = float(active @ self.output.astype(np.float64)) + self.bias
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def n_columns(n_inputs: int) -> int:
    """Number of columns of a summary with the score of words.

    Args:
        n_inputs: Inputs of a segment.
    """
    return 2 * n_inputs + 2 + len(REPETITION_NAMES) + 1


def summarise(parts: Iterable[Part]) -> tuple[NDArray[np.float64], Bag]:
    """Summarise a page.

    Args:
        parts: The page in order, with at least one segment.

    Returns:
        The summary, (2 * n_inputs + 2 + len(REPETITION_NAMES),) float64: means of the inputs over segments and over
        characters, log(1 + number) of segments and of characters, `REPETITION_NAMES`. And the bag of words.
    """
    sums: list[NDArray[np.float64]] = []
    n_lines = n_chars = 0
    tokens, words_a_line = [], []
    for inputs, chars, text in parts:
        rows = inputs.astype(np.float64)
        sums.append(np.stack((rows.sum(axis=0), chars @ rows)))
        n_lines, n_chars = n_lines + len(rows), n_chars + int(chars.sum())
        tokens.append(text.by_token[[_WORDS, _PAIRS]])
        words_a_line.append(np.diff(text.offsets))
    by_line, by_char = np.sum(sums, axis=0)
    words, pairs = np.concatenate(tokens, axis=1)
    recurring = _repetition(words, pairs, np.concatenate(words_a_line))
    size = np.log1p([n_lines, n_chars])
    return np.concatenate((by_line / n_lines, by_char / max(n_chars, 1), size, recurring)), _bag(words, pairs)


def _bag(words: NDArray[np.int64], pairs: NDArray[np.int64]) -> Bag:
    tokens = np.concatenate((words, pairs))
    buckets, counts = np.unique(tokens[tokens < ABSENT], return_counts=True)
    values = 1 + np.log(counts)
    return buckets, values / max(float(np.linalg.norm(values)), 1.0)


def _repetition(
    words: NDArray[np.int64], pairs: NDArray[np.int64], words_a_line: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute the columns of `REPETITION_NAMES`; (len(REPETITION_NAMES),) float64.

    Args:
        words: (n_words,) int64 buckets.
        pairs: (n_words,) int64 buckets, or `ABSENT`, of each word and the next.
        words_a_line: (n_lines,) int64.
    """
    pairs = pairs[pairs < ABSENT]
    n_words, n_lines = max(len(words), 1), len(words_a_line)
    counts = np.sort(np.unique(words, return_counts=True)[1])[::-1]
    of_pairs = np.unique(pairs, return_counts=True)[1]
    triples = (words[:-2] << TEXT_BITS | words[1:-1]) << TEXT_BITS | words[2:]
    of_triples = np.unique(triples, return_counts=True)[1]
    line_of = np.repeat(np.arange(n_lines), words_a_line)
    in_lines = np.unique(np.unique(words << 32 | line_of) >> 32, return_counts=True)[1]
    in_lines = np.append(np.sort(in_lines)[::-1], [0] * (max(_RANKS) + 1))
    of_first = np.isin(words, words[: words_a_line[0]])
    below = line_of[of_first & (line_of > 0)]
    shares = [len(counts), len(of_pairs), len(of_triples), *(counts[:most].sum() for most in _COMMONEST)]
    shares += [of_pairs.max(initial=0), of_triples.max(initial=0), of_pairs[of_pairs > 1].sum()]
    shares += [of_triples[of_triples > 1].sum(), of_first.sum(), len(below)]
    of_lines = [n_words, *(in_lines[rank] for rank in _RANKS)]
    return np.concatenate(
        (
            np.array(shares, np.float64) / n_words,
            [len(np.unique(below)) / max(n_lines - 1, 1), np.log1p(len(words))],
            np.array(of_lines, np.float64) / n_lines,
        )
    )
