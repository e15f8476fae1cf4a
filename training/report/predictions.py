"""A model's predictions on labelled pages, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, Kind
from detector.decisions import KIND_OF_PLACE, PROSE_AT, label_segments, raise_prose
from detector.model import Head, Model
from training.dataset import Dataset, build_dataset
from training.export import segment_rows
from training.labelling import LabelledPage, as_text


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a head says of the segments of its kind of page.

    Attributes:
        head: The head.
        data: The segments; those of unknown label are in it.
        pages: The pages, as in `data`.
        inputs: (n_segments, n_inputs) float32, standardised.
        probabilities: (n_segments, n_labels) float32, doubtful prose of HTML pages raised as in results.
        decided: (n_segments,) uint8, the labels at the head's threshold, as a `Detector` gives them.
    """

    head: Head
    data: Dataset
    pages: list[LabelledPage]
    inputs: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    decided: NDArray[np.uint8]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n_segments,) whether the label is known."""
        return self.data.labels >= 0

    @property
    def lost(self) -> NDArray[np.bool_]:
        """(n_segments,) content that was removed."""
        return (self.data.labels == CONTENT) & (self.decided != CONTENT)

    @property
    def left(self) -> NDArray[np.bool_]:
        """(n_segments,) other segments that were kept."""
        return (self.data.labels > CONTENT) & (self.decided == CONTENT)


def predict(model: Model, pages: Sequence[LabelledPage], cache: Path | None = None) -> list[Predictions]:
    """Predictions for each kind the model has a head for and there are pages of.

    Args:
        model: The model.
        pages: Labelled pages; HTML pages also stand among the text pages, without their markup.
        cache: Folder for cached features, or None.
    """
    html = [page for page in pages if page.sample.kind == "html"]
    text = [page for page in pages if page.sample.kind == "text"] + [as_text(page) for page in html]
    by_kind: dict[Kind, list[LabelledPage]] = {"text": text, "html": html}
    found = []
    for kind, head in model.heads.items():
        chosen = [page for page in by_kind[kind] if len(page.page)]
        if not any((page.labels >= 0).any() for page in chosen):
            continue
        data = build_dataset(chosen, kind, cache)
        inputs = head.standardised(segment_rows(head, data))
        probabilities, prose = head.probabilities(inputs, data.places), data.X[:, PROSE_AT] > 0
        if kind == "html":
            raise_prose(probabilities, prose, data.groups[KIND_OF_PLACE])
        segmented = [page.page for page in chosen]
        decided, _ = label_segments(probabilities, prose, segmented, kind, head.threshold, head.lift)
        found.append(Predictions(head, data, chosen, inputs, probabilities, decided))
    return found
