"""Commands: parse, call a plain function, print. Exit status 0 done, 1 some inputs failed, 2 wrong use."""

from __future__ import annotations

import sys

import typer

from detector.cli.corpora import corpora_app
from detector.cli.evaluate import evaluate
from detector.cli.messages import fail
from detector.cli.model import model_app
from detector.cli.pages import classify, strip
from detector.cli.review import review
from detector.cli.run import run
from detector.cli.signatures import app as signatures_app
from detector.cli.train import train
from detector.errors import DetectorError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Tell a page's content from link lists and boilerplate, and strip them.",
)
for command in (classify, strip, run, review, train, evaluate):
    app.command()(command)
app.add_typer(model_app, name="model")
app.add_typer(corpora_app, name="corpora")
app.add_typer(signatures_app, name="signatures")


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
