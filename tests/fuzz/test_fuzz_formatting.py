"""Random markup, repeated: the parser makes no more elements of it than the count of formatting left open lets expect."""

from __future__ import annotations

import random

from turbohtml.saxparse import SaxHandler, sax_parse

from detector.formatting import count_left_open

REPEATED = 60
OWN = 3
"""Elements of any page: html, head and body."""
PIECES = (
    "<b> <b/> <b=%d> <b\tc=1> <b\tc='1'> <i> <u=%d> <em> <font=%d> </b> </i> </font> <b=%d>x</b> <a> <a=%d> </a> <nobr> </nobr> <p> </p> <div> </div> <li> <h1> </h1> <dd> x "
    "<br> <img> <span> </span> <kw> </kw> <table> </table> <caption> <tr> <td> </td> <object> </object> <template> </template> <button> </button> <form> "
    "<svg> </svg> <math> <mi> </mi> <foreignObject> <select> </select> <option> <textarea> </textarea> <title> </title> <script> </script> <noscript> "
    "</noscript> <plaintext> <frameset> <head> <body> </body> <html> </html> <ruby> <rt> <!-- --> <![CDATA[ ]]> <b=\" '> =\" >"
    ' <b\ta="<br=%d>"> <b\ta=<br=%d>1> <b\t<br=%d>> <b\ta="<kw>%d</kw>">'
).split(" ")  # fmt: skip


class _Counter(SaxHandler):
    count = 0

    def start_element(self, tag: str, attributes: object) -> None:
        self.count += 1


def repeated(draw: random.Random, pieces: list[str]) -> str:
    """A few pieces over and over, with other attributes each time."""
    unit = "".join(draw.choices(pieces, k=draw.randrange(1, 7)))
    return "".join(unit.replace("=%d", f" c={number}").replace("%d", str(number)) for number in range(REPEATED))


def test_no_markup_makes_more_elements_than_are_expected() -> None:
    for seed in range(1500):
        draw = random.Random(seed)
        page = repeated(draw, PIECES) + repeated(draw, [*PIECES, *["<p>", "x"] * 8])
        counter = _Counter()
        sax_parse(page, counter)
        tags, left_open = page.count("<"), count_left_open(page, 0)
        assert counter.count <= (tags + 1) * (OWN + left_open), seed
