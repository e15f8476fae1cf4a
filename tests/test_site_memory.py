"""What other pages hold: signatures of pages, features, their say in the labels, and the commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from detector import Detector, ModelError, Page, SignatureError, UsageError
from detector.cli.signatures import _working_folder
from detector.data import BOILERPLATE, CONTENT, LABELS
from detector.features.site import NAMES, NEAR_BANDS, NEAR_ROWS, band_hashes, host_of, scheme, site_features
from detector.model import SITE_INPUT_NAMES, Model, SiteHead
from detector.network import Layer, Network
from detector.segment import segment_html, segment_text
from detector.signatures import SignatureCounter, SignatureStore, minhash
from detector.signatures.store import MAGIC
from detector.site_memory import count_pages
from detector.storage import load_model, save_model
from training.labelling import LabelledPage, label_page
from training.simulation import make_article, make_filler, make_site, make_template
from training.site_memory import as_page, fit_site_heads

ROOT = Path(__file__).parents[1]
MENU = "Home | News | Contact\nThe Daily Heron, all rights reserved."
LINE, NEAR, RUN = (NAMES.index(f"log_pages_with_{name}") for name in ("line", "near_duplicate", "run"))
ELSEWHERE = NAMES.index("log_pages_elsewhere_with_line")


def page(number: int, host: str = "heron.example") -> Page:
    # Digits are folded, so letters tell the pages apart.
    words = " ".join(f"{chr(97 + number)}{chr(97 + i)}word" for i in range(12))
    return Page(f"{MENU}\nThe {words}.\nAnother {words} ends.", "text", f"https://{host}/{number}")


def remember(*pages: Page) -> SignatureStore:
    counter = SignatureCounter(scheme())
    count_pages(pages, counter)
    return counter.freeze()


def counts(text: str, url: str | None, store: SignatureStore, column: int) -> list[int]:
    """A column of logs as the counts it was made of."""
    found = site_features([segment_text(text)], [url], store)
    return np.rint(np.expm1(found.X[:, column])).astype(int).tolist()


@pytest.fixture(scope="module")
def knowing_model(sentence_model: Model) -> Model:
    """The model made by hand, with site heads that take what is on half of the host's pages for boilerplate."""
    weights = np.zeros((len(SITE_INPUT_NAMES), len(LABELS)), np.float32)
    for place, label in enumerate(LABELS):
        weights[SITE_INPUT_NAMES.index(f"{label}_log_odds"), place] = 1
    weights[SITE_INPUT_NAMES.index("page_share_with_line"), BOILERPLATE] = 40
    bias = np.zeros(len(LABELS), np.float32)
    bias[BOILERPLATE] = -10
    size = len(SITE_INPUT_NAMES)
    site = SiteHead(np.zeros(size, np.float32), np.ones(size, np.float32), Network([], Layer.round(weights, bias, 8.0)))
    return replace(
        sentence_model, heads={kind: replace(head, site=site) for kind, head in sentence_model.heads.items()}
    )


def test_pages_are_counted_and_not_occurrences() -> None:
    twice = Page(f"{MENU}\n{MENU}", "text", "https://heron.example/twice")
    store = remember(page(1), page(2), page(3, "other.example"), twice)
    assert counts(MENU, "https://heron.example/new", store, LINE) == [3, 3]
    assert counts(MENU, "https://heron.example/new", store, ELSEWHERE) == [1, 1]
    assert counts(MENU, "https://www.other.example/new", store, LINE) == [1, 1]


@pytest.mark.parametrize(
    "url",
    ["https://heron.example/1", "http://www.HERON.example/1/#top", "https://heron.example/1?utm_source=x"],
    ids=["its address", "the same address in other words", "another address, the same content"],
)
def test_a_page_does_not_count_for_itself(url: str) -> None:
    known = page(1)
    assert isinstance(known.content, str)
    store = remember(page(1), page(2))
    assert counts(known.content, url, store, LINE) == [1, 1, 0, 0]
    assert counts(known.content, url, SignatureStore.merge([store, store]), LINE) == [2, 2, 0, 0]


def test_a_page_that_changed_since_is_known_by_its_address() -> None:
    store = remember(page(1), page(2))
    assert counts(f"{MENU}\nA new line.", "https://heron.example/1", store, LINE) == [1, 1, 0]


def test_the_same_page_under_two_addresses_is_one() -> None:
    first = page(1)
    second = replace(first, url="https://heron.example/1?print=1")
    assert counts(MENU, "https://heron.example/new", remember(first, second), LINE) == [1, 1]


def test_a_page_without_an_address_counts_for_the_web_only() -> None:
    store = remember(replace(page(1), url=None), page(2))
    assert counts(MENU, None, store, LINE) == [0, 0]
    assert counts(MENU, None, store, ELSEWHERE) == [2, 2]
    assert not site_features([segment_text(MENU)], [None], store).host_known.any()


def test_lines_are_compared_by_their_words_with_digits_folded() -> None:
    store = remember(Page("Posted  on 12 May 2021\nThe river rose again in the night and flooded the lower town", "text", "https://a.example/1"))  # fmt: skip
    new = "https://a.example/2"
    assert counts("POSTED on 30 may 1999", new, store, LINE) == [1]
    assert counts("Posted on 1 June 1999", new, store, LINE) == [0]
    almost = "The river rose again in the night and flooded the lower town!"
    assert (counts(almost, new, store, LINE), counts(almost, new, store, NEAR)) == ([0], [1])


def test_a_run_of_lines_is_known_with_one_line_changed() -> None:
    block = [f"Headline number {'abcdefghijkl'[i]} of the week" for i in range(12)]
    store = remember(*(Page("\n".join(block), "text", f"https://a.example/{i}") for i in range(1)))
    changed = [*block[:5], "Something else", *block[6:]]
    found = counts("\n".join(changed), "https://a.example/new", store, RUN)
    assert found[5] == 1
    assert counts("\n".join(f"{line} {line}" for line in block), "https://a.example/new", store, RUN) == [0] * 12


def test_markup_makes_no_difference_to_what_is_remembered() -> None:
    html = Page(
        "<p>Home | News | Contact</p><p>The Daily Heron, all rights reserved.</p><p>More.",
        "html",
        "https://heron.example/h",
    )
    assert counts(MENU, "https://heron.example/new", remember(html), LINE) == [1, 1]


def test_near_duplicates_are_the_candidates_of_datasketch() -> None:
    random = np.random.default_rng(5)
    sets = [random.integers(0, 60, 25).astype(np.uint32) for _ in range(60)]
    offsets = np.arange(61, dtype=np.int64) * 25
    size = NEAR_BANDS * NEAR_ROWS
    bands = band_hashes(minhash(np.concatenate(sets), offsets, size), NEAR_ROWS)
    lsh = MinHashLSH(num_perm=size, params=(NEAR_BANDS, NEAR_ROWS))
    theirs = []
    for number, members in enumerate(sets):
        signature = MinHash(num_perm=size, hashfunc=int, scheme="affine32")
        signature.update_batch(members.tolist())
        theirs.append(signature)
        lsh.insert(number, signature)
    ours = [{int(i) for i in np.flatnonzero((bands == row).any(axis=1))} for row in bands]
    assert ours == [set(lsh.query(signature)) for signature in theirs]
    assert any(len(found) > 1 for found in ours)


def test_rows_do_not_depend_on_the_batch() -> None:
    store = remember(*(page(i) for i in range(6)), page(7, "other.example"))
    pages = [segment_text(str(page(i).content)) for i in range(4)] + [segment_html("<p>One"), segment_text("")]
    urls = [page(0).url, None, "https://other.example/x", "not an address", "https://heron.example/9", None]
    together = site_features(pages, urls, store)
    apart = [site_features([one], [url], store) for one, url in zip(pages, urls, strict=True)]
    assert np.array_equal(together.X, np.concatenate([one.X for one in apart]))
    assert np.array_equal(together.recurs, np.concatenate([one.recurs for one in apart]))


def test_host_of_an_address_that_cannot_be_read() -> None:
    assert host_of("http://[broken") is None


def test_what_recurs_goes_and_what_is_new_stays(knowing_model: Model, sentence_model: Model) -> None:
    store = remember(*(page(i) for i in range(10)))
    new = page(11)
    alone = Detector(sentence_model).classify(new)
    result = Detector(knowing_model, signatures=store).classify(new)
    assert "all rights reserved." in alone.text
    assert result.text == str(new.content).removeprefix(MENU + "\n")
    assert result.segments[1].label == "boilerplate"
    assert result.segments[1].reasons[0] == "on 10 of 10 other pages of the site"
    assert not result.segments[2].reasons[0].startswith("on ")


def test_without_knowledge_of_a_page_its_result_is_that_of_the_page_alone(
    knowing_model: Model, sentence_model: Model
) -> None:
    detector = Detector(knowing_model, signatures=remember(page(1), page(2)))
    stranger = Page("A line of its own.\nAnd a title", "text", "https://nowhere.example/")
    expected = Detector(sentence_model).classify(stranger).probabilities
    assert np.array_equal(detector.classify(stranger).probabilities, expected)


def test_a_line_never_seen_elsewhere_does_not_lose_by_it(knowing_model: Model) -> None:
    site = knowing_model.heads["text"].site
    assert site is not None
    harsh = np.zeros((len(SITE_INPUT_NAMES), len(LABELS)), np.float32)
    bias = np.array([-5, 0, 5], np.float32)
    strict = replace(site, network=Network([], Layer.round(harsh, bias, 8.0)))
    # Far below the menu, so that the lines around hold nothing of it.
    own = "\n".join(" ".join(f"{chr(97 + line)}{chr(97 + i)}line" for i in range(9)) for line in range(12))
    found = site_features([segment_text(f"{MENU}\n{own}")], ["https://heron.example/9"], remember(page(1)))
    alone = np.array([[0.9, 0.05, 0.05]] * len(found.X), np.float32)
    corrected = strict.correct(alone, found)
    assert found.recurs.tolist()[0]
    assert corrected[0].argmax() == BOILERPLATE
    assert np.array_equal(corrected[~found.recurs], alone[~found.recurs])
    assert (~found.recurs).sum() >= 6


def test_results_depend_on_no_other_page_and_no_batch(knowing_model: Model) -> None:
    pages = [page(i) for i in range(12)] + [
        Page("<p>Home | News | Contact</p><p>More.", "html", "https://heron.example/x")
    ]
    detector = Detector(knowing_model, signatures=remember(*pages[::2]))
    alone = [detector.classify(one).probabilities for one in pages]
    for size in (1, 5, 64):
        for mine, result in zip(alone, detector.classify_many(pages, size), strict=True):
            assert np.array_equal(mine, result.probabilities)


def test_signatures_that_cannot_be_used_are_refused_at_once(
    sentence_model: Model, knowing_model: Model, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="has not learnt to use signatures"):
        Detector(sentence_model, signatures=remember(page(1)))
    with pytest.raises(UsageError, match="another version"):
        Detector(knowing_model, signatures=SignatureStore(np.empty(0, np.uint64), np.empty(0, np.uint32), "old"))
    (tmp_path / "x").write_bytes(b"no")
    with pytest.raises(SignatureError, match="not a signature file"):
        Detector(knowing_model, signatures=tmp_path / "x")


def test_site_heads_are_saved_and_loaded(knowing_model: Model, sentence_folder: Path, tmp_path: Path) -> None:
    save_model(knowing_model, tmp_path)
    store = remember(page(1), page(2))
    store.save(tmp_path / "signatures")
    mine = Detector(knowing_model, signatures=store).classify(page(3))
    loaded = Detector(tmp_path, signatures=tmp_path / "signatures").classify(page(3))
    assert np.array_equal(mine.probabilities, loaded.probabilities)
    assert all(head.site is None for head in load_model(sentence_folder).heads.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [(lambda head: head["site"].update(schema="old"), "made for other features"),
     (lambda head: head["site"]["network"].update(output_unit=0), "has unit 0")],
)  # fmt: skip
def test_a_site_head_that_does_not_fit_is_refused(
    knowing_model: Model, tmp_path: Path, change: Callable[[dict[str, object]], None], message: str
) -> None:
    from detector import storage

    save_model(knowing_model, tmp_path)
    manifest = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    change(manifest["heads"]["text"])
    manifest["sha256"] = storage.manifest_sha256(manifest)
    (tmp_path / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=f"{re.escape(str(tmp_path))}.*{message}"):
        load_model(tmp_path)


def test_simulated_pages_hold_what_their_labels_say(make_pages: Callable[..., list[LabelledPage]]) -> None:
    pages = make_pages(8, "html")
    templates = [template for one in pages if (template := make_template(one))]
    articles = [article for one in pages if (article := make_article(_titled(one)))]
    fillers = [filler for filler in [make_filler("One line.\nTwo lines.\nThree lines of text.")] if filler]
    site = make_site(templates[0], articles[:4], fillers, "html", "s.example", np.random.default_rng(0))
    assert sum(one.judged for one in site) == 4
    assert len({one.url for one in site}) == len(site) >= 6
    for one in site:
        labelled = label_page(one.sample)
        assert (labelled.labels >= 0).mean() > 0.95
        texts = [" ".join(text.split()) for text in labelled.page.segment_texts()]
        assert all(label == CONTENT for text, label in zip(texts, labelled.labels, strict=True) if text in one.article)


def test_an_article_of_a_text_page_has_the_markup_of_its_own_lines(
    make_pages: Callable[..., list[LabelledPage]],
) -> None:
    for one in make_pages(8):
        article = make_article(_titled(one))
        assert article is not None
        assert [block.markup for block in article.body] == [f"<p>{block.text}</p>" for block in article.body]


def _titled(page: LabelledPage) -> LabelledPage:
    return replace(page, sample=replace(page.sample, title=f"The story of {page.sample.site}"))


def test_a_model_learns_to_use_signatures(sentence_model: Model, make_pages: Callable[..., list[LabelledPage]]) -> None:
    pages = [_titled(one) for one in make_pages(30)]
    texts = ["\n".join(f"Filler {number} {line} of many." for line in range(4)) for number in range(20)]
    base = replace(sentence_model, heads={"text": sentence_model.heads["text"]})
    taught, again = (fit_site_heads(base, base, pages, texts, sites=4) for _ in range(2))
    unseen = [_titled(one) for one in make_pages(12, seed=5)]
    template = make_template(unseen[0])
    articles = [article for one in unseen[1:] if (article := make_article(one))]
    assert template is not None
    site = make_site(template, articles, [], "text", "unseen.example", np.random.default_rng(3))
    store = remember(*map(as_page, site))
    mine, other = (Detector(model, signatures=store) for model in (taught, again))
    for one in [one for one in site if one.judged][:3]:
        result = mine.classify(as_page(one))
        assert np.array_equal(result.probabilities, other.classify(as_page(one)).probabilities)
        texts = [segment.text for segment in result.segments]
        rights = texts.index("Copyright 2020. All rights reserved.")
        assert "Copyright" in Detector(base).strip(as_page(one))
        assert not result.kept[rights]
        kept = [keep for text, keep in zip(texts, result.kept.tolist(), strict=True) if text in one.article]
        assert sum(kept) >= len(kept) - 1


def test_build_merge_and_info(run: Callable[..., Any], tmp_path: Path) -> None:
    for name, numbers in (("a", range(3)), ("b", range(2, 6))):
        records = [{"url": page(i).url, "text": page(i).content} for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
        assert run("signatures", "build", tmp_path / f"{name}.jsonl", "-o", tmp_path / name).code == 0
    ended = run("signatures", "merge", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "all")
    assert "1 pages are in more than one of the files" in ended.err
    facts = json.loads(run("signatures", "info", tmp_path / "all").out)
    assert (facts["pages"], facts["hosts"], facts["url"]) == (7, 1, {"different": 6, "on pages": 7})
    store = SignatureStore.open(tmp_path / "all", scheme())
    assert counts(MENU, "https://heron.example/new", store, LINE) == [7, 7]


def test_a_second_build_of_one_file_leaves_the_first_its_runs(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("A page.", encoding="utf-8")
    output = tmp_path / "out" / "a"
    output.parent.mkdir()
    build = ("signatures", "build", tmp_path / "page.txt", "-o", output)
    with _working_folder(output) as folder:
        (folder / "run-0").write_bytes(b"of the first")
        ended = run(*build)
        assert (ended.code, "another run is writing" in ended.err) == (2, True)
        assert (folder / "run-0").read_bytes() == b"of the first"
    folder.mkdir()
    (folder / "run-7").write_bytes(b"of a killed one")
    assert run(*build).code == 0
    assert [path.name for path in output.parent.iterdir()] == ["a"]


def test_why_a_build_failed_is_said_though_its_folder_cannot_be_removed(tmp_path: Path) -> None:
    def fail() -> None:
        with _working_folder(tmp_path / "a") as folder:
            folder.rmdir()
            raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        fail()


def test_a_link_in_place_of_the_working_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "precious").touch()
    (tmp_path / ".a.runs").symlink_to(tmp_path / "own")
    with _working_folder(tmp_path / "a") as folder:
        assert list(folder.iterdir()) == []
    assert (tmp_path / "own" / "precious").exists()


def test_build_names_what_it_cannot_read_and_does_the_rest(run: Callable[..., Any], tmp_path: Path) -> None:
    lines = '{"url": "https://a.example/", "title": "x"}\n{"text": "A page."}\n[]\n{"text": "One behind it."}\n'
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "page.txt").write_text("Another page.", encoding="utf-8")
    ended = run("signatures", "build", tmp_path / "a.jsonl", tmp_path, tmp_path / "none", "-o", tmp_path / "out")
    assert ended.code == 1
    for message in ("a.jsonl:1: no text", "a.jsonl:3: not a JSON object", "none", "no page has a 'url'"):
        assert message in ended.err
    assert json.loads(run("signatures", "info", tmp_path / "out").out)["pages"] == 3


def test_what_looks_binary_is_not_counted_and_patterns_are_read(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ab\0\0" * 500)
    (tmp_path / "b.txt").write_text("A page.", encoding="utf-8")
    ended = run("signatures", "build", tmp_path / "*.txt", "-o", tmp_path / "out")
    assert ended.code == 1
    assert f"{tmp_path / 'a.txt'}:1: looks like a binary file" in ended.err
    assert json.loads(run("signatures", "info", tmp_path / "out").out)["pages"] == 1


def test_signatures_are_not_replaced_by_those_of_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    before = MAGIC + b"what was counted before"
    (tmp_path / "out").write_bytes(before)
    ended = run("signatures", "build", tmp_path / "none.jsonl", "-o", tmp_path / "out")
    assert ended.code == 2
    assert "none.jsonl" in ended.err
    assert "no signatures were written" in ended.err
    assert (tmp_path / "out").read_bytes() == before


def test_an_output_folder_that_is_missing_is_not_called_forbidden(run: Callable[..., Any], tmp_path: Path) -> None:
    refused = run("signatures", "build", tmp_path / "a.jsonl", "-o", tmp_path / "gone" / "out")
    assert refused.code == 2
    assert f"there is no folder {tmp_path / 'gone'}: make it, or name a file in another with -o" in refused.err


def test_a_run_over_a_corpus_knows_what_other_pages_hold(
    run: Callable[..., Any], knowing_model: Model, sentence_folder: Path, tmp_path: Path
) -> None:
    save_model(knowing_model, tmp_path / "knowing")
    remember(*(page(i) for i in range(4))).save(tmp_path / "signatures")
    new, stranger = page(9), page(9, "stranger.example")
    records = [{"url": one.url, "text": one.content} for one in (new, stranger)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")

    def clean(model: Path, signatures: Path) -> Any:
        return run("run", tmp_path / "in.jsonl", "--model", model, "--signatures", signatures, "-o", tmp_path / "out",
                   "--pack", "none")  # fmt: skip

    assert clean(tmp_path / "knowing", tmp_path / "signatures").code == 0
    known, unknown = map(json.loads, (tmp_path / "out" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines())
    assert known["text"] == str(new.content).removeprefix(MENU + "\n")
    assert "all rights reserved." in unknown["text"]
    # The folder belongs to these signatures: with others the rest of a run would not fit what is written.
    remember(page(1)).save(tmp_path / "signatures")
    ended = clean(tmp_path / "knowing", tmp_path / "signatures")
    assert (ended.code, "signatures" in ended.err) == (2, True)
    (tmp_path / "none").write_bytes(b"")
    for model, signatures, said in (
        (sentence_folder, tmp_path / "signatures", "has not learnt to use signatures"),
        (tmp_path / "knowing", tmp_path / "none", "not a signature file"),
    ):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        ended = clean(model, signatures)
        assert (ended.code, said in ended.err) == (2, True)


def test_a_damaged_file_ends_in_one_line_and_status_2(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no signatures")
    ended = run("signatures", "info", tmp_path / "x")
    assert (ended.code, ended.out) == (2, "")
    assert "x: not a signature file" in ended.err


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "site-memory.md").read_text(encoding="utf-8")
    (commands,), (code,) = (re.findall(rf"```{name}\n(.*?)```", document, re.DOTALL) for name in ("sh", "python"))
    for name, numbers in (("crawl", range(4)), ("more", range(4, 8))):
        records = [json.dumps({"url": page(i).url, "text": page(i).content}) for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(records) + "\n", encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in (["bash", "-e", "-c", commands], [sys.executable, "-c", code]):
        ended = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    assert "on 8 of 8 other pages of the site" in ended.stdout
    assert ended.stdout.endswith("The ferry is back in service after nine days.\n")


def test_signatures_are_written_over_nothing_else(run: Callable[..., Any], tmp_path: Path) -> None:
    corpus = tmp_path / "a.jsonl"
    corpus.write_text('{"url": "https://a.example/", "text": "A page."}\n', encoding="utf-8")
    assert run("signatures", "build", corpus, "-o", tmp_path / "a.sig").code == 0
    for command in (("build", corpus), ("merge", tmp_path / "a.sig")):
        refused = run("signatures", *command, "-o", corpus)
        assert refused.code == 2
        assert f"{corpus}: is there already and holds no signatures" in refused.err
    assert corpus.read_text(encoding="utf-8").startswith("{")
    assert run("signatures", "build", corpus, "-o", tmp_path / "a.sig").code == 0


def test_build_reads_the_field_and_the_form_that_a_run_would(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "pages.data").write_text('{"url": "https://a.example/", "body": "A page."}\n', encoding="utf-8")
    build = ("signatures", "build", tmp_path / "pages.data", "-o", tmp_path / "sig", "--from", "jsonl")
    unnamed = run(*build)
    assert unnamed.code == 2
    assert (
        "no text in html or text or content or raw_content; it has url, body; name the field with --field"
        in unnamed.err
    )
    named = run(*build, "--field", "body", "--kind", "text")
    assert (named.code, named.err) == (0, f"{tmp_path / 'sig'}: 1 new pages\n")


@pytest.mark.parametrize("url", [5, float("nan"), ["https://a.example/"], b"https://a.example/", "a.example/1"])
def test_what_is_no_address_has_no_host(url: object) -> None:
    assert host_of(url) is None
