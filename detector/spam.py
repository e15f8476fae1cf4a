"""Whether a page is spam as a whole: spun, stuffed with keywords, or nothing but links.

A small network looks at the page in the mean, at how much of it recurs (after Ntoulas, Najork, Manasse, Fetterly, "Detecting
Spam Web Pages through Content Analysis", WWW 2006), and at a linear score of all its words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.features import TEXT_BITS, HashedText

CLIP = 6.0
"""Standardised columns of a summary beyond this are cut."""

REPETITION_NAMES = (
    "different_words", "different_pairs", "different_triples", "commonest_word", "commonest_3_words", "commonest_10_words",
    "commonest_30_words", "commonest_pair", "commonest_triple", "pairs_that_recur", "triples_that_recur", "words_of_first_line",
    "words_of_first_line_below", "lines_with_words_of_first", "log_words", "words_a_line", "lines_with_commonest_word",
    "lines_with_4th_word", "lines_with_11th_word", "lines_with_31st_word",
)  # fmt: skip
"""Shares of the words of a page, or of its lines, but for the two that say otherwise; "4th" is by the number of lines it is in."""

_WORDS, _PAIRS = 0, 1
"""Families of tokens in `HashedText`."""

_COMMONEST = (1, 3, 10, 30)
_RANKS = (0, 3, 10, 30)


@dataclass(frozen=True, slots=True)
class SpamScorer:
    """A network of one hidden layer on a page's summary.

    Attributes:
        words: (2^TEXT_BITS,) int8, weights of words and pairs of words in the whole page.
        words_scale: What one step of them is worth, in log-odds.
        mean: (n_columns,) float32, subtracted from the summary and the score of words.
        scale: (n_columns,) float32, they are divided by it.
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

    def probability(self, inputs: NDArray[np.float32], chars: NDArray[np.int64], text: HashedText) -> float:
        """The probability that a page holds no content of its own, in 0..1.

        Args:
            inputs: (n_segments, n_inputs) standardised inputs of one page, at least one segment.
            chars: (n_segments,) their lengths.
            text: Their hashed words.
        """
        buckets, values = bag_of_words(text)
        score = float(values @ self.words.take(buckets).astype(np.float64)) * self.words_scale
        columns = np.append(page_summary(inputs, chars, text), score)
        standard = np.clip((columns - self.mean) / self.scale.astype(np.float64), -CLIP, CLIP)
        active = np.maximum(standard @ self.hidden.astype(np.float64) + self.hidden_bias, 0)
        odds = float(active @ self.output.astype(np.float64)) + self.bias
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def n_columns(n_inputs: int) -> int:
    """The columns of a summary and the score of words, of segments with so many inputs."""
    return 2 * n_inputs + 2 + len(REPETITION_NAMES) + 1


def page_summary(inputs: NDArray[np.float32], chars: NDArray[np.int64], text: HashedText) -> NDArray[np.float64]:
    """A page in the mean: of its inputs over segments and over characters, its size, and how much of it recurs.

    Args:
        inputs: (n_segments, n_inputs) standardised inputs of one page, at least one segment.
        chars: (n_segments,) their lengths.
        text: Their hashed words.

    Returns:
        (2 * n_inputs + 2 + len(REPETITION_NAMES),) float64.
    """
    rows = inputs.astype(np.float64)
    by_chars = chars @ rows / max(int(chars.sum()), 1)
    return np.concatenate((rows.mean(axis=0), by_chars, np.log1p([len(rows), chars.sum()]), _repetition(text)))


def bag_of_words(text: HashedText) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The different words and pairs of a page as buckets, and how often, as a vector of length 1."""
    tokens = text.by_token[[_WORDS, _PAIRS]]
    buckets, counts = np.unique(tokens[tokens < 1 << TEXT_BITS], return_counts=True)
    values = 1 + np.log(counts)
    return buckets, values / max(float(np.linalg.norm(values)), 1.0)


def _repetition(text: HashedText) -> NDArray[np.float64]:
    """The columns of `REPETITION_NAMES`; (len(REPETITION_NAMES),) float64."""
    words, pairs, offsets = text.by_token[_WORDS], text.by_token[_PAIRS], text.offsets
    pairs = pairs[pairs < 1 << TEXT_BITS]
    n_words, n_lines = max(len(words), 1), len(offsets) - 1
    counts = np.sort(np.unique(words, return_counts=True)[1])[::-1]
    of_pairs = np.unique(pairs, return_counts=True)[1]
    triples = (words[:-2] << TEXT_BITS | words[1:-1]) << TEXT_BITS | words[2:]
    of_triples = np.unique(triples, return_counts=True)[1]
    line_of = np.repeat(np.arange(n_lines), np.diff(offsets))
    in_lines = np.unique(np.unique(words << 32 | line_of) >> 32, return_counts=True)[1]
    in_lines = np.append(np.sort(in_lines)[::-1], [0] * (max(_RANKS) + 1))
    of_first = np.isin(words, words[: offsets[1]])
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
