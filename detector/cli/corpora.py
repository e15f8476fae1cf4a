"""`detector corpora`: public corpora to training files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

corpora_app = typer.Typer(no_args_is_help=True, help="Turn local clones of public corpora into training files.")


@corpora_app.command("list")
def list_corpora() -> None:
    """Print the corpora that can be prepared: name, use, licence, what it is and where to get it."""
    from training.corpora import CORPORA

    for corpus in CORPORA:
        typer.echo(f"{corpus.name:20} {corpus.use:8} {corpus.licence}")
        typer.echo(f"{'':29} {corpus.title}\n{'':29} {corpus.home}")


@corpora_app.command("prepare")
def prepare_corpus(
    name: Annotated[str, typer.Argument(help="A name out of 'detector corpora list'.", show_default=False)],
    path: Annotated[Path, typer.Argument(help="Top folder of a local clone.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Training file: .jsonl, .jsonl.gz or .jsonl.xz; default: NAME.jsonl.xz."),
    ] = None,
) -> None:
    """Write a corpus as a training file, and a note of its licence and split beside it.

    Pages whose gold text is missing or not found in the page are left out, named here and in the note.
    """
    from detector.cli.output import printable
    from training.corpora import find_corpus, prepare

    corpus = find_corpus(name)
    done = prepare(corpus, path, output or Path(f"{corpus.name}.jsonl.xz"))
    for line in done.left_out:
        typer.echo(f"left out: {printable(line)}", err=True)
    typer.echo(
        f"wrote {done.pages} pages to {done.file} and a note to {done.note}; {len(done.left_out)} left out", err=True
    )
    typer.echo(f"licence: {corpus.licence}", err=True)
    typer.echo(f"use: {corpus.use}", err=True)
    typer.echo(f"split: {corpus.split}", err=True)
