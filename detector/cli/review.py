"""`detector review`: pages into one HTML file in which a person corrects their labels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.messages import fail, report, say
from detector.cli.options import STDOUT, Inputs, KindChoice, KindOpt, ModelOpt, ThresholdOpt
from detector.cli.pages import classify_source
from detector.errors import InputError

if TYPE_CHECKING:
    from detector.cli.inputs import Source
    from detector.data import PageResult
    from detector.pipeline import Detector

OutputOpt = Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")]


def review(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    output: OutputOpt = Path("review.html"),
    most: Annotated[int, typer.Option(min=1, help="Pages to show: those that would teach most.")] = 100,
) -> None:
    """Write an HTML file in which to read the pages, correct their labels, and save them as samples.

    The pages that would teach a model most come first. Files of many pages, as 'detector run' reads them, may be among the
    inputs.
    """
    from detector.cli.inputs import matches, read_sources
    from detector.files import write_whole
    from detector.pipeline import Detector
    from detector.review import most_teaching, most_teaching_first, render, review_page

    if str(output) == STDOUT:
        fail("-o names a file to be opened in a browser; 'detector classify --format html' prints one")
    for name in inputs:
        if any(_is_same(output, match) for match in matches(name)):
            fail(f"{output}: is one of the inputs and would be written over; name another file with -o")
    detector = Detector(model, threshold=threshold)
    failed: list[str] = []
    names: dict[str, str] = {}
    sources = read_sources(inputs, kind.value, corpora=True)
    chosen = most_teaching(_different_pages(detector, sources, output, names, failed), most)
    if not chosen:
        fail("no page could be read, so no review was written")
    pages = [review_page(source.name, source.page, result) for source, result in chosen if source.page is not None]
    try:
        write_whole(output, render(most_teaching_first(pages)).encode("utf-8", "replace"))
    except OSError as error:
        raise InputError(f"{output} could not be written ({error.strerror}); name another file with -o") from error
    segments = sum(len(page.body["lines"]) for page in pages)
    of = f" of {len(names):,}, those that would teach most" if len(pages) < len(names) else ""
    say(f"wrote {output}: {len(pages)} pages{of}, {segments} segments; open it in a browser")
    raise typer.Exit(1 if failed else 0)


def _is_same(output: Path, name: str) -> bool:
    """Whether an input is the file to write."""
    return os.path.exists(output) and os.path.exists(name) and os.path.samefile(output, name)


def _different_pages(
    detector: Detector, sources: Iterable[Source], output: Path, names: dict[str, str], failed: list[str]
) -> Iterator[tuple[Source, PageResult]]:
    """The pages that can be classified, each once.

    Args:
        detector: What classifies them.
        sources: The inputs.
        output: Of the review; it is none of the inputs.
        names: Gets the names of the pages, by what is in them.
        failed: Gets the names of the others, which are said.
    """
    for source in sources:
        if _is_same(output, source.name):
            fail(f"{output}: is one of the pages and would be written over; name another file with -o")
        result = classify_source(detector, source)
        problem = result if isinstance(result, str) else result.problem
        if isinstance(result, str) or problem or source.page is None:
            failed += [source.name] * report(source.name, problem)
            continue
        content = f"{result.kind}\0{result.source_text}"
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
        if digest in names:
            failed += [source.name] * report(source.name, f"the same page as {names[digest]}; left out")
            continue
        names[digest] = source.name
        yield source, result
