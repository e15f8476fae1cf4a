"""`detector run`: a filter over whole corpora."""

from __future__ import annotations

import contextlib
import enum
import json as json_module
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detector.cli.options import (
    STDOUT,
    FieldOpt,
    FormChoice,
    FormOpt,
    KindChoice,
    ModelOpt,
    RecordKindOpt,
    ThresholdOpt,
)  # fmt: skip

if TYPE_CHECKING:
    from detector.corpus.estimate import Estimate
    from detector.corpus.records import Statistics
    from detector.corpus.run import RunOptions

MOST_MB = 1e9


class Packing(enum.StrEnum):
    """How shards are written: as JSONL, packed or not, or as Parquet."""

    zst = "zst"
    gz = "gz"
    none = "none"
    parquet = "parquet"


def run(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="JSONL (plain, .gz, .xz, .bz2, .zst), Parquet, WARC, WET, pages, folders of these, glob patterns, or - "
            "for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", help="A folder for shards, or - for standard output.")
    ] = STDOUT,
    workers: Annotated[int, typer.Option(min=1, help="Processes that classify.")] = 1,
    form: FormOpt = FormChoice.auto,
    field: FieldOpt = None,
    kind: RecordKindOpt = KindChoice.auto,
    model: ModelOpt = None,
    threshold: ThresholdOpt = None,
    signatures: Annotated[
        Path | None,
        typer.Option(help="A signature file ('detector signatures build'): what recurs on the pages of a site goes."),
    ] = None,
    annotate: Annotated[bool, typer.Option("--annotate", help="Leave the text as it is; only add spans.")] = False,
    keep_original: Annotated[str | None, typer.Option(help="A field for the text before it was cleaned.")] = None,
    spam: Annotated[
        bool,
        typer.Option(
            "--spam", help="Add spam_probability, of the page as a whole; takes two to four times as long on text."
        ),
    ] = False,
    removed: Annotated[
        Path | None, typer.Option(help="A file for what was taken out (.jsonl, .jsonl.gz, .jsonl.zst).")
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(help="A file for what could not be read; default: OUT/problems.jsonl.")
    ] = None,
    statistics: Annotated[
        Path | None, typer.Option(help="A file for the counts; default: OUT/statistics.json.")
    ] = None,
    pack: Annotated[
        Packing | None,
        typer.Option(help="Shards of JSONL, packed so or not, or of Parquet; default: zst, none for standard output."),
    ] = None,
    shard_mb: Annotated[float, typer.Option(min=0.000001, max=MOST_MB, help="Size of a shard, packed.")] = 256.0,
    max_mb: Annotated[
        float, typer.Option(min=0.000001, max=MOST_MB, help="Largest page; larger ones are named as problems.")
    ] = 10.0,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds a page may take.")] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Estimate from a sample; write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, on standard output.")] = False,
) -> None:
    """Clean every page of a corpus.

    Each record keeps its fields and gets text, spans and removed_ratio. A run that was interrupted goes on where it
    stopped when the same command is given again; over standard input it starts over, for that cannot be read twice.
    Exit status 1: some records could not be read; they are named.
    """
    from detector.cli.inputs import matches
    from detector.corpus.packing import WRITABLE
    from detector.corpus.pages import PageOptions
    from detector.corpus.records import FORMS
    from detector.corpus.run import RunOptions
    from detector.corpus.sinks import SinkOptions
    from detector.errors import UsageError

    inputs = [match for pattern in inputs for match in matches(pattern) or [pattern]]
    to_stdout = output == STDOUT
    if json and to_stdout and not dry_run:
        raise UsageError("the summary cannot be printed between the pages; use --statistics FILE, or -o FOLDER")
    if Path(output).suffix in (".jsonl", ".zst", ".gz", ".parquet"):
        raise UsageError(f"{output} looks like a file; -o names a folder for shards, or - for standard output")
    parquet = pack == Packing.parquet
    options = RunOptions(
        pages=PageOptions(
            model=str(model) if model is not None else None,
            threshold=threshold,
            signatures=signatures,
            kind=kind.value,
            field=field,
            annotate=annotate,
            keep_original=keep_original,
            spam=spam,
            packing=WRITABLE["zst" if parquet else pack or ("none" if to_stdout else "zst")],
            max_bytes=round(max_mb * 1e6) or 1,
        ),
        files=SinkOptions(
            parquet=parquet,
            shard_bytes=round(shard_mb * 1e6) or 1,
            removed=removed,
            problems=problems,
            statistics=statistics,
        ),
        form=next((known for known in FORMS if known == form), None),
        workers=workers,
        timeout=timeout,
    )
    if dry_run:
        from detector.corpus.estimate import estimate

        found = estimate(inputs, options)
        typer.echo(json_module.dumps(found.as_dict(), indent=1) if json else _estimate_table(found, workers))
        return
    done = _run(inputs, output, options)
    if json:
        typer.echo(json_module.dumps(done.as_dict(), indent=1))
    else:
        typer.echo(statistics_table(done), err=True)
    raise typer.Exit(1 if done.problems else 0)


def _run(inputs: list[str], output: str, options: RunOptions) -> Statistics:
    from detector.corpus.run import run as run_corpus

    with _progress(inputs, options) as (progress, warn):
        return run_corpus(
            inputs,
            sys.stdout.buffer if output == STDOUT else Path(output),
            options,
            progress=progress,
            warn=warn,
        )


@contextlib.contextmanager
def _progress(
    inputs: list[str], options: RunOptions
) -> Iterator[tuple[Callable[[Statistics, int], None], Callable[[str], None]]]:
    """Two functions, to be told of progress and of warnings; a bar is drawn on a terminal only."""
    from detector.cli.output import printable

    if not sys.stderr.isatty():
        yield (lambda statistics, size: None), (lambda message: typer.echo(printable(message), err=True))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from detector.corpus.inputs import STDIN
    from detector.corpus.run import sources_of

    size = None if STDIN in inputs else sum(source.size for source in sources_of(inputs, options.form))
    columns = (
        TextColumn("{task.fields[pages]:,} pages"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), TextColumn("{task.fields[removed]:.1%} removed, {task.fields[problems]:,} problems"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=size, pages=0, removed=0.0, problems=0)

        def tell(statistics: Statistics, read: int) -> None:
            bar.update(
                task,
                completed=read,
                pages=statistics.pages,
                removed=statistics.removed_ratio,
                problems=statistics.problems.total(),
            )

        yield tell, lambda message: bar.console.print(escape(printable(message)))


def statistics_table(statistics: Statistics) -> str:
    """The counts of a run, a line each."""
    rows: list[tuple[str, Any]] = [("pages", f"{statistics.pages:,}"), ("removed", f"{statistics.removed_ratio:.1%}")]
    total = statistics.characters.total() or 1
    rows += [(f"  {label}", f"{count / total:.1%}") for label, count in sorted(statistics.removed.items())]
    for name, counter in (("problems", statistics.problems), ("skipped", statistics.skipped)):
        rows.append((name, f"{counter.total():,}"))
        rows += [(f"  {kind}", f"{count:,}") for kind, count in sorted(counter.items())]
    return "\n".join(f"{name:24} {value:>12}" for name, value in rows)


def _estimate_table(found: Estimate, workers: int) -> str:
    hours, rest = divmod(round(found.seconds), 3600)
    rows = [
        ("files", f"{found.files:,}"),
        ("input", f"{found.input_bytes / 1e6:,.1f} MB"),
        ("sampled", f"{found.sampled_bytes / 1e6:,.1f} MB, {found.sampled_pages:,} pages"),
        ("pages, about", f"{found.pages:,}"),
        ("output, about", f"{found.output_bytes / 1e6:,.1f} MB"),
        ("removed, about", f"{found.removed_ratio:.1%}"),
        (f"time with {workers}, about", f"{hours}:{rest // 60:02}:{rest % 60:02}"),
        *((f"  {kind}, about", f"{count:,}") for kind, count in sorted(found.problems.items())),
    ]
    return "\n".join(f"{name:24} {value:>24}" for name, value in rows)
