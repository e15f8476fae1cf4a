"""Scrapy: an item pipeline that puts a page's own text beside its HTML, and an add-on that wires it.

    ADDONS = {"detector.adapters.scrapy.DetectorAddon": 500}

Settings, all optional: `DETECTOR_SOURCE_FIELD` ("html") names the field of an item that holds the page,
`DETECTOR_TEXT_FIELD` ("text") the one that the kept text is written to; `DETECTOR_KIND`, `DETECTOR_MODEL`,
`DETECTOR_DROP`, `DETECTOR_THRESHOLD` and `DETECTOR_SIGNATURES` (which looks at the items' `url`) are as in `Detector`;
`DETECTOR_MIN_CHARS` (0) and `DETECTOR_MAX_REMOVED_RATIO` (1.0) drop items. What was done is counted in the crawl's statistics under `detector/`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from detector.adapters import framework
from detector.adapters.recipe import DetectorRecipe
from detector.adapters.rules import DropRule, number
from detector.data import LABELS, Label, PageResult
from detector.errors import UsageError

with framework("scrapy"):
    from itemadapter import ItemAdapter
    from scrapy.exceptions import DropItem
    from scrapy.utils.asyncio import run_in_thread

PRIORITY = 100
"""Before pipelines that store items."""


class DetectorAddon:
    """Enables `DetectorPipeline`, unless the project has placed or disabled it itself."""

    def update_settings(self, settings: Any) -> None:
        """Called by Scrapy before a crawl."""
        settings.setdefault_in_component_priority_dict("ITEM_PIPELINES", DetectorPipeline, PRIORITY)


class DetectorPipeline:
    """Writes the kept text of each item's page; items without the source field pass untouched.

    Args:
        settings: The crawl's settings.
        stats: The crawl's statistics.

    Raises:
        UsageError: A setting is of no use; so does the crawl, before its first request.
        ModelError: The model of `DETECTOR_MODEL` cannot be used.
    """

    def __init__(self, settings: Any, stats: Any) -> None:
        self.recipe = DetectorRecipe(
            model=settings.get("DETECTOR_MODEL"),
            drop=settings.getlist("DETECTOR_DROP", [Label.LINK_LIST, Label.BOILERPLATE]),
            threshold=number(settings, "DETECTOR_THRESHOLD", None),
            signatures=settings.get("DETECTOR_SIGNATURES"),
            kind=settings.get("DETECTOR_KIND", "auto"),
        )
        most_removed = number(settings, "DETECTOR_MAX_REMOVED_RATIO", 1.0)
        self.rule = DropRule(int(number(settings, "DETECTOR_MIN_CHARS", 0)), most_removed)
        self.source_field = settings.get("DETECTOR_SOURCE_FIELD", "html")
        self.text_field = settings.get("DETECTOR_TEXT_FIELD", "text")
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Called by Scrapy."""
        return cls(crawler.settings, crawler.stats)

    async def process_item(self, item: Any) -> Any:
        """Called by Scrapy; classifies in a thread, so that the crawl goes on meanwhile."""
        fields = ItemAdapter(item)
        page = fields.get(self.source_field)
        if page is None:
            self.stats.inc_value("detector/items_without_source")
            return item
        url = fields.get("url")
        result = await run_in_thread(self.recipe.detector().classify, page, self.recipe.kind, url)
        self._count_result(result)
        reason = self.rule.reason(result)
        if reason:
            self.stats.inc_value(f"detector/dropped/{reason}")
            raise DropItem(f"{reason}: {len(result.text)} characters kept, {result.removed_ratio:.0%} removed")
        try:
            fields[self.text_field] = result.text
        except KeyError as error:
            name = type(item).__name__
            raise UsageError(f"{name} has no field {self.text_field!r}; give DETECTOR_TEXT_FIELD another") from error
        return item

    def _count_result(self, result: PageResult) -> None:
        self.stats.inc_value("detector/pages")
        for label, segments in zip(LABELS, np.bincount(result.label_ids, minlength=len(LABELS)).tolist(), strict=True):
            self.stats.inc_value(f"detector/segments/{label}", segments)
        self.stats.inc_value("detector/chars/source", len(result.source_text))
        self.stats.inc_value("detector/chars/kept", len(result.text))
        if result.problem:
            self.stats.inc_value(f"detector/problems/{result.problem.replace(' ', '_')}")
