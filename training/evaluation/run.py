"""One evaluation from end to end: models and peers on the same pages, compared and held against floors."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.model import Model
from detector.storage import MANIFEST
from training.evaluation.compare import Difference, compare, in_words
from training.evaluation.contenders import Contender, ModelContender, PeerContender
from training.evaluation.floors import Floor, Verdict, check_floors, overall_row
from training.evaluation.reading import Pages
from training.evaluation.report import as_dicts, score_dict
from training.evaluation.rows import Row, measure, rows_of
from training.labelling import LabelledPage
from training.learnt import digest_of, pages_known_to
from training.peers import versions


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model to measure.

    Attributes:
        name: In tables.
        model: The model.
        folder: Where it was read from; None for one that was just trained.
    """

    name: str
    model: Model
    folder: Path | None = None

    def describe(self) -> dict[str, object]:
        """For JSON: the manifest's digest covers the weights, whose digests it holds."""
        facts: dict[str, object] = {"name": self.name, "folder": None if self.folder is None else str(self.folder)}
        if self.folder is not None:
            facts["manifest_sha256"] = hashlib.sha256((self.folder / MANIFEST).read_bytes()).hexdigest()
        return facts | {"trained_on_sha256": self.model.info.get("data_sha256")}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        models: The model, and the one it is compared with if any.
        peers: The peers, with the pages on which they failed.
        rows: The figures, of all contenders.
        differences: Between the two models.
        verdicts: On the floors.
        unmeasured: What is wrong with floors for pages or figures that were not measured.
    """

    models: tuple[NamedModel, ...]
    peers: tuple[PeerContender, ...]
    rows: list[Row]
    differences: list[Difference]
    verdicts: list[Verdict]
    unmeasured: list[str]

    def comparison(self) -> str:
        """Which model is better, in a sentence and a line for each difference that can be seen; empty for one model."""
        if len(self.models) < 2:
            return ""
        new, old = (model.name for model in self.models)
        whole = overall_row([row for row in self.rows if row.contender == new])
        return in_words(self.differences, whole.group if whole else "", new, old)

    def learnt_from(self, pages: Sequence[LabelledPage]) -> list[str]:
        """A sentence for each model that has learnt from pages it was measured on.

        Args:
            pages: Those that were measured on.
        """
        told = []
        for model in self.models:
            known = pages_known_to(model.model)
            count = sum(digest_of(page.sample) in known for page in pages)
            if count:
                told.append(
                    f"{model.name} has learnt from {count} of these {len(pages)} pages: its figures say little of others; "
                    "measure on pages that it was not trained on"
                )
        return told

    def failures(self) -> list[str]:
        """A sentence for each peer that raised."""
        return [
            f"{peer.name} raised on {len(peer.failures)} pages, which count as empty text: {'; '.join(peer.failures)}"
            for peer in self.peers
            if peer.failures
        ]

    def as_dict(self, pages: Pages) -> dict[str, object]:
        """Everything, for JSON.

        Args:
            pages: Where the pages came from.
        """
        counts = Counter(page.sample.source for page in (*pages.train, *pages.measure))
        return {
            "models": [model.describe() for model in self.models],
            "corpora": {
                name: {"sha256": digest, "pages_read": counts[name], "left_out": pages.left_out.get(name, 0)}
                for name, digest in pages.digests.items()
            },
            "peers": {
                peer.name: {"version": versions().get(peer.name), "failures": peer.failures} for peer in self.peers
            },
            "rows": as_dicts(self.rows),
            "differences": [
                {
                    "group": item.group,
                    "figure": item.figure.name,
                    "verdict": item.verdict,
                    **score_dict(item.change),
                }
                for item in self.differences
            ],
            "floors": [
                {
                    "group": verdict.group,
                    "figure": verdict.floor.figure.name,
                    "floor": verdict.floor.value,
                    "met": verdict.is_met,
                    **score_dict(verdict.score),
                }
                for verdict in self.verdicts
            ],
        }


def run(
    new: NamedModel,
    pages: Sequence[LabelledPage],
    *,
    old: NamedModel | None = None,
    peers: Sequence[PeerContender] = (),
    floors: Sequence[Floor] = (),
) -> Evaluation:
    """Measure on the same pages in one go.

    Args:
        new: The model.
        pages: Pages it has not been trained on.
        old: A model of another name to compare it with.
        peers: Other extractors.
        floors: What the model must reach.
    """
    models = (new,) if old is None else (new, old)
    contenders: list[Contender] = [ModelContender(each.model, each.name) for each in models]
    groups = measure([*contenders, *peers], pages)
    rows = rows_of(groups)
    verdicts, unmeasured = check_floors(floors, [row for row in rows if row.contender == new.name])
    differences = [] if old is None else compare(groups, new.name, old.name)
    return Evaluation(models, tuple(peers), rows, differences, verdicts, unmeasured)
