"""crawl4ai: a content filter whose blocks become the `fit_markdown` of a crawl."""

from __future__ import annotations

import html as markup

from detector.adapters import framework
from detector.adapters.recipe import DetectorRecipe
from detector.data import Page
from detector.errors import UsageError

with framework("crawl4ai"):
    from crawl4ai.content_filter_strategy import RelevantContentFilter


class DetectorContentFilter(RelevantContentFilter):
    """Keeps the blocks that are the page's own content.

        DefaultMarkdownGenerator(content_filter=DetectorContentFilter())

    Args:
        recipe: What the detector is made of; by default every page is taken for HTML.

    Raises:
        UsageError: The recipe is for text, which crawl4ai does not hand over.
        ModelError: The model was not trained on HTML.
    """

    def __init__(self, recipe: DetectorRecipe | None = None) -> None:
        super().__init__()
        self.recipe = recipe or DetectorRecipe(kind="html")
        if self.recipe.kind != "html":
            raise UsageError(f"crawl4ai filters HTML, and the recipe says {self.recipe.kind!r}; give kind='html'")
        self.recipe.detector().model.head("html")

    def filter_content(self, html: str | bytes | None, min_word_threshold: int | None = None) -> list[str]:
        """The kept blocks in page order, as HTML fragments; never raises.

        Args:
            html: The page; what is no page has no blocks.
            min_word_threshold: Words below which a block is left out.
        """
        if not isinstance(html, (str, bytes)):
            return []
        result = self.recipe.detector().classify(Page(html, "html"))
        spans = zip(result.starts[result.kept].tolist(), result.ends[result.kept].tolist(), strict=True)
        blocks = [result.source_text[start:end] for start, end in spans]
        least = min_word_threshold or 0
        return [_fragment(block) for block in blocks if len(block.split()) >= least]


def _fragment(block: str) -> str:
    """The block as markup: crawl4ai puts it into a div and reads it as HTML again. What has lines was preformatted."""
    escaped = markup.escape(block, quote=False)
    return f"<pre>{escaped}</pre>" if "\n" in block else escaped
