"""The data of dragnet, in two sets.

First set (github.com/seomoz/dragnet_data), its two archives unpacked:

    HTML/R217.html
    Corrected/R217.html.corrected.txt     the article; below a line of punctuation and COMMENTS, readers' comments

Second set (github.com/dragnet-org/dragnet_data), its two archives unpacked:

    data/html/<uuid>.html
    data/meta/<uuid>.toml                 url, title, text
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from training.corpora.clone import LeftOut, Record, Records, folder_of, read_page

_COMMENTS = re.compile(r"^[!@#$%^&*() ]{6,}COMMENTS", re.MULTILINE)
"""Typed by hand in the corpus, with one space or two, so matched loosely."""

_GOLD_SUFFIX = ".html.corrected.txt"


def read_first(root: Path) -> Records:
    """The first set, without the readers' comments."""
    unpack = "unpack dragnet_HTML.tar.gz and dragnet_Corrected.tar.gz in the clone"
    pages = folder_of(root, "HTML", hint=unpack)
    golds = folder_of(root, "Corrected", hint=unpack)
    for path in sorted(golds.glob(f"*{_GOLD_SUFFIX}")):
        number = path.name.removesuffix(_GOLD_SUFFIX)
        name = f"dragnet/{number}"
        page = pages / f"{number}.html"
        gold = _COMMENTS.split(read_page(path))[0].strip()
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
        elif not gold:
            yield LeftOut(name, f"{path} is empty")
        else:
            yield Record(name, read_page(page), gold, lang="en", page_type="article")


def read_second(root: Path) -> Records:
    """The set of 2020, news from feeds."""
    unpack = "unpack data/html.tar.gz and data/meta.tar.gz in the clone"
    pages = folder_of(root, "data/html", "html", hint=unpack)
    for path in sorted(folder_of(root, "data/meta", "meta", hint=unpack).glob("*.toml")):
        name = f"dragnet-feeds/{path.stem}"
        page = pages / f"{path.stem}.html"
        try:
            described = tomllib.loads(read_page(path))
        except tomllib.TOMLDecodeError as error:
            yield LeftOut(name, f"{path} is not TOML ({error})")
            continue
        if not page.exists():
            yield LeftOut(name, f"no page {page}")
        elif not described.get("text"):
            yield LeftOut(name, f"no text in {path}")
        else:
            yield Record(
                name,
                read_page(page),
                described["text"],
                url=described.get("url"),
                title=described.get("title"),
                page_type="article",
            )
