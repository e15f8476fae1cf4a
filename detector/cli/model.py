"""`detector model`: look at a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.errors import ModelError

MOST_CHARS = 200
"""Of an entry of the manifest that are printed."""

model_app = typer.Typer(no_args_is_help=True, help="Look at a model folder.")


@model_app.command()
def info(folder: Annotated[Path | None, typer.Argument(help="Default: the model that ships.")] = None) -> None:
    """Print what a model's manifest says."""
    import json as json_module

    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model

    model = load_model(folder or DEFAULT_MODEL)
    heads = {
        kind: {"inputs": len(head.mean), "networks": len(head.networks), "threshold": head.threshold, "lift": head.lift}
        for kind, head in model.heads.items()
    }
    # The digests of the pages a model has learnt from are as long as there are pages.
    told = {
        name: f"{value[:MOST_CHARS]}... ({len(value):,} characters)"
        if isinstance(value, str) and len(value) > MOST_CHARS
        else value
        for name, value in model.info.items()
    }
    typer.echo(json_module.dumps({"name": model.name, "heads": heads, "info": told}, indent=1, ensure_ascii=False))


@model_app.command()
def verify(folder: Annotated[Path | None, typer.Argument(help="Default: the model that ships.")] = None) -> None:
    """Check a model folder (sizes, shapes, types, digests, feature schema), and that it decides here as where it was made."""
    from detector.golden import replay
    from detector.pipeline import DEFAULT_MODEL
    from detector.storage import load_model, read_golden

    folder = folder or DEFAULT_MODEL
    model, rows = load_model(folder), read_golden(folder)
    try:
        replayed = replay(model, rows)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from error
    typer.echo(
        f"{folder}: model '{model.name}' is whole; kinds: {', '.join(model.heads)}; {replayed} golden segments replayed"
    )
