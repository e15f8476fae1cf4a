"""CleanEval, the shared task of 2007 on cleaning web pages, in the layouts of its archives.

    en_original/1.html    en_cleaned/1-cleaned.txt     development set
    input/1.html          GoldStandard/1.txt           final set
    orig/1.html           clean/1.txt                  as other collections pass it on

A page is wrapped in `<text id= title= encoding=>`; a gold text begins with a line `URL: ...` and marks its blocks with
`<h>`, `<p>` and `<l>`.
"""

from __future__ import annotations

import re
from pathlib import Path

from detector.errors import SampleError
from training.corpora.clone import LeftOut, Record, Records, read_page

_LAYOUTS = (("en_original", "en_cleaned"), ("input", "GoldStandard"), ("input", "gold_std"), ("orig", "clean"))
_WRAPPER = re.compile(r"\A\s*<text\b([^>]*)>|</text>\s*\Z", re.IGNORECASE)
_TITLE = re.compile(r"\btitle=\"([^\"]*)\"|\btitle='([^']*)'", re.IGNORECASE)
_URL = re.compile(r"\A\s*URL:\s*(\S+)[^\n]*\n?")
_BLOCK = re.compile(r"^\s*<(?:h|p|l)>\s*", re.IGNORECASE | re.MULTILINE)


def read(root: Path) -> Records:
    """Every page that has a gold text."""
    pages, golds = _folders(root)
    part = "dev" if golds.name == "en_cleaned" else "final"
    for path in sorted(golds.glob("*.txt")):
        number = path.stem.removesuffix("-cleaned")
        name = f"cleaneval/{part}-{number}"
        page = pages / f"{number}.html"
        gold = read_page(path)
        url = _URL.match(gold)
        gold = _BLOCK.sub("", _URL.sub("", gold)).strip()
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
        elif not gold:
            yield LeftOut(name, f"{path} is empty")
        else:
            wrapped = read_page(page)
            head = _WRAPPER.match(wrapped)
            title = _TITLE.search(head[1]) if head and head[1] else None
            yield Record(
                name,
                _WRAPPER.sub("", wrapped),
                gold,
                url=url[1] if url else None,
                title=(title[1] or title[2] or None) if title else None,
            )


def _folders(root: Path) -> tuple[Path, Path]:
    for pages, golds in _LAYOUTS:
        if (root / pages).is_dir() and (root / golds).is_dir():
            return root / pages, root / golds
    looked_for = ", ".join(f"{pages}/ and {golds}/" for pages, golds in _LAYOUTS)
    raise SampleError(f"{root}: not an unpacked CleanEval set; looked for {looked_for}")
