"""Random markup, repeated: the parser makes no more nodes of it than the page's size allows."""

from __future__ import annotations

import random

import pytest
from turbohtml.saxparse import SaxHandler, sax_parse

from detector.formatting import NODES_A_TAG, most_nodes, opened_once

REPEATED = 60
BLOCKS = 400
OWN = 3
"""Elements of any page: html, head and body."""
CHARS_A_NODE = 12
"""So many characters of attributes take as much as a node."""
PIECES = (
    "<b> <b/> <b=%d> <b\tc=1> <b\tc='1'> <i> <u=%d> <em> <font=%d> </b> </i> </font> <b=%d>x</b> <a> <a=%d> </a> <nobr> <nobr=%d> </nobr> <p> </p> "
    "<div> </div> <li> <h1> </h1> <dd> x <br> <img> <span> </span> <kw> </kw> <table> </table> <caption> <tr> <td> </td> <object> </object> "
    "<template> </template> <button> </button> <form> <svg> </svg> <math> <mi> </mi> <foreignObject> <select> </select> <option> <textarea> "
    "</textarea> <title> </title> <script> </script> <noscript> </noscript> <plaintext> <frameset> <head> <body> </body> <html> </html> <ruby> <rt> "
    "<!-- --> <![CDATA[ ]]> <b=\" '> =\" >"
    ' <b\ta="<br=%d>"> <b\ta=<br=%d>1> <b\t<br=%d>> <b\ta="<kw>%d</kw>"> <a\tb%d\tc%d\td%d=">"\te%d> <a\thref="'
    + "y" * 3000
    + "\"> <b\tid=\"" + "y" * 3000 + "\"> <A\tb=='\tc%d=\"> <b\tx=\"\t' <!--<b\tx=\"--> <a/b=c\"d/e%d=\">\""
).split(" ")  # fmt: skip


class _Counter(SaxHandler):
    """Nodes, and what their attributes take of memory, in nodes."""

    nodes: float = 0

    def start_element(self, tag: str, attributes: object) -> None:
        pairs = dict(attributes).items()  # type: ignore[call-overload]
        self.nodes += 1 + sum(len(name) + len(value or "") for name, value in pairs) / CHARS_A_NODE

    def characters(self, data: str) -> None:
        self.nodes += 1


def nodes_of(page: str) -> float:
    """What the parser makes of a page."""
    counter = _Counter()
    sax_parse(page, counter)
    return counter.nodes


def repeated(draw: random.Random, pieces: list[str], times: int) -> str:
    """A few pieces over and over, with other attributes each time."""
    unit = "".join(draw.choices(pieces, k=draw.randrange(1, 7)))
    return "".join(unit.replace("=%d", f" c={number}").replace("%d", str(number)) for number in range(times))


@pytest.mark.parametrize(
    "left_open",
    [
        "".join(f"<b a={number}>" for number in range(300)),
        f'<a href="{"y" * 5000}">',
        f'<a title=">" href="{"y" * 5000}">',
        f"<a title='>'href='{'y' * 5000}'>",
        f'<a b==" href="{"y" * 5000}">',
        "<i " + " ".join(f"a{number}=1" for number in range(1000)) + ">",
        '<!--<b x="-->' + "".join(f"<b a{number}>" for number in range(300)) + '">',
    ],
)
def test_what_is_left_open_is_not_opened_in_every_block(left_open: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.formatting.FEW_NODES", 0)
    page = f"<p>{left_open}" + "<p>Twelve chars" * 1000
    read = opened_once(page, page.count("<"))
    assert nodes_of(read) <= most_nodes(len(page)) + OWN + len(page) / CHARS_A_NODE < nodes_of(page)


def test_no_markup_makes_more_nodes_than_its_size_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.formatting.FEW_NODES", 0)
    renamed = larger = 0
    for seed in range(1500):
        draw = random.Random(seed)
        page = "<p>" + repeated(draw, PIECES, draw.choice((1, 3, REPEATED)))
        page += repeated(draw, [*PIECES, *["<p>", "x"] * 40], draw.choice((REPEATED, BLOCKS)))
        # As dense as a page may be.
        tags = page.count("<")
        page = "<!--" + "-" * (2 * NODES_A_TAG * (tags + 1) - len(page)) + "-->" + page
        tags, allowed = tags + 1, most_nodes(len(page)) + OWN + len(page) / CHARS_A_NODE
        read = opened_once(page, tags)
        assert nodes_of(read) <= allowed, seed
        renamed += read is not page
        larger += nodes_of(page) > allowed
    assert renamed > larger > 30, "the pages are such that it matters"
