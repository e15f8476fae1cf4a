"""What a segment looks like by itself: lengths, case, punctuation, numbers, dates, how it begins and ends.

The shallow text features follow Kohlschuetter, Fankhauser, Nejdl, "Boilerplate Detection using Shallow Text
Features" (WSDM 2010). Stopword lists are replaced by proxies that need no language: the share of short lower-case
words, and of lower-case words at all.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import batch as b
from detector.features import characters as ch
from detector.features.batch import Batch

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

_MAX_SOURCE_WORDS = 6

_LOWER = b.shape_set(b.LOWER_SHORT, b.LOWER_MEDIUM, b.LOWER_LONG)
_UPPER = b.shape_set(b.TITLE, b.CAPS, b.INITIAL, b.MIXED)
_CAPITALISED = b.shape_set(b.TITLE, b.MIXED, b.INITIAL)
_NAME_LIKE = b.shape_set(b.TITLE, b.CAPS, b.MIXED, b.IDEOGRAPH, b.CASELESS_LONG)
_NUMBERS = b.shape_set(*range(b.NUMBER_1, b.NUMBER_LONG + 1))
_SHORT_NUMBERS = b.shape_set(b.NUMBER_1, b.NUMBER_2)
_OPENS = b.shape_set(16 + ch.OPEN, 16 + ch.QUOTE)
_ENUMERATES = b.shape_set(16 + ch.TERMINAL, 16 + ch.CLOSE)
_SEPARATES = b.shape_set(16 + ch.SEPARATOR, 16 + ch.SYMBOL)
_JOINS = b.shape_set(16 + ch.SEPARATOR, 16 + ch.TERMINAL)

_URL_WORDS = ("http", "https", "www")


def _word_hash(word: str) -> int:
    codes = np.array([ord(c) for c in word], np.uint32)
    tokens = b.tokenize(codes, ch.class_table()[codes], np.zeros(1, np.int64))
    return int(tokens.hashes[0])


def local_features(batch: Batch) -> NDArray[np.float32]:
    """One row a segment from its own characters; (n_segments, len(NAMES)) float32."""
    tokens = batch.tokens
    n = len(batch)
    columns: dict[str, NDArray[np.float64]] = {}
    by_shape = np.bincount(tokens.segments * b.N_SHAPES + tokens.shapes, minlength=n * b.N_SHAPES).reshape(
        n, b.N_SHAPES
    )
    chars_by_shape = (
        np.bincount(tokens.segments * b.N_SHAPES + tokens.shapes, weights=tokens.lengths, minlength=n * b.N_SHAPES)
    ).reshape(n, b.N_SHAPES)
    chars = np.maximum(chars_by_shape.sum(1), 1)
    words = by_shape[:, : b.LAST_WORD_SHAPE + 1].sum(1)
    # An ideograph or Thai letter is about half a word.
    words = words - by_shape[:, b.IDEOGRAPH] * 0.5
    per_word = 1.0 / np.maximum(words, 1)

    def marks(*classes: int) -> NDArray[np.float64]:
        return by_shape[:, [16 + kind for kind in classes]].sum(1) * per_word

    def shaped(*shapes: int) -> NDArray[np.float64]:
        return by_shape[:, list(shapes)].sum(1) * per_word

    columns["log_chars"] = np.log1p(batch.lengths)
    columns["log_words"] = np.log1p(words)
    columns["mean_word_chars"] = chars_by_shape[:, : b.LAST_WORD_SHAPE + 1].sum(1) * per_word
    columns["letter_ratio"] = (chars_by_shape[:, : b.CASELESS_LONG + 1].sum(1) + chars_by_shape[:, b.IDEOGRAPH]) / chars
    columns["unspaced_ratio"] = chars_by_shape[:, b.IDEOGRAPH] / chars
    columns["caseless_ratio"] = chars_by_shape[:, [b.CASELESS_SHORT, b.CASELESS_LONG]].sum(1) / chars
    numbers = slice(b.NUMBER_1, b.NUMBER_LONG + 1)
    columns["upper_ratio"] = (
        by_shape[:, b.TITLE] + by_shape[:, b.INITIAL] + chars_by_shape[:, b.CAPS] + by_shape[:, b.MIXED] * 2
    ) / chars
    columns["digit_ratio"] = (chars_by_shape[:, numbers].sum(1) + chars_by_shape[:, b.ALPHANUMERIC] * 0.5) / chars
    columns["short_lower_word_ratio"] = shaped(b.LOWER_SHORT, b.CASELESS_SHORT)
    columns["lower_word_ratio"] = shaped(b.LOWER_SHORT, b.LOWER_MEDIUM, b.LOWER_LONG)
    columns["title_word_ratio"] = shaped(b.TITLE, b.MIXED, b.INITIAL)
    columns["caps_word_ratio"] = shaped(b.CAPS)
    columns["number_word_ratio"] = by_shape[:, numbers].sum(1) * per_word
    columns["alphanumeric_word_ratio"] = shaped(b.ALPHANUMERIC)
    columns["terminals_per_word"] = marks(ch.TERMINAL)
    columns["commas_per_word"] = marks(ch.COMMA)
    columns["separators_per_word"] = marks(ch.SEPARATOR)
    columns["quotes_per_word"] = marks(ch.QUOTE)
    columns["brackets_per_word"] = marks(ch.OPEN, ch.CLOSE)
    columns["symbols_per_word"] = marks(ch.SYMBOL)
    columns["address_marks_per_word"] = marks(ch.ADDRESS)
    columns["other_marks_per_word"] = marks(ch.OTHER)
    columns["log_separators"] = np.log1p(by_shape[:, 16 + ch.SEPARATOR])
    columns["log_numbers"] = np.log1p(by_shape[:, numbers].sum(1))
    columns["distinct_word_ratio"] = _distinct_ratio(batch)
    columns |= _begin_and_end(batch)
    columns |= _patterns(batch, words)
    first_title = _CAPITALISED[_shape_at(batch, 0)]
    columns["title_word_ratio_after_first"] = (columns["title_word_ratio"] * words - first_title) / np.maximum(
        words - 1, 1
    )
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


def _shape_at(batch: Batch, position: int) -> NDArray[np.int64]:
    """The shape of the token at a position from the segment's start, or from its end if negative; -1 where none."""
    tokens = batch.tokens
    base = tokens.offsets[:-1] if position >= 0 else tokens.offsets[1:]
    at = base + position
    inside = (at >= tokens.offsets[:-1]) & (at < tokens.offsets[1:])
    return np.where(inside, b.pick(tokens.shapes, at), -1)


def _distinct_ratio(batch: Batch) -> NDArray[np.float64]:
    """Distinct tokens by tokens, estimated from a 64-bit set a segment (linear counting)."""
    tokens = batch.tokens
    counts = np.diff(tokens.offsets)
    if not len(tokens.hashes):
        return np.zeros(len(counts))
    bits = np.uint64(1) << (tokens.hashes & np.uint64(63))
    sets = np.bitwise_or.reduceat(bits, np.minimum(tokens.offsets[:-1], len(bits) - 1))
    empty = 64.0 - np.bitwise_count(sets)
    distinct = -64.0 * np.log(np.maximum(empty, 0.5) / 64.0)
    return np.where(counts > 0, np.minimum(distinct / np.maximum(counts, 1), 1.0), 0.0)


def _begin_and_end(batch: Batch) -> dict[str, NDArray[np.float64]]:
    first, second = _shape_at(batch, 0), _shape_at(batch, 1)
    last, before_last, third_last = _shape_at(batch, -1), _shape_at(batch, -2), _shape_at(batch, -3)
    tokens = batch.tokens
    terminal, close = 16 + ch.TERMINAL, 16 + ch.CLOSE
    # A closing quote or bracket after the full stop belongs to the sentence.
    closing = (last == close) | (last == 16 + ch.QUOTE)
    last_start = b.pick(tokens.starts, tokens.offsets[1:] - 1)
    has_token = np.diff(tokens.offsets) > 0
    ellipsis_mark = has_token & (b.pick(batch.codes, last_start) == ord("…"))
    first_start = b.pick(tokens.starts, tokens.offsets[:-1])
    columns = {
        "starts_lower": _LOWER[first],
        "starts_upper": _UPPER[first],
        "starts_number": _NUMBERS[first],
        "starts_separator": first == 16 + ch.SEPARATOR,
        "starts_bracket_or_quote": _OPENS[first],
        "starts_numbered_item": _SHORT_NUMBERS[first] & _ENUMERATES[second],
        "ends_terminal": (last == terminal) | (closing & (before_last == terminal)),
        "ends_ellipsis": ellipsis_mark | ((last == terminal) & (before_last == terminal)),
        "ends_comma_or_colon": last == 16 + ch.COMMA,
        "ends_number": _NUMBERS[last],
        "ends_close_bracket": last == close,
        "ends_count_in_brackets": (last == close) & _NUMBERS[before_last] & (third_last == 16 + ch.OPEN),
        "ends_separator": _SEPARATES[last],
        "log_indent": np.where(has_token, np.log1p(np.maximum(first_start - batch.starts, 0)), 0.0),
    }
    return {name: column.astype(np.float64) for name, column in columns.items()}


def _patterns(batch: Batch, words: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Sentences, dates, times, addresses and the name of a source at the end."""
    tokens, n = batch.tokens, len(batch)
    shapes, segments = tokens.shapes, tokens.segments

    def count(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(segments[mask], minlength=n).astype(np.float64)

    after = np.full(len(shapes), -1)
    same_next = np.zeros(len(shapes), bool)
    if len(shapes) > 1:
        same_next[:-1] = segments[1:] == segments[:-1]
        after[:-1] = np.where(same_next[:-1], shapes[1:], -1)
    after_next = np.full(len(shapes), -1)
    after_next[:-1] = np.where(same_next[:-1], after[1:], -1)
    is_number, next_number, number_after_next = _NUMBERS[shapes], _NUMBERS[after], _NUMBERS[after_next]
    terminal = shapes == 16 + ch.TERMINAL
    opens_sentence = (after >= b.TITLE) & (after <= b.CASELESS_LONG) | (after == b.IDEOGRAPH) | (after == 16 + ch.QUOTE)
    last_in_segment = ~same_next
    sentences = count(terminal & (opens_sentence | last_in_segment))
    first_code = batch.codes[tokens.starts]
    second_code = b.pick(batch.codes, tokens.starts + 1)
    year = (shapes == b.NUMBER_4) & (
        ((first_code == ord("1")) & (second_code >= ord("6"))) | ((first_code == ord("2")) & (second_code == ord("0")))
    )
    joint = _JOINS[after]
    date_pair = is_number & joint & number_after_next
    time = is_number & (after == 16 + ch.COMMA) & number_after_next & (shapes <= b.NUMBER_2)
    url = np.isin(tokens.hashes, _url_hashes())
    return {
        "log_sentences": np.log1p(sentences),
        "log_words_per_sentence": np.log1p(words / np.maximum(sentences, 1)),
        "years": np.minimum(count(year), 4),
        "date_pairs": np.minimum(count(date_pair), 4),
        "times": np.minimum(count(time & ~(next_number)), 4),
        "has_url": np.minimum(count(url), 1),
        "source_suffix": _source_suffix(batch),
    }


@cache
def _url_hashes() -> NDArray[np.uint64]:
    return np.array([_word_hash(word) for word in _URL_WORDS], np.uint64)


def _source_suffix(batch: Batch) -> NDArray[np.float64]:
    """1 where the last separator is followed by one to six words, most of them capitalised: "Headline - Some Paper"."""
    tokens, n = batch.tokens, len(batch)
    result = np.zeros(n)
    if not len(tokens.shapes):
        return result
    index = np.arange(len(tokens.shapes))
    is_separator = tokens.shapes == 16 + ch.SEPARATOR
    last = np.maximum.reduceat(np.where(is_separator, index, -1), np.minimum(tokens.offsets[:-1], len(index) - 1))
    last = np.where(np.diff(tokens.offsets) > 0, last, -1)
    has = last >= tokens.offsets[:-1] + 3
    after = tokens.offsets[1:] - 1 - last
    capital = np.zeros(len(index) + 1, np.int64)
    np.cumsum(_NAME_LIKE[tokens.shapes], out=capital[1:])
    capitals = capital[tokens.offsets[1:]] - capital[np.where(has, last, 0)]
    return (has & (after >= 1) & (after <= _MAX_SOURCE_WORDS) & (capitals * 2 >= after)).astype(np.float64)
