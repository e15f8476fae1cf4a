"""The content filter, in crawl4ai's own Markdown generator and crawler."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.recipe import DetectorRecipe
from detector.errors import UsageError

pytestmark = pytest.mark.filterwarnings("ignore:::(crawl4ai|requests|pydantic|litellm).*")
pytest.importorskip("crawl4ai")

from crawl4ai import AsyncWebCrawler, CrawlerRunConfig, DefaultMarkdownGenerator  # noqa: E402 after the skip
from crawl4ai.async_crawler_strategy import AsyncHTTPCrawlerStrategy  # noqa: E402

from detector.adapters.crawl4ai import DetectorContentFilter  # noqa: E402


@pytest.fixture(scope="module")
def content_filter(sentence_folder: object) -> DetectorContentFilter:
    return DetectorContentFilter(DetectorRecipe(model=str(sentence_folder), kind="html"))


def test_the_kept_blocks_come_in_order(content_filter: DetectorContentFilter, pages: dict[str, str]) -> None:
    assert content_filter.filter_content(pages["html"]) == pages["kept"].splitlines()
    assert content_filter.filter_content(pages["html"].encode(), 6) == pages["kept"].splitlines()
    assert content_filter.filter_content(pages["html"], 7) == pages["kept"].splitlines()[:1]


def test_markup_in_the_text_stays_text(content_filter: DetectorContentFilter) -> None:
    assert content_filter.filter_content("<p>A &lt;br&gt; breaks R&amp;D's line.</p>") == [
        "A &lt;br&gt; breaks R&amp;D's line."
    ]


def test_lines_of_code_stay_lines(content_filter: DetectorContentFilter) -> None:
    assert content_filter.filter_content("<pre>if a &lt; b:\n    stop.</pre>") == ["<pre>if a &lt; b:\n    stop.</pre>"]


@pytest.mark.parametrize("page", [None, 7, "", b"", "\0" * 99, "\ud800", "<" * 5000, "<div>" * 20000])
def test_nothing_raises(content_filter: DetectorContentFilter, page: object) -> None:
    assert isinstance(content_filter.filter_content(page), list)  # type: ignore[arg-type]


@settings(max_examples=30)
@given(st.text() | st.binary())
def test_no_content_raises(content_filter: DetectorContentFilter, page: str | bytes) -> None:
    assert isinstance(content_filter.filter_content(page), list)


def test_a_recipe_for_text_is_refused(recipe: DetectorRecipe) -> None:
    with pytest.raises(UsageError, match="give kind='html'"):
        DetectorContentFilter(recipe)


def test_a_crawl_has_the_kept_text_as_fit_markdown(
    content_filter: DetectorContentFilter, pages: dict[str, str]
) -> None:
    async def crawl() -> str:
        config = CrawlerRunConfig(markdown_generator=DefaultMarkdownGenerator(content_filter=content_filter))
        async with AsyncWebCrawler(crawler_strategy=AsyncHTTPCrawlerStrategy()) as crawler:
            result = await crawler.arun(f"raw:{pages['html']}", config=config)
            return str(result.markdown.fit_markdown)

    assert asyncio.run(crawl()).split() == pages["kept"].split()
