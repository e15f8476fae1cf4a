"""The wheel: what is in it, and the main job from it in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_packages_the_model_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        "detector/py.typed",
        "detector/default_model/model.json",
        "detector/default_model/weights.npz",
        "detector/default_model/golden.json",
    ):
        assert part in names
    assert "training/train.py" in names
    assert {name.split("/")[0].removesuffix(".dist-info") for name in names} == {
        "detector",
        "training",
        "link_farm_detector-0.1.0",
    }


def test_the_main_job_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    # With the checkout on that path, pip takes the package for installed.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)],
        check=True, env=environment, capture_output=True,
    )  # fmt: skip
    # The dependencies come from this environment; its link to the checkout does not, for it is a .pth file there.
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    page = ROOT / "samples" / "en_news_reservoir.html"
    found = subprocess.run(
        [python, "-c", "import detector; print(detector.__file__)"],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert found.stdout.strip() == str(site / "detector" / "__init__.py")
    ended = subprocess.run(
        [python.with_name("detector"), "strip", page],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    article = page.with_suffix(".txt").read_text(encoding="utf-8")
    assert article.split("\n")[1] in ended.stdout
    assert "Cookie" not in ended.stdout
