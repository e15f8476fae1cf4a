"""The commands and the program of docs/training.md, run from top to bottom in one folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_step_runs(tmp_path: Path) -> None:
    for folder in ("samples", "models/default"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    blocks = re.findall(r"```(sh|python)\n(.*?)```", (ROOT / "docs" / "training.md").read_text("utf-8"), re.DOTALL)
    assert [language for language, _ in blocks] == ["sh", "sh", "sh", "sh", "python"]
    (tmp_path / "ship.py").write_text(blocks.pop()[1], encoding="utf-8")
    script = "\n".join(["set -e", *(code for _, code in blocks), f"'{sys.executable}' ship.py"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "review.html").stat().st_size > 10_000
    assert "macro F1" in ended.stdout
    assert re.search(r"^\d+% removed$", ended.stdout, re.MULTILINE)
