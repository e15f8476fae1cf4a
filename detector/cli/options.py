"""Options that commands in several files share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CorporaOpt = Annotated[
    Path | None,
    typer.Option(envvar="DETECTOR_CORPORA", help="A folder of corpora (html/*.jsonl.xz, text/*.jsonl.xz)."),
]
