"""What every adapter is made of: recipes, drop rules, and the door that names a missing framework's extra."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from detector.adapters import framework
from detector.adapters.recipe import DetectorRecipe
from detector.adapters.rules import DropRule
from detector.data import Page
from detector.errors import ModelError, UsageError
from detector.features.site import scheme
from detector.model import Model
from detector.pipeline import Detector
from detector.signatures import SignatureCounter
from detector.site_memory import count_pages
from detector.storage import save_model

ADAPTERS = Path(__file__).parents[2] / "detector" / "adapters"
FRAMEWORKS = {
    "crawl4ai": "crawl4ai",
    "datatrove": "datatrove",
    "pandas": "pandas",
    "polars": "polars",
    "scrapy": "scrapy",
    "spark": "pyspark",
}
WITHOUT_FRAMEWORKS = f"""
import importlib, sys
for name in {sorted(FRAMEWORKS.values())}:
    sys.modules[name] = None
for name in {sorted(FRAMEWORKS)}:
    try:
        importlib.import_module("detector.adapters." + name)
    except ImportError as error:
        print(error)
importlib.import_module("detector.adapters.datasets")
"""


def test_a_missing_framework_names_the_line_that_installs_it() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT_FRAMEWORKS], capture_output=True, text=True, check=True)
    lines = ended.stdout.splitlines()
    assert len(lines) == len(FRAMEWORKS)
    for name, line in zip(sorted(FRAMEWORKS), lines, strict=True):
        assert line.endswith(f"run: pip install 'link-farm-detector[{name}]'")


def test_every_extra_that_an_adapter_names_exists() -> None:
    project = (ADAPTERS.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    for name in [*FRAMEWORKS, "datasets"]:
        assert f"\n{name} = [" in project


def test_an_adapter_has_fewer_than_a_hundred_lines() -> None:
    for path in ADAPTERS.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 100, path.name


def test_other_errors_pass_the_door() -> None:
    with pytest.raises(ZeroDivisionError), framework("spark"):
        raise ZeroDivisionError


def test_columns_are_those_of_the_detector(recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    column = [pages["text"], None, pages["html"].encode()]
    expected = Detector(recipe.model).classify(pages["text"])
    columns = recipe.columns(column)
    assert columns["clean_text"] == [pages["kept"], "", pages["kept"]]
    assert columns["removed_ratio"][0] == expected.removed_ratio
    assert columns["problem"] == [None, "empty page", None]


def test_a_recipe_is_small_stable_and_equal_however_its_labels_are_given(recipe: DetectorRecipe) -> None:
    other = DetectorRecipe(recipe.model, drop={"link_list", "boilerplate"})
    assert other == recipe
    assert pickle.dumps(other) == pickle.dumps(recipe)
    assert len(pickle.dumps(recipe)) < 1000
    assert pickle.loads(pickle.dumps(recipe)).detector() is recipe.detector()


def test_another_model_in_the_same_place_is_another_recipe(sentence_model: Model, tmp_path: Path) -> None:
    save_model(sentence_model, tmp_path)
    before = DetectorRecipe(str(tmp_path))
    save_model(Model("renamed", sentence_model.heads), tmp_path)
    assert DetectorRecipe(str(tmp_path)) != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "pdf"}, "kind is 'pdf'"),
        ({"drop": ["menu"]}, "cannot drop"),
        ({"threshold": 2.0}, "threshold is 2"),
    ],
)
def test_a_wrong_recipe_is_refused_before_it_travels(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DetectorRecipe(**arguments)  # type: ignore[arg-type]


def test_a_recipe_needs_its_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        DetectorRecipe(str(tmp_path / "absent"))


def test_a_page_is_dropped_for_the_first_reason_that_holds(recipe: DetectorRecipe, pages: dict[str, str]) -> None:
    classify = recipe.detector().classify
    assert DropRule(min_chars=1).reason(classify("")) == "empty_page"
    assert DropRule(min_chars=1).reason(classify(pages["links"])) == "too_short"
    assert DropRule(max_removed_ratio=0.3).reason(classify(pages["text"])) == "mostly_removed"
    assert DropRule(max_removed_ratio=0.9).reason(classify(pages["text"])) is None
    assert DropRule().reason(classify(pages["links"])) is None


@pytest.mark.parametrize("arguments", [{"min_chars": -1}, {"max_removed_ratio": 1.5}])
def test_a_rule_that_cannot_be_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give"):
        DropRule(**arguments)  # type: ignore[arg-type]


def test_what_has_changed_at_its_path_is_another_recipe(sentence_model: Model, tmp_path: Path) -> None:
    save_model(sentence_model, tmp_path / "model")
    before = DetectorRecipe(str(tmp_path / "model"))
    heads = {kind: replace(head, threshold=0.9) for kind, head in sentence_model.heads.items()}
    save_model(replace(sentence_model, heads=heads), tmp_path / "model")
    after = DetectorRecipe(str(tmp_path / "model"))
    assert before != after
    assert after.detector().model.heads["text"].threshold == 0.9
    assert before.detector().model.heads["text"].threshold == 0.5


def test_other_signatures_at_a_path_are_another_recipe(tmp_path: Path) -> None:
    path, recipes = tmp_path / "site.signatures", []
    for content in ("Home | News", "Home | News | Contact"):
        counter = SignatureCounter(scheme(), tmp_path)
        count_pages([Page(content, "text", "https://a.example/")], counter)
        counter.freeze().save(path)
        recipes.append(DetectorRecipe(signatures=str(path)))
    assert recipes[0] != recipes[1]
    assert recipes[0].detector() is not recipes[1].detector()


def test_a_single_label_is_named_as_it_was_given() -> None:
    with pytest.raises(UsageError, match="cannot drop 'link_list'"):
        DetectorRecipe(drop="link_list")


def test_half_surrogates_do_not_reach_columns_of_text() -> None:
    assert DetectorRecipe(kind="text").columns(["It burned down \ud83d."])["clean_text"] in (
        ["It burned down ?."],
        [""],
    )
