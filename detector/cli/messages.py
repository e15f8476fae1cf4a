"""What commands say on standard error, and the one way they end early."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Say what is wrong and exit with status 2."""
    say(f"detector: {message}")
    raise SystemExit(2)


def say(message: str) -> None:
    """Say how things stand; what pages or files are named must not steer the terminal."""
    from detector.cli.output import printable

    for line in message.split("\n"):
        typer.echo(printable(line), err=True)


def report(name: str, problem: str | None) -> int:
    """Name an input that failed, on standard error; 1 if it did."""
    if problem:
        say(f"{name}: {problem}")
    return 1 if problem else 0


def make_folder(folder: Path) -> None:
    """Make the folder for results, or say why it cannot be made and exit."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: the folder cannot be made ({error.strerror}); name another with -o")
    if problem := folder_problem(folder):
        fail(f"{problem}, or name another with -o")


def folder_problem(folder: Path) -> str | None:
    """Why no file can be made in a folder, as far as can be seen before the work, or None."""
    if not folder.exists():
        return f"there is no folder {folder}: make it"
    if not folder.is_dir():
        return f"{folder} is not a folder: take it away"
    if not os.access(folder, os.W_OK):
        return f"{folder}: nothing can be written to this folder: change its permissions"
    return None
