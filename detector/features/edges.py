"""How a segment begins and ends: what follows from its first three and its last three tokens."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import shapes as sh
from detector.features.batch import Batch

NAMES = (
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
)

_AT = {name: place for place, name in enumerate(NAMES)}
_ELLIPSIS = ord("…")


def edge_features(batch: Batch) -> NDArray[np.int64]:
    """How each segment begins and ends; (len(NAMES), n_segments) int64, each 0 or 1."""
    tokens = batch.tokens
    last = tokens.offsets[1:] - 1
    begins = _begin_table().take(tokens.trigrams.take(tokens.firsts))
    ends = _end_table().take(tokens.trigrams.take(np.maximum(last - 2, tokens.firsts)))
    flags = ((begins | ends) >> np.arange(len(NAMES))[:, None]) & 1
    flags[_AT["ends_ellipsis"]] |= batch.codes.take(tokens.starts.take(last)) == _ELLIPSIS
    return flags


def _pack(columns: dict[str, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Pack columns over all trigrams into one integer a trigram, a bit for each of `NAMES`; (N_TRIGRAMS,) int64."""
    flags = np.zeros(sh.N_TRIGRAMS, np.int64)
    for name, column in columns.items():
        flags |= column.astype(np.int64) << _AT[name]
    return flags


@cache
def _begin_table() -> NDArray[np.int64]:
    """How a segment begins, by its first trigram; (N_TRIGRAMS,) int64, bits as in `_pack`."""
    first, second, _ = sh.all_trigrams()
    enumerates = sh.shape_set(sh.TERMINAL, sh.CLOSE)[second]
    return _pack(
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
    """How a segment ends, by its last trigram; (N_TRIGRAMS,) int64, bits as in `_pack`.

    A segment of one or two tokens has one trigram, filled up with `NO_SHAPE`.
    """
    first, second, third = sh.all_trigrams()
    one, two = second == sh.NO_SHAPE, third == sh.NO_SHAPE
    last = np.where(one, first, np.where(two, second, third))
    before_last = np.where(one, sh.NO_SHAPE, np.where(two, first, second))
    third_last = np.where(two, sh.NO_SHAPE, first)
    numbers = sh.shape_set(*sh.NUMBERS)
    # A closing quote or bracket after the full stop belongs to the sentence.
    closing = sh.shape_set(sh.CLOSE, sh.QUOTE)[last]
    return _pack(
        {
            "ends_terminal": (last == sh.TERMINAL) | (closing & (before_last == sh.TERMINAL)),
            "ends_ellipsis": (last == sh.TERMINAL) & (before_last == sh.TERMINAL),
            "ends_comma_or_colon": last == sh.COMMA,
            "ends_number": numbers[last],
            "ends_close_bracket": last == sh.CLOSE,
            "ends_count_in_brackets": (last == sh.CLOSE) & numbers[before_last] & (third_last == sh.OPEN),
            "ends_separator": sh.shape_set(sh.SEPARATOR, sh.SYMBOL)[last],
        }
    )
