"""The Scrapy add-on and pipeline, in real crawls of a site on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from detector.errors import UsageError

pytest.importorskip("scrapy")

CRAWL = """
import json, sys, threading
from pathlib import Path
import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from detector.pipeline import Detector

address, folder, settings, item = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
classify = Detector.classify

def watched(self, *arguments):
    if threading.current_thread() is threading.main_thread():
        crawler.stats.inc_value("test/blocked_the_reactor")
    return classify(self, *arguments)

Detector.classify = watched

class Page(scrapy.Item):
    url, html, text = scrapy.Field(), scrapy.Field(), scrapy.Field()

class Spider(scrapy.Spider):
    name = "local"
    start_urls = [address]

    def parse(self, response):
        make = {"dict": dict, "Item": Page}[item]
        yield make(url=response.url, html=response.text)
        yield from response.follow_all(css="a.page", callback=self.parse)
        if response.url == address:
            yield {"title": "an item without a page"}

process = AsyncCrawlerProcess({
    "ADDONS": {"detector.adapters.scrapy.DetectorAddon": 500},
    "FEEDS": {str(folder / "items.jsonl"): {"format": "jsonlines"}},
    "TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "WARNING",
    **settings,
})
crawler = process.create_crawler(Spider)
process.crawl(crawler)
process.start()
(folder / "stats.json").write_text(json.dumps(crawler.stats.get_stats(), default=str))
"""


@dataclass(frozen=True)
class Crawl:
    """The items by the last part of their address, the statistics, and the log."""

    items: dict[str, dict[str, Any]]
    stats: dict[str, Any]
    log: str


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line on standard error for each."""

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(pages: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The address of a site: a start page, ten articles and a page of links."""
    folder = tmp_path / "site"
    folder.mkdir()
    links = "".join(f"<a class=page href={name}.html>x</a>" for name in [*range(10), "links"])
    start = pages["html"].replace("</body>", f"{links}</body>")
    (folder / "index.html").write_text(start, encoding="utf-8")
    (folder / "links.html").write_text(pages["links_html"], encoding="utf-8")
    for number in range(10):
        (folder / f"{number}.html").write_text(pages["html"], encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture
def crawl(site: str, sentence_folder: Path, tmp_path: Path) -> Callable[..., Crawl]:
    """A function (item="dict", **settings) that crawls the site in a process of its own: a reactor runs but once."""

    def run(item: str = "dict", **settings: object) -> Crawl:
        # In a file, because Scrapy reads the source of callbacks.
        script = tmp_path / "crawl.py"
        script.write_text(CRAWL, encoding="utf-8")
        settings = {"DETECTOR_MODEL": str(sentence_folder), **settings}
        ended = subprocess.run(
            [sys.executable, "-W", "error", str(script), site, str(tmp_path), json.dumps(settings), item],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (tmp_path / "stats.json").exists(), ended.stderr
        feed = tmp_path / "items.jsonl"
        items = [json.loads(line) for line in feed.read_text(encoding="utf-8").splitlines()] if feed.exists() else []
        stats = json.loads((tmp_path / "stats.json").read_text(encoding="utf-8"))
        return Crawl({item.get("url", "/").rsplit("/", 1)[1]: item for item in items}, stats, ended.stderr)

    return run


def test_the_addon_wires_a_pipeline_that_writes_text_and_counts(
    crawl: Callable[..., Crawl], pages: dict[str, str]
) -> None:
    done = crawl()
    assert len(done.items) == 13
    assert done.items["3.html"]["text"] == pages["kept"]
    assert done.items["3.html"]["html"] == pages["html"]
    assert done.items["links.html"]["text"] == ""
    assert done.items[""] == {"title": "an item without a page"}
    assert done.stats["detector/pages"] == 12
    assert done.stats["detector/items_without_source"] == 1
    assert done.stats["detector/segments/content"] == 22
    assert done.stats["detector/chars/kept"] == 11 * len(pages["kept"])
    assert "test/blocked_the_reactor" not in done.stats
    assert done.log == ""


def test_settings_name_fields_and_drop_pages(crawl: Callable[..., Crawl], pages: dict[str, str]) -> None:
    done = crawl(DETECTOR_TEXT_FIELD="article", DETECTOR_KIND="html", DETECTOR_MIN_CHARS=1)
    assert done.items["3.html"]["article"] == pages["kept"]
    assert "links.html" not in done.items
    assert done.stats["detector/dropped/too_short"] == 1
    assert done.stats["item_dropped_count"] == 1


def test_items_with_declared_fields(crawl: Callable[..., Crawl], pages: dict[str, str]) -> None:
    assert crawl("Item").items["3.html"]["text"] == pages["kept"]
    assert "does not support field: article" in crawl("Item", DETECTOR_TEXT_FIELD="article").log


def test_the_projects_own_entry_stays(crawl: Callable[..., Crawl]) -> None:
    done = crawl(ITEM_PIPELINES={"detector.adapters.scrapy.DetectorPipeline": None})
    assert "text" not in done.items["3.html"]


def test_a_setting_of_no_use_stops_the_crawl(crawl: Callable[..., Crawl]) -> None:
    done = crawl(DETECTOR_THRESHOLD="7")
    assert "threshold is 7.0; give a probability" in done.log
    assert done.items == {}


@pytest.mark.parametrize(
    ("name", "value"), [("THRESHOLD", "abc"), ("MIN_CHARS", "many"), ("MAX_REMOVED_RATIO", "90%"), ("MIN_CHARS", "inf")]
)
def test_a_setting_that_is_no_number_is_named(name: str, value: str) -> None:
    from scrapy.settings import Settings

    from detector.adapters.scrapy import DetectorPipeline

    with pytest.raises(UsageError, match=f"DETECTOR_{name} is '{value}'; give a number"):
        DetectorPipeline(Settings({f"DETECTOR_{name}": value}), None)


def test_an_item_without_the_field_for_the_text_is_named(crawl: Callable[..., Crawl]) -> None:
    done = crawl(item="Item", DETECTOR_TEXT_FIELD="article")
    assert "Page has no field 'article'; give DETECTOR_TEXT_FIELD another" in done.log
