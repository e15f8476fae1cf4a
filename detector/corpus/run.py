"""A run from its inputs to its last file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import detector
from detector.corpus.inputs import STDIN, Source, fingerprint, folder_around, walk
from detector.corpus.outputs import INPUT, GrowingFile, is_of_run
from detector.corpus.packing import packing_of, zstandard
from detector.corpus.pages import PageOptions, PageProcessor
from detector.corpus.parquet import pyarrow_parquet
from detector.corpus.pool import WorkerPool
from detector.corpus.readers import check_readers, read_units
from detector.corpus.records import Form, Statistics
from detector.corpus.sinks import FolderSink, Sink, SinkOptions, StreamSink
from detector.errors import InputError, ModelError, RunError, UsageError
from detector.limits import TIMEOUT_SECONDS
from detector.pipeline import DEFAULT_MODEL
from detector.signatures import SignatureStore
from detector.storage import MANIFEST

Progress = Callable[[Statistics, int], None]
"""Told the counts so far and how many bytes of the inputs were read, after every unit."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes about it.

    Attributes:
        pages: What is done with each page.
        files: Which files are written and how.
        form: Of all inputs; None tells it by suffix, then by content.
        workers: Processes that classify.
        timeout: Seconds a page may take.
    """

    pages: PageOptions = field(default_factory=PageOptions)
    files: SinkOptions = field(default_factory=SinkOptions)
    form: Form | None = None
    workers: int = 1
    timeout: float = TIMEOUT_SECONDS


def run(
    inputs: list[str],
    output: Path | BinaryIO,
    options: RunOptions,
    *,
    progress: Progress = lambda statistics, size: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Statistics:
    """Classify every page of the inputs and write the results.

    Args:
        inputs: Files, folders of them, or "-" for standard input.
        output: A folder for shards, where an interrupted run is gone on with; or a stream for all lines.
        options: How.
        progress: Told how far the run is.
        warn: Told what goes wrong without ending the run.

    Raises:
        InputError: An input is missing, or the library that reads it.
        UsageError: An option is wrong.
        ModelError: The model cannot be used.
        SignatureError: The signature file cannot be used.
        RunError: The output cannot be written, belongs to another run, or the workers keep dying.
    """
    _check(options)
    if options.files.parquet and not isinstance(output, Path):
        raise UsageError("Parquet is written to a folder, not to a stream; name one with -o")
    removed = options.files.removed
    pages = replace(options.pages, removed=removed is not None, removed_packing=packing_of(removed or ""))
    options = replace(options, pages=pages, files=replace(options.files, packing=pages.packing))
    check_readers(sources_of(inputs, options.form))
    _check_files(inputs, output, options)
    try:
        if isinstance(output, Path):
            with FolderSink(
                output, options.files, pins(inputs, output, options), resumable=STDIN not in inputs
            ) as folder:
                if folder.finished:
                    warn(f"{output}: this run was finished before; there is nothing left to do")
                else:
                    _work(folder, inputs, options, progress, warn)
                return folder.statistics
        with StreamSink(output, options.files, warn) as stream:
            _work(stream, inputs, options, progress, warn)
            return stream.statistics
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or (output if isinstance(output, Path) else "the output")
        raise RunError(
            f"{where}: cannot be written ({error.strerror or error}); make room or mend it, and start the same "
            "command again: a folder of shards is gone on with from its last checkpoint"
        ) from error


def sources_of(inputs: list[str], form: Form | None) -> Iterator[Source]:
    """The sources of all inputs, in order."""
    for argument in inputs:
        yield from walk(argument, form)


def pins(inputs: list[str], output: Path, options: RunOptions) -> dict[str, Any]:
    """What must be the same for a run to be gone on with: options, inputs, model, signatures and version; all but the pace.

    Raises:
        SignatureError: The signature file is none.
        UsageError: The output folder lies in an input folder, where the next start would read it.
    """
    if (argument := folder_around(output, inputs)) is not None:
        raise UsageError(f"{output} lies in the input {argument} and would be read as one; name a folder outside")
    manifest = Path(options.pages.model or DEFAULT_MODEL) / MANIFEST
    try:
        model = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{manifest}: cannot be read ({error.strerror}); name a model folder") from error
    settings = {**asdict(options.pages), **asdict(options.files), "form": options.form}
    del settings["checkpoint_seconds"]
    pinned = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
    named = {f"{INPUT}{argument}": fingerprint(walk(argument, options.form)) for argument in inputs}
    signatures = options.pages.signatures
    known = None if signatures is None else SignatureStore.digest_of(signatures)
    return {
        **pinned,
        "version": detector.__version__,
        "model": model,
        "signatures": known,
        "inputs": inputs,
        **named,
    }


def _check(options: RunOptions) -> None:
    if options.workers < 1:
        raise UsageError(f"workers is {options.workers}; give 1 or more")
    if not options.timeout > 0:
        raise UsageError(f"timeout is {options.timeout}; give a number of seconds above 0")
    if options.files.shard_bytes < 1 or options.pages.max_bytes < 1:
        raise UsageError("sizes are 1 or more bytes")
    if options.files.removed is not None and packing_of(options.files.removed) not in ("", ".gz", ".zst"):
        raise UsageError(f"{options.files.removed}: removed segments are written plain, as .gz or as .zst")
    if options.pages.keep_original in ("text", "spans", "removed_ratio", "spam_probability"):
        raise UsageError(f"the original cannot be kept as '{options.pages.keep_original}'; name another field")
    if options.files.parquet:
        pyarrow_parquet()
    if ".zst" in (options.pages.packing, packing_of(options.files.removed or "")):
        try:
            zstandard()
        except InputError as error:
            raise InputError(f"{error}, or have gz written (--pack gz)") from error


def _check_files(inputs: list[str], output: Path | BinaryIO, options: RunOptions) -> None:
    """Refuse files to write that are an input, or are written already, or are in no folder: before the work and not after it."""
    files = options.files
    options_of = {"--removed": files.removed, "--problems": files.problems, "--statistics": files.statistics}
    named = {option: path for option, path in options_of.items() if path is not None}
    if not named:
        return
    folder = os.path.realpath(output) if isinstance(output, Path) else None
    taken: dict[str, str] = {}
    for option, path in named.items():
        real = os.path.realpath(path)
        parent, name = os.path.split(real)
        if real in taken or (parent == folder and is_of_run(name)):
            raise UsageError(f"{option} {path}: is written by {taken.get(real, 'the run')} already; name another file")
        if not os.path.isdir(parent) and parent != folder:
            raise UsageError(f"{option} {path}: there is no such folder; make it, or name a file in another")
        # Until they are whole, files have another name.
        taken |= dict.fromkeys((real, str(GrowingFile.part_of(Path(real)))), option)
    for source in sources_of(inputs, options.form):
        over = None if source.path is None else taken.get(os.path.realpath(source.path))
        if over is not None:
            raise UsageError(f"{over} {named[over]}: the input {source.name} would be written over; name another file")


def _work(sink: Sink, inputs: list[str], options: RunOptions, progress: Progress, warn: Callable[[str], None]) -> None:
    units = read_units(sources_of(inputs, options.form), sink.start, options.pages.max_bytes)
    with WorkerPool(partial(PageProcessor, options.pages), options.workers, options.timeout, warn) as pool:
        for unit, result in pool.map(units):
            sink.write(unit, result)
            progress(sink.statistics, unit.bytes_read)
    sink.finish()
