"""datatrove: a filter that drops pages of which too little stays, and a formatter that strips the others."""

from __future__ import annotations

from typing import Any

from detector.adapters import framework
from detector.adapters.recipe import BATCH_SIZE, DetectorRecipe
from detector.adapters.rules import DropRule
from detector.data import PageResult

with framework("datatrove"):
    from datatrove.pipeline.filters.base_filter import BaseFilter
    from datatrove.pipeline.formatters.base import BaseFormatter
    from datatrove.utils.batching import batched


class DetectorFilter(BaseFilter):
    """Drops documents by `DropRule`; the share removed goes into the metadata as `removed_ratio`.

    Args:
        min_chars: Characters of kept text below which a document goes.
        max_removed_ratio: Share of the characters that may be removed before all of the document goes.
        strip: Give the documents that stay their kept text, at no further cost; those that go keep all of theirs.
        recipe: What the detector is made of.
        exclusion_writer: Takes the documents that go, the reason in their metadata.
        batch_size: Documents classified at a time.
    """

    name = "🔗 Link farms"

    def __init__(
        self,
        min_chars: int = 1,
        max_removed_ratio: float = 1.0,
        strip: bool = False,
        recipe: DetectorRecipe | None = None,
        exclusion_writer: Any = None,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        self.rule = DropRule(min_chars, max_removed_ratio)
        self.strip = strip
        self.recipe = recipe or DetectorRecipe()

    def filter(self, doc: Any) -> bool | tuple[bool, str]:
        """Whether a document stays, or why not."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Any]) -> list[bool | tuple[bool, str]]:
        """Whether each document stays, or why not."""
        return [self._judge(doc, result) for doc, result in zip(batch, _classify(self.recipe, batch), strict=True)]

    def _judge(self, doc: Any, result: PageResult) -> bool | tuple[bool, str]:
        doc.metadata["removed_ratio"] = result.removed_ratio
        reason = self.rule.reason(result)
        if reason:
            return False, reason
        if self.strip:
            doc.text = result.text
        return True


class DetectorFormatter(BaseFormatter):
    """Strips link lists and boilerplate from every document.

    Args:
        recipe: What the detector is made of.
        batch_size: Documents classified at a time.
    """

    name = "🔗 Strip link farms"

    def __init__(self, recipe: DetectorRecipe | None = None, batch_size: int = BATCH_SIZE) -> None:
        super().__init__()
        self.recipe = recipe or DetectorRecipe()
        self.batch_size = batch_size

    def format(self, text: str) -> str:
        """The kept text of one document."""
        return self.recipe.detector().strip(text, self.recipe.kind)

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """As the base class does, but with many documents at a time, which is faster."""
        for batch in batched(data, self.batch_size):
            with self.track_time("batch"):
                results = _classify(self.recipe, batch)
            for doc, result in zip(batch, results, strict=True):
                self.stat_update("total")
                self.stat_update("removed_chars", value=len(result.source_text) - len(result.text))
                doc.text = result.text
                yield doc


def _classify(recipe: DetectorRecipe, batch: list[Any]) -> list[PageResult]:
    pages = recipe.pages((doc.text for doc in batch), (doc.metadata.get("url") for doc in batch))
    return list(recipe.detector().classify_many(pages, len(batch)))
