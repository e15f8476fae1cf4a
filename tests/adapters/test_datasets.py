"""The function for Hugging Face datasets, against the real library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detector.adapters.datasets import ClassifyBatch
from detector.adapters.recipe import DetectorRecipe
from detector.errors import UsageError

HASH = "from datasets.fingerprint import Hasher; from detector.adapters.datasets import ClassifyBatch; print(Hasher.hash(ClassifyBatch()))"


@pytest.mark.parametrize("num_proc", [None, 2])
def test_map_adds_columns(
    recipe: DetectorRecipe, pages: dict[str, str], num_proc: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    dataset = datasets.Dataset.from_dict({"text": [pages["text"], None, pages["html"], pages["links"]]})
    result = dataset.map(ClassifyBatch(recipe=recipe), batched=True, batch_size=2, num_proc=num_proc)
    assert result["clean_text"][:] == [pages["kept"], "", pages["kept"], ""]
    assert result["problem"][:] == ["", "empty page", "", ""]
    assert result["text"][:] == dataset["text"][:]


def test_a_problem_may_come_after_any_number_of_pages_without(
    recipe: DetectorRecipe, pages: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "DEFAULT_MAX_BATCH_SIZE", 2)
    dataset = datasets.Dataset.from_dict({"text": [pages["text"]] * 5 + [""]})
    result = dataset.map(ClassifyBatch(recipe=recipe), batched=True, batch_size=1, writer_batch_size=2)
    assert result["problem"][:] == [""] * 5 + ["empty page"]


def test_a_second_run_finds_the_first_ones_results(
    recipe: DetectorRecipe, pages: dict[str, str], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    (tmp_path / "pages.txt").write_text(pages["kept"], encoding="utf-8")

    def fingerprint(classify: ClassifyBatch) -> str:
        dataset = datasets.load_dataset("text", data_files=str(tmp_path / "pages.txt"), cache_dir=str(tmp_path))
        return str(dataset["train"].map(classify, batched=True)._fingerprint)

    first = fingerprint(ClassifyBatch(recipe=recipe))
    caches = sorted(tmp_path.rglob("cache-*.arrow"))
    assert len(caches) == 1
    assert fingerprint(ClassifyBatch(recipe=DetectorRecipe(recipe.model))) == first
    assert sorted(tmp_path.rglob("cache-*.arrow")) == caches
    assert fingerprint(ClassifyBatch()) != first


def test_the_hash_is_the_same_in_every_process() -> None:
    pytest.importorskip("datasets")
    hashes = {
        subprocess.run(
            [sys.executable, "-c", HASH],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1


def test_wrong_use_says_what_to_do(recipe: DetectorRecipe) -> None:
    with pytest.raises(UsageError, match="no column 'text'"):
        ClassifyBatch(recipe=recipe)({"body": ["a page"]})
    with pytest.raises(UsageError, match="batched=True"):
        ClassifyBatch(recipe=recipe)({"text": "a page"})  # type: ignore[dict-item]
