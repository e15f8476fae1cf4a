"""`detector evaluate`: figures of models and peers on labelled pages."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detector.errors import UsageError

if TYPE_CHECKING:
    from detector.model import Model
    from training.evaluation.reading import Pages

STDOUT = "-"


def evaluate(
    samples: Annotated[list[Path] | None, typer.Argument(help="Sample files or folders.", show_default=False)] = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; default: the one that ships.")] = None,
    corpora: Annotated[
        Path | None,
        typer.Option(envvar="DETECTOR_CORPORA", help="A folder of corpora (html/*.jsonl.xz, text/*.jsonl.xz)."),
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another model folder to compare with, pair by pair.")] = None,
    floor: Annotated[
        list[str] | None,
        typer.Option(help="FIGURE=VALUE or 'GROUP:FIGURE=VALUE' to reach, or the exit status is 1; repeatable."),
    ] = None,
    peers: Annotated[bool, typer.Option("--peers", help="Measure other extractors too; needs the extra [peers].")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train on three quarters of the sites first, and measure that model on the others.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the fresh model.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="A folder to keep the fresh model's features in.")] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write all figures as JSON; - for standard output, without tables.")
    ] = None,
    chart: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw a chart; needs the extra [report].")] = None,
) -> None:
    """Measure a model on labelled pages: samples, and the corpora that no model is trained on.

    With --fresh, the corpora for training are split by site and the figures are of sites the model has not seen.
    """
    from training.evaluation.chart import draw, require_matplotlib
    from training.evaluation.compare import compare, in_words
    from training.evaluation.contenders import Contender, ModelContender, peer_contenders
    from training.evaluation.floors import check_floors, overall_row, parse_floor
    from training.evaluation.reading import read_pages
    from training.evaluation.report import as_json, as_table
    from training.evaluation.rows import measure, rows_of

    if not samples and corpora is None:
        raise UsageError("no samples: name sample files or folders, or give --corpora")
    if model is not None and fresh:
        raise UsageError("--model and --fresh: a fresh model is trained, none is read; give one of them")
    floors = [parse_floor(text) for text in floor or []]
    if chart is not None:
        require_matplotlib()
    others = peer_contenders() if peers else []
    old = None if against is None else _load(against)
    pages = read_pages(samples or [], corpora, trainable=fresh)
    for name in pages.absent:
        _say(f"{corpora}: no corpus '{name}'; the others are measured")
    new = _train(pages, corpora, seed, cache) if fresh else _load(model)

    names = _names(new, old, model, against)
    contenders: list[Contender] = [ModelContender(new, names[0])]
    if old is not None:
        contenders.append(ModelContender(old, names[1]))
    _say(f"measuring {', '.join([*names, *(peer.name for peer in others)])}")
    groups = measure([*contenders, *others], _measured(pages, fresh))
    rows = rows_of(groups)
    ours = [row for row in rows if row.contender == names[0]]
    verdicts = check_floors(floors, ours)
    differences = [] if old is None else compare(groups, *names)

    if json != STDOUT:
        typer.echo(as_table(rows))
        if old is not None:
            whole = overall_row(ours)
            typer.echo("\n" + in_words(differences, whole.group if whole else "", *names))
    for peer in others:
        if peer.failures:
            _say(f"{peer.name} raised on {len(peer.failures)} pages, which count as empty: {'; '.join(peer.failures)}")
    if json is not None:
        report = as_json(rows, differences, verdicts, pages, others)
        report["models"] = [_describe(*pair) for pair in zip(names, (new, old), (model, against), strict=False)]
        _write(json, json_module.dumps(report, indent=1, ensure_ascii=False))
    if chart is not None:
        draw(rows, chart)
    for verdict in verdicts:
        _say(str(verdict))
    raise typer.Exit(0 if all(verdict.is_met for verdict in verdicts) else 1)
