"""HTML is cut into segments as a plain walk over the parser's events says, whatever the markup."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.segment import segment_html
from tests.fuzz.mutations import mutate, piece
from tests.segment_reference import reference

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.html"))
TAGS = "a b br button div h1 hr img li link math p plaintext pre section span table td th tr ul x-y xmp".split()
DROPPED = "head iframe noembed noframes noscript script style svg template textarea title".split()
ATTRIBUTES = (
    "", " class=a", " class='b  c' id=d", " hidden", " style='display:none'", " style=font-size:0", " style=font-size:1em",
    " role='&quot;&lt;&amp;'", " data-x='1<2>'", " x\"y=' class='", " a<b=1", " name=n", " name=n href=h", " name=n onclick=o",
)  # fmt: skip
TEXTS = (
    "word", " two words ", "\n", "&nbsp;", "&amp;&lt;b&gt;", "é", "\u3000\u2009", "\x85", "\u200b", "\x01", "\ufeff", ">", "<",
    "long " * 20, "<!--c > d-->", "<?pi?>", "]]>",
)  # fmt: skip


def assert_as_reference(html: str) -> None:
    page, expected = segment_html(html), reference(html)
    elements = page.elements
    assert elements is not None
    assert page.segment_texts() == [line.text for line in expected.lines]
    assert page.text == "\n".join(line.text for line in expected.lines)
    assert elements.link_chars.tolist() == [line.link_chars for line in expected.lines]
    assert elements.links.tolist() == [line.links for line in expected.lines]
    assert [elements.names[name] for name in elements.name_of] == [element.name for element in expected.elements]
    assert elements.first.tolist() == [element.first for element in expected.elements]
    assert elements.last.tolist() == [element.last for element in expected.elements]
    places = {id(element): place for place, element in enumerate(expected.elements)} | {id(None): -1}
    assert elements.parents.tolist() == [places[id(element.parent)] for element in expected.elements]
    assert elements.innermost.tolist() == [places[id(line.innermost)] for line in expected.lines]


start_tags = st.builds(
    lambda tag, attributes: f"<{tag}{''.join(attributes)}>",
    st.sampled_from(TAGS * 2 + DROPPED),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=2),
)
end_tags = st.sampled_from([f"</{tag}>" for tag in TAGS + DROPPED])


@given(st.lists(start_tags | end_tags | st.sampled_from(TEXTS) | st.text(max_size=3), max_size=40))
def test_any_markup_is_read_as_the_reference_reads_it(pieces: list[str]) -> None:
    assert_as_reference("".join(pieces).encode("utf-8", "replace").decode())


@given(
    st.lists(
        st.sampled_from(["<table>", "<tr>", "<td>", "<th hidden>", "</td>", "<p>", "word ", "x" * 60]), max_size=40
    )
)
def test_any_table_is_read_as_the_reference_reads_it(pieces: list[str]) -> None:
    assert_as_reference("".join(pieces))


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_samples_and_their_mutants_are_read_as_the_reference_reads_them(path: Path) -> None:
    page = path.read_bytes()
    assert_as_reference(page.decode())
    for number in range(10):
        draw = random.Random(f"{path.name}/{number}")
        assert_as_reference(mutate(draw, piece(draw, page, 100, 3000), 3000).decode("utf-8", "replace"))


def test_raw_text_and_declarations_are_no_tags() -> None:
    assert_as_reference(
        "<!DOCTYPE html PUBLIC 'a<b'><?php echo 1 ?><p>x<xmp><p class=a>y</p> &lt; >z</xmp><plaintext></p><"
    )


def test_names_may_hold_brackets_and_quotes() -> None:
    assert_as_reference("""<a<b>one</a<b><p <c"=1 k=' class=' id="d">two<div " class="e">three""")
    assert_as_reference(
        "<a name=top><p>one<a name=b href=c>two<a name>three<p><a style=visibility:hidden name=q>four<p>five"
    )
