"""Fit a model's head: word scorers out of fold, then convolutional networks on features and scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from detector.data import LABELS, Kind
from detector.errors import SampleError
from detector.model import HashedScorer, Head, stack_inputs
from detector.network import Network, softmax
from training.dataset import Dataset
from training.export import as_bytes, as_features, segment_rows
from training.labelling import LabelledPage
from training.network import DROPOUT, ROWS_SEEN, Rows, fit_network, one_hot
from training.sites import FOLDS, site_fold
from training.spam import fit_spam_scorer
from training.standardising import mean_and_spread

MIN_PAGES = 6
"""Fewer cannot be split by site and say nothing of other pages."""

TEACHERS = 3
"""Networks on the labels, whose mean the student imitates; the student, which is the network that is kept, comes out as
good as the mean of four networks and costs at run time what one does."""

TEACHERS_SHARE = 0.7
"""Weight of the teachers' probabilities in the student's targets; the rest are the labels."""

STUDENT_ROWS = 10_000_000
"""Segments that the student sees in all its passes, unlabelled ones among them; with `ROWS_SEEN` it is no better than a
teacher."""

UNLABELLED_WEIGHT = 1.0
"""Weight of an unlabelled segment beside a labelled one, whose weights are 1 in the mean."""

STUDENT_SIZES = (128, 64)
"""Of the student, the network that is kept: outputs of the first dense layer; of the second and of the later stages."""

TEACHER_SIZES: dict[Kind, tuple[int, int]] = {"text": (192, 96), "html": STUDENT_SIZES}
"""Sizes of the teachers, whose width costs nothing at run time. In HTML, with a fifth of the pages, (160, 80) was no
better than (96, 48); since HTML heads learn from text pages as well, nothing wider was tried."""

TEACHER_ROWS: dict[Kind, int] = {"text": 8_000_000, "html": ROWS_SEEN}
"""Segments that a teacher sees in all its passes."""

TEACHER_DROPOUT: dict[Kind, float] = {"text": 0.2, "html": DROPOUT}
"""Wide networks on lines need more dropout: with .15, lines that people labelled (turku) came out at a macro F1 of .72
instead of .75."""

F1_WEIGHT: dict[Kind, float] = {"text": 0.0, "html": 0.3}
"""Weight of the pages' F1 in the teachers' loss. In text it makes headings of lists likelier to be content, and results
on labelled lines are worse."""

PAGE_EXPONENT = 0.5
"""A page's segments weigh by its size to the power of minus this: 0 counts segments, 1 counts pages."""

ARTICLE_WEIGHT = 2.5
"""Weight of an HTML page known to be an article, other pages weighing 1: corpora by page type hold more listings than
the web that people crawl."""

LEAST_PAGE = 50.0
"""Size (the square roots of the segments' characters, summed) below which smaller pages weigh no more than this one."""

THRESHOLD: dict[Kind, float] = {"text": 0.46, "html": 0.48}
"""Probability of content from which a segment is content: a little under one half, where the F1 of words peaks."""

LIFT: dict[Kind, float] = {"text": 0.3, "html": 0.5}
"""How far a page's sure content raises its threshold, as `decide` takes it: more loses content, less leaves teasers."""

LEAST_SPREAD = 1e-3
"""Standard deviation below which an input counts as constant."""

SCORER_PENALTY, SCORER_PASSES = 3e-6, 8
"""scikit-learn's `alpha` and `max_iter` of the scorers of words and of class names: the penalty on the squares of their
weights, a thirtieth of its default, and passes over the segments."""

_PAGES_AT_A_TIME = 64
_QUANTILE = 0.9999
"""Weights of the hashed scorers beyond this quantile are cut, so that eight bits are spent on the others."""

Progress = Callable[[str], None]


def fit_head(
    data: Dataset,
    unlabelled: Dataset | None = None,
    *,
    seed: int = 0,
    progress: Progress = lambda message: None,
) -> Head:
    """Fit the scorers and the network for one kind of page.

    Networks learn from the labels; one more learns their mean, on the labelled pages and on unlabelled ones (model
    distillation; Bucila, Caruana, Niculescu-Mizil, KDD 2006), and is the one that is kept.

    Args:
        data: Labelled segments that `check_trainable` does not refuse.
        unlabelled: Further pages of the kind, for the student only; or None.
        seed: Of everything random; equal seeds give equal heads on one machine.
        progress: Called with a line of text before each step.
    """
    progress(f"{data.kind}: scoring words out of fold ({data.words.nnz:,} occurrences)")
    words, word_scores = _fit_scorer(data, data.words, seed)
    classes, class_scores = None, None
    if data.classes is not None:
        progress(f"{data.kind}: scoring class names out of fold")
        classes, class_scores = _fit_scorer(data, data.classes, seed)
    inputs = stack_inputs(as_features(data), word_scores, class_scores)
    known = data.labels >= 0
    mean, spread = (array.astype(np.float32) for array in mean_and_spread(inputs[known], LEAST_SPREAD))
    untaught = Head(words, classes, mean, spread, [], THRESHOLD[data.kind], LIFT[data.kind])
    page_weights = _page_weights(data) * _mean_weights(data)
    rows = Rows.of(data, untaught.standardised(inputs), one_hot(data.labels), _segment_weights(data), page_weights)
    network = _fit_student(rows, _unlabelled_rows(untaught, unlabelled), data.kind, seed, progress)
    spam = fit_spam_scorer(data, rows.X, seed) if data.kind == "text" else None
    return replace(untaught, networks=[network], spam=spam)


def _fit_student(rows: Rows, unlabelled: Rows | None, kind: Kind, seed: int, progress: Progress) -> Network:
    """The network that imitates the mean of a few others, and the labels."""
    teachers = []
    for number in range(TEACHERS):
        progress(f"{kind}: teacher {number + 1} of {TEACHERS} on {len(rows.X):,} segments")
        teacher_seed = seed * (TEACHERS + 1) + number
        sizes, rows_seen = TEACHER_SIZES[kind], TEACHER_ROWS[kind]
        f1_weight, dropout = F1_WEIGHT[kind], TEACHER_DROPOUT[kind]
        teachers.append(
            fit_network(rows, sizes, teacher_seed, f1_weight=f1_weight, rows_seen=rows_seen, dropout=dropout)
        )
    taught = _mean_probabilities(teachers, rows)
    parts = [replace(rows, targets=TEACHERS_SHARE * taught + (1 - TEACHERS_SHARE) * rows.targets)]
    if unlabelled is not None:
        parts.append(replace(unlabelled, targets=_mean_probabilities(teachers, unlabelled)))
    whole = Rows.joined(parts)
    progress(f"{kind}: student on {len(whole.X):,} segments")
    student_seed = seed * (TEACHERS + 1) + TEACHERS
    # No F1 in its loss: the teachers' probabilities have learnt it already.
    return fit_network(whole, STUDENT_SIZES, student_seed, rows_seen=STUDENT_ROWS)


def _mean_probabilities(networks: list[Network], rows: Rows) -> NDArray[np.float32]:
    """Probabilities from the mean of the networks' logits, some pages at a time; (n_segments, n_labels) float32."""
    parts = []
    n_pages = len(rows.offsets) - 1
    for first in range(0, n_pages, _PAGES_AT_A_TIME):
        some = rows.of_pages(first, min(first + _PAGES_AT_A_TIME, n_pages))
        logits = sum(network.logits(some.X, some.places).astype(np.float64) for network in networks)
        parts.append(softmax(np.asarray(logits / len(networks))).astype(np.float32))
    return np.concatenate(parts)


def _unlabelled_rows(head: Head, data: Dataset | None) -> Rows | None:
    """Unlabelled segments as a head's networks see them; their targets are to be filled in."""
    if data is None or not len(data):
        return None
    X = head.standardised(segment_rows(head, data))
    weights, page_weights = np.full(len(X), UNLABELLED_WEIGHT, np.float32), np.ones(len(data), np.float32)
    return Rows.of(data, X, X[:, :0], weights, page_weights)


def check_trainable(pages: Sequence[LabelledPage], kind: Kind) -> None:
    """Refuse pages of one kind that nothing can be learnt from.

    Raises:
        SampleError: Too few pages or sites, or a label that none has; the message says which.
    """
    sites = {page.sample.site for page in pages}
    if len(pages) < MIN_PAGES or len(sites) < FOLDS:
        raise SampleError(
            f"too few {kind} samples: {len(pages)} pages from {len(sites)} sites; "
            f"at least {MIN_PAGES} pages from {FOLDS} sites are needed to learn and to check what was learnt"
        )
    found = {label for page in pages for label in np.unique(page.labels[page.weights > 0]).tolist()}
    missing = [str(label) for number, label in enumerate(LABELS) if number not in found]
    if missing:
        raise SampleError(f"the {kind} samples have no segment labelled {', '.join(missing)}; add pages that do")


def _segment_weights(data: Dataset) -> NDArray[np.float32]:
    """The segments' weights, evened out between long and short pages; 1 in the mean. (n_segments,) float32."""
    sizes = np.bincount(data.page_of, np.sqrt(data.chars) * (data.labels >= 0), len(data))
    by_page = np.maximum(sizes, LEAST_PAGE) ** -PAGE_EXPONENT * _page_weights(data)
    weights = data.weights * by_page[data.page_of]
    return np.asarray(weights / weights[data.labels >= 0].mean(), np.float32)


def _page_weights(data: Dataset) -> NDArray[np.float32]:
    """How much each page counts beside others of its size; (n_pages,) float32."""
    heavier = [data.kind == "html" and sample.page_type == "article" for sample in data.samples]
    return np.where(heavier, ARTICLE_WEIGHT, 1.0).astype(np.float32)


def _mean_weights(data: Dataset) -> NDArray[np.float32]:
    """The mean weight of each page's labelled segments, 0 where there are none; (n_pages,) float32."""
    known = np.bincount(data.page_of, data.labels >= 0, len(data))
    return (np.bincount(data.page_of, data.weights, len(data)) / np.maximum(known, 1)).astype(np.float32)


def _fit_scorer(data: Dataset, rows: sp.csr_matrix, seed: int) -> tuple[HashedScorer, NDArray[np.float32]]:
    """A scorer fitted on everything, and for every segment the score of a scorer that has not seen its site.

    Args:
        data: The segments.
        rows: (n_segments, n_buckets) float32, their words or the class names around them.
        seed: Of the order in which segments are seen.
    """
    folds = np.array([site_fold(sample.site, FOLDS) for sample in data.samples], np.int64)[data.page_of]

    def fit(chosen: NDArray[np.bool_]) -> SGDClassifier:
        scorer = SGDClassifier(
            loss="log_loss", alpha=SCORER_PENALTY, max_iter=SCORER_PASSES, tol=None, average=True, random_state=seed
        )
        return scorer.fit(rows[chosen], data.labels[chosen], sample_weight=data.weights[chosen])

    known = data.labels >= 0
    out_of_fold = np.zeros((len(data.labels), len(LABELS)), np.float32)
    for fold in np.unique(folds):
        inside = folds == fold
        others = known & ~inside
        # Where the other folds lack a label, they cannot teach it: the scores of this fold stay 0.
        if len(np.unique(data.labels[others])) == len(LABELS):
            out_of_fold[inside] = np.tanh(fit(others).decision_function(rows[inside]) / 2)
    whole = fit(known)
    table, scale = as_bytes(whole.coef_.T, float(np.quantile(np.abs(whole.coef_), _QUANTILE)))
    return HashedScorer(table, scale, whole.intercept_.astype(np.float32)), out_of_fold
