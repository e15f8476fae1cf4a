"""What the readers of public corpora share: their records, and the files of a local clone."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from detector.decode import decode
from detector.errors import SampleError


@dataclass(frozen=True, slots=True)
class Record:
    """One page of a corpus and the text that its annotators call content.

    Attributes:
        id: Corpus and page, the same wherever the clone lies.
        html: The page.
        gold_text: Its content, a block a line.
    """

    id: str
    html: str
    gold_text: str
    url: str | None = None
    lang: str | None = None
    title: str | None = None
    page_type: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A page that makes no record, and why."""

    id: str
    reason: str


Records = Iterator[Record | LeftOut]


def folder_of(root: Path, *names: str, hint: str = "") -> Path:
    """The first of the named folders that a clone has.

    Raises:
        SampleError: It has none of them; the message says what was looked for.
    """
    for name in names:
        if (root / name).is_dir():
            return root / name
    looked_for = " or ".join(f"{name}/" for name in names)
    raise SampleError(f"{root}: no {looked_for} here; {hint or 'name the top folder of a clone of this corpus'}")


def read_page(path: Path) -> str:
    """A page of a clone, unpacked and decoded as its own bytes say.

    Raises:
        SampleError: The file is missing or damaged.
    """
    try:
        content = path.read_bytes()
        return decode(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, zlib.error) as error:
        raise SampleError(f"{path}: cannot be read ({error}); get the clone again") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a clone.

    Raises:
        SampleError: The file is missing, or no JSON object.
    """
    try:
        found = json.loads(read_page(path))
    except ValueError as error:
        raise SampleError(f"{path}: not JSON ({error}); get the clone again") from error
    if not isinstance(found, dict):
        raise SampleError(f"{path}: not a JSON object; get the clone again")
    return found


@dataclass(frozen=True, slots=True)
class TextNode:
    """A run of text in a page.

    Attributes:
        text: As it stands, entities resolved.
        block: Number of the block it stands in; a new one begins at every tag that is not inline.
        span: Class of the innermost `<span>` around it that has one of the marks asked for, or "".
    """

    text: str
    block: int
    span: str


def text_nodes(html: str, mark: str = "") -> list[TextNode]:
    """The text of a page's body outside of scripts, node by node, in order; nodes of white space alone are left out.

    Args:
        html: The page.
        mark: Beginning of the span classes to report.
    """
    reader = _TextNodes(mark)
    reader.feed(html)
    reader.close()
    return reader.finish()


def joined(nodes: list[TextNode]) -> str:
    """The text of nodes, a block a line."""
    lines: dict[int, list[str]] = {}
    for node in nodes:
        lines.setdefault(node.block, []).append(node.text)
    return "\n".join(" ".join("".join(parts).split()) for parts in lines.values())


_INLINE = frozenset(
    "a abbr acronym b bdo big cite code em font i kbd q s small span strike strong sub sup tt u".split()
)
_HIDDEN = frozenset(("script", "head", "title"))


class _TextNodes(HTMLParser):
    """Collects text nodes; a tag or a comment ends one."""

    def __init__(self, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self._mark = mark
        self._nodes: list[TextNode] = []
        self._text = ""
        self._block = 0
        self._spans: list[str] = []
        self._hidden = 0

    def finish(self) -> list[TextNode]:
        self._end_node()
        return self._nodes

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text += data

    def handle_comment(self, data: str) -> None:
        self._end_node()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_node()
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "body":
            self._hidden = 0
        elif tag == "span":
            self._spans.append(dict(attrs).get("class") or "")
        if tag not in _INLINE:
            self._block += 1

    def handle_endtag(self, tag: str) -> None:
        self._end_node()
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "span" and self._spans:
            self._spans.pop()
        if tag not in _INLINE:
            self._block += 1

    def _end_node(self) -> None:
        if self._text.strip():
            marked = [
                name for span in self._spans for name in span.split() if self._mark and name.startswith(self._mark)
            ]
            self._nodes.append(TextNode(self._text, self._block, marked[-1] if marked else ""))
        self._text = ""
