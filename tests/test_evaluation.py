"""Figures counted by hand, comparisons, floors, peers, and `detector evaluate`; the model keeps what ends in a stop."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.data import BOILERPLATE, CONTENT, LABELS, LINK_LIST
from detector.errors import SampleError, UsageError
from detector.limits import MAX_SEGMENTS
from detector.model import Model
from detector.network import Network
from detector.storage import save_model
from training.evaluation.bootstrap import difference, score
from training.evaluation.compare import compare, in_words
from training.evaluation.contenders import ModelContender, Output, PeerContender
from training.evaluation.counts import COLUMNS, genuine_lists
from training.evaluation.figures import FIGURES
from training.evaluation.floors import check_floors, overall_row, parse_floor
from training.evaluation.reading import read_pages
from training.evaluation.report import as_table
from training.evaluation.rows import ALL_PAGES, Row, measure, rows_of
from training.evaluation.texts import shingle_scores, shingles, snippets_found
from training.evaluation.views import View
from training.labelling import LabelledPage, label_page
from training.peers import c4_line_rules
from training.samples import Sample, parse_record, read_samples
from training.train import Trained, is_held_out

SAMPLE = Path(__file__).parents[1] / "samples" / "en_news_reservoir.html"
MakePages = Callable[..., list[LabelledPage]]
FIGURE = {figure.name: figure for figure in FIGURES}


def text_page(name: str, *blocks: tuple[str, str], source: str = "corpus", lang: str | None = None) -> LabelledPage:
    labels, lines = zip(*blocks, strict=True)
    return label_page(Sample(name, source, name, "text", "\n".join(lines), lines, labels, lang=lang))


def columns(pages: Sequence[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([page.get(name, 0.0) for page in pages]) for name in COLUMNS}


def figure_of(name: str, *pages: dict[str, float]) -> float | None:
    counted, figure = columns(pages), FIGURE[name]
    found = score(figure.compute, counted, figure.pages(counted))
    return None if found is None else found.value


@pytest.fixture(scope="module")
def reversed_model(sentence_model: Model) -> Model:
    """Keeps what the model by hand removes, and the other way round."""
    heads = {}
    for kind, head in sentence_model.heads.items():
        layer = head.networks[0].output
        bias = layer.bias.copy()
        bias[CONTENT] *= -1
        heads[kind] = replace(head, networks=[Network([], replace(layer, weight=-layer.weight, bias=bias))])
    return Model("reversed", heads, {})


# Figures


def test_shingle_f1_is_of_mean_precision_and_mean_recall() -> None:
    gold, kept = shingles("a b c d e f"), shingles("b c d e x")
    assert shingle_scores(kept, gold) == (1 / 2, 1 / 3)
    assert shingle_scores(shingles(""), gold) == (None, 0)
    assert shingle_scores(kept, shingles("")) == (0, None)
    assert shingles("A b") == {("A", "b"): 1}
    assert set(shingles("東京都庁舎")) == {tuple("東京都庁"), tuple("京都庁舎")}
    page = {"precision_pages": 1, "shingle_precision": 1 / 2, "recall_pages": 1, "shingle_recall": 1 / 3}
    nothing_kept = {"recall_pages": 1.0}
    assert figure_of("shingle_f1", page, nothing_kept) == pytest.approx(2 * (1 / 2) * (1 / 6) / (1 / 2 + 1 / 6))
    assert figure_of("shingle_f1", nothing_kept) == 0
    assert figure_of("shingle_f1", {}) is None


def test_snippets_are_looked_for_whatever_the_white_space() -> None:
    assert snippets_found("The mill\n burned  down.", ["mill burned", "down. ", "Mill"]) == 2
    page = {"must_stay": 4, "stayed": 3, "must_go": 6, "gone": 6}
    assert figure_of("snippets", page) == 0.9
    assert figure_of("snippets_stayed", page) == 0.75


def test_genuine_lists_are_runs_of_short_content() -> None:
    content, other = [CONTENT] * 4, [LINK_LIST, BOILERPLATE, -1]
    labels = np.array([*content, *other, *content[:3], LINK_LIST, *content, CONTENT], np.int8)
    chars = np.full(len(labels), 80)
    chars[-1] = 81
    expected = [*[True] * 4, *[False] * 7, *[True] * 4, False]
    assert genuine_lists(labels, chars).tolist() == expected
    assert genuine_lists(labels[:0], chars[:0]).tolist() == []
    assert genuine_lists(labels[:4], chars[:4]).all()


def test_spam_figures_agree_with_counting_pairs() -> None:
    random = np.random.default_rng(0)
    good, spam = random.integers(0, 50, 300) / 100, random.integers(20, 80, 40) / 100
    pages = [{"good_pages": 1.0, "spam_probability": p} for p in good]
    pages += [{"spam_pages": 1.0, "spam_probability": p} for p in spam]
    beaten = (spam[:, None] > good).mean() + (spam[:, None] == good).mean() / 2
    assert figure_of("spam_auc", *pages) == pytest.approx(beaten)
    found = np.mean([(good >= p).sum() <= 3 for p in spam])
    assert 0 < found < 1
    assert figure_of("spam_found", *pages) == pytest.approx(found)
    assert figure_of("spam_auc", *pages[:300]) is None
    assert figure_of("spam_found", *pages[300:]) is None


def test_a_class_that_is_nowhere_does_not_halve_macro_f1() -> None:
    assert figure_of("macro_f1", {"kept_right": 5}) == 1
    assert figure_of("macro_f1", {"kept_right": 5, "removed_right": 2}) == 1
    assert figure_of("macro_f1", {"kept_right": 5, "lost": 5}) == pytest.approx((2 / 3 + 0) / 2)
    assert figure_of("macro_f1", {}) is None


# Groups


def test_groups_say_what_no_other_group_says(sentence_model: Model, make_pages: MakePages) -> None:
    blocks = ("content", "One."), ("link_list", "Menu")
    pages = [text_page(f"{i}", *blocks, lang="de" if i < 5 else "fr") for i in range(9)]
    groups = {(row.split, row.group): row.pages for row in rows_of(measure([ModelContender(sentence_model)], pages))}
    # Four pages in French are too few for a row; one corpus is all pages.
    assert groups == {
        ("corpus", "corpus, text"): 9,
        ("content", "corpus, text, pages with content"): 9,
        ("language", "corpus, text, de"): 5,
    }
    both = rows_of(measure([ModelContender(sentence_model)], pages + make_pages(2, "html")))
    assert (both[0].group, both[0].pages) == (ALL_PAGES, 11)


def test_link_lists_and_spam_probability_are_measured(sentence_model: Model) -> None:
    class Judge:
        name = "judge"

        def outputs(self, views: Sequence[View]) -> list[Output | None]:
            return [
                Output("", view.page.labels == CONTENT, float((view.page.labels == LINK_LIST).mean())) for view in views
            ]

    spam = text_page("spam", ("link_list", "Buy now."), ("link_list", "Buy more."))
    good = text_page("good", *[("content", f"Salt {i}") for i in range(4)], ("link_list", "Menu"))
    notice = text_page("notice", ("boilerplate", "Please log in."))
    ours, judge = rows_of(measure([ModelContender(sentence_model), Judge()], [spam, good, notice]))[:2]
    assert ours.link_lists_removed is not None
    assert ours.link_lists_removed.value == pytest.approx(4 / (8 + 9 + 4))
    assert ours.genuine_lists_kept is not None
    assert ours.genuine_lists_kept.value == 0
    assert judge.spam_found is not None
    assert (judge.spam_found.value, judge.spam_auc and judge.spam_auc.value) == (1, 1)


# Comparison


def test_differences_are_paired(sentence_model: Model, reversed_model: Model) -> None:
    pages = [text_page(f"{i}", ("content", "One."), ("boilerplate", "Menu")) for i in range(8)]
    groups = measure([ModelContender(sentence_model), ModelContender(reversed_model)], pages)
    found = compare(groups, "sentences", "reversed")
    change = next(item for item in found if item.figure.name == "macro_f1")
    assert (change.verdict, change.change.value, change.change.low, change.change.high) == (1, 1, 1, 1)
    lost = next(item for item in found if item.figure.name == "content_lost")
    assert (lost.verdict, lost.change.value) == (1, -1), "less lost is better"
    text = in_words(found, "corpus, text", "NEW", "OLD").split("\n")
    assert text[0] == "NEW is better than OLD on corpus, text: macro F1 +1.000 [+1.000, +1.000]"
    assert "  better on corpus, text: content lost -1.000 [-1.000, -1.000]" in text
    back = in_words(compare(groups, "reversed", "sentences"), "corpus, text", "NEW", "OLD")
    assert back.startswith("NEW is worse than OLD on corpus, text")


def test_few_pages_cannot_tell_models_apart(sentence_model: Model, reversed_model: Model) -> None:
    pages = [text_page(f"{i}", ("content", "One."), ("boilerplate", "Menu")) for i in range(5)]
    found = compare(
        measure([ModelContender(sentence_model), ModelContender(reversed_model)], pages), "sentences", "reversed"
    )
    assert {item.verdict for item in found} == {0}
    assert "cannot be told from" in in_words(found, "corpus, text", "NEW", "OLD")
    assert "(of 5 pages: too few to tell)" in in_words(found, "corpus, text", "NEW", "OLD")


def test_nothing_is_said_of_all_pages_if_one_model_reads_a_part_of_them(
    sentence_model: Model, make_pages: MakePages
) -> None:
    pages = [text_page(f"{i}", ("content", "One."), ("boilerplate", "Menu")) for i in range(8)]
    text_alone = Model("text alone", {"text": sentence_model.heads["text"]})
    groups = measure([ModelContender(sentence_model), ModelContender(text_alone)], pages + make_pages(2, "html"))
    assert {item.group for item in compare(groups, "sentences", "text alone")} >= {"corpus, text"}
    assert ALL_PAGES not in {item.group for item in compare(groups, "sentences", "text alone")}


def test_of_a_page_over_a_limit_all_is_lost_and_it_is_named(
    sentence_model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    long = text_page("long", *[("content", "One.")] * (MAX_SEGMENTS + 1))
    (row, _) = rows_of(measure([ModelContender(sentence_model)], [long]))
    assert row.content_lost is not None
    assert row.content_lost.value == 1
    assert "long: too many segments" in caplog.text


def test_a_figure_says_of_how_many_pages_it_is(sentence_model: Model, make_pages: MakePages) -> None:
    pages = [text_page(f"{i}", ("content", "One."), ("boilerplate", "Menu"), source="corpus") for i in range(3)]
    row = rows_of(measure([ModelContender(sentence_model)], pages + make_pages(2, "html")))[0]
    assert row.macro_f1 is not None
    assert row.word_f1 is not None
    assert (row.pages, row.macro_f1.pages, row.word_f1.pages) == (5, 5, 2)
    assert f"{row.word_f1} of 2" in as_table([row])


def test_noise_is_no_difference_and_paired_intervals_are_narrower() -> None:
    random = np.random.default_rng(1)
    hard = random.random(60)
    new, old = (
        columns([{"gold_pages": 1, "word_f1": float(x)} for x in hard + noise])
        for noise in (random.normal(0, 0.01, 60), random.normal(0, 0.01, 60))
    )
    paired = difference(FIGURE["word_f1"].compute, new, old, 60)
    alone = score(FIGURE["word_f1"].compute, new, 60)
    assert paired is not None
    assert alone is not None
    assert paired.low < 0 < paired.high
    assert paired.high - paired.low < (alone.high - alone.low) / 5


# Floors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("macro_f1", "write FIGURE=VALUE"),
        ("f1=0.9", "no figure 'f1'; there are macro_f1, content_lost"),
        ("macro_f1=90", "'90' is no number from 0 to 1"),
        ("macro_f1=nan", "'nan' is no number"),
        ("macro_f1=high", "'high' is no number"),
    ],
)
def test_a_floor_that_cannot_be_read_is_wrong_use(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_floor(text)
    assert message in str(caught.value)


def test_floors_are_of_the_samples_unless_a_group_is_named(sentence_model: Model) -> None:
    good = [text_page(f"g{i}", ("content", "One."), ("boilerplate", "Menu"), source="samples") for i in range(3)]
    bad = [text_page(f"b{i}", ("content", "One"), ("boilerplate", "Menu.")) for i in range(3)]
    rows = rows_of(measure([ModelContender(sentence_model)], good + bad))
    floors = [
        parse_floor(text)
        for text in ("macro_f1=1", "content_lost=0", "corpus, text:macro_f1=0.1", "all pages:macro_f1=.5")
    ]
    verdicts, unmeasured = check_floors(floors, rows)
    assert unmeasured == []
    assert [(verdict.group, verdict.is_met) for verdict in verdicts] == [
        ("samples, text", True),
        ("samples, text", True),
        ("corpus, text", False),
        ("all pages", True),
    ]
    assert "floor missed: corpus, text: macro_f1 is 0.000 [0.000, 0.000], wanted at least 0.1" in str(verdicts[2])
    unmeasured = check_floors([parse_floor("gone:macro_f1=0.5"), parse_floor("word_f1=0.5")], rows)[1]
    assert "no pages 'gone' were measured; there are: all pages; corpus, text; samples, text" in unmeasured[0]
    assert "'samples, text' has no word_f1" in unmeasured[1]
    assert overall_row([row for row in rows if row.group != "samples, text"]) == rows[0]


def test_a_floor_for_pages_that_were_not_measured_costs_no_figures(
    run: Callable[..., Any], sentence_folder: Path, tmp_path: Path
) -> None:
    ended = run(
        "evaluate", SAMPLE, "--model", sentence_folder, "--json", tmp_path / "all.json", "--floor", "smaples:macro_f1=0"
    )
    assert ended.code == 2
    assert "no pages 'smaples' were measured" in ended.err
    assert "macro F1" in ended.out
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]


# Peers


def test_c4_rules_keep_sentences() -> None:
    lines = [
        "Five words are in it.",
        "Only four are in.",
        "Five words are in it",
        'He said: "this will do"',
        "You need JavaScript for this page.",
    ]
    assert c4_line_rules(lines) == [True, False, False, True, False]


def test_a_peer_that_raises_counts_as_empty_and_is_named(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    pages = make_pages(3, "html")

    def peer(html: str, lang: str | None) -> str:
        if html == pages[1].sample.content:
            raise RuntimeError("lost its way")
        return "\n".join(pages[0].page.segment_texts() + pages[2].page.segment_texts())

    contender = PeerContender("peer", html=peer)
    (row,) = rows_of(measure([contender], pages))
    assert contender.failures == [f"{pages[1].sample.id}: RuntimeError('lost its way')"]
    assert "peer failed on html1" in caplog.text
    # It keeps two pages whole and loses the third.
    assert row.content_lost is not None
    assert row.content_lost.value == pytest.approx(1 / 3, abs=0.05)
    assert row.unwanted_left is not None
    assert row.unwanted_left.value == pytest.approx(2 / 3, abs=0.05)


def test_the_installed_peers_read_pages() -> None:
    for library in ("justext", "readability", "resiliparse", "trafilatura"):
        pytest.importorskip(library)
    from training.evaluation.contenders import peer_contenders

    rows = rows_of(measure(peer_contenders(), [label_page(sample) for sample in read_samples([SAMPLE])]))
    by_mode = {
        mode: {row.contender for row in rows if row.group == f"samples, {mode}"}
        for mode in ("html", "text without markup")
    }
    assert by_mode["html"] == {"jusText", "readability-lxml", "resiliparse", "trafilatura"}
    assert by_mode["text without markup"] == {"C4 line rules", "jusText"}
    assert all(row.word_f1 is not None and row.word_f1.value > 0.5 for row in rows)


# Reading


def test_snippets_are_read_and_must_be_strings() -> None:
    record = {"id": "a", "html": "<p>The mill burned.</p><a href=/>Home</a>", "with": ["mill"], "without": ["Home"]}
    page = label_page(parse_record(record, "f:1", "snippets"))
    assert (page.sample.must_stay, page.sample.must_go) == (("mill",), ("Home",))
    assert (page.labels == -1).all()
    assert not page.weights.any()
    with pytest.raises(SampleError, match="f:1: 'with' is a list of strings"):
        parse_record({**record, "with": [""]}, "f:1", "snippets")


def write_corpus(folder: Path, name: str, records: list[dict[str, object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with lzma.open(folder / f"{name}.jsonl.xz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    lines = [{"id": f"{i}", "lang": "sv", "lines": [f"Ett {i}.", "Meny"], "labels": [1, 0]} for i in range(6)]
    write_corpus(tmp_path / "corpora" / "text", "turku_dev", lines)
    html = "<p>The mill burned down, and the bridge.</p><a href=/>Home</a>"
    gold = {"id": "a", "html": html, "gold_text": "The mill burned down, and the bridge."}
    write_corpus(
        tmp_path / "corpora" / "html", "classic_eval", [gold, {**gold, "id": "b", "gold_text": "Of another page."}]
    )
    return tmp_path / "corpora"


def test_corpora_that_are_there_are_read(corpora: Path, tmp_path: Path) -> None:
    pages = read_pages([], corpora, trainable=False)
    assert [page.sample.source for page in pages.measure] == ["turku_dev"] * 6 + ["classic_eval"]
    assert (pages.train, pages.left_out) == ([], {"classic_eval": 1})
    assert pages.absent == ["multilingual_eval", "trafilatura_snippets"]
    assert set(pages.digests) == {"turku_dev", "classic_eval"}
    with pytest.raises(SampleError, match=r"none of the corpora is here \(looked for turku_dev, "):
        read_pages([], tmp_path / "nowhere", trainable=False)


# The command


def test_evaluate_writes_everything_and_holds_the_floors(
    run: Callable[..., object], corpora: Path, sentence_folder: Path, reversed_model: Model, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    save_model(reversed_model, tmp_path / "reversed")
    report, chart = tmp_path / "report.json", tmp_path / "chart.png"
    common = ("evaluate", "--corpora", corpora, "--model", sentence_folder)
    result = run(
        *common, "--against", tmp_path / "reversed", "--json", report, "--chart", chart,
        "--floor", "macro_f1=0.9", "--floor", "turku_dev, text:content_lost=0.1",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "sentences is better than reversed on all pages: macro F1 +1.000" in result.out
    assert "no corpus 'multilingual_eval'" in result.err
    assert "floor met: all pages: macro_f1 is 1.000" in result.err
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [model["name"] for model in found["models"]] == ["sentences", "reversed"]
    assert len(found["models"][0]["manifest_sha256"]) == 64
    assert found["corpora"]["classic_eval"]["left_out"] == 1
    assert [floor["met"] for floor in found["floors"]] == [True, True]
    assert {row["contender"] for row in found["rows"]} == {"sentences", "reversed"}
    assert chart.read_bytes().startswith(b"\x89PNG")

    missed = run(*common, "--json", "-", "--floor", "classic_eval, html:unwanted_left=0", "--floor", "macro_f1=1")
    assert (missed.code, json.loads(missed.out)["floors"][0]["met"]) == (0, True)
    missed = run("evaluate", "--corpora", corpora, "--model", tmp_path / "reversed", "--floor", "macro_f1=0.9")
    assert missed.code == 1
    assert "floor missed: all pages: macro_f1 is 0.000" in missed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--floor", "f1=0.9"], "no figure 'f1'; there are macro_f1"),
        (["--chart", "chart.svg"], "charts are PNG; name it chart.png"),
        (["--json", "gone/report.json"], "there is no folder gone: make it, or name another"),
        (["--json", "."], "a folder, not a file"),
        (["--fresh", "--model", "x"], "--model names a model to read, --fresh trains one; give one of the two"),
    ],
)
def test_wrong_use_of_evaluate_says_what_to_do(
    run: Callable[..., object],
    corpora: Path,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("evaluate", "--corpora", corpora, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_fresh_model_is_measured_on_sites_it_has_not_seen(
    run: Callable[..., object],
    write_samples: Callable[[Path, int], Path],
    sentence_model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[LabelledPage] = []

    def fake_train(pages: list[LabelledPage], *arguments: object, **options: object) -> Trained:
        seen.extend(pages)
        return Trained(sentence_model, [], sentence_model, [])

    monkeypatch.setattr("training.train.train", fake_train)
    result = run("evaluate", write_samples(tmp_path / "samples", 24), "--fresh", "--json", "-")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (len(seen), report["models"][0]["folder"]) == (24, None)
    assert report["rows"][0]["pages"] == sum(is_held_out(page.sample.site) for page in seen) > 0


def test_a_model_is_not_compared_with_itself(run: Callable[..., object], corpora: Path, sentence_folder: Path) -> None:
    result = run("evaluate", "--corpora", corpora, "--model", sentence_folder, "--against", sentence_folder)
    assert result.code == 2
    assert "a model cannot be compared with itself; name another folder" in result.err


def test_figures_are_the_attributes_of_rows() -> None:
    row = Row("a", 1, "us", "corpus")
    assert all(row.figure(name) is None for name in FIGURE)
    assert set(FIGURE) == set(Row.__slots__) - {"group", "pages", "contender", "split"}
    assert len(LABELS) == 3
