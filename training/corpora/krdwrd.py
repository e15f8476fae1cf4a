"""KrdWrd's CANOLA corpus (github.com/krdwrd/data): pages tagged by several annotators, text node by text node.

    canola/dumps_2nd/685.html
    canola/stats.20100908/685.stats

A `.stats` file has two heading lines, then a line for each text node: words, merged tag, each annotator's tag. Tag 3 is
content, 2 undecided, 1 the rest. Nodes that only annotators' copies of a page had come last, merged as "undefined".
"""

from __future__ import annotations

from pathlib import Path

from training.corpora.clone import LeftOut, Record, Records, folder_of, joined, read_page, text_nodes

_CONTENT = "krdwrd-tag-3"


def read(root: Path) -> Records:
    """Every page whose tags fit its text nodes."""
    canola = folder_of(root, "canola")
    pages = folder_of(canola, "dumps_2nd")
    versions = sorted(path for path in canola.glob("stats*") if path.is_dir())
    stats = versions[-1] if versions else folder_of(canola, "stats")
    for path in sorted(stats.glob("*.stats")):
        name = f"krdwrd/{path.stem}"
        page = pages / f"{path.stem}.html"
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
            continue
        html = read_page(page)
        nodes = text_nodes(html)
        tags = [line.split("\t")[1] for line in read_page(path).splitlines()[2:] if line.count("\t")]
        tags = [tag for tag in tags if tag != "undefined"]
        if len(tags) != len(nodes):
            yield LeftOut(name, f"{len(tags)} tags for {len(nodes)} text nodes")
            continue
        gold = joined([node for node, tag in zip(nodes, tags, strict=True) if tag.startswith(_CONTENT)])
        yield Record(name, html, gold, lang="en") if gold else LeftOut(name, "no content")
