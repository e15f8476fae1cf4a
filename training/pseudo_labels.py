"""Text pages labelled by an HTML head, so that the text head learns from pages that nobody labelled.

A page is easier to read with its markup than without, most of all in languages with few labelled pages. So an HTML head
labels pages, their markup is dropped, and the labels that the head was sure of are learnt (pseudo-labels; Lee,
"Pseudo-Label", ICML 2013 workshop).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from detector.model import Head
from detector.segment import segment_html
from training.dataset import Dataset
from training.export import segment_rows
from training.labelling import UNKNOWN, LabelledPage, as_text, weighted

SURE = 0.85
"""Probability from which a label is taken."""


def pseudo_label(head: Head, data: Dataset) -> list[LabelledPage]:
    """The pages of a dataset as text, with the labels that an HTML head is sure of.

    Args:
        head: An HTML head.
        data: HTML pages; their own labels are not looked at.
    """
    probabilities = head.probabilities(head.standardised(segment_rows(head, data)), data.places)
    labels = np.where(probabilities.max(axis=1) >= SURE, probabilities.argmax(axis=1), UNKNOWN).astype(np.int8)
    return [
        as_text(weighted(sample, segment_html(sample.content), labels[first:last]))
        for sample, (first, last) in zip(data.samples, pairwise(data.offsets.tolist()), strict=True)
    ]
