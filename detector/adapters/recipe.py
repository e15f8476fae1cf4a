"""What a detector is made of, light enough to be sent to every worker, and columns of pages to columns of results."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any, cast

from detector.data import KindOption, Label, Page
from detector.decode import without_surrogates
from detector.errors import UsageError
from detector.pipeline import DEFAULT_MODEL, Detector
from detector.signatures import SignatureStore
from detector.storage import MANIFEST

BATCH_SIZE = 64
"""Pages classified at a time."""


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """The arguments of a `Detector`: small, hashable, and pickled to the same bytes every time.

    Frameworks send what they run to workers, and some name their caches by its bytes; a recipe travels in place of the
    weights, and each process makes the detector once.

    Args:
        model: Path of a model folder, on every machine that works; None for the model that ships with the package.
        drop: As in `Detector`.
        threshold: As in `Detector`.
        signatures: Path of a signature file, on every machine that works.
        kind: What the pages are.

    Raises:
        UsageError: An unknown kind, or an argument that `Detector` refuses.
        ModelError: The model cannot be used.
        SignatureError: The signature file cannot be used.
    """

    model: str | None = None
    drop: Collection[str] = (Label.BOILERPLATE.value, Label.LINK_LIST.value)
    threshold: float | None = None
    signatures: str | None = None
    kind: KindOption = "auto"
    files: str = field(init=False, repr=False)
    """A digest of the model's manifest and of the signatures: a recipe made after they have changed is another recipe."""

    def __post_init__(self) -> None:
        if self.kind not in ("auto", "text", "html"):
            raise UsageError(f"kind is {self.kind!r}; give 'auto', 'text' or 'html'")
        if not isinstance(self.drop, str):  # which is refused as what it is
            object.__setattr__(self, "drop", tuple(sorted(map(str, self.drop))))
        object.__setattr__(self, "files", _digest(Path(self.model or DEFAULT_MODEL), self.signatures))
        self.detector()  # what cannot be used is refused here, not on a worker

    def detector(self) -> Detector:
        """The detector, made when this process first asks for it."""
        return _detector(self.model, cast("tuple[str, ...]", self.drop), self.threshold, self.signatures, self.files)

    def pages(self, contents: Iterable[str | bytes | None], urls: Iterable[str | None] | None = None) -> Iterator[Page]:
        """A column of contents, and one of addresses where there is one, as pages; a missing content is empty."""
        for content, url in zip(contents, repeat(None) if urls is None else urls, strict=urls is not None):
            yield Page("" if content is None else content, self.kind, url)

    def columns(
        self, contents: Iterable[str | bytes | None], urls: Iterable[str | None] | None = None
    ) -> dict[str, list[Any]]:
        """Classify a column of pages.

        Returns:
            The columns of `detector.adapters.columns.COLUMNS`, one entry a page.
        """
        results = list(self.detector().classify_many(self.pages(contents, urls), BATCH_SIZE))
        return {
            "clean_text": [without_surrogates(result.text) for result in results],
            "removed_ratio": [result.removed_ratio for result in results],
            "problem": [result.problem for result in results],
        }


def _digest(model: Path, signatures: str | None) -> str:
    manifest = model / MANIFEST
    known = "" if signatures is None else SignatureStore.digest_of(Path(signatures))
    return hashlib.sha256((manifest.read_bytes() if manifest.is_file() else b"") + known.encode()).hexdigest()


@lru_cache(maxsize=8)
def _detector(
    model: str | None, drop: tuple[str, ...], threshold: float | None, signatures: str | None, files: str
) -> Detector:
    return Detector(model, drop=drop, threshold=threshold, signatures=signatures)
