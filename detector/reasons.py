"""Why a segment got its label: the inputs that weighed most, in words."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from detector.data import Kind, SegmentedPage
from detector.features import extract
from detector.model import Head, input_names

MOST = 3
"""Reasons given for a segment."""

_PLACES = {
    "-2": "two before: ",
    "-1": "segment before: ",
    "+1": "segment after: ",
    "+2": "two after: ",
    "~3": "segments around: ",
    "~10": "stretch around: ",
    "page": "whole page: ",
}
_PHRASES = {
    "log_chars": "length",
    "log_words": "number of words",
    "mean_word_chars": "word length",
    "letter_ratio": "share of letters",
    "digit_ratio": "share of digits",
    "upper_ratio": "share of capitals",
    "lower_word_ratio": "share of lower-case words",
    "short_lower_word_ratio": "share of short lower-case words",
    "title_word_ratio": "share of capitalised words",
    "title_word_ratio_after_first": "share of capitalised words",
    "log_sentences": "number of sentences",
    "ends_terminal": "ending like a sentence",
    "starts_separator": "starting with a bullet or dash",
    "source_suffix": "ending in the name of a source",
    "years": "years",
    "date_pairs": "dates",
    "recurring_marker_ratio": "recurring markers",
    "log_marker_recurrence": "recurring markers",
    "marker_recurrence_in_page": "recurring markers",
    "log_markers": "recurring markers",
    "recurring_phrase_ratio": "recurring phrases",
    "log_phrase_recurrence": "recurring phrases",
    "recurring_head": "beginning like other segments",
    "recurring_tail": "ending like other segments",
    "log_exact_duplicates": "exact repeats",
    "log_near_duplicates": "near-duplicates",
    "near_duplicate_ratio_in_page": "near-duplicates",
    "log_shape_duplicates": "segments of the same shape",
    "shape_duplicate_ratio_in_page": "segments of the same shape",
    "link_char_ratio": "share of linked text",
    "links_per_word": "links by words",
    "is_li": "list item",
    "is_p": "paragraph",
    "is_prose": "prose",
    "content_words": "words as in content",
    "link_list_words": "words as in link lists",
    "boilerplate_words": "words as in boilerplate",
    "content_classes": "class names as in content",
    "link_list_classes": "class names as in link lists",
    "boilerplate_classes": "class names as in boilerplate",
}
_CONTEXT = re.compile(r"(.*)\[(.+)\]")


def explain(
    head: Head,
    page: SegmentedPage,
    kind: Kind,
    labels: NDArray[np.uint8],
    host_count: NDArray[np.int64] | None = None,
    host_pages: NDArray[np.int64] | None = None,
) -> list[tuple[str, ...]]:
    """For each segment the `MOST` inputs that spoke loudest for its label against the others.

    An input's weight is its standardised value times the slope of the label's log-odds along it (gradient times
    input; Shrikumar et al. 2016, section 3), averaged over the networks.

    Args:
        head: The model's head for the kind of page.
        page: The page; its features are computed again, since reasons are seldom asked for.
        kind: How the page was read.
        labels: (n_segments,) the labels to explain.
        host_count: (n_segments,) other pages of the host that hold the segment, if signatures were used; said first.
        host_pages: (n_segments,) other pages of the host that are known.
    """
    inputs = head.inputs(extract([page], kind))
    slopes = np.zeros_like(inputs)
    n_labels = head.networks[0].layers[-1].bias.shape[0]
    direction = np.full((len(labels), n_labels), -1.0 / (n_labels - 1), np.float32)
    direction[np.arange(len(labels)), labels] = 1.0
    for network in head.networks:
        active = [layer > 0 for layer in network.activations(inputs)[1:]]
        weights = [layer.weight * layer.scale for layer in network.layers]
        slope = direction @ weights[-1].T
        for weight, on in zip(reversed(weights[:-1]), reversed(active), strict=True):
            slope = (slope * on) @ weight.T
        slopes += slope
    spoken = slopes * inputs
    names = input_names(kind)
    # Ties and zeros say nothing; stable order keeps the same words on every machine.
    best = np.argsort(-spoken, axis=1, kind="stable")[:, : MOST * 4]
    reasons = [
        _words([(names[i], inputs[row, i] > 0) for i in order if spoken[row, i] > 0])
        for row, order in enumerate(best.tolist())
    ]
    if host_count is None or host_pages is None:
        return reasons
    return [
        (f"on {count:,} of {pages:,} other pages of the site", *reason)[:MOST] if count else reason
        for count, pages, reason in zip(host_count.tolist(), host_pages.tolist(), reasons, strict=True)
    ]


def _words(named: list[tuple[str, bool]]) -> tuple[str, ...]:
    """The first `MOST` different phrases."""
    said: list[str] = []
    for name, high in named:
        match = _CONTEXT.fullmatch(name)
        base, place = (match[1], _PLACES[match[2]]) if match else (name, "")
        base = _PHRASES.get(base, base.removeprefix("log_").replace("_", " "))
        phrase = f"{place}{'much' if high else 'little'}: {base}"
        if phrase not in said:
            said.append(phrase)
    return tuple(said[:MOST])
