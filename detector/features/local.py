"""What a segment looks like by itself: its size, its characters and words, and what `edges` and `patterns` find.

The shallow text features follow Kohlschuetter, Fankhauser, Nejdl, "Boilerplate Detection using Shallow Text
Features" (WSDM 2010). Stopword lists are replaced by proxies that need no language: the shares of short
lower-case words and of all lower-case words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import edges, patterns
from detector.features import shapes as sh
from detector.features.batch import Batch
from detector.matmul import product

NAMES = (
    "log_chars",
    "log_words",
    "mean_word_chars",
    "letter_ratio",
    "unspaced_ratio",
    "caseless_ratio",
    "upper_ratio",
    "digit_ratio",
    "short_lower_word_ratio",
    "lower_word_ratio",
    "title_word_ratio",
    "title_word_ratio_after_first",
    "caps_word_ratio",
    "number_word_ratio",
    "alphanumeric_word_ratio",
    "terminals_per_word",
    "commas_per_word",
    "separators_per_word",
    "quotes_per_word",
    "brackets_per_word",
    "symbols_per_word",
    "address_marks_per_word",
    "other_marks_per_word",
    "log_sentences",
    "log_words_per_sentence",
    "log_separators",
    "distinct_word_ratio",
    *edges.NAMES,
    "years",
    "date_pairs",
    "times",
    "log_numbers",
    "has_url",
    "source_suffix",
    "log_indent",
)

_AT = {name: place for place, name in enumerate(NAMES)}
_PER_CHAR = slice(_AT["letter_ratio"], _AT["digit_ratio"] + 1)
_PER_WORD = slice(_AT["short_lower_word_ratio"], _AT["other_marks_per_word"] + 1)
_EDGES = slice(_AT[edges.NAMES[0]], _AT[edges.NAMES[-1]] + 1)
_LOGS = [
    _AT[name]
    for name in (
        "log_chars",
        "log_words",
        "log_separators",
        "log_numbers",
        "log_sentences",
        "log_words_per_sentence",
        "log_indent",
    )
]


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """What segments look like by themselves.

    Attributes:
        columns: (len(NAMES), n_segments) float64, in the order of `NAMES`.
        words: (n_segments,) float64, the number of words, exact; a character of an unspaced script is half a word.
        sentences: (n_segments,) int64, the number of ends of sentences.
    """

    columns: NDArray[np.float64]
    words: NDArray[np.float64]
    sentences: NDArray[np.int64]


def local_features(batch: Batch) -> LocalFeatures:
    """Describe each segment from its own characters; the batch has at least one segment."""
    tokens, n = batch.tokens, len(batch)
    columns = np.empty((len(NAMES), n))
    sums = _shape_sums(batch)
    chars, words, separators, numbers = sums[0], sums[1], sums[-2], sums[-1]
    per_word = 1.0 / np.maximum(words, 1)
    columns[_AT["mean_word_chars"]] = sums[_AT["mean_word_chars"]] * per_word
    columns[_PER_CHAR] = sums[_PER_CHAR] / chars
    columns[_PER_WORD] = sums[_PER_WORD] * per_word
    first_title = _first_is_capitalised().take(tokens.trigrams.take(tokens.firsts))
    columns[_AT["title_word_ratio_after_first"]] = (
        columns[_AT["title_word_ratio"]] * words - first_title
    ) / np.maximum(words - 1, 1)
    columns[_AT["distinct_word_ratio"]] = _distinct_ratio(batch)
    columns[_EDGES] = edges.edge_features(batch)

    sentences, date_pairs, times = patterns.count_patterns(batch)
    columns[_AT["years"]] = np.minimum(patterns.count_years(batch), 4)
    columns[_AT["date_pairs"]] = np.minimum(date_pairs, 4)
    columns[_AT["times"]] = np.minimum(times, 4)
    columns[_AT["has_url"]] = patterns.has_url(batch)
    columns[_AT["source_suffix"]] = patterns.has_source_suffix(batch)
    indent = tokens.starts.take(tokens.firsts) - batch.starts
    per_sentence = words / np.maximum(sentences, 1)
    logs = np.array((batch.lengths, words, separators, numbers, sentences, per_sentence, indent))
    columns[_LOGS] = np.log1p(logs, out=logs)
    return LocalFeatures(columns, words, sentences)


def _shape_sums(batch: Batch) -> NDArray[np.float64]:
    """Sum `_shape_weights` over the tokens of each segment; (n_sums, n_segments) float64, exact."""
    tokens, n = batch.tokens, len(batch)
    key = tokens.segments * sh.N_SHAPES
    key += tokens.shapes
    size = n * sh.N_SHAPES
    by_shape = np.empty((n, 2 * sh.N_SHAPES), np.float32)
    by_shape[:, : sh.N_SHAPES] = np.bincount(key, minlength=size).reshape(n, sh.N_SHAPES)
    by_shape[:, sh.N_SHAPES :] = np.bincount(key, tokens.lengths, size).reshape(n, sh.N_SHAPES)
    # Halves of small integers: the product is exact in float32.
    return product(by_shape, _shape_weights()).T.astype(np.float64, order="C")


@cache
def _shape_weights() -> NDArray[np.float32]:
    """What a token counts by its shape, and then what each of its characters does; (2 * N_SHAPES, n_sums) float32.

    The sums are those of `NAMES` up to "other_marks_per_word", before they are divided; the first two are all
    characters and all words. Two more follow: separators and numbers.
    """
    weights = np.zeros((_PER_WORD.stop + 2, 2, sh.N_SHAPES), np.float32)

    def count(row: int | str, shapes: Iterable[int], *, token: float = 0.0, char: float = 0.0) -> None:
        weights[_AT[row] if isinstance(row, str) else row, :, list(shapes)] += (token, char)

    count(0, range(sh.N_SHAPES), char=1)
    # An ideograph or Thai letter is about half a word.
    count(1, sh.WORDS, token=1)
    count(1, [sh.IDEOGRAPH], token=-0.5)
    count("mean_word_chars", sh.WORDS, char=1)
    count("letter_ratio", [*range(sh.CASELESS_LONG + 1), sh.IDEOGRAPH], char=1)
    count("unspaced_ratio", [sh.IDEOGRAPH], char=1)
    count("caseless_ratio", [sh.CASELESS_SHORT, sh.CASELESS_LONG], char=1)
    count("upper_ratio", [sh.TITLE, sh.INITIAL], token=1)
    count("upper_ratio", [sh.CAPS], char=1)
    count("upper_ratio", [sh.MIXED], token=2)
    count("digit_ratio", sh.NUMBERS, char=1)
    count("digit_ratio", [sh.ALPHANUMERIC], char=0.5)
    count("short_lower_word_ratio", [sh.LOWER_SHORT, sh.CASELESS_SHORT], token=1)
    count("lower_word_ratio", sh.LOWER_WORDS, token=1)
    count("title_word_ratio", sh.CAPITALISED_WORDS, token=1)
    count("caps_word_ratio", [sh.CAPS], token=1)
    count("number_word_ratio", sh.NUMBERS, token=1)
    count("alphanumeric_word_ratio", [sh.ALPHANUMERIC], token=1)
    count("terminals_per_word", [sh.TERMINAL], token=1)
    count("commas_per_word", [sh.COMMA], token=1)
    count("separators_per_word", [sh.SEPARATOR], token=1)
    count("quotes_per_word", [sh.QUOTE], token=1)
    count("brackets_per_word", [sh.OPEN, sh.CLOSE], token=1)
    count("symbols_per_word", [sh.SYMBOL], token=1)
    count("address_marks_per_word", [sh.ADDRESS], token=1)
    count("other_marks_per_word", [sh.OTHER], token=1)
    count(-2, [sh.SEPARATOR], token=1)
    count(-1, sh.NUMBERS, token=1)
    return weights.reshape(len(weights), -1).T


def _distinct_ratio(batch: Batch) -> NDArray[np.float64]:
    """Share of different tokens, estimated from 64 bits a segment; (n_segments,) float64.

    Linear counting: Whang, Vander-Zanden, Taylor, "A Linear-Time Probabilistic Counting Algorithm for Database
    Applications" (ACM TODS 15(2), 1990).
    """
    tokens = batch.tokens
    bits = np.uint64(1) << (tokens.hashes & np.uint64(63))
    sets = np.bitwise_or.reduceat(bits, tokens.firsts)
    ratio = _distinct_by_bits().take(np.bitwise_count(sets)) / (tokens.offsets[1:] - tokens.firsts)
    return np.minimum(ratio, 1.0)


@cache
def _distinct_by_bits() -> NDArray[np.float64]:
    """The estimated number of different tokens, by the number of bits that they set; (65,) float64."""
    empty = np.arange(64.0, -1.0, -1.0)
    return -64.0 * np.log(np.maximum(empty, 0.5) / 64.0)


@cache
def _first_is_capitalised() -> NDArray[np.float64]:
    """Whether the first token of each trigram is a capitalised word; (N_TRIGRAMS,) float64, 0 or 1."""
    return sh.shape_set(*sh.CAPITALISED_WORDS)[sh.all_trigrams()[0]].astype(np.float64)
