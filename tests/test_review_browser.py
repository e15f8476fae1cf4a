"""The review in a real browser: reading, correcting, saving, training on what was saved, and hostile pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.data import Page
from detector.model import Model
from detector.pipeline import Detector
from detector.review import render, review_page
from training.labelling import LabelledPage, label_page
from training.samples import read_samples
from training.train import train

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright: pip install 'link-farm-detector[browser]'"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")

Open = Callable[..., Any]
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
TEXT = "Home | News\nThe mill burned down.\nNobody rebuilt it.\nIt stood here.\nMore stories\nOne - Post\nTwo - Post\n"
HTML = "<html><h1>The mill.</h1><ul><li><a href=/>Home</a></li></ul><pre>a\n  b</pre><p>It burned\n down.</p></html>"

SCRIPT = "window.pwned=1"
PAYLOADS = [
    payload.replace("@", SCRIPT)
    for payload in (
        "<script>@</script>",
        "</script><script>@</script>",
        "</script ><script>@</script>",
        "</SCRIPT/x><sCrIpT>@</sCrIpT>",
        "<!--<script>@</script>-->",
        "<!--<script>",
        "-->@<!--",
        "</style><script>@</script>",
        "</textarea></title></noscript><script>@</script>",
        "]]><script>@</script>",
        "<svg onload=@>",
        "<svg><script>@</script></svg>",
        "<svg><animate onbegin=@ attributeName=x dur=1s>",
        "<math><mtext></table><mglyph><style><img src=x onerror=@>",
        "<img src=x onerror=@>",
        '"><img src=x onerror=@>',
        "'><img src=x onerror='@'>",
        "<img src=`x`onerror=@>",
        "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
        "<iframe src='javascript:parent.@'></iframe>",
        "<object data='javascript:@'></object>",
        "<embed src='javascript:@'>",
        "<a href='javascript:@' autofocus onfocus=@>x</a>",
        "<details open ontoggle=@>",
        "<video><source onerror=@></video>",
        "<body onload=@ onpageshow=@>",
        "<input autofocus onfocus=@>",
        "<marquee onstart=@>",
        "<form action='javascript:@'><input type=submit></form>",
        "<meta http-equiv=refresh content='0;url=javascript:@'>",
        "<base href='https://evil.example/'>",
        "<link rel=stylesheet href='https://evil.example/x.css'>",
        "<style>*{background:url(https://evil.example/x)}</style>",
        "<img src=https://evil.example/x.png>",
        "<template shadowrootmode=open><img src=x onerror=@></template>",
        "javascript:@",
        "data:text/html,<script>@</script>",
        "x;}*{background:url(https://evil.example/x)}",
        "${@} {{@}} $style $script $$",
        r"\u003cscript\u003e@\u003c/script\u003e",
        "&lt;script&gt;@&lt;/script&gt;",
        "\u2028@\u2029<script>@</script>",
        r"\"}]}</script><script>@</script>",
        "\u202e<script>@</script>\0",
    )
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """A function (file's text, init script="", **context options) that opens it in a tab of its own.

    The tab's `requests` are all but that for the file, its `seen` lists dialogs and errors.
    """
    opened = []

    def go(text: str, init: str = "", **options: Any) -> Any:
        path = tmp_path / "review.html"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        context = browser.new_context(accept_downloads=True, **options)
        opened.append(context)
        tab = context.new_page()
        tab.seen, tab.requests = [], []
        tab.add_init_script(WATCH + init)
        tab.on("request", lambda request: tab.requests.append(request) if request.url != path.as_uri() else None)
        tab.on("dialog", lambda dialog: (tab.seen.append(dialog.message), dialog.accept()))
        tab.on("pageerror", lambda error: tab.seen.append(str(error)))
        tab.goto(path.as_uri())
        return tab

    yield go
    for context in opened:
        context.close()


@pytest.fixture
def make(sentence_model: Model) -> Callable[..., str]:
    """A function of pages that renders their review, in the order given."""
    detector = Detector(sentence_model)

    def render_all(*pages: Page, names: tuple[str, ...] = ()) -> str:
        named = zip(pages, names or [f"page {i}" for i in range(len(pages))], strict=True)
        return render(review_page(name, page, detector.classify(page)) for page, name in named)

    return render_all


def labels(tab: Any) -> list[str]:
    return tab.eval_on_selector_all(".segment", "rows => rows.map((row) => row.dataset.label)")


def press(tab: Any, keys: str) -> None:
    for key in keys.split():
        tab.keyboard.press(key)


def saved(tab: Any, path: Path, how: str = "s") -> list[dict[str, Any]]:
    with tab.expect_download() as download:
        if how == "s":
            tab.keyboard.press("s")
        else:
            tab.click(how)
    assert download.value.suggested_filename == "reviewed.jsonl"
    download.value.save_as(path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


START = ["link_list", "content", "content", "content", "link_list", "link_list", "link_list"]


def test_a_page_is_shown_with_its_labels_and_why(visit: Open, make: Callable[..., str]) -> None:
    tab = visit(make(Page(TEXT), Page(HTML)))
    assert tab.locator(".segment .text").all_inner_texts() == TEXT.splitlines()
    assert labels(tab) == START
    assert tab.locator("#checked").inner_text() == "0 of 2 checked"
    tab.hover(".segment >> nth=1")
    assert tab.locator(".choice[aria-pressed=true] .choice-name").inner_text() == "content"
    assert tab.locator(".choice[data-label=content] .percent").inner_text() == "99 %"
    assert "sentence" in tab.locator(".reasons").inner_text()
    tab.hover(".segment >> nth=4")
    assert tab.locator(".choice[aria-pressed=true] .choice-name").inner_text() == "link list"
    press(tab, "l")
    rows = tab.locator(".segment")
    tags = rows.evaluate_all("rows => rows.map((row) => [row.dataset.tag, row.dataset.marker ?? ''])")
    assert tags == [["h1", ""], ["li", "•"], ["pre", ""], ["p", ""]]
    assert tab.locator(".segment .text >> nth=2").text_content() == "a\n  b"
    assert tab.seen == []


def test_keys_correct_undo_and_redo(visit: Open, make: Callable[..., str]) -> None:
    tab = visit(make(Page(TEXT)))
    press(tab, "j 3")
    assert labels(tab) == ["link_list", "boilerplate", *START[2:]]
    press(tab, "j j j Shift+J Shift+ArrowDown 1")
    corrected = ["link_list", "boilerplate", "content", "content", "content", "content", "content"]
    assert labels(tab) == corrected
    assert tab.locator("#corrected").inner_text().strip() == "· 4 corrected"
    press(tab, "u")
    assert labels(tab) == ["link_list", "boilerplate", *START[2:]]
    press(tab, "Control+z u")
    assert labels(tab) == START
    press(tab, "Shift+U Control+y")
    assert labels(tab) == corrected
    press(tab, "2")  # what the model said: no correction any more
    assert tab.locator("#corrected").inner_text().strip() == "· 3 corrected"


def test_a_link_leads_to_its_page(visit: Open, make: Callable[..., str], tmp_path: Path) -> None:
    tab = visit(make(Page(TEXT), Page("Another page altogether.\n" + TEXT)))
    assert tab.locator(".segment").first.inner_text() != "Another page altogether."
    tab.goto((tmp_path / "review.html").as_uri() + "#page-1")
    tab.wait_for_function("document.querySelector('.segment').textContent.includes('Another page')")
    tab.reload()
    assert "Another page" in tab.locator(".segment").first.inner_text()
    tab.goto((tmp_path / "review.html").as_uri() + "#page-9")
    assert tab.seen == []


def test_the_mouse_corrects_and_stretches(visit: Open, make: Callable[..., str]) -> None:
    tab = visit(make(Page(TEXT)))
    tab.click(".segment >> nth=1")
    tab.click(".segment >> nth=3", modifiers=["Shift"])
    assert tab.locator(".selected").count() == 3
    tab.click(".choice[data-label=boilerplate]")
    assert labels(tab) == ["link_list", *["boilerplate"] * 3, *START[4:]]
    tab.click("#undo")
    assert labels(tab) == START
    tab.hover(".segment >> nth=5")
    tab.click(".choice[data-label=content]")
    assert labels(tab) == [*START[:5], "content", "link_list"]


def test_filters_fold_and_what_is_folded_is_not_changed(visit: Open, make: Callable[..., str]) -> None:
    middle = "".join(f"The mill burned on day {i}.\n" for i in range(9))
    tab = visit(make(Page(f"Home\n{middle}More\n")))
    tab.click("text=Link lists")
    assert tab.locator(".segment").count() == 4  # two that match, and a neighbour of each
    assert tab.locator(".fold").inner_text() == "7 segments not shown"
    press(tab, "Shift+J 3")
    tab.click("text=All")
    assert labels(tab) == ["boilerplate", *["content"] * 9, "boilerplate"]
    tab.click("text=Removed")
    tab.click(".fold")
    assert tab.locator(".segment").count() == 11
    press(tab, "f")
    assert tab.locator("[aria-checked=true]").text_content() == "Corrected2"


def test_work_survives_a_reload_and_a_browser_that_keeps_nothing(visit: Open, make: Callable[..., str]) -> None:
    text = make(Page(TEXT), Page(HTML))
    tab = visit(text)
    press(tab, "2 j 2 Enter t")
    tab.reload()
    assert tab.locator("#checked").inner_text() == "1 of 2 checked"
    assert tab.locator("html").get_attribute("data-theme") == "dark"
    press(tab, "h")
    assert labels(tab) == ["link_list", "link_list", *START[2:]]
    refusing = (
        'Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError"); }})'
    )
    tab = visit(text, init=refusing)
    assert "save before you close" in tab.locator("#status").text_content()
    press(tab, "3")
    assert labels(tab)[0] == "boilerplate"
    assert tab.seen == []


def test_what_other_files_left_in_the_browser_is_not_trusted(visit: Open, make: Callable[..., str]) -> None:
    tab = visit(make(Page(TEXT)))
    press(tab, "3")
    for junk in (
        "{",
        "null",
        '{"corrections": [[99, 1], [0, 7], ["0", 0], 3], "checked": "yes"}',
        '{"corrections": 1}',
    ):
        tab.evaluate("junk => Object.keys(localStorage).forEach((key) => localStorage.setItem(key, junk))", junk)
        tab.reload()
        assert labels(tab) == START
        assert tab.locator("#checked").inner_text() == "0 of 1 checked"
    assert tab.seen == []


def test_what_is_saved_trains_a_model(
    visit: Open, make: Callable[..., str], make_pages: Callable[..., list[LabelledPage]], tmp_path: Path
) -> None:
    samples = [page.sample for page in make_pages(14, "html") + make_pages(1, "text", seed=1)]
    pages = [Page(sample.content, sample.kind, f"https://{sample.site}/") for sample in samples]
    tab = visit(make(*pages, Page("Not touched.")))
    assert tab.locator("#save").is_disabled()
    for number in range(len(pages)):
        tab.click(".segment >> nth=0")
        tab.click(".segment >> nth=2", modifiers=["Shift"])
        press(tab, "3")
        tab.click(".segment >> nth=14")
        press(tab, "3 Enter")
        assert tab.locator("#checked").inner_text() == f"{number + 1} of {len(pages) + 1} checked"
    records = saved(tab, tmp_path / "reviewed.jsonl", how="#save")
    assert [record["url"] for record in records] == [page.url for page in pages]
    assert [record.get("html") for record in records] == [
        page.content if page.kind == "html" else None for page in pages
    ]
    labelled = [label_page(sample) for sample in read_samples([tmp_path / "reviewed.jsonl"])]
    assert all(page.labels.tolist() == [2, 2, 2, *[0] * 5, *[1] * 6, 2] for page in labelled)
    trained = train(labelled, "reviewed", refit=False)
    assert set(trained.model.heads) == {"text", "html"}
    assert all(row.macro_f1.value > 0.8 for row in trained.held_out)


def test_a_page_corrected_but_not_checked_is_saved_whole(visit: Open, make: Callable[..., str], tmp_path: Path) -> None:
    tab = visit(make(Page(TEXT), Page(HTML)))
    press(tab, "3")
    (record,) = saved(tab, tmp_path / "reviewed.jsonl")
    labels = ["boilerplate", *START[1:]]
    assert record == {"id": "page 0", "reviewed": True, "lines": TEXT.splitlines(), "labels": labels}


def test_no_page_runs_a_script_or_reaches_the_network(visit: Open, make: Callable[..., str]) -> None:
    assert len(PAYLOADS) > 40
    pages, names = [], []
    for payload in PAYLOADS:
        quoted = payload.replace('"', "&quot;")
        markup = (
            f'<html><head><title>{payload}</title></head><h1 class="{quoted}" id="{quoted}">x &amp;{payload}</h1>'
            f'<a href="{quoted}" title="{quoted}">It burned.</a><li style="{quoted}">{quoted.replace("<", "&lt;")}</li>'
        )
        pages.append(Page(markup, "html", payload))
        names.append(payload)
    pages.append(Page("\nIt burned.\n".join(PAYLOADS), "text"))
    names.append("all.txt")
    tab = visit(make(*pages, names=tuple(names)))
    listed = tab.locator(".listed")
    assert listed.count() == len(pages)
    for _ in range(len(pages) - 1):
        press(tab, "l")
    assert tab.locator(".segment").count() > len(PAYLOADS)
    press(tab, "Shift+J 3 f f Enter")
    assert tab.evaluate("window.pwned") is None
    assert tab.evaluate("window.violations") == []  # nothing was even tried: the policy is the second wall
    assert (tab.seen, tab.requests) == ([], [])
    strangers = (
        ":is(#sheet, #pages, #card) :is(script, style, img, svg, iframe, a, input, form, object, embed, [onload])"
    )
    assert tab.locator(strangers).count() == 0
    assert tab.locator(".file").all_inner_texts()[0] == PAYLOADS[0]


def test_the_policy_holds_where_escaping_would_fail(visit: Open, make: Callable[..., str]) -> None:
    attack = f"<script>{SCRIPT}</script><img src=https://evil.example/x onerror={SCRIPT}><style>p{{}}</style>"
    tab = visit(make(Page(TEXT)).replace("<noscript>", attack + "<noscript>"))
    assert [request.failure for request in tab.requests] == ["csp"]
    assert labels(tab) == START
    assert tab.evaluate("window.pwned") is None
    assert {"script-src-elem", "img-src", "style-src-elem"} <= set(tab.evaluate("window.violations"))
    with pytest.raises(playwright.Error, match="TrustedHTML"):
        tab.evaluate("() => { document.getElementById('sheet').innerHTML = '<b>x</b>'; }")


def test_a_phone_shows_everything_without_scrolling_sideways(visit: Open, make: Callable[..., str]) -> None:
    long_word = "x" * 300
    tab = visit(make(Page(TEXT + long_word), Page(HTML)), viewport={"width": 390, "height": 844}, has_touch=True)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.evaluate("document.getElementById('desk').scrollWidth <= document.getElementById('desk').clientWidth")
    tab.tap(".segment >> nth=1")
    tab.tap(".choice[data-label=boilerplate]")
    assert labels(tab)[1] == "boilerplate"
    assert not tab.locator("#pages").is_visible()
    tab.tap("#menu")
    tab.tap(".listed >> nth=1")
    assert tab.locator(".name").inner_text() == "page 1"
    assert not tab.locator("#pages").is_visible()


def test_a_long_page_is_drawn_in_chunks_the_browser_may_skip(visit: Open, make: Callable[..., str]) -> None:
    tab = visit(make(Page("".join(f"The mill burned on day {i}.\n" for i in range(5000)))))
    tab.locator("#minimap").click(position={"x": 20, "y": 500})
    assert tab.locator(".segment").count() == 5000
    assert tab.evaluate("document.getElementById('desk').scrollTop") > 10_000
    skipped = (
        "chunks => chunks.filter((chunk) => !chunk.firstChild.checkVisibility({contentVisibilityAuto: true})).length"
    )
    assert tab.locator(".chunk").evaluate_all(skipped) > 100
