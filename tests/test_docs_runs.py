"""The examples of docs/corpora-runs.md, run from top to bottom in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "corpora-runs.md"


def test_every_example_runs(tmp_path: Path) -> None:
    examples = re.findall(r"```(sh|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = ["set -e"]
    for number, (language, code) in enumerate(examples):
        if language == "python":
            (tmp_path / f"{number}.py").write_text(code, encoding="utf-8")
            code = f"'{sys.executable}' {number}.py\n"
        script += ["echo ----", code]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    _, _, dry, _, listed, piped, _ = ended.stdout.split("----\n")
    assert "pages, about" in dry
    assert listed.splitlines()[:4] == ["checkpoint.json", "part-00000.jsonl.zst", "problems.jsonl", "statistics.json"]
    assert '"corpus/a.jsonl", "record": 2, "problem": "corrupt record"' in listed
    assert "The bridge was closed" in piped
