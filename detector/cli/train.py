"""`detector train`: samples to a model, its card and a report."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.labelled import labelled_pages
from detector.cli.messages import fail, make_folder, say
from detector.cli.options import CorporaOpt
from detector.errors import DetectorError, RunError

if TYPE_CHECKING:
    from training.labelling import LabelledPage
    from training.train import Trained

UNFINISHED = ".unfinished"
"""Inside the output folder: what is already computed, until the model is written."""


def train(
    samples: Annotated[list[Path] | None, typer.Argument(help="Sample files or folders.", show_default=False)] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The model folder to write.")] = Path("model"),
    corpora: CorporaOpt = None,
    extend: Annotated[
        bool,
        typer.Option("--extend", help="Teach a model that exists the samples, instead of making one from nothing."),
    ] = False,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="With --extend: the model to begin with; default: the one that ships."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal models on one machine.")] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="A folder to keep what is computed for later runs; default: inside the output until it is done."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="The report's folder; default: 'report' inside the output.", show_default=False)
    ] = None,
    with_report: Annotated[bool, typer.Option("--with-report/--no-report", help="Write a report.")] = True,
) -> None:
    """Train a model on samples, on a folder of corpora, or on both; prints figures on held-out sites.

    Started again after an interruption, the same command goes on where it stopped.
    """
    if model is not None and not extend:
        fail("--model names the model to begin with; give --extend as well")
    if extend and not samples:
        fail("--extend teaches a model your own samples: name sample files or folders")
    with_report = with_report and _can_draw(required=report is not None)
    pages = labelled_pages(samples or [], None if extend else corpora)
    _say_what_has_no_address(pages)
    existed = output.exists()
    make_folder(output)
    _check_places(output, report if with_report else None, cache)
    begun = (output / UNFINISHED).exists()
    unfinished = cache or output / UNFINISHED
    try:
        trained = (
            _extend(pages, model, output.resolve().name, unfinished)
            if extend
            else _fit(pages, corpora, output.resolve().name, seed, unfinished)
        )
    except RunError:
        # What was computed stays, to be gone on from.
        raise
    except DetectorError:
        if not begun:
            shutil.rmtree(output / UNFINISHED if existed else output, ignore_errors=True)
        raise
    options = ["--extend", *(["--model", str(model)] if model else [])] if extend else ["--seed", str(seed)]
    named = [shlex.quote(str(path)) for path in samples or []]
    named += ['--corpora "$DETECTOR_CORPORA"'] if corpora is not None and not extend else []
    _save(trained, output, f"detector train {' '.join([*named, *options])} -o {shlex.quote(str(output))}")
    _print(trained)
    if with_report:
        _report(trained, report or output / "report", unfinished)
    # Of an earlier run without --cache as well: a model is sent on as its folder, and holds nothing that runs.
    shutil.rmtree(output / UNFINISHED, ignore_errors=True)
    say(f"wrote {output}")


def _say_what_has_no_address(pages: list[LabelledPage]) -> None:
    """Sites are told by addresses, and the split goes by site."""
    from training.samples import SAMPLES

    unknown = sum(page.sample.url is None for page in pages if page.sample.source == SAMPLES)
    if unknown:
        say(
            f"{unknown} of {len(pages)} pages have no address (url): each is a site of its own, so that pages of one site may be "
            "learnt from and measured on"
        )


def _check_places(output: Path, report: Path | None, cache: Path | None) -> None:
    """What is to be written can be, and takes the place of nothing but a model, as far as can be seen before the work."""
    from detector.storage import MANIFEST

    if (output / "README.md").exists() and not (output / MANIFEST).exists():
        fail(f"{output}: has a README.md and no model, and a model brings its own; name another folder with -o")
    for option, place in (("--report", report), ("--cache", cache)):
        if place is not None and place.exists() and not place.is_dir():
            fail(f"{option} {place}: is a file; name a folder")


def _can_draw(*, required: bool) -> bool:
    """Whether matplotlib is there; said before an hour of training, not after it."""
    try:
        import matplotlib  # noqa: F401 - asked for at the door, so that the message can name the extra
    except ImportError as error:
        message = f"a report needs more packages ({error}); run: pip install 'link-farm-detector[report]'"
        if required:
            fail(message)
        say(f"no report: {message}")
        return False
    return True


def _fit(pages: list[LabelledPage], corpora: Path | None, name: str, seed: int, cache: Path) -> Trained:
    from training.corpora import digests, read_unlabelled
    from training.train import train as run

    unlabelled = read_unlabelled(corpora) if corpora is not None else []
    trained = run(pages, name, unlabelled=unlabelled, seed=seed, cache=cache, progress=say)
    if corpora is not None:
        trained.model.info["corpora"] = digests(corpora)
    return trained


def _extend(pages: list[LabelledPage], base: Path | None, name: str, cache: Path) -> Trained:
    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model
    from training.extend import extend

    return extend(load_model(base or DEFAULT_MODEL), pages, name, cache=cache, progress=say)


def _save(trained: Trained, output: Path, command: str) -> None:
    from detector.files import write_whole
    from detector.storage import save_model
    from training.card import model_card

    save_model(trained.model, output)
    write_whole(output / "README.md", model_card(trained.model, trained.held_out, command).encode())


def _report(trained: Trained, folder: Path, cache: Path) -> None:
    from training.report import write_report
    from training.report.predictions import predict

    say("writing the report")
    measured = predict(trained.measured, trained.unseen, cache)
    say(f"wrote {write_report(folder, trained.measured, measured, trained.held_out, trained.before)}")


def _print(trained: Trained) -> None:
    """The figures as tables, on standard output."""
    from training.evaluate import as_table

    if trained.before:
        typer.echo("held-out sites, before:")
        typer.echo(as_table(trained.before))
    typer.echo("held-out sites (not trained on when measured):")
    typer.echo(as_table(trained.held_out))
