"""Corpora of real pages in one folder: `html/NAME.jsonl.xz` and `text/NAME.jsonl.xz`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from detector.errors import SampleError
from training.jsonl import read_records
from training.labelling import LabelledPage, label_page
from training.samples import Sample, read_jsonl

TRAINABLE = ("labelled_lines", "wcxb_dev", "fundus", "krdwrd")
"""Corpora whose licence allows training a model that is given away."""

MEASURE_ONLY = ("turku_dev", "classic_eval", "multilingual_eval")
"""Corpora to measure on, never to train on."""

TUNE_ONLY = ("trafilatura_snippets",)
"""Corpora of snippets, without labels to train on: thresholds may be tuned on them, and their pages may be learnt from
as unlabelled ones."""

_log = logging.getLogger(__name__)


def corpus_file(folder: Path, name: str) -> Path:
    """The file of a corpus.

    Raises:
        SampleError: There is none.
    """
    path = _file(folder, name)
    if path is None:
        raise SampleError(f"{folder}: no corpus '{name}' (looked for html/{name}.jsonl.xz and text/{name}.jsonl.xz)")
    return path


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / part / f"{name}.jsonl.xz" for part in ("text", "html"))
    return next((path for path in paths if path.is_file()), None)


def read_corpus(folder: Path, names: Sequence[str]) -> Iterator[Sample]:
    """The samples of the named corpora, in order; `source` is the corpus's name."""
    for name in names:
        yield from read_jsonl(corpus_file(folder, name), name)


def read_raw_texts(folder: Path) -> list[str]:
    """The texts of `raw/*.jsonl.xz`, crawl text without labels, in order of file names; empty if there are none."""
    files = sorted((folder / "raw").glob("*.jsonl.xz"))
    return [str(record.get("text", "")) for file in files for _, record in read_records(file)]


def read_unlabelled(folder: Path) -> list[Sample]:
    """Pages to learn on without labels: raw texts, and the HTML pages of the corpora to tune on, if they are there.

    Nothing is known of the sites of raw texts.
    """
    texts = enumerate(read_raw_texts(folder))
    raw = [Sample(f"raw/{number}", "raw", "", "text", text) for number, text in texts]
    return raw + list(read_corpus(folder, [name for name in TUNE_ONLY if _file(folder, name) is not None]))


def label_corpus(samples: Iterable[Sample]) -> Iterator[LabelledPage]:
    """Label samples; a page whose gold does not belong to it is left out and named in the log."""
    for sample in samples:
        try:
            yield label_page(sample)
        except SampleError as error:
            _log.warning("left out: %s", error)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of the corpora for training, as hexadecimal digits, by name of corpus."""
    found = {}
    for name in TRAINABLE:
        with corpus_file(folder, name).open("rb") as stream:
            found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found
