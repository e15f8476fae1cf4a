"""The test pages of Readability (github.com/mozilla/readability).

test/test-pages/<name>/source.html
test/test-pages/<name>/expected.html             what Readability makes of it, reviewed by its authors
test/test-pages/<name>/expected-metadata.json    title, lang
"""

from __future__ import annotations

from pathlib import Path

from detector.segment import segment_html
from training.corpora.clone import LeftOut, Record, Records, folder_of, read_json, read_page


def read(root: Path) -> Records:
    """Every page that is expected to have an article."""
    for folder in sorted(path for path in folder_of(root, "test/test-pages", "test-pages").iterdir() if path.is_dir()):
        name = f"readability/{folder.name}"
        source, expected, facts = (folder / part for part in ("source.html", "expected.html", "expected-metadata.json"))
        if not source.exists() or not expected.exists():
            yield LeftOut(name, f"no source.html or no expected.html in {folder}")
            continue
        described = read_json(facts) if facts.exists() else {}
        gold = "\n".join(segment_html(read_page(expected)).segment_texts())
        if not gold:
            yield LeftOut(name, f"{expected} is empty")
            continue
        yield Record(name, read_page(source), gold, lang=described.get("lang"), title=described.get("title"))
