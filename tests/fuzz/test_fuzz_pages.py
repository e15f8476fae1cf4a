"""The fuzzer's mutants and the hostile pages, scaled down to what a test suite can afford."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import Detector
from tests.fuzz.fuzz_pages import LARGE_LONGEST, Tally, execute, seed_pages
from tests.fuzz.hostile import HOSTILE
from tests.fuzz.mutations import mutate

SAMPLES = seed_pages(Path(__file__).parents[2] / "samples")
DETECTOR = Detector()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 32), st.integers(0, len(SAMPLES) - 1))
def test_mutants_of_the_samples_give_sound_results(seed: int, sample: int) -> None:
    page = mutate(random.Random(seed), SAMPLES[sample], LARGE_LONGEST)
    for kind in ("html", "text"):
        execute(DETECTOR, [page], kind, Tally())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_give_sound_results(name: str) -> None:
    make, size = HOSTILE[name]
    page = make(size // 400)
    for kind in ("auto", "html", "text"):
        execute(DETECTOR, [page], kind, Tally())  # type: ignore[arg-type]
