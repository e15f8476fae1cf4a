"""Commands: parse, call a plain function, print. Exit status 0 done, 1 some inputs failed, 2 wrong use."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn, TextIO

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

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OWN_OUTPUT = "standard output"

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
    # A process may be started without either.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - open as long as the process runs
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    with _orderly_ends(), contextlib.redirect_stdout(_named_stdout()):
        try:
            if _is_plain(sys.argv[1:]):
                strip(sys.argv[2:])
            app()
        except typer.Exit as done:
            _end(done.exit_code)
        except SystemExit as done:
            _end(done.code)
        except DetectorError as error:
            with contextlib.suppress(OSError):  # which is what the error may be about
                _flush()
            fail(str(error))
        except OSError as error:
            _give_up(error)


def _end(code: int | str | None) -> NoReturn:
    """Leave when standard output has taken everything: the interpreter's own flush has no way to say that it did not."""
    try:
        _flush()
    except OSError as error:
        _give_up(error)
    raise SystemExit(code) from None


def _flush() -> None:
    """Write what standard output still holds; what it does not take is not tried again at the end."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _drop_output(error)
        raise


def _drop_output(error: OSError) -> None:
    """Let what standard output still holds go nowhere, if the error is its own."""
    if error.filename == OWN_OUTPUT:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _NamedOutput(io.FileIO):
    """Standard output whose errors say that they are its own: the system names no file in them."""

    def write(self, content: ReadableBuffer, /) -> int:
        try:
            return super().write(content)
        except OSError as error:
            error.filename = OWN_OUTPUT
            raise


def _named_stdout() -> TextIO:
    """Standard output with errors that name it, unless something else, such as a test, stands in its place."""
    given = sys.__stdout__
    if given is None or sys.stdout is not given:
        return sys.stdout
    stream = io.BufferedWriter(_NamedOutput(given.fileno(), "w", closefd=False))
    return io.TextIOWrapper(stream, encoding="utf-8", errors="replace", line_buffering=given.line_buffering)


def _give_up(error: OSError) -> NoReturn:
    """A file that no command looks after by itself, or standard output, could not be read or written."""
    _drop_output(error)
    if error.filename == OWN_OUTPUT and isinstance(error, BrokenPipeError):
        raise SystemExit(1) from None
    if error.filename is None:
        fail(error.strerror or str(error))
    fail(f"{error.filename}: {error.strerror}; make room or name another place, and start again")


@contextlib.contextmanager
def _orderly_ends() -> Iterator[None]:
    """SIGINT and SIGTERM end the process by an exception, so that half-written files are taken away; a second one at once.

    One that the process was started to ignore, as a shell does for what runs in the background, stays ignored.
    """

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        os.write(
            2, f"detector: ended by {signal.Signals(number).name}; every file is whole or was not written\n".encode()
        )
        raise SystemExit(128 + number)

    before = {
        number: signal.signal(number, end)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
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
