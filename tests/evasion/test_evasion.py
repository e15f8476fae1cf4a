"""The evasion set itself: only the attacked lines are counted, and an attack that works is seen."""

from __future__ import annotations

from detector import Detector, Label
from detector.model import Model
from tests.evasion.evasion import TEXT_ATTACKS, through


def test_the_share_counts_attacked_lines_only(sentence_model: Model) -> None:
    detector = Detector(sentence_model)
    glued = through(detector, TEXT_ATTACKS["prose glued to each link"], Label.LINK_LIST, "text")
    assert glued == 1, "what ends like a sentence is content to this model"
    assert through(detector, TEXT_ATTACKS["as it is"], Label.LINK_LIST, "text") < 1
