"""`detector classify` and `detector strip`: pages from files, folders and standard input."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.messages import make_folder, report
from detector.cli.options import STDOUT, Inputs, KindChoice, KindOpt, ModelOpt, ThresholdOpt
from detector.decode import PAGE_SUFFIXES
from detector.errors import InputError, UsageError

if TYPE_CHECKING:
    from detector.cli.inputs import Source
    from detector.data import PageResult
    from detector.pipeline import Detector
    from detector.review import ReviewPage


class Format(enum.StrEnum):
    """How to print results."""

    table = "table"
    jsonl = "jsonl"
    html = "html"


def classify(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    format: Annotated[Format, typer.Option(help="table, jsonl, or html to look at in a browser.")] = Format.table,
) -> None:
    """Print every segment of every page with its label."""
    from detector.cli.output import as_jsonl, as_table
    from detector.pipeline import Detector

    if format is Format.html:
        from detector.review import render, review_page

    detector = Detector(model, threshold=threshold)
    failed = 0
    pictured: list[ReviewPage] = []
    for source, result, wrong in _classified(detector, inputs, kind):
        failed += wrong
        if result is None:
            continue
        if format is Format.html and source.page is not None:
            pictured.append(review_page(source.name, source.page, result))
        elif format is Format.jsonl:
            typer.echo(as_jsonl(source.name, result))
        else:
            for line in as_table(source.name, result):
                typer.echo(line)
    if format is Format.html:
        typer.echo(render(pictured))
    raise typer.Exit(1 if failed else 0)


def strip(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A folder for one .txt a page; default: standard output, an empty line between pages.",
        ),
    ] = None,
) -> None:
    """Print the pages' own content, without link lists and boilerplate."""
    from detector.cli.inputs import OutputNames
    from detector.files import write_whole
    from detector.pipeline import Detector

    detector = Detector(model, threshold=threshold)
    names = None
    if output is not None:
        _check_place(output, inputs)
        make_folder(output)
        names = OutputNames(output, inputs)
    failed, printed = 0, 0
    for source, result, wrong in _classified(detector, inputs, kind):
        failed += wrong
        if result is None or result.problem:
            continue
        if names is None:
            typer.echo(f"\n{result.text}" if printed else result.text)
            printed += 1
            continue
        try:
            path = names.path_for(source.name)
        except InputError as error:
            failed += report(source.name, str(error))
            continue
        try:
            write_whole(path, f"{result.text}\n".encode("utf-8", "replace"))
        except OSError as error:
            failed += report(source.name, f"{path} could not be written ({error.strerror})")
    raise typer.Exit(1 if failed else 0)


def _check_place(output: Path, inputs: list[str]) -> None:
    """Refuse a file, and a folder inside an input folder, where texts would be read as pages when the command is given again."""
    from detector.corpus.inputs import folder_around

    if str(output) == STDOUT:
        raise UsageError("-o names a folder; without it the texts go to standard output")
    if not output.is_dir() and output.suffix.lower() in PAGE_SUFFIXES:
        raise UsageError(f"{output} looks like a file; -o names a folder for one .txt a page")
    # Into the input folder itself texts may go, beside the pages: no page is written over.
    others = (name for name in inputs if os.path.realpath(name) != os.path.realpath(output))
    if (name := folder_around(output, others)) is not None:
        raise UsageError(f"{output} lies in the input {name} and would be read as one; name a folder outside")


def _classified(
    detector: Detector, inputs: list[str], kind: KindChoice
) -> Iterator[tuple[Source, PageResult | None, int]]:
    """Every input, its result or None, and 1 where something is wrong with it; what is wrong is said as it comes up."""
    from detector.cli.inputs import read_sources

    for source in read_sources(inputs, kind.value):
        result = classify_source(detector, source)
        if isinstance(result, str):
            yield source, None, report(source.name, result)
        else:
            yield source, result, report(source.name, result.problem)


def classify_source(detector: Detector, source: Source) -> PageResult | str:
    """The result, or why there is none."""
    if source.page is None:
        return source.problem or "cannot be read"
    return detector.classify(source.page)
