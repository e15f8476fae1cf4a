"""Readers of public corpora, each on a tiny clone in that corpus's own layout. All pages are written for these tests."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.data import CONTENT, LINK_LIST
from detector.errors import SampleError, UsageError
from training.corpora import CORPORA, find_corpus, prepare
from training.corpora.clone import joined, text_nodes
from training.labelling import label_page
from training.samples import read_samples

ARTICLE = (
    "Fire at the mill",
    "The old mill on the Arle burned down on Sunday night.",
    "Nobody was hurt, said the miller.",
)
LINKS = ("Home", "Contact", "All news of the week")
GOLD = "\n".join(ARTICLE)
URL = "https://mills.example/fire"


def page(number: int = 1) -> str:
    """A page whose markup differs by number."""
    title, *paragraphs = ARTICLE
    menu = "".join(f"<li><a href='/{number}'>{text}</a></li>" for text in LINKS)
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return f"<html><head><title>{title}</title></head><body><ul>{menu}</ul><h1>{title}</h1>{body}</body></html>"


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def wcxb(root: Path, split: str = "dev") -> None:
    truth = {"title": ARTICLE[0], "main_content": GOLD}
    described = {"url": URL, "_internal": {"page_type": {"primary": "article"}}, "ground_truth": truth}
    write(root / split / "ground-truth/0001.json", json.dumps(described))
    write(root / split / "html/0001.html.gz", page())


def article_extraction(root: Path) -> None:
    write(root / "ground-truth.json", json.dumps({"ab12" * 16: {"articleBody": GOLD, "url": URL}}))
    write(root / f"html/{'ab12' * 16}.html.gz", page())


def dragnet(root: Path) -> None:
    write(root / "HTML/R1.html", page())
    write(root / "Corrected/R1.html.corrected.txt", f"{GOLD}\n\n!@#$%^&*()  COMMENTS\nAll news of the week\n")


def dragnet_feeds(root: Path) -> None:
    write(root / "data/html/0a-1.html", page())
    write(root / "data/meta/0a-1.toml", f"url = {URL!r}\ntitle = {ARTICLE[0]!r}\ntext = '''\n{GOLD}\n'''\n")


def cleaneval(root: Path) -> None:
    wrapped = f'<text id="1" title="{ARTICLE[0]}" encoding="iso-8859-1">\n{page()}\n</text>\n'
    write(root / "en_original/1.html", wrapped)
    write(root / "en_cleaned/1-cleaned.txt", f"URL: {URL}\n\n<h>{ARTICLE[0]}\n<p>{ARTICLE[1]}\n\n  <p>{ARTICLE[2]}\n")


def krdwrd(root: Path) -> None:
    tags = ["krdwrd-tag-1-90"] * len(LINKS) + ["krdwrd-tag-3-80"] * len(ARTICLE) + ["undefined"]
    rows = "".join(f"{2}\t{tag}\tkrdwrd-tag-1\n" for tag in tags)
    write(root / "canola/stats.20100908/685.stats", f"# submitted : 1\n# tokens\tmerged\t9\n{rows}")
    write(root / "canola/stats.20090101/685.stats", "# an older merge\n# tokens\tmerged\t9\n")
    write(root / "canola/dumps_2nd/685.html", page())


def l3s_gn1(root: Path) -> None:
    name = "e768c6d4-3ef8-4eff-b0d2-680ac84e8b3f"
    annotated = page().replace("<h1>", '<h1><span class="x-nc-sel1">').replace("</h1>", "</span></h1>")
    annotated = annotated.replace("<p>", '<p><span class="x-nc-sel2"><span>').replace("</p>", "</span></span></p>")
    annotated = annotated.replace("<ul>", '<ul><span class="x-nc-sel4">').replace("</ul>", "</span></ul>")
    write(root / f"original/{name}.html", page())
    write(root / f"annotated/{name}.html", annotated)
    write(root / "url-mapping.txt", f"<urn:uuid:{name}> {URL}\n")


def readability(root: Path) -> None:
    folder = root / "test/test-pages/mill"
    write(folder / "source.html", page())
    write(
        folder / "expected.html",
        "<div id='readability-page-1'>" + "".join(f"<p>{text}</p>" for text in ARTICLE) + "</div>",
    )
    write(folder / "expected-metadata.json", json.dumps({"title": ARTICLE[0], "lang": "en", "dir": None}))


CLONES: dict[str, Callable[[Path], None]] = {
    "wcxb": wcxb,
    "wcxb-test": lambda root: wcxb(root, "test"),
    "article-extraction": article_extraction,
    "dragnet": dragnet,
    "dragnet-feeds": dragnet_feeds,
    "cleaneval": cleaneval,
    "krdwrd": krdwrd,
    "l3s-gn1": l3s_gn1,
    "readability": readability,
}


def test_every_corpus_has_a_clone_here() -> None:
    assert list(CLONES) == [corpus.name for corpus in CORPORA]


@pytest.mark.parametrize("name", CLONES)
def test_a_clone_becomes_samples_with_the_right_labels(name: str, tmp_path: Path) -> None:
    CLONES[name](tmp_path / "clone")
    done = prepare(find_corpus(name), tmp_path / "clone", tmp_path / "out.jsonl.xz")
    assert (done.pages, done.left_out) == (1, [])
    (sample,) = read_samples([done.file])
    assert (sample.gold_text or "").split() == GOLD.split()
    labelled = label_page(sample)
    found = dict(zip(labelled.page.segment_texts(), labelled.labels.tolist(), strict=True))
    assert found == dict.fromkeys(LINKS, LINK_LIST) | dict.fromkeys(ARTICLE, CONTENT)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("wcxb", {"id": "wcxb/dev-0001", "url": URL, "lang": "en", "title": ARTICLE[0], "page_type": "article"}),
        ("wcxb-test", {"id": "wcxb/test-0001", "url": URL, "lang": "en", "title": ARTICLE[0], "page_type": "article"}),
        ("article-extraction", {"id": "article-extraction/ab12ab12ab12ab12", "url": URL, "page_type": "article"}),
        ("dragnet", {"id": "dragnet/R1", "lang": "en", "page_type": "article"}),
        ("dragnet-feeds", {"id": "dragnet-feeds/0a-1", "url": URL, "title": ARTICLE[0], "page_type": "article"}),
        ("cleaneval", {"id": "cleaneval/dev-1", "url": URL, "title": ARTICLE[0]}),
        ("krdwrd", {"id": "krdwrd/685", "lang": "en"}),
        (
            "l3s-gn1",
            {"id": "l3s-gn1/e768c6d4-3ef8-4eff-b0d2-680ac84e8b3f", "url": URL, "lang": "en", "page_type": "article"},
        ),
        ("readability", {"id": "readability/mill", "lang": "en", "title": ARTICLE[0]}),
    ],
)
def test_what_a_corpus_knows_of_a_page_comes_along(name: str, facts: dict[str, Any], tmp_path: Path) -> None:
    CLONES[name](tmp_path / "clone")
    done = prepare(find_corpus(name), tmp_path / "clone", tmp_path / "out.jsonl")
    (line,) = done.file.read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert {key: value for key, value in record.items() if key not in ("html", "gold_text")} == facts
    assert "<text" not in record["html"]


@pytest.mark.parametrize("name", CLONES)
def test_another_folder_is_refused_with_what_was_looked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    with pytest.raises(SampleError, match="clone"):
        prepare(find_corpus(name), tmp_path / "clone", tmp_path / "out.jsonl.xz")
    with pytest.raises(SampleError, match="no such folder; clone https://"):
        prepare(find_corpus(name), tmp_path / "nowhere", tmp_path / "out.jsonl.xz")
    assert not list(tmp_path.glob("out*"))


def test_pages_that_cannot_be_used_are_named_and_the_rest_is_written(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    dragnet(root)
    gold = root / "Corrected"
    write(root / "HTML/R2.html", page())
    write(root / "HTML/R3.html", page(3))
    write(gold / "R2.html.corrected.txt", GOLD)
    write(gold / "R3.html.corrected.txt", "A wholly different text about boats and their many anchors.")
    write(gold / "R4.html.corrected.txt", GOLD)
    write(gold / "R5.html.corrected.txt", " \n!@ $%^&*() COMMENTS\nFirst!")
    write(root / "HTML/R5.html", page(5))
    done = prepare(find_corpus("dragnet"), root, tmp_path / "out.jsonl.gz")
    assert done.pages == 1
    named = dict(line.split(": ", 1) for line in done.left_out)
    assert "same page as dragnet/R1" in named["dragnet/R2"]
    assert "do not belong together" in named["dragnet/R3 (dragnet/R3)"]
    assert "no page" in named["dragnet/R4"]
    assert "is empty" in named["dragnet/R5"]
    note = done.note.read_text(encoding="utf-8")
    assert all(line in note for line in done.left_out)


def test_the_note_says_licence_split_and_digest(tmp_path: Path) -> None:
    wcxb(tmp_path / "clone", "test")
    done = prepare(find_corpus("wcxb-test"), tmp_path / "clone", tmp_path / "w.jsonl.xz")
    assert done.note == tmp_path / "w.md"
    note = done.note.read_text(encoding="utf-8")
    corpus = find_corpus("wcxb-test")
    assert corpus.licence in note
    assert corpus.split in note
    assert "measure only" in note
    assert hashlib.sha256(done.file.read_bytes()).hexdigest() in note


def test_equal_clones_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        readability(tmp_path / name)
        for suffix in (".jsonl", ".jsonl.gz", ".jsonl.xz"):
            prepare(find_corpus("readability"), tmp_path / name, tmp_path / f"{name}{suffix}")
    plain = (tmp_path / "a.jsonl").read_bytes()
    for suffix, unpack in ((".jsonl", bytes), (".jsonl.gz", gzip.decompress), (".jsonl.xz", lzma.decompress)):
        one, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
        assert one == other
        assert unpack(one) == plain


@pytest.mark.parametrize("name", ["out.json", "out.xz", "out.jsonl.zip", "out"])
def test_an_output_of_another_format_is_wrong_use(name: str, tmp_path: Path) -> None:
    wcxb(tmp_path / "clone")
    with pytest.raises(UsageError, match=r"ends in \.jsonl"):
        prepare(find_corpus("wcxb"), tmp_path / "clone", tmp_path / name)


@pytest.mark.parametrize("broken", ["ground_truth", "html"])
def test_a_damaged_clone_is_named_with_its_file(broken: str, tmp_path: Path) -> None:
    wcxb(tmp_path)
    if broken == "html":
        (tmp_path / "dev/html/0001.html.gz").write_bytes(b"no gzip")
    else:
        write(tmp_path / "dev/ground-truth/0001.json", "[1")
    with pytest.raises(SampleError, match=r"0001.*get the clone again"):
        prepare(find_corpus("wcxb"), tmp_path, tmp_path / "out.jsonl")


def test_pages_are_decoded_as_they_say(tmp_path: Path) -> None:
    article_extraction(tmp_path)
    text = page().replace("mill", "Mühle").replace("<title>", "<meta charset=iso-8859-1><title>")
    write(tmp_path / f"html/{'ab12' * 16}.html.gz", text.encode("iso-8859-1"))
    (record,) = find_corpus("article-extraction").read(tmp_path)
    assert "Mühle" in getattr(record, "html", "")


def test_tags_that_do_not_fit_the_page_leave_it_out(tmp_path: Path) -> None:
    krdwrd(tmp_path)
    write(tmp_path / "canola/dumps_2nd/685.html", page().replace("</ul>", "<li>One more</li></ul>"))
    with pytest.raises(SampleError, match="6 tags for 7 text nodes"):
        prepare(find_corpus("krdwrd"), tmp_path, tmp_path / "out.jsonl")


def test_text_nodes_are_those_of_the_body() -> None:
    html = "<title>T</title><body><script>s</script>a<b>b</b> c<!-- x -->d<p>e &amp; <br>f</p></body>"
    nodes = text_nodes(html)
    assert [node.text for node in nodes] == ["a", "b", " c", "d", "e & ", "f"]
    assert joined(nodes) == "ab cd\ne &\nf"


def test_the_command_line_lists_and_prepares(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = run("corpora", "list")
    assert listed.code == 0
    assert all(corpus.name in listed.out and corpus.licence in listed.out for corpus in CORPORA)
    monkeypatch.chdir(tmp_path)
    cleaneval(tmp_path / "clone")
    done = run("corpora", "prepare", "cleaneval", "clone")
    assert (done.code, done.out) == (0, "")
    assert "none stated" in done.err
    assert (tmp_path / "cleaneval.jsonl.xz").exists()
    assert (tmp_path / "cleaneval.md").exists()
    assert run("corpora", "prepare", "nothing", "clone").code == 2
    refused = run("corpora", "prepare", "wcxb", "clone")
    assert refused.code == 2
    assert "dev/ground-truth/" in refused.err
