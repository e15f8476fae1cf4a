"""The examples of docs/ run as they stand.

A block that opens with ```` ```python title="name.py" ```` is a whole program; `requires=scrapy,pyspark` on the same line
names the modules without which it is skipped. Programs run in a folder of their own with a copy of `samples`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(
    r'^```python title="(?P<title>[^"]+)"(?: requires=(?P<requires>[\w,.]+))?\n(?P<code>.*?)^```$', re.M | re.S
)
OPENING = re.compile(r"^```python .*$", re.M)
SECONDS = 600
"""Long beyond any example, so that one that hangs ends the tests and not the patience."""


@dataclass(frozen=True)
class Example:
    """A program out of a page."""

    page: str
    title: str
    requires: tuple[str, ...]
    code: str


EXAMPLES = [
    Example(
        page.name,
        block["title"],
        tuple((block["requires"] or "").split(",")) if block["requires"] else (),
        block["code"],
    )
    for page in PAGES
    for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.page}:{example.title}")
def test_the_example_runs(example: Example, tmp_path: Path) -> None:
    for module in example.requires:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    if "pyspark" in example.requires and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    program = tmp_path / example.title
    program.write_text(example.code, encoding="utf-8")
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ended = subprocess.run(
        [sys.executable, program.name], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_is_well_formed_and_indexed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(OPENING.findall(text)) == len(BLOCK.findall(text)), 'write ```python title="..." requires=a,b'
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert page.name == "README.md" or f"({page.name})" in index
