"""Probabilities to labels: a threshold a page, then what headings, comments and pages without any content are given.

Every page is decided by itself, though the code works on all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.comments import drop_comments
from detector.data import CONTENT, LINK_LIST, Kind, SegmentedPage
from detector.features import feature_names, grouping_names
from detector.places import Places

PROSE_AT = feature_names("text").index("is_prose")
"""The column of prose in features of either kind of page."""

KIND_OF_PLACE = grouping_names("html").index("kind of place")
"""The row of kinds of place in groups of HTML pages."""


def label_segments(
    probabilities: NDArray[np.float32],
    prose: NDArray[np.bool_],
    pages: Sequence[SegmentedPage],
    kind: Kind,
    threshold: float,
    lift: float,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The label of every segment.

    Args:
        probabilities: (n_segments, n_labels) float32.
        prose: (n_segments,) bool.
        pages: The pages that the segments are of.
        kind: Of all pages.
        threshold: As in `decide`; 0 keeps everything and 1 nothing, whatever the other rules say.
        lift: As in `decide`.

    Returns:
        Labels, (n_segments,) uint8 indices into `LABELS`; and which segments were content and are comments, (n_segments,) bool.
    """
    offsets = np.cumsum([0, *map(len, pages)])
    places = Places.of(offsets)
    labels = decide(probabilities, threshold, lift, places)
    if not 0 < threshold < 1:
        return labels, np.zeros(len(labels), bool)
    drop_list_headings(labels, probabilities, prose, places)
    if kind == "text":
        keep_headings(labels, probabilities, prose, places)
    else:
        keep_subheadings(labels, probabilities, pages, places)
    comments = drop_comments(labels, pages, offsets)
    rescue_prose(labels, probabilities, prose, offsets)
    return labels, comments


RAISED = 0.5
"""Share of the way to the mean that doubtful prose goes; .8 gives the same figures."""

LEAST_PROBABILITY = 1e-4
"""Probabilities are cut to this distance from 0 and 1, so that one sure segment does not decide a mean of log-odds."""


def raise_prose(
    probabilities: NDArray[np.float32], prose: NDArray[np.bool_], kinds_of_place: NDArray[np.int64]
) -> None:
    """Raise doubtful prose half of the way, in log-odds of content, to the mean of the prose in the same kind of place; in place.

    Paragraphs stay together so. None is lowered: a list that looks like prose would take the article with it.

    Args:
        probabilities: (n_segments, n_labels) float32.
        prose: (n_segments,) bool.
        kinds_of_place: (n_segments,) int64, equal where the tag and the names of the innermost element and of its parent are;
            no number is on two pages.
    """
    rows = prose.nonzero()[0]
    content = np.clip(probabilities[rows, CONTENT].astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    log_odds = np.log(content / (1 - content))
    group_of = np.unique(kinds_of_place.take(rows), return_inverse=True)[1]
    means = np.bincount(group_of, log_odds) / np.bincount(group_of)
    below_mean = means.take(group_of) - log_odds
    # What is cut at the top can be below a mean by rounding alone.
    raised = ((below_mean > 0) & (content < 1 - LEAST_PROBABILITY)).nonzero()[0]
    rows = rows.take(raised)
    content = 1 / (1 + np.exp(-log_odds.take(raised) - RAISED * below_mean.take(raised)))
    others = 1 - probabilities[rows, CONTENT]
    probabilities[rows] *= ((1 - content) / others)[:, None]
    probabilities[rows, CONTENT] = content


LIKELY, SURE = 0.5, 0.9
"""Probabilities of content from which a segment may be its page's content, and from which it surely is."""


def decide(probabilities: NDArray[np.float32], threshold: float, lift: float, places: Places) -> NDArray[np.uint8]:
    """Label each segment: content from its page's threshold on, otherwise the likelier of the other labels.

    On a page whose content is sure, what is doubtful is a teaser more often than not, so the threshold rises with the
    share of the page's likely content that is sure. Neighbours have already spoken: the networks look along the page.

    Args:
        probabilities: (n_segments, n_labels) float32.
        threshold: Probability of content from which a segment is content on a page without sure content, in 0..1.
        lift: How far the threshold of a page rises if all its content is sure, by the distance of `threshold` from the
            nearer of 0 and 1, so that those keep everything and nothing.
        places: Which page each segment is in.

    Returns:
        (n_segments,) uint8, indices into `LABELS`.
    """
    content, n_pages = probabilities[:, CONTENT], len(places.offsets) - 1
    likely = np.bincount(places.page_of[content >= LIKELY], minlength=n_pages)
    sure = np.bincount(places.page_of[content >= SURE], minlength=n_pages)
    thresholds = threshold + lift * min(threshold, 1 - threshold) * (sure / np.maximum(likely, 1))
    labels = np.argmax(probabilities[:, CONTENT + 1 :], axis=1).astype(np.uint8) + np.uint8(CONTENT + 1)
    labels[content >= thresholds[places.page_of]] = CONTENT
    return labels


LIST_RUN = 3
"""Segments of a link list in a row, directly below, that make a short line their heading."""

DOUBTFUL = 0.65
"""Probability of content below which such a line goes with its list. On held-out sites .5 to .8 change no figure of the text by more
than .001, and a model in trial gave the headings of two plain link farms in five .6."""


def drop_list_headings(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], prose: NDArray[np.bool_], places: Places
) -> None:
    """Label the doubtful line above a link list as part of the list, in place.

    Args:
        labels: (n_segments,) uint8, indices into `LABELS`.
        probabilities: (n_segments, n_labels) float32.
        prose: (n_segments,) bool; prose is no heading.
        places: Which page each segment is in.
    """
    doubtful = (labels == CONTENT) & ~prose & (probabilities[:, CONTENT] < DOUBTFUL)
    labels[doubtful & _above([labels == LINK_LIST] * LIST_RUN, places)] = LINK_LIST


LEAST_HEADING = 0.3
"""Probability of content from which a line directly above kept prose is its heading."""


def keep_headings(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], prose: NDArray[np.bool_], places: Places
) -> None:
    """Label the doubtful line above prose that stays, and above what stays behind it, as content, in place.

    For text: gold texts of HTML articles leave titles out, which stand in an element of their own there.

    Args:
        labels: (n_segments,) uint8, indices into `LABELS`.
        probabilities: (n_segments, n_labels) float32.
        prose: (n_segments,) bool; prose is no heading.
        places: Which page each segment is in.
    """
    content = labels == CONTENT
    doubtful = ~content & ~prose & (probabilities[:, CONTENT] >= LEAST_HEADING)
    labels[doubtful & _above([content & prose, content], places)] = CONTENT


SUBHEADINGS = ("h2", "h3", "h4", "h5", "h6")
"""Not h1: gold texts of HTML pages leave titles out."""


def keep_subheadings(
    labels: NDArray[np.uint8], probabilities: NDArray[np.float32], pages: Sequence[SegmentedPage], places: Places
) -> None:
    """Label a doubtful sub-heading between two segments that stay as content, in place.

    Of 17 on pages of corpora that no model is trained on, 15 are content (`training/experiments.md`).

    Args:
        labels: (n_segments,) uint8, indices into `LABELS`.
        probabilities: (n_segments, n_labels) float32.
        pages: The pages of the segments; in those without markup nothing is a heading.
        places: Which page each segment is in.
    """
    content = labels == CONTENT
    between = ~content & (probabilities[:, CONTENT] >= LEAST_HEADING)
    between[:1] = between[-1:] = False
    between[1:-1] &= content[:-2] & content[2:] & (places.page_of[:-2] == places.page_of[2:])
    for row in between.nonzero()[0].tolist():
        number = places.page_of[row]
        elements = pages[number].elements
        if elements is not None:
            innermost = elements.innermost[row - places.offsets[number]]
            tag, _ = elements.names[elements.name_of[innermost]]
            if tag in SUBHEADINGS:
                labels[row] = CONTENT


def _above(below: Sequence[NDArray[np.bool_]], places: Places) -> NDArray[np.bool_]:
    """Segments followed, within their page, by one of `below[0]`, then by one of `below[1]`, and so on; (n_segments,) bool."""
    page_of = places.page_of
    above = np.ones(len(page_of), bool)
    for step, segments in enumerate(below, 1):
        above[-step:] = False
        above[:-step] &= segments[step:] & (page_of[step:] == page_of[:-step])
    return above


def rescue_prose(
    labels: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    prose: NDArray[np.bool_],
    offsets: NDArray[np.int64],
) -> None:
    """Label prose as content, in place, in pages that have some and would come out empty.

    What is kept is the prose at least half as likely to be content as the page's best.

    Args:
        labels: (n_segments,) uint8, indices into `LABELS`.
        probabilities: (n_segments, n_labels) float32.
        prose: (n_segments,) bool.
        offsets: (n_pages + 1,) int64.
    """
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    if not len(filled):
        return
    starts = offsets[filled]
    sizes = (offsets[1:] - offsets[:-1])[filled]
    odds = probabilities[:, CONTENT] * prose
    empty = ~np.logical_or.reduceat(labels == CONTENT, starts)
    best = np.where(empty, np.maximum.reduceat(odds, starts), np.float32(np.inf))
    labels[prose & (odds >= np.repeat(best / 2, sizes))] = CONTENT
