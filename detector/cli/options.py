"""Options that several commands share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

STDOUT = "-"
"""In place of a file to write."""


class FormChoice(enum.StrEnum):
    """How inputs are cut into records."""

    auto = "auto"
    jsonl = "jsonl"
    warc = "warc"
    parquet = "parquet"
    page = "page"


class KindChoice(enum.StrEnum):
    """How to read the inputs."""

    auto = "auto"
    text = "text"
    html = "html"


Inputs = Annotated[
    list[str], typer.Argument(help="Files, folders, glob patterns, or - for standard input.", show_default=False)
]
KindOpt = Annotated[KindChoice, typer.Option("--kind", help="How to read the inputs; auto looks at the content.")]
ModelOpt = Annotated[Path | None, typer.Option("--model", help="A model folder; default: the one that ships.")]
ThresholdOpt = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Probability of content from which a segment stays on a page without sure content; it rises where content is "
        "sure. Default: the model's.",
    ),
]
FieldOpt = Annotated[
    str | None, typer.Option("--field", help="Field of the page; default: html, text, content or raw_content.")
]
FormOpt = Annotated[FormChoice, typer.Option("--from", help="What the inputs are; auto goes by suffix, then content.")]
RecordKindOpt = Annotated[
    KindChoice, typer.Option("--kind", help="How to read pages; auto goes by field, content type and content.")
]
CorporaOpt = Annotated[
    Path | None,
    typer.Option(envvar="DETECTOR_CORPORA", help="A folder of corpora (html/*.jsonl.xz, text/*.jsonl.xz)."),
]
