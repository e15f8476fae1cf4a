"""`detector review`: pages into one HTML file in which a person corrects their labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.messages import fail, report
from detector.cli.options import STDOUT, Inputs, KindChoice, KindOpt, ModelOpt, ThresholdOpt
from detector.cli.pages import classify_source
from detector.errors import InputError

OutputOpt = Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")]


def review(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    output: OutputOpt = Path("review.html"),
) -> None:
    """Write an HTML file in which to read the pages, correct their labels, and save them as samples.

    The pages that would teach a model most come first.
    """
    from detector.cli.inputs import read_sources
    from detector.files import write_whole
    from detector.pipeline import Detector
    from detector.review import ReviewPage, most_teaching_first, render, review_page

    if str(output) == STDOUT:
        fail("-o names a file to be opened in a browser; 'detector classify --format html' prints one")
    detector = Detector(model, threshold=threshold)
    failed = 0
    pages: dict[str, ReviewPage] = {}
    for source in read_sources(inputs, kind.value):
        if os.path.exists(output) and os.path.exists(source.name) and os.path.samefile(output, source.name):
            fail(f"{output}: is one of the pages and would be written over; name another file with -o")
        result = classify_source(detector, source)
        if isinstance(result, str) or result.problem or source.page is None:
            failed += report(source.name, result if isinstance(result, str) else result.problem)
            continue
        page = review_page(source.name, source.page, result)
        if page.digest in pages:
            failed += report(source.name, f"the same page as {pages[page.digest].facts['name']}; left out")
            continue
        pages[page.digest] = page
    if not pages:
        fail("no page could be read, so no review was written")
    try:
        write_whole(output, render(most_teaching_first(pages.values())).encode("utf-8", "replace"))
    except OSError as error:
        raise InputError(f"{output} could not be written ({error.strerror}); name another file with -o") from error
    segments = sum(len(page.body["lines"]) for page in pages.values())
    typer.echo(f"wrote {output}: {len(pages)} pages, {segments} segments; open it in a browser", err=True)
    raise typer.Exit(1 if failed else 0)
