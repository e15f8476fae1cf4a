"""Imports run downwards, as the design of the package says."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = (
    ("data", "errors", "files", "formatting"),
    ("decode", "limits", "products", "segment"),
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


def imports(path: Path) -> set[str]:
    """Modules imported when the file is loaded, and those for type checkers; not those inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_imports_run_downwards() -> None:
    for path in (ROOT / "detector").rglob("*.py"):
        module = path.relative_to(ROOT / "detector").parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "detector" and len(parts) > 1 and parts[1] != module:
                assert LEVEL[parts[1]] < LEVEL[module] or {parts[1], module} <= {"data", "errors"}, f"{path}: {name}"


def test_the_package_does_not_need_training_and_only_one_file_knows_each_library() -> None:
    homes = {
        "turbohtml": {"segment/html.py"},
        "redis": {"signatures/shared.py"},
        "training": set(),
        "sklearn": set(),
        "joblib": set(),
    }
    for path in (ROOT / "detector").rglob("*.py"):
        place = path.relative_to(ROOT / "detector").as_posix()
        for name in imports(path):
            for library, allowed in homes.items():
                if name == library or name.startswith(library + "."):
                    assert place in allowed, f"{place} imports {name}"
