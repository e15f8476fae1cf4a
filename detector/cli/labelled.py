"""Labelled pages for the commands that train and teach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.messages import fail

if TYPE_CHECKING:
    from training.labelling import LabelledPage


def labelled_pages(samples: list[Path], corpora: Path | None) -> list[LabelledPage]:
    """Read and label samples and corpora; scikit-learn's absence is said with the line that mends it."""
    require_training_packages()
    from training.corpora import TRAINABLE, label_corpus, read_corpus
    from training.labelling import label_page
    from training.samples import read_samples

    if not samples and corpora is None:
        fail("no samples: name sample files or folders, or give --corpora")
    pages = [label_page(sample) for sample in read_samples(samples)] if samples else []
    if corpora is not None:
        pages += list(label_corpus(read_corpus(corpora, TRAINABLE)))
    return pages


def require_training_packages() -> None:
    """Say which line mends it where the packages for training are not installed."""
    try:
        import joblib  # noqa: F401 - asked for at the door, so that the message can name the extra
        import sklearn  # noqa: F401
    except (ImportError, OSError) as error:
        fail(f"training and evaluation need more packages ({error}); run: pip install 'link-farm-detector[train]'")
