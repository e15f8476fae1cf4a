"""The Article Extraction Benchmark (github.com/scrapinghub/article-extraction-benchmark).

ground-truth.json             {"<digest>": {"articleBody", "url"}, ...}
html/<digest>.html.gz
"""

from __future__ import annotations

from pathlib import Path

from training.corpora.clone import LeftOut, Record, Records, folder_of, read_json, read_page


def read(root: Path) -> Records:
    """Every page of the benchmark."""
    pages = folder_of(root, "html")
    for digest, truth in sorted(read_json(root / "ground-truth.json").items()):
        name = f"article-extraction/{digest[:16]}"
        page = pages / f"{digest}.html.gz"
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
        elif not truth.get("articleBody"):
            yield LeftOut(name, "no articleBody in ground-truth.json")
        else:
            yield Record(name, read_page(page), truth["articleBody"], url=truth.get("url"), page_type="article")
