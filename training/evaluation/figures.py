"""The figures: functions of what was counted on the pages, vectorised over the draws of the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.evaluation.bootstrap import Columns, Compute, FloatArray

SPAM_FALSE_POSITIVES = 0.01
"""Share of the good pages that may be taken for spam."""

Family = Literal["segments", "text", "snippets", "spam"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes:
        name: In JSON, floors and the attributes of a `Row`.
        title: In tables and charts.
        family: The table it stands in.
        compute: From columns and weights of pages to values.
        counted: Columns one of which a page must have for the figure to be of it.
        higher_is_better: False for a share of errors.
    """

    name: str
    title: str
    family: Family
    compute: Compute
    counted: tuple[str, ...]
    higher_is_better: bool = True

    def pages(self, columns: Columns) -> int:
        """Of how many pages the figure is: those without a gold text, say, have no word F1."""
        return int(np.count_nonzero(np.sum([columns[name] for name in self.counted], axis=0)))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _share(part: str, whole: str) -> Compute:
    return lambda columns, weights: _ratio(weights @ columns[part], weights @ columns[whole])


def _macro_f1(columns: Columns, weights: FloatArray) -> FloatArray:
    """Mean of the F1 of keep and of remove; of one alone where the other neither is due nor was done."""
    errors = weights @ (columns["lost"] + columns["left"])
    keep, remove = (
        _ratio(2 * right, 2 * right + errors)
        for right in (weights @ columns["kept_right"], weights @ columns["removed_right"])
    )
    return np.where(np.isnan(keep), remove, np.where(np.isnan(remove), keep, (keep + remove) / 2))


def _shingle_f1(columns: Columns, weights: FloatArray) -> FloatArray:
    """Harmonic mean of mean precision and mean recall, as the article-extraction-benchmark has it."""
    recall = _share("shingle_recall", "recall_pages")(columns, weights)
    # Nothing kept on any page: the mean precision is of no page.
    precision = np.nan_to_num(_share("shingle_precision", "precision_pages")(columns, weights))
    return np.where(precision + recall == 0, 0.0, _ratio(2 * precision * recall, precision + recall))


def _snippets(columns: Columns, weights: FloatArray) -> FloatArray:
    """Share of all snippets that are right: stayed or gone as they must."""
    return _ratio(
        weights @ (columns["stayed"] + columns["gone"]), weights @ (columns["must_stay"] + columns["must_go"])
    )


def _good_pages_above(columns: Columns, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each draw and spam page, the weight of the good pages that look more like spam, and of those that tie.

    Returns:
        (n_draws, n_spam) weights above, (n_draws, n_spam) weights of ties, (n_draws, n_spam) weights of the spam pages.
    """
    probability = columns["spam_probability"]
    good, spam = columns["good_pages"] > 0, columns["spam_pages"] > 0
    order = np.argsort(probability[good])
    ranked = probability[good][order]
    below = np.concatenate((np.zeros((len(weights), 1)), np.cumsum(weights[:, good][:, order], axis=1)), axis=1)
    first = below[:, np.searchsorted(ranked, probability[spam], "left")]
    last = below[:, np.searchsorted(ranked, probability[spam], "right")]
    return below[:, -1:] - last, last - first, weights[:, spam]


def _spam_found(columns: Columns, weights: FloatArray) -> FloatArray:
    """Share of the spam pages above the threshold that takes at most one good page in a hundred for spam."""
    above, ties, spam = _good_pages_above(columns, weights)
    good = (weights @ columns["good_pages"])[:, None]
    found = above + ties <= SPAM_FALSE_POSITIVES * good
    return np.where(good[:, 0] > 0, _ratio((spam * found).sum(axis=1), spam.sum(axis=1)), np.nan)


def _spam_auc(columns: Columns, weights: FloatArray) -> FloatArray:
    """Probability that a spam page looks more like spam than a good page; a tie is half."""
    above, ties, spam = _good_pages_above(columns, weights)
    good = weights @ columns["good_pages"]
    beaten = good[:, None] - above - ties / 2
    return _ratio((spam * beaten).sum(axis=1), spam.sum(axis=1) * good)


_LABELLED = ("kept_right", "lost", "left", "removed_right")
_SPAM_OR_GOOD = ("spam_pages", "good_pages")


def _figure_of_share(
    name: str, title: str, family: Family, part: str, whole: str, higher_is_better: bool = True
) -> Figure:
    return Figure(name, title, family, _share(part, whole), (whole,), higher_is_better)


FIGURES = (
    Figure("macro_f1", "macro F1", "segments", _macro_f1, _LABELLED),
    _figure_of_share("content_lost", "content lost", "segments", "content_lost_chars", "content_chars", False),
    _figure_of_share("unwanted_left", "unwanted left", "segments", "unwanted_left_chars", "unwanted_chars", False),
    _figure_of_share(
        "link_lists_removed", "link lists removed", "segments", "link_list_removed_chars", "link_list_chars"
    ),
    _figure_of_share(
        "genuine_lists_kept", "genuine lists kept", "segments", "genuine_list_kept_chars", "genuine_list_chars"
    ),
    _figure_of_share("word_f1", "word F1", "text", "word_f1", "gold_pages"),
    Figure("shingle_f1", "4-gram F1", "text", _shingle_f1, ("recall_pages",)),
    _figure_of_share("shingle_precision", "4-gram precision", "text", "shingle_precision", "precision_pages"),
    _figure_of_share("shingle_recall", "4-gram recall", "text", "shingle_recall", "recall_pages"),
    Figure("snippets", "snippets right", "snippets", _snippets, ("must_stay", "must_go")),
    _figure_of_share("snippets_stayed", "must stay, stayed", "snippets", "stayed", "must_stay"),
    _figure_of_share("snippets_gone", "must go, gone", "snippets", "gone", "must_go"),
    Figure("spam_found", "spam pages found at 1 % of good pages", "spam", _spam_found, _SPAM_OR_GOOD),
    Figure("spam_auc", "spam pages AUC", "spam", _spam_auc, _SPAM_OR_GOOD),
)
"""All figures, in the order of the tables; their names are attributes of `Row`."""
