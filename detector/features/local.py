"""What a segment looks like by itself: lengths, case, punctuation, numbers, dates, how it begins and ends.

The shallow text features follow Kohlschuetter, Fankhauser, Nejdl, "Boilerplate Detection using Shallow Text
Features" (WSDM 2010). Stopword lists are replaced by proxies that need no language: the share of short lower-case
words, and of lower-case words at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch
from detector.features import shapes as sh
from detector.features.batch import Batch
from detector.features.tokens import tokenize
from detector.products import product

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
    "starts_lower",
    "starts_upper",
    "starts_number",
    "starts_separator",
    "starts_bracket_or_quote",
    "starts_numbered_item",
    "ends_terminal",
    "ends_ellipsis",
    "ends_comma_or_colon",
    "ends_number",
    "ends_close_bracket",
    "ends_count_in_brackets",
    "ends_separator",
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
_EDGES = slice(_AT["starts_lower"], _AT["ends_separator"] + 1)
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

_MAX_SOURCE_WORDS = 6
_ELLIPSIS = ord("…")
_URL_WORDS = ("http", "https", "www")

_NAME_LIKE = sh.shape_set(sh.TITLE, sh.CAPS, sh.MIXED, sh.IDEOGRAPH, sh.CASELESS_LONG)


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
    columns[_EDGES] = _begin_and_end(batch)

    counts = np.add.reduceat(_pattern_table().take(tokens.trigrams), tokens.firsts)
    sentences, date_pairs, times = counts & _FIELD, (counts >> _FIELD_BITS) & _FIELD, counts >> (2 * _FIELD_BITS)
    columns[_AT["years"]] = np.minimum(_years(batch), 4)
    columns[_AT["date_pairs"]] = np.minimum(date_pairs, 4)
    columns[_AT["times"]] = np.minimum(times, 4)
    columns[_AT["has_url"]] = _has_url(batch)
    columns[_AT["source_suffix"]] = _source_suffix(batch)
    indent = tokens.starts.take(tokens.firsts) - batch.starts
    per_sentence = words / np.maximum(sentences, 1)
    logs = np.array((batch.lengths, words, separators, numbers, sentences, per_sentence, indent))
    columns[_LOGS] = np.log1p(logs, out=logs)
    return LocalFeatures(columns, words, sentences)


def _shape_sums(batch: Batch) -> NDArray[np.float64]:
    """Sums over each segment's tokens of what `_shape_weights` says; (n_sums, n_segments) float64, exact."""
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
    """What each token, and each character of one, counts by the token's shape; (2 * N_SHAPES, n_sums) float32.

    The first columns are the columns up to "other_marks_per_word", in the order of `NAMES`, before they are divided; in
    the places of the first two stand all characters and all words. The last two are separators and numbers.
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
    """Distinct tokens by tokens, estimated from a 64-bit set a segment (linear counting)."""
    tokens = batch.tokens
    bits = np.uint64(1) << (tokens.hashes & np.uint64(63))
    sets = np.bitwise_or.reduceat(bits, tokens.firsts)
    ratio = _distinct_by_bits().take(np.bitwise_count(sets)) / (tokens.offsets[1:] - tokens.firsts)
    return np.minimum(ratio, 1.0)


@cache
def _distinct_by_bits() -> NDArray[np.float64]:
    """The number of different tokens for each number of bits that they set."""
    empty = np.arange(64.0, -1.0, -1.0)
    return -64.0 * np.log(np.maximum(empty, 0.5) / 64.0)


@cache
def _first_is_capitalised() -> NDArray[np.float64]:
    """Whether a trigram's first token is a capitalised word."""
    return sh.shape_set(*sh.CAPITALISED_WORDS)[sh.all_trigrams()[0]].astype(np.float64)


def _begin_and_end(batch: Batch) -> NDArray[np.int64]:
    """How segments begin and end: the columns `_EDGES`, 0 or 1 each."""
    tokens = batch.tokens
    last = tokens.offsets[1:] - 1
    begins = _begin_table().take(tokens.trigrams.take(tokens.firsts))
    ends = _end_table().take(tokens.trigrams.take(np.maximum(last - 2, tokens.firsts)))
    flags = ((begins | ends) >> np.arange(_EDGES.stop - _EDGES.start)[:, None]) & 1
    flags[_AT["ends_ellipsis"] - _EDGES.start] |= batch.codes.take(tokens.starts.take(last)) == _ELLIPSIS
    return flags


def _edge_flags(columns: dict[str, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Columns about edges as bits, in their order in `NAMES`."""
    flags = np.zeros(sh.N_TRIGRAMS, np.int64)
    for name, column in columns.items():
        flags |= column.astype(np.int64) << (_AT[name] - _EDGES.start)
    return flags


@cache
def _begin_table() -> NDArray[np.int64]:
    """How a segment begins, by its first trigram."""
    first, second, _ = sh.all_trigrams()
    enumerates = sh.shape_set(sh.TERMINAL, sh.CLOSE)[second]
    return _edge_flags(
        {
            "starts_lower": sh.shape_set(*sh.LOWER_WORDS)[first],
            "starts_upper": sh.shape_set(sh.CAPS, *sh.CAPITALISED_WORDS)[first],
            "starts_number": sh.shape_set(*sh.NUMBERS)[first],
            "starts_separator": first == sh.SEPARATOR,
            "starts_bracket_or_quote": sh.shape_set(sh.OPEN, sh.QUOTE)[first],
            "starts_numbered_item": sh.shape_set(*sh.SHORT_NUMBERS)[first] & enumerates,
        }
    )


@cache
def _end_table() -> NDArray[np.int64]:
    """How a segment ends, by its last trigram; that of a segment of one or two tokens is open at its end."""
    tokens = sh.all_trigrams()
    missing = (tokens[1:] == sh.NO_SHAPE).sum(axis=0)
    last, before_last, third_last = (
        np.where(place - missing >= 0, np.take_along_axis(tokens, (place - missing)[None] % 3, axis=0)[0], sh.NO_SHAPE)
        for place in (2, 1, 0)
    )
    terminal, close = sh.TERMINAL, sh.CLOSE
    numbers = sh.shape_set(*sh.NUMBERS)
    # A closing quote or bracket after the full stop belongs to the sentence.
    closing = (last == close) | (last == sh.QUOTE)
    return _edge_flags(
        {
            "ends_terminal": (last == terminal) | (closing & (before_last == terminal)),
            "ends_ellipsis": (last == terminal) & (before_last == terminal),
            "ends_comma_or_colon": last == sh.COMMA,
            "ends_number": numbers[last],
            "ends_close_bracket": last == close,
            "ends_count_in_brackets": (last == close) & numbers[before_last] & (third_last == sh.OPEN),
            "ends_separator": sh.shape_set(sh.SEPARATOR, sh.SYMBOL)[last],
        }
    )


_FIELD_BITS = 10
_FIELD = (1 << _FIELD_BITS) - 1
"""A clipped segment has fewer tokens than this, so that three counts fit into one integer, side by side."""


@cache
def _pattern_table() -> NDArray[np.int64]:
    """Whether a sentence ends, a date stands or a time stands at a trigram's first token, as counts side by side."""
    first, second, third = sh.all_trigrams()
    numbers = sh.shape_set(*sh.NUMBERS)
    begins_anew = sh.shape_set(*range(sh.TITLE, sh.CASELESS_LONG + 1), sh.IDEOGRAPH, sh.QUOTE, sh.NO_SHAPE)[second]
    sentence = (first == sh.TERMINAL) & begins_anew
    joint = sh.shape_set(sh.SEPARATOR, sh.TERMINAL)[second]
    date_pair = numbers[first] & joint & numbers[third]
    short = sh.shape_set(*sh.SHORT_NUMBERS)[first]
    time = short & (second == sh.COMMA) & numbers[third]
    return sum(
        column.astype(np.int64) << (_FIELD_BITS * place) for place, column in enumerate((sentence, date_pair, time))
    )


def _years(batch: Batch) -> NDArray[np.int64]:
    """How many numbers of four digits are years from 1600 to 2099."""
    tokens = batch.tokens
    at = (tokens.shapes == sh.NUMBER_4).nonzero()[0]
    starts = tokens.starts.take(at)
    first, second = batch.codes.take(starts), batch.codes.take(starts + 1)
    year = ((first == ord("1")) & (second >= ord("6"))) | ((first == ord("2")) & (second == ord("0")))
    return np.bincount(tokens.segments.take(at[year]), minlength=len(batch))


def _has_url(batch: Batch) -> NDArray[np.float64]:
    """1 where a word is the beginning of an address."""
    tokens = batch.tokens
    found = np.zeros(len(tokens.shapes), bool)
    for known in _url_hashes():
        found |= tokens.hashes == known
    has = np.zeros(len(batch))
    has[tokens.segments[found]] = 1
    return has


@cache
def _url_hashes() -> list[np.uint64]:
    return [_word_hash(word) for word in _URL_WORDS]


def _word_hash(word: str) -> np.uint64:
    codes = np.array([ord(c) for c in word], np.uint32)
    return tokenize(codes, ch.class_table()[codes], np.zeros(1, np.int64)).hashes[0]


def _source_suffix(batch: Batch) -> NDArray[np.float64]:
    """1 where the last separator is followed by one to six words, most of them capitalised: "Headline - Some Paper"."""
    tokens = batch.tokens
    result = np.zeros(len(batch))
    separators = (tokens.shapes == sh.SEPARATOR).nonzero()[0]
    if not len(separators):
        return result
    ends = tokens.offsets[1:]
    last = separators.take(separators.searchsorted(ends) - 1, mode="clip")
    after = ends - 1 - last
    rows = ((last >= tokens.firsts + 3) & (after >= 1) & (after <= _MAX_SOURCE_WORDS)).nonzero()[0]
    after = after.take(rows)
    steps = np.arange(1, _MAX_SOURCE_WORDS + 1)[:, None]
    shapes = tokens.shapes.take(last.take(rows) + steps, mode="clip")
    capitals = (_NAME_LIKE.take(shapes) & (steps <= after)).sum(axis=0)
    result[rows] = capitals * 2 >= after
    return result
