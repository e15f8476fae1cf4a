"""The README's commands do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)


def blocks(language: str) -> list[str]:
    return [code for found, code in BLOCKS if found == language]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script with this environment's commands first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env={**os.environ, "PATH": path, "DETECTOR_CORPORA": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the README's examples name."""
    page = ROOT / "samples" / "en_news_reservoir.html"
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    for folder in ("my-samples", "other-samples"):
        shutil.copytree(ROOT / "samples", tmp_path / folder)
    shutil.copy(page, tmp_path / "page.html")
    for folder in ("crawl", "more", "models"):
        (tmp_path / folder).mkdir()
    shutil.copy(page, tmp_path / "crawl")
    for name in ("page.txt", "more/other.txt"):
        shutil.copy(page.with_suffix(".txt"), tmp_path / name)
    return tmp_path


def test_the_first_command_ends_in_the_main_job(desk: Path) -> None:
    setup = blocks("sh")[0].strip().split(" && ")
    assert setup[:3] == ["python3 -m venv .venv", ". .venv/bin/activate", "pip install -e ."]
    ended = run(setup[-1], desk)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) > 5


def test_the_second_command_is_the_one_that_ci_runs() -> None:
    command = blocks("sh")[1].strip()
    assert command.endswith("&& pytest")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert command in lines


def test_the_commands_of_the_command_line_section(desk: Path) -> None:
    ended = run(blocks("sh")[2], desk)
    assert ended.returncode == 0, ended.stderr
    assert (desk / "clean" / "en_news_reservoir.txt").stat().st_size > 500
    assert (desk / "models" / "mine" / "model.json").exists()


def test_the_python_section(desk: Path) -> None:
    (code,) = blocks("python")
    ended = subprocess.run([sys.executable, "-c", code], cwd=desk, capture_output=True, text=True, check=False)
    assert "models/mine" in code
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "link_list" in ended.stdout
