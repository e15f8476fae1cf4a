"""WCXB, the Web Content Extraction Benchmark (github.com/Murrough-Foley/web-content-extraction-benchmark).

dev/ground-truth/0001.json
dev/html/0001.html.gz
test/...                      the same

A ground truth is {"url", "_internal": {"page_type": {"primary"}}, "ground_truth": {"title", "main_content"}}.
"""

from __future__ import annotations

from pathlib import Path

from training.corpora.clone import LeftOut, Record, Records, folder_of, read_json, read_page


def read_dev(root: Path) -> Records:
    """The development split."""
    return _read(root, "dev")


def read_test(root: Path) -> Records:
    """The test split."""
    return _read(root, "test")


def _read(root: Path, split: str) -> Records:
    truths = folder_of(root, f"{split}/ground-truth")
    pages = folder_of(root, f"{split}/html")
    for path in sorted(truths.glob("*.json")):
        name = f"wcxb/{split}-{path.stem}"
        page = pages / f"{path.stem}.html.gz"
        described = read_json(path)
        truth = described.get("ground_truth") or {}
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
        elif not truth.get("main_content"):
            yield LeftOut(name, f"no main_content in {path}")
        else:
            yield Record(
                name,
                read_page(page),
                truth["main_content"],
                url=described.get("url"),
                lang="en",
                title=truth.get("title"),
                page_type=described.get("_internal", {}).get("page_type", {}).get("primary"),
            )
