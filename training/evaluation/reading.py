"""The pages to measure on: samples, and the corpora of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import SampleError
from training.corpora import MEASURE_ONLY, TRAINABLE, TUNE_ONLY, corpus_file, label_corpus, read_corpus
from training.labelling import LabelledPage, label_page
from training.samples import SAMPLES, read_samples


@dataclass(slots=True)
class Pages:
    """What was read.

    Attributes:
        train: Pages that a model may be trained on: samples and the corpora for training.
        measure: Pages to measure on only.
        digests: SHA-256 of what each name stands for, as hexadecimal digits: a corpus's file, or all samples.
        absent: Corpora that the folder does not hold.
        left_out: Pages left out because their gold does not belong to them, by corpus.
    """

    train: list[LabelledPage] = field(default_factory=list)
    measure: list[LabelledPage] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def read_pages(samples: Sequence[Path], corpora: Path | None, *, trainable: bool) -> Pages:
    """Read and label samples and corpora.

    Args:
        samples: Files and folders.
        corpora: Folder of corpora, or None. A corpus it lacks is named in the result.
        trainable: Read the corpora for training as well.

    Raises:
        SampleError: A sample or corpus is broken, there are no samples, or the folder holds none of the corpora.
    """
    pages = Pages()
    if samples:
        pages.train = [label_page(sample) for sample in read_samples(samples)]
        digest = hashlib.sha256()
        for page in pages.train:
            digest.update(page.sample.content.encode("utf-8", "surrogatepass"))
            digest.update(page.labels.tobytes())
        pages.digests[SAMPLES] = digest.hexdigest()
    if corpora is not None:
        names = (TRAINABLE if trainable else ()) + MEASURE_ONLY + TUNE_ONLY
        pages.absent = [name for name in names if not _holds(corpora, name)]
        present = [name for name in names if name not in pages.absent]
        if not present:
            raise SampleError(
                f"{corpora}: none of the corpora is here (looked for {', '.join(names)}); name their folder"
            )
        for name in present:
            _read(pages, corpora, name)
    return pages


def _holds(corpora: Path, name: str) -> bool:
    try:
        corpus_file(corpora, name)
    except SampleError:
        return False
    return True


def _read(pages: Pages, corpora: Path, name: str) -> None:
    samples = list(read_corpus(corpora, (name,)))
    labelled = list(label_corpus(samples))
    (pages.train if name in TRAINABLE else pages.measure).extend(labelled)
    if len(labelled) < len(samples):
        pages.left_out[name] = len(samples) - len(labelled)
    with corpus_file(corpora, name).open("rb") as stream:
        pages.digests[name] = hashlib.file_digest(stream, "sha256").hexdigest()
