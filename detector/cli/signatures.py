"""`detector signatures`: build, merge and describe files of what pages hold, and teach a model to use them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.messages import folder_problem, say
from detector.cli.options import FieldOpt, FormChoice, FormOpt, KindChoice, RecordKindOpt

if TYPE_CHECKING:
    from detector.corpus.pages import PageOptions
    from detector.corpus.records import Form
    from detector.data import Page

app = typer.Typer(no_args_is_help=True, help="What recurs on the pages of a site: signature files.")

OutputOpt = Annotated[Path, typer.Option("-o", "--output", help="The signature file to write.")]
MinPagesOpt = Annotated[
    int, typer.Option(min=1, help="Forget lines on fewer pages: a smaller file, which is not to be merged again.")
]


@app.command()
def build(
    corpus: Annotated[
        list[str], typer.Argument(help="What 'detector run' reads; the 'url' of a page says which host it is of.")
    ],
    output: OutputOpt = Path("site.signatures"),
    min_pages: MinPagesOpt = 1,
    form: FormOpt = FormChoice.auto,
    field: FieldOpt = None,
    kind: RecordKindOpt = KindChoice.auto,
    redis: Annotated[
        str | None, typer.Option(help="Count in this Redis server, with other crawlers, and write what all counted.")
    ] = None,
) -> None:
    """Count on how many pages of each host every line occurs."""
    from detector.corpus.pages import PageOptions
    from detector.corpus.records import FORMS
    from detector.errors import InputError
    from detector.features.site import scheme
    from detector.signatures import SignatureCounter, merge_to_file
    from detector.site_memory import count_pages

    _check_output(output)
    options = PageOptions(field=field, kind=kind.value)
    known = next((known for known in FORMS if known == form), None)
    failed: list[str] = []
    if redis is not None:
        from detector.signatures.shared import RedisSignatureCounter

        shared = RedisSignatureCounter(redis, scheme())
        pages = count_pages(_pages(corpus, options, known, failed), shared)
        merge_to_file([shared.freeze()], output, min_pages)
    else:
        with _working_folder(output) as folder:
            counter = SignatureCounter(scheme(), folder)
            pages = count_pages(_pages(corpus, options, known, failed), counter)
            if failed and not pages:
                raise InputError("no page could be read, so no signatures were written")
            # Written there, so that it is taken away with the runs if the process is killed.
            counter.freeze_to_file(folder / output.name, min_pages)
            (folder / output.name).replace(output)
    typer.echo(f"{output}: {pages:,} new pages", err=True)
    raise typer.Exit(1 if failed else 0)


def _check_output(output: Path) -> None:
    """Refuse, before the work, a place where no file can be made, and to write over anything but signatures."""
    from detector.errors import UsageError
    from detector.signatures.store import MAGIC

    if problem := folder_problem(output.parent):
        raise UsageError(f"{output}: {problem}, or name a file in another with -o")
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file in it with -o")
    if output.exists():
        with output.open("rb") as stream:
            if stream.read(len(MAGIC)) not in (MAGIC, b""):
                raise UsageError(f"{output}: is there already and holds no signatures; name another file with -o")


@contextlib.contextmanager
def _working_folder(output: Path) -> Iterator[Path]:
    """A folder for what the memory does not hold, beside the output, for a system's temporary folder may be in memory.

    Its name is always the same, so that what a killed process left is taken away by the next.

    Raises:
        RunError: Another process is writing the same output.
    """
    from detector.corpus.outputs import FolderLock

    folder = output.with_name(f".{output.name}.runs")
    if folder.is_symlink():
        folder.unlink()  # what it leads to is not ours to empty
    folder.mkdir(exist_ok=True)
    lock = FolderLock(folder)
    try:
        for left in list(folder.iterdir()):
            left.unlink()
        yield folder
    finally:
        # What stays, the next takes away; why the block failed is what counts.
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


@app.command()
def merge(
    files: Annotated[list[Path], typer.Argument(help="Signature files of different pages.", show_default=False)],
    output: OutputOpt,
    min_pages: MinPagesOpt = 1,
) -> None:
    """Add up signature files."""
    from detector.features.site import scheme
    from detector.signatures import SignatureStore, merge_to_file
    from detector.signatures.keys import KeyKind

    _check_output(output)
    stores = [SignatureStore.open(file, scheme()) for file in files]
    merge_to_file(stores, output, min_pages)
    keys, pages = SignatureStore.open(output, scheme()).totals()[KeyKind.CONTENT]
    if pages > keys:
        typer.echo(f"{output}: {pages - keys:,} pages are in more than one of the files and count twice", err=True)


@app.command()
def info(file: Annotated[Path, typer.Argument(help="A signature file.", show_default=False)]) -> None:
    """Print what a signature file holds, after checking all of it."""
    import json

    from detector.features.site import scheme
    from detector.signatures import SignatureStore
    from detector.signatures.keys import KeyKind

    store = SignatureStore.open(file, scheme())
    totals = store.totals()
    facts = {
        "pages": totals[KeyKind.CONTENT][1],
        "hosts": totals[KeyKind.HOST][0],
        "signatures": len(store),
        **{kind.name.lower(): {"different": keys, "on pages": pages} for kind, (keys, pages) in totals.items()},
        "bytes": file.stat().st_size,
        "scheme": store.scheme,
    }
    typer.echo(json.dumps(facts, indent=1))


@app.command()
def teach(
    model: Annotated[Path, typer.Argument(help="The model folder; it is written again.", show_default=False)],
    corpora: Annotated[Path, typer.Option(envvar="DETECTOR_CORPORA", help="A folder of corpora.")],
    unseen: Annotated[
        Path | None, typer.Option(help="A model that has not seen the held-out sites; default: train one first.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal heads on one machine.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="A folder to keep computed features in.")] = None,
) -> None:
    """Teach a trained model to use signatures, on simulated sites; the rest of the model stays as it is."""
    from detector.cli.labelled import require_training_packages
    from detector.storage import load_model, save_model

    require_training_packages()
    from training.corpora import TRAINABLE, label_corpus, read_corpus, read_raw_texts, read_unlabelled
    from training.site_memory import fit_site_heads
    from training.train import train

    taught = load_model(model)
    pages = list(label_corpus(read_corpus(corpora, TRAINABLE)))
    if unseen is not None:
        base = load_model(unseen)
    else:
        others = read_unlabelled(corpora)
        base = train(pages, "unseen", unlabelled=others, seed=seed, cache=cache, progress=say, refit=False).model
    taught = fit_site_heads(taught, base, pages, read_raw_texts(corpora), seed=seed, progress=say)
    save_model(taught, model)
    say(f"wrote {model}")


def _pages(corpus: list[str], options: PageOptions, form: Form | None, failed: list[str]) -> Iterator[Page]:
    """The pages of files and folders as `detector run` reads them; what cannot be read is named and the rest goes on."""
    from detector.cli.inputs import matches
    from detector.corpus.pages import read_pages
    from detector.corpus.records import Problem
    from detector.errors import InputError
    from detector.features.site import host_of

    addressed, pages = 0, 0
    for name in [match for pattern in corpus for match in matches(pattern) or [pattern]]:
        try:
            for found in read_pages(name, options, form):
                if isinstance(found, Problem):
                    _name(f"{found.place}: {found.detail}", failed)
                    continue
                pages += 1
                addressed += host_of(found.page.url) is not None
                yield found.page
        except InputError as error:
            _name(str(error), failed)
    if pages and not addressed:
        say("no page has a 'url' with scheme and host (https://...), so that nothing is learnt of any site")


def _name(problem: str, failed: list[str]) -> None:
    failed.append(problem)
    say(problem)
