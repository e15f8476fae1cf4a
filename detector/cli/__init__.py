"""The `detector` command: the only place that prints or exits."""

from __future__ import annotations

from detector.cli.app import main

__all__ = ["main"]
