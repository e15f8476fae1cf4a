"""The evasion set itself: every attack gives the lines it says, and its share is one."""

from __future__ import annotations

import random

import pytest

from detector import Detector, Label
from detector.model import Model
from tests.evasion.evasion import HTML_ATTACKS, TEXT_ATTACKS, VANISHING, through


@pytest.mark.parametrize("name", [*TEXT_ATTACKS, *HTML_ATTACKS, *VANISHING])
def test_an_attack_keeps_the_words_it_hides(name: str) -> None:
    rewrite = {**TEXT_ATTACKS, **HTML_ATTACKS, **VANISHING}[name]
    made = rewrite(random.Random(0), "Storm closes the pier")
    assert made.casefold() if name in ("as it is", "homoglyphs") else made != "Storm closes the pier"


def test_the_share_counts_attacked_lines_only(sentence_model: Model) -> None:
    detector = Detector(sentence_model)
    glued = through(detector, TEXT_ATTACKS["prose glued to each link"], Label.LINK_LIST, "text")
    assert glued == 1, "what ends like a sentence is content to this model"
    assert through(detector, TEXT_ATTACKS["as it is"], Label.LINK_LIST, "text") < 1
