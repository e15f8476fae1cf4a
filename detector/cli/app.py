"""Commands: parse, call a plain function, print. Exit status 0 done, 1 some inputs failed, 2 wrong use."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

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
    with _orderly_ends():
        try:
            if _is_plain(sys.argv[1:]):
                strip(sys.argv[2:])
            app()
        except typer.Exit as done:
            _end(done.exit_code)
        except SystemExit as done:
            _end(done.code)
        except DetectorError as error:
            fail(str(error))
        except OSError as error:
            _give_up(error)


def _end(code: int | str | None) -> NoReturn:
    """Leave when standard output has taken everything: the interpreter's own flush has no way to say that it did not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _give_up(error)
    raise SystemExit(code) from None


def _give_up(error: OSError) -> NoReturn:
    """A file that no command looks after by itself, or standard output, could not be read or written."""
    if error.filename is None:
        # What is still buffered has nowhere to go, and must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        raise SystemExit(1) from None
    fail(f"{error.filename or 'standard output'}: {error.strerror}; make room or name another place, and start again")


@contextlib.contextmanager
def _orderly_ends() -> Iterator[None]:
    """SIGINT and SIGTERM end the process by an exception, so that half-written files are taken away; a second one at once."""

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        os.write(
            2, f"detector: ended by {signal.Signals(number).name}; every file is whole or was not written\n".encode()
        )
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_plain(arguments: list[str]) -> bool:
    """Whether it is `detector strip` and names of pages, without options.

    Then there is nothing to parse: Typer would import its parser's libraries, which takes longer than all the rest.
    """
    return arguments[:1] == ["strip"] and len(arguments) > 1 and not any(a.startswith("-") for a in arguments[1:])
