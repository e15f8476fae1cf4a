"""The fuzzer's mutants and the hostile pages, scaled down to what a test suite can afford."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import Detector, Page, PageResult
from tests.fuzz import hostile
from tests.fuzz.fuzz_pages import BATCH, LARGE_LONGEST, Tally, execute, fuzz, seed_pages
from tests.fuzz.mutations import mutate

SAMPLES = seed_pages(Path(__file__).parents[2] / "samples")
DETECTOR = Detector()


@settings(max_examples=40)
@given(st.integers(0, 1 << 32), st.integers(0, len(SAMPLES) - 1))
def test_mutants_of_the_samples_give_sound_results(seed: int, sample: int) -> None:
    page = mutate(random.Random(seed), SAMPLES[sample], LARGE_LONGEST)
    for kind in ("html", "text"):
        execute(DETECTOR, [page], kind, Tally())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_hostile_pages_give_sound_results(name: str) -> None:
    make, size = hostile.HOSTILE[name]
    page = make(size // 400)
    for kind in ("auto", "html", "text"):
        execute(DETECTOR, [page], kind, Tally())  # type: ignore[arg-type]


MEMORY_HUNGRY = (
    "formatting reopened", "link reopened", "long link reopened", "attributes reopened", "link of quotes reopened",
    "hidden link reopened", "option copied", "misnested formatting",
    "paragraphs of a letter", "short paragraphs", "short lines", "declared entities",
)  # fmt: skip


@pytest.mark.parametrize("part", [0.02, 0.25])
@pytest.mark.parametrize("name", MEMORY_HUNGRY)
def test_a_page_takes_fifty_times_its_size_at_most_and_a_little(name: str, part: float) -> None:
    command = [sys.executable, hostile.__file__, name, str(part)]
    taken = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert taken["problem"] is None
    assert taken["memory_mb"] <= hostile.MOST_TIMES * taken["bytes"] / 1e6 + hostile.MOST_BESIDES_MB


class Forgetful(Detector):
    """Its results depend on the batch: pages that come together are taken for empty ones."""

    def classify_many(self, pages: object, batch_size: int = 256) -> Iterator[PageResult]:
        return super().classify_many([Page("")] * len(list(pages)), batch_size)  # type: ignore[call-overload]


def test_a_result_that_depends_on_the_batch_is_tallied_and_the_watchdog_is_called_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called_off: list[bool] = []
    monkeypatch.setattr("faulthandler.cancel_dump_traceback_later", lambda: called_off.append(True))
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda *_, **__: None)
    tally = Tally()
    fuzz(Forgetful(), SAMPLES, argparse.Namespace(executions=2 * BATCH, seconds=600, first=0, seed=0), tally)
    assert (tally.batches, tally.executions, called_off) == (1, 2 * BATCH, [True])
    assert 1 <= tally.crashes == len(list(tmp_path.iterdir()))
