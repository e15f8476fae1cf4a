"""Imports run downwards, as the design of the package says."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = (
    ("data", "errors", "files", "amplification"),
    ("decode", "limits", "matmul", "places", "segment"),
    ("network", "signatures"),
    ("features",),
    ("phrases", "spam"),
    ("comments", "model", "stripping"),
    ("building", "decisions", "golden"),
    ("storage", "reasons"),
    ("pipeline",),
    ("corpus", "review", "site_memory"),
    ("cli", "adapters"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports(nodes: Iterable[ast.AST]) -> set[str]:
    """Modules that some of these nodes import."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_run_downwards() -> None:
    for path in (ROOT / "detector").rglob("*.py"):
        module = path.relative_to(ROOT / "detector").parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for name in imports(parsed(path).body):
            parts = name.split(".")
            if parts[0] == "detector" and len(parts) > 1 and parts[1] != module:
                assert LEVEL[parts[1]] < LEVEL[module] or {parts[1], module} <= {"data", "errors"}, f"{path}: {name}"


HOMES = {
    "turbohtml": {"segment/html.py", "decode.py"},
    "redis": {"signatures/shared.py"},
    "pyarrow": {"corpus/parquet.py", "corpus/tables.py", "adapters/spark.py"},
    "rich": {"cli/run.py"},
    "typer": {"cli"},
    "training": {"cli"},
    "sklearn": {"cli/labelled.py"},
    "joblib": {"cli/labelled.py"},
    "matplotlib": {"cli/train.py"},
    "datasketch": set(),
}
"""Which files or folders of the package import a library, anywhere in them."""


def test_only_few_files_know_each_library() -> None:
    found: dict[str, set[str]] = {library: set() for library in HOMES}
    for path in (ROOT / "detector").rglob("*.py"):
        place = path.relative_to(ROOT / "detector")
        for name in imports(ast.walk(parsed(path))):
            library = name.partition(".")[0]
            if library in HOMES:
                folder = place.parts[0]
                found[library].add(folder if folder in HOMES[library] else place.as_posix())
    assert found == HOMES


def test_the_package_does_not_need_training() -> None:
    for path in (ROOT / "detector").rglob("*.py"):
        assert not {name for name in imports(parsed(path).body) if name.partition(".")[0] == "training"}, path
