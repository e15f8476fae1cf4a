from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.segment import segment_html, segment_text
from detector.segment import text as text_lines
from detector.segment.text import NEWLINES


def texts(html: str) -> list[str]:
    return segment_html(html).segment_texts()


def test_lines_keep_their_offsets_under_every_newline_convention() -> None:
    text = "\ufeffOne\r\nTwo\rThree\x0b\x0c Four \x85Five\u2028\n \t\n\x00\n"
    page = segment_text(text)
    assert page.segment_texts() == ["\ufeffOne", "Two", "Three", " Four ", "Five"]
    assert [text[s:e] for s, e in zip(page.starts, page.ends, strict=True)] == page.segment_texts()


@given(st.text("a \n\r\u2028\u200b"), st.integers(1, 5))
def test_long_texts_are_cut_a_stretch_at_a_time_into_the_same_lines(text: str, stretch: int) -> None:
    whole = segment_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_STRETCH_CHARS", stretch)
        cut = segment_text(text)
    assert np.array_equal(whole.starts, cut.starts)
    assert np.array_equal(whole.ends, cut.ends)


@given(st.text(alphabet=st.characters()))
def test_every_visible_character_is_in_exactly_one_segment(text: str) -> None:
    page = segment_text(text)
    assert (page.starts < page.ends).all()
    assert (page.ends[:-1] < page.starts[1:]).all()
    inside = "".join(page.segment_texts())
    assert not any(newline in inside for newline in NEWLINES)
    assert [c for c in inside if c.isalnum()] == [c for c in text if c.isalnum()]


def test_a_line_of_five_megabytes_is_one_segment() -> None:
    assert len(segment_text("word " * 1_000_000)) == 1


def test_breaks_divide_link_lists_and_cells_of_a_row_stay_together() -> None:
    assert texts("<p><a href=1>One</a><br><a href=2>Two</a></p>") == ["One", "Two"]
    assert texts("<table><tr><td>Weight</td><td>3 kg</td></tr></table>") == ["Weight 3 kg"]
    assert texts("<table><tr><td>Menu</td><td><p>Long text.</p></td></tr></table>") == ["Menu", "Long text."]


def test_what_nobody_reads_is_dropped() -> None:
    html = "<title>t</title><body><script>s</script><style>c</style><noscript>n</noscript><template>x</template><p>Seen</p>"
    assert texts(html) == ["Seen"]


def test_hidden_inline_elements_and_cells_are_left_out() -> None:
    for hiding in ("hidden", 'style="color:red; DISPLAY : none"', "style=visibility:hidden", "style='font-size:0px'"):
        assert texts(f"<p>Seen <span {hiding}>un<b>seen<br></b></span><a {hiding}>unseen</a>again</p>") == [
            "Seen again"
        ]
    for hiding in ("hidden", "style=display:none"):
        assert texts(f"<table><tr><td>Weight<td {hiding}>unseen<td>3 kg</table>") == ["Weight 3 kg"]
    for shown in ("aria-hidden=true", "style=font-size:0.9em", "class=hidden", "data-hidden"):
        assert texts(f"<p>Seen <span {shown}>twice</span></p>") == ["Seen twice"]


@pytest.mark.parametrize(
    "html",
    [
        '<table><tr><td style="font-size:0px"><div style="font-size:16px">The letter.</div></td></tr></table>',
        '<font style="font-size:0">unseen <a href=x>link<div style="font-size:14px">The letter.</div></a></font>',
        '<span style="visibility:hidden"><p style="visibility:visible">The letter.</p></span>',
    ],
)
def test_a_block_in_what_is_unseen_may_be_seen(html: str) -> None:
    page = segment_html(html + "<p><a href=x>A link.</a>")
    assert page.segment_texts() == ["The letter.", "A link."]
    assert page.elements is not None
    assert page.elements.link_chars.tolist() == [0, 7]


def test_a_block_in_what_is_not_displayed_stays_out() -> None:
    html = "<span style='display:none'><div>no</div></span><span style=font-size:0><svg><p>no</p></svg></span><p>Yes."
    assert segment_html(html).segment_texts()[-1] == "Yes."
    assert "no" not in segment_html("<span style='display:none'><div>no</div></span>Yes.").text


def test_hidden_blocks_are_segments_that_say_so() -> None:
    elements = segment_html("<p hidden class=note>Unseen<p>Seen").elements
    assert elements is not None
    assert [elements.names[elements.name_of[i]] for i in elements.innermost] == [("p", "note is-hidden"), ("p", "")]


def test_preformatted_text_keeps_its_lines() -> None:
    assert texts("<pre>\ndef f():\n    pass\n</pre>") == ["def f():\n    pass"]


def test_markup_becomes_spans_over_segments() -> None:
    page = segment_html(
        '<nav class="top menu"><a href=1>Home</a></nav><article id=a><h1>Title</h1><p>Text</p></article>'
    )
    elements = page.elements
    assert elements is not None
    nav = elements.tags.index("nav")
    assert elements.names[elements.name_of[nav]] == ("nav", "top menu")
    assert (elements.first[nav], elements.last[nav]) == (0, 1)
    article = elements.tags.index("article")
    assert (elements.first[article], elements.last[article]) == (1, 3)
    assert [elements.tags[i] for i in elements.innermost] == ["nav", "h1", "p"]
    assert elements.link_chars.tolist() == [4, 0, 0]


def test_the_name_of_a_place_is_no_link_and_a_button_is_one() -> None:
    page = segment_html("<a name=top><p>All</p> <p>that <a href=x>follows</a> <a name=z class=b href>it</a></p>")
    assert page.text == "All\nthat follows it"
    assert page.elements is not None
    assert page.elements.link_chars.tolist() == [0, len("followsit")]
    assert page.elements.links.tolist() == [0, 2]
    for button in ("<a>Menu</a>", "<a class=b>Menu</a>", "<a id=b>Menu</a>", "<a name=b onclick=c>Menu</a>"):
        elements = segment_html(button).elements
        assert elements is not None
        assert elements.link_chars.tolist() == [len("Menu")]


def test_a_named_place_that_is_not_seen_stays_unseen() -> None:
    assert texts("<p>a<a name=x style='visibility:hidden'>b</a></p><p>c<a name=y hidden>d</a></p>") == ["a", "c"]


@given(st.text(alphabet=st.sampled_from("<>/abdiptrul \n\"'=&;\x00é漢\ud800")))
def test_any_markup_gives_consistent_spans(html: str) -> None:
    page = segment_html(html)
    assert page.elements is not None
    assert len(page.elements.innermost) == len(page) == len(page.segment_texts())
    assert all(text.strip() for text in page.segment_texts())
    assert (page.elements.last > page.elements.first).all()
    assert (page.elements.last <= len(page)).all()


def test_deep_nesting_and_many_links_take_linear_time() -> None:
    assert texts("<div>" * 20_000 + "deep") == ["deep"]
    assert len(segment_html("<li><a href=x>y</a>" * 20_000)) == 20_000


def test_lone_surrogates_never_reach_the_text() -> None:
    for markup in (
        "<p>a\ud800b</p>",
        "<p class='\ud800'>a?b</p>",
        "<p>a?b<script>\ud800</script></p>",
        "<p \ud800>a?b",
    ):
        page = segment_html(markup)
        assert page.text == "a?b"


def test_a_page_that_shows_nothing_is_read_as_without_scripts() -> None:
    posts = "".join(f"<p>Post number {number} says how the pump was mended in the end.</p>" for number in range(20))
    app = f"<body><div id=app></div><noscript><h1>The pump</h1>{posts}</noscript></body>"
    page = segment_html(app)
    assert page.segment_texts()[:2] == ["The pump", "Post number 0 says how the pump was mended in the end."]
    assert len(page) == 21


@pytest.mark.parametrize(
    "html",
    [
        "<div>Loading</div><noscript>Please turn on JavaScript to use this application.</noscript>",
        "<p>"
        + "The pump was mended in the end. " * 40
        + "</p><noscript>"
        + "<p>Another pump.</p>" * 99
        + "</noscript>",
    ],
    ids=["a request to turn scripts on", "a page that shows its text"],
)
def test_noscript_is_left_out_elsewhere(html: str) -> None:
    assert len(segment_html(html)) == 1


def test_names_of_attributes_may_begin_with_what_divides_them_from_values() -> None:
    page = segment_html('<p =x="a class=" id="b">text</p>')
    assert page.elements is not None
    assert page.elements.names[-1] == ("p", "b")
