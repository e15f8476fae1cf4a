"""Random markup, repeated: the parser makes no more of it than the page's size allows, in bytes."""

from __future__ import annotations

import random

import pytest
from turbohtml import parse
from turbohtml.saxparse import SaxHandler, sax_parse

from detector.amplification import MOST_MERGED, NODES_A_TAG, with_reopening_bounded

REPEATED = 60
BLOCKS = 400
OWN = 3
"""Elements of any page: html, head and body."""
ELEMENT_BYTES, ATTRIBUTE_BYTES, TIMES_WRITTEN = 96, 24, 2
"""Of the parser's tree, and how often the markup written out is held; as measured on large pages."""
ALLOWED_TIMES = 50
PIECES = (
    "<b> <b/> <b=%d> <b\tc=1> <b\tc='1'> <i> <u=%d> <em> <font=%d> </b> </i> </font> <b=%d>x</b> <a> <a=%d> </a> <nobr> <nobr=%d> </nobr> <p> </p> "
    "<div> </div> <li> <h1> </h1> <dd> x <br> <img> <span> </span> <kw> </kw> <table> </table> <caption> <tr> <td> </td> <object> </object> "
    "<template> </template> <button> </button> <form> <svg> </svg> <math> <mi> </mi> <foreignObject> <select> </select> <option> <textarea> "
    "</textarea> <title> </title> <script> </script> <noscript> </noscript> <plaintext> <frameset> <head> <body> </body> <html> </html> <ruby> <rt> "
    "<!-- --> <![CDATA[ ]]> <b=\" '> =\" >"
    ' <b\ta="<br=%d>"> <b\ta=<br=%d>1> <b\t<br=%d>> <b\ta="<kw>%d</kw>"> <a\tb%d\tc%d\td%d=">"\te%d> <a\thref="'
    + "y" * 3000
    + "\"> <b\tid=\"" + "y" * 3000 + "\"> <A\tb=='\tc%d=\"> <b\tx=\"\t' <!--<b\tx=\"--> <a/b=c\"d/e%d=\">\" <a\t=\thref='"
    + "y" * 3000
    + "'> <a\t==x\thref='"
    + "y" * 3000
    + "'> <!--<a\tx='--><b\ta%d>'> <!--<b\tx=\"--><a\thref="
    + "y" * 3000
    + ">\"> <a\tb='"
    + '"' * 1000
    + "'> <a\t"
    + "\t".join(chr(97 + i % 26) + chr(97 + i // 26) for i in range(300))
    + "> <select><button><selectedcontent></selectedcontent></button><option\tselected> </select>"
).split(" ")  # fmt: skip


class _Counter(SaxHandler):
    """What nodes and their attributes take."""

    bytes_taken = 0

    def start_element(self, tag: str, attributes: object) -> None:
        self.bytes_taken += ELEMENT_BYTES + ATTRIBUTE_BYTES * len(dict(attributes))  # type: ignore[call-overload]

    def characters(self, data: str) -> None:
        self.bytes_taken += ELEMENT_BYTES


def bytes_of(page: str) -> int:
    """What the parser takes for a page, and what is written out."""
    counter = _Counter()
    sax_parse(page, counter)
    return counter.bytes_taken + TIMES_WRITTEN * sum(map(len, parse(page).serialize_iter()))


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
        f"<a = href='{'y' * 5000}'>",
        f"<a ==x href='{'y' * 5000}'>",
        f'<!--<b x="--><a href={"y" * 5000}>">',
        f"""<!--<b x="--><a href='">{"y" * 5000}'>""",
        "".join(f"<!--<a x='--><b a{number}>'>" for number in range(300)),
        f"""<a b='{'"' * 1000}'>""",
        f"<A B='{chr(0xA0) * 1000}'>",
        "<a " + " ".join(chr(97 + i % 26) + chr(97 + i // 26) for i in range(300)) + ">",
        "<select><button><selectedcontent></selectedcontent></button><option selected><p>"
        + "".join(f"<b a{number}>" for number in range(20)),
        '<!--<b x="-->' + "".join(f"<b a{number}>" for number in range(300)) + '">',
    ],
)
def test_what_is_left_open_is_not_opened_in_every_block(left_open: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.amplification.FEW_NODES", 0)
    page = f"<p>{left_open}" + "<p>Twelve chars" * 3000
    assert bytes_of(with_reopening_bounded(page, page.count("<"))) <= ALLOWED_TIMES * len(page) < bytes_of(page)


@pytest.mark.parametrize("hides", ["", "<!--<b x='<b>'-->"])
def test_the_last_three_alike_are_opened_again_and_no_more(hides: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.amplification.FEW_NODES", 0)
    many, block = 3000, "<p>" + "Twelve chars" * 20
    page = f"<p>{hides}" + "<b>" * many + block * many
    assert with_reopening_bounded(page, page.count("<")) is page
    assert len(parse(page).select("b")) == many + 3 * many
    assert bytes_of(page) <= ALLOWED_TIMES * len(page)


@pytest.mark.parametrize("before", ["", '<!--<b x="-->'])
@pytest.mark.parametrize("name", ["html", "BODY"])
def test_attributes_of_outer_tags_are_merged_up_to_a_bound(before: str, name: str) -> None:
    def outer(tags: int) -> str:
        return before + "".join(f"<{name} a{number}=1 lang=en>" for number in range(tags)) + "<p>Text"

    few, many = outer(MOST_MERGED // 2), outer(MOST_MERGED // 2 + 1)
    assert with_reopening_bounded(few, few.count("<")).count(f"<{name} ") == MOST_MERGED // 2
    bounded = with_reopening_bounded(many, many.count("<"))
    assert bounded.lower().count(f"<{name.lower()} ") == 1
    assert parse(bounded).text == parse(many).text


@pytest.mark.parametrize("before", ["", '<!--<b x="-->'])
def test_what_an_option_is_copied_into_is_renamed_wherever_it_stands(before: str) -> None:
    page = (
        f"{before}<select><button><SelectedContent></SelectedContent></button><option selected>{before and '>'}<p>One"
    )
    assert "<SelectedContent_>" in with_reopening_bounded(page, page.count("<"))


def test_no_markup_takes_more_than_its_size_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.amplification.FEW_NODES", 0)
    renamed = larger = 0
    for seed in range(1500):
        draw = random.Random(seed)
        page = "<p>" + repeated(draw, PIECES, draw.choice((1, 3, REPEATED)))
        page += repeated(draw, [*PIECES, *["<p>", "x"] * 40], draw.choice((REPEATED, BLOCKS)))
        # As dense as a page may be.
        tags = page.count("<")
        page = "<!--" + "-" * (2 * NODES_A_TAG * (tags + 1) - len(page)) + "-->" + page
        allowed = ALLOWED_TIMES * len(page) + OWN * ELEMENT_BYTES
        read = with_reopening_bounded(page, page.count("<"))
        assert bytes_of(read) <= allowed, seed
        renamed += read is not page
        larger += bytes_of(page) > allowed
    assert renamed > larger > 30, "the pages are such that it matters"
