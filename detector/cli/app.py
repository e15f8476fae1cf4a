"""Commands: parse, call a plain function, print. Exit status 0 done, 1 some inputs failed, 2 wrong use."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from detector.cli.corpora import corpora_app
from detector.cli.evaluate import evaluate
from detector.cli.run import run
from detector.cli.signatures import app as signatures_app
from detector.cli.train import train
from detector.errors import DetectorError, InputError, ModelError

if TYPE_CHECKING:
    from detector.cli.inputs import Source
    from detector.data import PageResult
    from detector.pipeline import Detector
    from training.labelling import LabelledPage

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Tell a page's content from link lists and boilerplate, and strip them.",
)
model_app = typer.Typer(no_args_is_help=True, help="Look at a model folder.")
app.add_typer(model_app, name="model")
app.command()(run)
app.add_typer(corpora_app, name="corpora")
app.command()(train)
app.command()(evaluate)
app.add_typer(signatures_app, name="signatures")


class KindChoice(enum.StrEnum):
    """How to read the inputs."""

    auto = "auto"
    text = "text"
    html = "html"


class Format(enum.StrEnum):
    """How to print results."""

    table = "table"
    jsonl = "jsonl"
    html = "html"


Inputs = Annotated[
    list[str], typer.Argument(help="Files, folders, glob patterns, or - for standard input.", show_default=False)
]
KindOpt = Annotated[KindChoice, typer.Option("--kind", help="How to read the inputs; auto looks at the content.")]
ModelOpt = Annotated[Path | None, typer.Option("--model", help="A model folder; default: the one that ships.")]
ThresholdOpt = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Probability of content from which a segment stays; default: the model's."),
]


def main() -> None:
    """Run the command line; the package's own errors become one line and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        if _is_plain(sys.argv[1:]):
            strip(sys.argv[2:])
        app()
    except typer.Exit as done:
        raise SystemExit(done.exit_code) from None
    except DetectorError as error:
        fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


def _is_plain(arguments: list[str]) -> bool:
    """Whether it is `detector strip` and names of pages, without options.

    Then there is nothing to parse: Typer would import its parser's libraries, which takes longer than all the rest.
    """
    return arguments[:1] == ["strip"] and len(arguments) > 1 and not any(a.startswith("-") for a in arguments[1:])


def fail(message: str) -> NoReturn:
    """Say what is wrong and exit with status 2."""
    typer.echo(f"detector: {message}", err=True)
    raise SystemExit(2)


@app.command()
def classify(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    format: Annotated[Format, typer.Option(help="table, jsonl, or html to look at in a browser.")] = Format.table,
) -> None:
    """Print every segment of every page with its label."""
    from detector.cli.inputs import read_sources
    from detector.cli.output import as_jsonl, as_table
    from detector.pipeline import Detector
    from detector.review import render, review_page

    detector = Detector(model, threshold=threshold)
    failed = 0
    pictured = []
    for source in read_sources(inputs, kind.value):
        result = _classify(detector, source)
        if isinstance(result, str):
            failed += _report(source.name, result)
            continue
        failed += _report(source.name, result.problem)
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


@app.command()
def strip(
    inputs: Inputs,
    kind: KindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A folder for one .txt a page; default: standard output."),
    ] = None,
) -> None:
    """Print the pages' own content, without link lists and boilerplate."""
    from detector.cli.inputs import output_path, read_sources, write_atomically
    from detector.pipeline import Detector

    detector = Detector(model, threshold=threshold)
    if output is not None:
        _make_folder(output)
    failed = 0
    taken: set[Path] = set()
    for source in read_sources(inputs, kind.value):
        result = _classify(detector, source)
        if isinstance(result, str):
            failed += _report(source.name, result)
            continue
        failed += _report(source.name, result.problem)
        if output is None:
            typer.echo(result.text)
            continue
        try:
            path = output_path(output, source.name, taken)
        except InputError as error:
            failed += _report(source.name, str(error))
            continue
        try:
            write_atomically(path, result.text + "\n")
        except OSError as error:
            failed += _report(source.name, f"{path} could not be written ({error.strerror})")
    raise typer.Exit(1 if failed else 0)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: the folder cannot be made ({error.strerror}); name another with -o")


def _classify(detector: Detector, source: Source) -> PageResult | str:
    """The result, or why there is none."""
    if source.page is None:
        return source.problem or "cannot be read"
    try:
        return detector.classify(source.page)
    except ModelError as error:
        return str(error)


def _report(name: str, problem: str | None) -> int:
    """Name an input that failed, on standard error; 1 if it did."""
    if problem:
        from detector.cli.output import printable

        typer.echo(f"{printable(name)}: {problem}", err=True)
    return 1 if problem else 0


def _labelled(samples: list[Path], corpora: Path | None) -> list[LabelledPage]:
    """Read and label samples and corpora; scikit-learn's absence is said with the line that mends it."""
    require_training_packages()
    from training.corpora import TRAINABLE, label_corpus, read_corpus
    from training.labelling import label_page
    from training.samples import read_samples

    if not samples and corpora is None:
        fail("no samples: name sample files or folders, or give --corpora")
    pages = [label_page(sample) for sample in read_samples(samples)] if samples else []
    if corpora is not None:
        pages += list(label_corpus(read_corpus(corpora, TRAINABLE)))
    return pages


def require_training_packages() -> None:
    """Say which line mends it where the packages for training are not installed."""
    try:
        import joblib  # noqa: F401 - asked for at the door, so that the message can name the extra
        import sklearn  # noqa: F401
    except (ImportError, OSError) as error:
        fail(f"training and evaluation need more packages ({error}); run: pip install 'link-farm-detector[train]'")


def _say(message: str) -> None:
    typer.echo(message, err=True)


@model_app.command()
def info(folder: Annotated[Path | None, typer.Argument(help="Default: the model that ships.")] = None) -> None:
    """Print what a model's manifest says."""
    import json as json_module

    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model

    model = load_model(folder or DEFAULT_MODEL)
    heads = {
        kind: {"inputs": len(head.mean), "networks": len(head.networks), "threshold": head.threshold}
        for kind, head in model.heads.items()
    }
    typer.echo(
        json_module.dumps({"name": model.name, "heads": heads, "info": model.info}, indent=1, ensure_ascii=False)
    )


@model_app.command()
def verify(folder: Annotated[Path | None, typer.Argument(help="Default: the model that ships.")] = None) -> None:
    """Check a model folder: sizes, shapes, types, digests and feature schema."""
    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model

    model = load_model(folder or DEFAULT_MODEL)
    typer.echo(f"{folder or DEFAULT_MODEL}: model '{model.name}' is whole; kinds: {', '.join(model.heads)}")


from detector.cli.review import review  # noqa: E402 - needs the options above

app.command()(review)
