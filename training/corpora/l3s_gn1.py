"""L3S-GN1 (Kohlschuetter, Fankhauser, Nejdl, WSDM 2010): news pages annotated by spans.

original/<uuid>.html
annotated/<uuid>.html     <span class="x-nc-sel2">...</span>
url-mapping.txt           <urn:uuid:...> URL

The number in a class says what the span is: 1 headline, 2 full text, 3 supplement, 4 related, 5 comments.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.corpora.clone import LeftOut, Record, Records, folder_of, joined, read_page, text_nodes

_MARK = "x-nc-sel"
_CONTENT = frozenset(f"{_MARK}{number}" for number in (1, 2, 3))
_ADDRESS = re.compile(r"^<urn:uuid:([0-9a-f-]+)>\s+(\S+)", re.MULTILINE)


def read(root: Path) -> Records:
    """Every annotated page: headline, full text and supplement are content."""
    originals = folder_of(root, "original")
    mapping = root / "url-mapping.txt"
    urls = dict(_ADDRESS.findall(read_page(mapping))) if mapping.exists() else {}
    for path in sorted(folder_of(root, "annotated").glob("*.html")):
        name = f"l3s-gn1/{path.stem}"
        page = originals / path.name
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
            continue
        gold = joined([node for node in text_nodes(read_page(path), _MARK) if node.span in _CONTENT])
        if not gold:
            yield LeftOut(name, f"nothing annotated as content in {path}")
            continue
        yield Record(name, read_page(page), gold, url=urls.get(path.stem), lang="en", page_type="article")
