"""The forger's models, a few of each kind: refused by name, or models that work."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.pipeline import DEFAULT_MODEL
from detector.storage import GOLDEN, MANIFEST, WEIGHTS
from tests.fuzz.fuzz_models import Folder, damage_bytes, forge_arrays, forge_manifest, is_refused

HONEST = {name: (DEFAULT_MODEL / name).read_bytes() for name in (MANIFEST, WEIGHTS, GOLDEN)}


@pytest.mark.parametrize("forge", [damage_bytes, forge_manifest, forge_arrays])
def test_forged_models_are_refused_or_work(forge: Callable[[random.Random, Folder], None], tmp_path: Path) -> None:
    refused = 0
    for number in range(15):
        files = dict(HONEST)
        forge(random.Random(number), files)
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        refused += is_refused(tmp_path)
    assert refused, "some of them are damaged"
