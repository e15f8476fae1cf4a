"""`detector evaluate`: figures of models and peers on labelled pages."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.messages import folder_problem, say
from detector.cli.options import STDOUT
from detector.errors import UsageError

if TYPE_CHECKING:
    from training.evaluation.reading import Pages
    from training.evaluation.run import NamedModel
    from training.labelling import LabelledPage


def evaluate(
    samples: Annotated[list[Path] | None, typer.Argument(help="Sample files or folders.", show_default=False)] = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; default: the one that ships.")] = None,
    corpora: Annotated[
        Path | None,
        typer.Option(help="A folder of corpora (html/*.jsonl.xz, text/*.jsonl.xz)."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another model folder, to compare with on the same pages.")
    ] = None,
    floor: Annotated[
        list[str] | None,
        typer.Option(help="FIGURE=VALUE or 'GROUP:FIGURE=VALUE' to reach, or the exit status is 1; repeatable."),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Measure other extractors too; needs the extra \\[peers].")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train on three quarters of the sites first, and measure on the others.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the fresh model.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="A folder to keep the fresh model's features in.")] = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write all figures as JSON; - for standard output, without tables."),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw a chart; needs the extra \\[report].")
    ] = None,
) -> None:
    """Measure a model on labelled pages: samples, and the corpora that no model is trained on.

    With --fresh, the corpora for training are split by site and the figures are of sites the model has not seen.
    """
    from training.evaluation.chart import draw, require_matplotlib
    from training.evaluation.contenders import peer_contenders
    from training.evaluation.floors import parse_floor
    from training.evaluation.reading import read_pages
    from training.evaluation.report import as_table
    from training.evaluation.run import run

    if not samples and corpora is None:
        raise UsageError("no samples: name sample files or folders, or give --corpora")
    if model is not None and fresh:
        raise UsageError("--model names a model to read, --fresh trains one; give one of the two")
    floors = [parse_floor(text) for text in floor or []]
    _check_places(json, chart)
    if chart is not None:
        require_matplotlib()
    others = peer_contenders() if peers else []
    old = None if against is None else _load(against)
    pages = read_pages(samples or [], corpora, trainable=fresh)
    for name in pages.absent:
        say(f"{corpora}: no corpus '{name}'; the others are measured")
    new, unseen = _train(pages, corpora, seed, cache) if fresh else (_load(model), [*pages.train, *pages.measure])
    new, old = _told_apart(new, old, [peer.name for peer in others])

    say(f"measuring on {len(unseen)} pages")
    done = run(new, unseen, old=old, peers=others, floors=floors)
    if json != STDOUT:
        typer.echo("\n\n".join(filter(None, (as_table(done.rows), done.comparison()))))
    if json is not None:
        report = json_module.dumps(done.as_dict(pages), indent=1, ensure_ascii=False)
        typer.echo(report) if json == STDOUT else _write(Path(json), report)
    if chart is not None:
        draw(done.rows, chart, [each.name for each in done.models])
    for line in (*done.failures(), *done.learnt_from(unseen), *map(str, done.verdicts)):
        say(line)
    if done.unmeasured:
        raise UsageError(done.unmeasured[0])
    raise typer.Exit(0 if all(verdict.is_met for verdict in done.verdicts) else 1)


def _write(path: Path, report: str) -> None:
    from detector.files import write_whole

    try:
        write_whole(path, f"{report}\n".encode())
    except OSError as error:
        raise UsageError(f"--json {path}: cannot be written ({error.strerror}); name another file") from error


def _load(folder: Path | None) -> NamedModel:
    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model
    from training.evaluation.run import NamedModel

    model = load_model(folder or DEFAULT_MODEL)
    return NamedModel(model.name, model, folder or DEFAULT_MODEL)


def _train(pages: Pages, corpora: Path | None, seed: int, cache: Path | None) -> tuple[NamedModel, list[LabelledPage]]:
    """A model trained on three quarters of the sites, and the pages it has not seen."""
    try:
        from training.train import is_held_out, train
    except (ImportError, OSError) as error:
        raise UsageError(
            f"training needs more packages ({error}); run: pip install 'link-farm-detector[train]'"
        ) from error
    from training.corpora import MEASURE_ONLY, read_unlabelled
    from training.evaluation.run import NamedModel

    unlabelled = read_unlabelled(corpora) if corpora is not None else []
    trained = train(pages.train, "fresh", unlabelled=unlabelled, seed=seed, cache=cache, progress=say, refit=False)
    unseen = [
        page
        for page in (*pages.train, *pages.measure)
        if page.sample.source in MEASURE_ONLY or is_held_out(page.sample.site)
    ]
    return NamedModel("fresh", trained.model), unseen


def _told_apart(new: NamedModel, old: NamedModel | None, peers: Sequence[str]) -> tuple[NamedModel, NamedModel | None]:
    """A model named like a peer is called a model, and two of one name by their folders."""
    from dataclasses import replace

    if new.name in peers:
        new = replace(new, name=f"model {new.name}")
    if old is not None and old.name in peers:
        old = replace(old, name=f"model {old.name}")
    if old is None or new.name != old.name:
        return new, old
    if new.folder is not None and old.folder is not None and new.folder.resolve() == old.folder.resolve():
        raise UsageError(f"--against {old.folder}: a model cannot be compared with itself; name another folder")
    return replace(new, name=str(new.folder or "fresh model")), replace(old, name=str(old.folder))


def _check_places(json: str | None, chart: Path | None) -> None:
    """What is to be written can be, as far as can be seen before the work."""
    for option, place in (("--json", None if json in (None, STDOUT) else Path(json or "")), ("--chart", chart)):
        if place is not None and place.is_dir():
            raise UsageError(f"{option} {place}: a folder, not a file; name a file in it")
        if place is not None and (problem := folder_problem(place.parent)):
            raise UsageError(f"{option} {place}: {problem}, or name another")
    if chart is not None and chart.suffix != ".png":
        raise UsageError(f"--chart {chart}: charts are PNG; name it {chart.with_suffix('.png')}")
