"""`detector model`: look at a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

model_app = typer.Typer(no_args_is_help=True, help="Look at a model folder.")


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
