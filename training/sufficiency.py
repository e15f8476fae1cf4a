"""Whether samples can teach both what to keep and what to remove."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.data import CONTENT, Kind
from detector.errors import SampleError
from training.labelling import LabelledPage

LEAST_SHARE = 0.02
"""Share of the labelled segments that must be content, and share that must not be. Below it, a model that always says
the other thing is right nearly always, and that is the model that training finds."""


def check_balance(pages: Sequence[LabelledPage], kind: Kind) -> None:
    """Refuse pages that are nearly all content, or have nearly none.

    Raises:
        SampleError: The samples are one-sided; the message gives the share and says which pages to add.
    """
    known = np.concatenate([page.labels[page.weights > 0] for page in pages]) if pages else np.empty(0, np.int8)
    content = int((known == CONTENT).sum())
    for count, what, add in (
        (content, "content", "pages with an article"),
        (len(known) - content, "anything but content", "whole pages, with their menus, lists and footers"),
    ):
        if count < LEAST_SHARE * len(known) or not count:
            raise SampleError(
                f"the {kind} samples are one-sided: {count} of {len(known)} labelled segments are {what}, "
                f"less than {LEAST_SHARE:.0%}; add {add}"
            )
