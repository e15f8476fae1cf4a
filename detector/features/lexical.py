"""Hashed features for the linear scorers inside the model: of words in the text, and of class names in the markup.

Feature hashing after Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (ICML 2009). Of the text
are hashed tokens, pairs of tokens, their beginnings and endings, trigrams of their shapes, and the first and last
tokens of a segment by place. None of it depends on a language.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.features import characters as ch
from detector.features import shapes as sh
from detector.features.batch import Batch
from detector.features.hashing import PREFIX_CHARS, SUFFIX_CHARS, mix, word_hashes
from detector.features.markup import Markup
from detector.features.tokens import token_bounds

TEXT_BITS = 18
DOM_BITS = 14
"""Binary logarithms of the numbers of hash buckets, of text and of markup."""

ABSENT = 1 << TEXT_BITS
"""The bucket of a text feature that a token or a segment does not have."""

TOKEN_FAMILIES = 5
"""Features of a token: itself, the pair it begins, the trigram of shapes it begins, its beginning, its ending."""

EDGE_TOKENS = 2
"""Tokens from each end of a segment that are hashed by their place."""

_LONGEST_WITHOUT_AFFIX = np.array([[PREFIX_CHARS], [SUFFIX_CHARS]])

NAME_FAMILIES = 3
"""Features of a word of a name: in an element around the segment, in the innermost one, in that one's parent."""

MOST_NAME_WORDS = 64
"""Words of one element's class names and ids that are looked at."""

MOST_NAME_CHARS = 8192
"""Characters of them that are looked at, so that none of megabytes is hashed whole; real ones have up to 6,000."""

FIELD_BITS = 21
_FIELD = (1 << FIELD_BITS) - 1
_BIAS = 128


@dataclass(frozen=True, slots=True)
class PackedTable:
    """The columns of an int8 table packed into one integer a bucket, so that one look-up and one sum serve all.

    Each column takes `FIELD_BITS` bits. `_BIAS` is added to its entries to make them positive; sums of up to 8,000 fit.

    Attributes:
        packed: (n_buckets + 1,) int64; the last entry, for absent features, has zero in every column.
        columns: Number of columns, at most 3.
    """

    packed: NDArray[np.int64]
    columns: int

    def unpack(self, sums: NDArray[np.int64], entries: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Take sums of packed entries apart; (columns, ..., n) int64.

        Args:
            sums: (..., n) sums of entries of `packed`.
            entries: (n,) or one number, how many entries each sum is of.
        """
        fields = np.stack([sums >> FIELD_BITS * column for column in range(self.columns)])
        fields &= _FIELD
        fields -= np.asarray(entries) * _BIAS
        return fields


def pack(table: NDArray[np.int8]) -> PackedTable:
    """Pack the columns of a table.

    Args:
        table: (n_buckets, columns) int8, at most 3 columns.
    """
    n_buckets, columns = table.shape
    packed = np.zeros(n_buckets + 1, np.int64)
    for column in reversed(range(columns)):
        packed <<= FIELD_BITS
        packed[:-1] += table[:, column]
        packed += _BIAS
    return PackedTable(packed, columns)


@dataclass(frozen=True, slots=True)
class HashedText:
    """The hashed features of each segment's text. Every segment has a token.

    Attributes:
        by_token: (TOKEN_FAMILIES, n_tokens) int64 buckets, or `ABSENT`.
        by_edge: (2 * EDGE_TOKENS, n_segments) int64 buckets, or `ABSENT`: the first tokens, then the last ones.
        offsets: (n_segments + 1,) int64; segment i has the tokens `offsets[i]:offsets[i + 1]`.
    """

    by_token: NDArray[np.int64]
    by_edge: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def none(cls) -> HashedText:
        """The features of no segments."""
        return cls(
            np.empty((TOKEN_FAMILIES, 0), np.int64), np.empty((2 * EDGE_TOKENS, 0), np.int64), np.zeros(1, np.int64)
        )

    def sums(self, table: PackedTable) -> NDArray[np.int64]:
        """Sum a table's entries over each segment's features; (n_segments, columns) int64."""
        sums = table.packed.take(self.by_edge, mode="clip").sum(axis=0)
        if self.by_token.shape[1]:
            sums += np.add.reduceat(table.packed.take(self.by_token, mode="clip").sum(axis=0), self.offsets[:-1])
        return table.unpack(sums, self.sizes()).T

    def sizes(self) -> NDArray[np.int64]:
        """Number of features of each segment, absent ones included; `score` divides by its square root."""
        return (self.offsets[1:] - self.offsets[:-1]) * TOKEN_FAMILIES + 2 * EDGE_TOKENS

    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Segment and bucket of every feature that is present, for training; (n_present,) int64 each."""
        segments = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        rows = np.concatenate(
            (np.tile(segments, TOKEN_FAMILIES), np.tile(np.arange(self.by_edge.shape[1]), 2 * EDGE_TOKENS))
        )
        buckets = np.concatenate((self.by_token.ravel(), self.by_edge.ravel()))
        present = buckets < ABSENT
        return rows[present], buckets[present]


def hash_text(batch: Batch) -> HashedText:
    """Hash the text of each segment."""
    tokens = batch.tokens
    keys = np.empty((TOKEN_FAMILIES, len(tokens.shapes)), np.uint64)
    np.multiply(tokens.hashes, _FACTORS[0], out=keys[0])
    np.multiply(tokens.hashes, _FACTORS[1], out=keys[1])
    keys[1, :-1] += tokens.hashes[1:] * _FACTORS[2]
    np.multiply(tokens.affixed[1:], _FACTORS[6:8, None], out=keys[3:])
    by_token = _bucket(keys)
    last = tokens.offsets[1:] - 1
    by_token[1, last] = ABSENT
    by_token[2] = _trigram_buckets().take(tokens.trigrams)
    # A beginning or an ending is a feature only of a longer token; marks are one character long.
    np.putmask(by_token[3:], tokens.lengths <= _LONGEST_WITHOUT_AFFIX, ABSENT)
    place = np.arange(EDGE_TOKENS)[:, None]
    at = np.concatenate((tokens.firsts + place, last - place))
    by_edge = _bucket(tokens.hashes.take(at, mode="clip") * _FACTORS[8 : 8 + len(at), None])
    np.putmask(by_edge, last - tokens.firsts < np.tile(place, (2, 1)), ABSENT)
    return HashedText(by_token, by_edge, tokens.offsets)


@cache
def _trigram_buckets() -> NDArray[np.int64]:
    """The bucket of each packed trigram of shapes; (N_TRIGRAMS,) int64."""
    trigrams = sh.all_trigrams()
    first, second, third = np.append(sh.shape_hashes(), np.uint64(0))[trigrams]
    buckets = _bucket(first * _FACTORS[3] + second * _FACTORS[4] + third * _FACTORS[5])
    return np.where(trigrams[2] == sh.NO_SHAPE, ABSENT, buckets)


@dataclass(frozen=True, slots=True)
class HashedDom:
    """The hashed words of the names (tag, classes and ids) of the elements around each segment.

    The words of an element are features of every segment that it covers. Those of a segment's innermost element, and of
    that one's parent, are features once more, in families of their own. Each different name is hashed once.

    Attributes:
        by_word: (NAME_FAMILIES, n_words) int64 buckets.
        offsets: (n_names + 1,) int64; name i has the words `offsets[i]:offsets[i + 1]`.
        markup: Which names stand where.
    """

    by_word: NDArray[np.int64]
    offsets: NDArray[np.int64]
    markup: Markup

    def sums(self, table: PackedTable) -> NDArray[np.int64]:
        """Sum a table's entries over each segment's features; (n_segments, columns) int64."""
        words = np.diff(self.offsets)
        filled = words.nonzero()[0]
        by_name = np.zeros((table.columns, NAME_FAMILIES, len(words) + 1), np.int64)
        if len(filled):
            sums = np.add.reduceat(table.packed.take(self.by_word), self.offsets.take(filled), axis=1)
            by_name[..., filled] = table.unpack(sums, words.take(filled))
        markup = self.markup
        around, innermost, parent = by_name.transpose(1, 0, 2)
        inner = markup.innermost
        total = markup.covering(around.take(markup.name_of, axis=1))
        total += innermost.take(markup.name_of.take(inner), axis=1)
        total += parent.take(markup.name_of.take(markup.parents.take(inner)), axis=1)
        return total.T

    def sizes(self) -> NDArray[np.int64]:
        """Number of words in names around each segment, plus one; `score` divides by its square root."""
        words = np.append(np.diff(self.offsets), 0)[self.markup.name_of]
        return self.markup.covering(words) + 1

    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Segment and bucket of every feature, for training; (n_features,) int64 each."""
        markup = self.markup
        covered = markup.last - markup.first
        segments = np.arange(len(markup.innermost))
        rows = np.concatenate((_ranges(markup.first, covered), segments, segments))
        around = np.repeat(markup.name_of, covered)
        innermost = markup.name_of[markup.innermost]
        parent = markup.name_of[markup.parents[markup.innermost]]
        family = np.repeat(np.arange(NAME_FAMILIES), (len(around), len(segments), len(segments)))
        names = np.concatenate((around, innermost, parent))
        words = np.append(np.diff(self.offsets), 0)[names]
        at = _ranges(np.append(self.offsets[:-1], 0)[names], words)
        return np.repeat(rows, words), self.by_word[np.repeat(family, words), at]


def hash_dom(markup: Markup) -> HashedDom:
    """Hash the words of each different name in the batch."""
    texts = [_clipped(f"{tag} {tokens}") for tag, tokens in markup.names]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    name_starts = np.cumsum(lengths + 1) - lengths - 1
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = _split_camel_case(ch.class_table().take(ch.places(codes)))
    starts, ends = token_bounds(classes)
    first_of = starts.searchsorted(name_starts)
    names = np.repeat(np.arange(len(texts)), np.diff(first_of, append=len(starts)))
    place = np.arange(len(starts)) - first_of.take(names)
    # A page lies inside <html> and <body> as a whole: their names say nothing of a segment.
    outer = np.array([tag in ("html", "body") for tag in markup.tags]).take(markup.tag_of.take(names))
    chosen = ch.in_words(classes.take(starts)) & (place < MOST_NAME_WORDS) & ~outer
    names = names[chosen]
    hashes = word_hashes(codes, starts[chosen], ends[chosen], name_starts)
    by_word = np.stack(
        [(hashes * _FACTORS[family] >> np.uint64(64 - DOM_BITS)).astype(np.int64) for family in range(NAME_FAMILIES)]
    )
    return HashedDom(by_word, names.searchsorted(np.arange(len(texts) + 1)), markup)


def _clipped(name: str) -> str:
    """The first `MOST_NAME_CHARS` characters of a name, without a word that is cut by the end of them."""
    if len(name) <= MOST_NAME_CHARS:
        return name
    return name[:MOST_NAME_CHARS].rpartition(" ")[0] or name[:MOST_NAME_CHARS]


def _split_camel_case(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Start a word at every upper-case letter after a lower-case one, as in "mainNav"; (n_chars,) uint8 classes."""
    hump = np.zeros(len(classes), bool)
    hump[1:] = (classes[1:] == ch.UPPER) & (classes[:-1] == ch.LOWER)
    # An UNSPACED character is a token of its own, but the hash is of code points, so only the cut matters.
    return np.where(hump, np.uint8(ch.UNSPACED), classes)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The concatenation of `starts[i], starts[i] + 1, ... starts[i] + counts[i] - 1` for every i."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)


_FACTORS = mix(np.arange(1, 17, dtype=np.uint64)) | np.uint64(1)
"""Odd factors, one for each family: token hashes are well mixed, so a product's top bits make a bucket."""


def _bucket(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The buckets of keys, in place: the keys are overwritten."""
    keys >>= np.uint64(64 - TEXT_BITS)
    return keys.view(np.int64)
