from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector import Detector
from detector.data import BOILERPLATE, CONTENT, LABELS, LINK_LIST, Kind
from detector.errors import SampleError
from detector.features import extract
from detector.model import Model
from detector.storage import save_model
from training.compose import compose_pages, texts_labelled
from training.dataset import Dataset, build_dataset
from training.evaluate import Row, as_dicts, as_table, evaluate, word_f1
from training.fit import MIN_PAGES
from training.labelling import LabelledPage, as_text, label_page, without_spun
from training.markup import in_broken_lines, in_paragraphs, with_lists_marked_up
from training.pseudo_labels import pseudo_label
from training.samples import Sample
from training.sites import FOLDS, site_fold
from training.train import LONG_LINE, Trained, is_held_out, train

MakePages = Callable[..., list[LabelledPage]]


def page_of(name: str, *blocks: tuple[str, str], kind: str | None = None) -> LabelledPage:
    labels, lines = zip(*blocks, strict=True)
    return label_page(Sample(name, "corpus", name, "text", "\n".join(lines), lines, labels, page_type=kind))


def of_sites(pages: list[LabelledPage], sites: int) -> list[LabelledPage]:
    """The pages spread over that many sites."""
    return [replace(page, sample=replace(page.sample, site=f"s{i % sites}")) for i, page in enumerate(pages)]


def numbered(page: LabelledPage, number: int) -> LabelledPage:
    """The page with its number in each line."""
    lines = tuple(f"{line} page{number} in all" for line in page.sample.lines or ())
    return label_page(replace(page.sample, content="\n".join(lines), lines=lines))


def fitted_on(pages: list[LabelledPage], kind: Kind, monkeypatch: pytest.MonkeyPatch, *, refit: bool = True) -> Dataset:
    """What the last head of a kind is fitted on; nothing is."""
    fitted: list[Dataset] = []
    monkeypatch.setattr("training.train._fit", lambda parts, *_: [fitted.append(parts[-1].labelled[kind]) or {}])
    monkeypatch.setattr("training.train.evaluate", lambda model, pages: [])
    train(pages, "unfitted", refit=refit)
    (data,) = fitted
    return data


def row_of(rows: list[Row], group: str) -> Row:
    return next(row for row in rows if row.group == group)


# Composed pages


def test_composed_pages_are_real_articles_with_invented_lists(make_pages: MakePages) -> None:
    pages = make_pages(12)
    articles = {page.sample.site: page for page in pages}
    composed = compose_pages(pages, seed=3, share=2.0)
    assert len(composed) == 24
    assert len({page.sample.id for page in composed}) == 24
    for page in composed:
        assert page.sample.labels is not None
        assert [str(LABELS[label]) for label in page.labels] == list(page.sample.labels)
        assert page.page.segment_texts() == list(page.sample.lines or ())
        original = articles[page.sample.site]
        kept = np.array(page.page.segment_texts())[page.labels == CONTENT]
        assert kept.tolist() == np.array(original.page.segment_texts())[original.labels == CONTENT].tolist()
        assert (page.labels == LINK_LIST).sum() >= 4
    first = {label: [np.flatnonzero(page.labels == label)[0] for page in composed] for label in (CONTENT, LINK_LIST)}
    assert {a < b for a, b in zip(first[CONTENT], first[LINK_LIST], strict=True)} == {True, False}
    assert {bool((page.labels == BOILERPLATE).any()) for page in composed} == {True, False}, "with and without a frame"


def test_composed_pages_follow_the_seed(make_pages: MakePages) -> None:
    def texts(seed: int) -> list[str]:
        return [page.page.text for page in compose_pages(make_pages(8), seed, share=1.0)]

    assert texts(1) == texts(1) != texts(2)


def test_nothing_is_composed_where_there_is_nothing_to_draw_from(make_pages: MakePages) -> None:
    assert compose_pages([], 0) == []
    assert compose_pages(make_pages(3), 0, share=1.0) == [], "18 headlines are too few"
    lists = [page_of("a", *[("link_list", f"A headline of some words, number {i}") for i in range(40)])]
    assert compose_pages(lists, 0, share=1.0) == [], "no article"


def test_lists_without_a_plain_word_can_be_composed_with() -> None:
    prose = [("content", f"The mill number {i} burned down in the year after.") for i in range(5)]
    dates = [("link_list", f"2016-06-{i:02}, 10:30, no. 12-{i}") for i in range(1, 29)]
    assert len(compose_pages([page_of("a", *prose, *dates)], seed=0, share=8.0)) == 8


# Training


def test_training_learns_what_can_be_learnt(trained: Trained, make_pages: MakePages) -> None:
    row = row_of(trained.held_out, "synthetic, text")
    assert row.pages == sum(is_held_out(page.sample.site) for page in make_pages(30)) > 0
    assert row.macro_f1.value > 0.9
    assert row.content_lost.value < 0.1
    assert row.unwanted_left.value < 0.1
    assert list(trained.model.heads) == ["text"]
    assert trained.model.info["pages"] == {"synthetic": 30 - row.pages}
    assert trained.model.info["held_out"] == as_dicts(trained.held_out)
    unseen = make_pages(4, seed=9)
    right = [Detector(trained.model).classify(page.page.text, "text").label_ids == page.labels for page in unseen]
    assert np.concatenate(right).mean() > 0.9


def test_equal_seeds_give_equal_models_to_the_bit(trained: Trained, make_pages: MakePages, tmp_path: Path) -> None:
    again = train(make_pages(30), "small", refit=False)
    save_model(trained.model, tmp_path / "a")
    save_model(again.model, tmp_path / "b")
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_both_kinds_are_trained_and_a_last_fit_sees_all_sites(make_pages: MakePages) -> None:
    said: list[str] = []
    both = train(make_pages(16, "html"), "both", progress=said.append)
    assert list(both.model.heads) == ["text", "html"]
    assert {row.group for row in both.held_out} >= {"synthetic, html", "synthetic, text without markup"}
    assert all(row.word_f1 is not None and row.macro_f1.value > 0.8 for row in both.held_out)
    assert any("and on all of them" in line for line in said)


def test_a_kind_without_pages_gets_no_head_and_the_reason_is_said(make_pages: MakePages) -> None:
    said: list[str] = []
    pages = make_pages(30) + make_pages(3, "html")
    assert list(train(pages, "text", refit=False, progress=said.append).model.heads) == ["text"]
    assert any("too few html samples: 3 pages from 3 sites" in line for line in said)


def test_a_kind_that_the_split_leaves_too_small_gets_no_head(make_pages: MakePages) -> None:
    pages = make_pages(30) + make_pages(MIN_PAGES, "html")
    assert any(is_held_out(page.sample.site) for page in pages[30:])
    assert list(train(pages, "text", refit=False).model.heads) == ["text"]


@pytest.mark.parametrize("sites", [0, 3])
def test_too_few_pages_are_refused(make_pages: MakePages, sites: int) -> None:
    with pytest.raises(SampleError, match=f"too few text samples: {sites} pages from {sites} sites; at least"):
        train(make_pages(sites), "few")


def test_pages_of_too_few_sites_are_refused(make_pages: MakePages) -> None:
    with pytest.raises(SampleError, match="from 3 sites; at least 6 pages from 5 sites are needed"):
        train(of_sites(make_pages(20), 3), "few")


def test_one_sided_samples_are_refused(make_pages: MakePages) -> None:
    pages = [replace(page, labels=np.zeros_like(page.labels)) for page in make_pages(20)]
    with pytest.raises(SampleError, match="no segment labelled link_list, boilerplate; add pages that do"):
        train(pages, "one-sided")


@pytest.mark.parametrize(("count", "sites"), [(MIN_PAGES - 1, MIN_PAGES - 1), (20, 3)])
def test_a_refusal_counts_the_pages_that_were_given(make_pages: MakePages, count: int, sites: int) -> None:
    with pytest.raises(SampleError, match=f"{count} pages from {sites} sites"):
        train(of_sites(make_pages(count), sites), "few")


def test_small_sets_train_without_warnings(make_pages: MakePages) -> None:
    train(make_pages(8), "small", refit=False)


def test_no_site_is_on_both_sides(make_pages: MakePages, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = of_sites(make_pages(40), 20)
    fitted: list[set[str]] = []
    monkeypatch.setattr(
        "training.train._fit",
        lambda parts, *_: [fitted.append({s.site for s in part.labelled["text"].samples}) or {} for part in parts],
    )
    measured: set[str] = set()
    monkeypatch.setattr(
        "training.train.evaluate", lambda model, pages: measured.update(page.sample.site for page in pages) or []
    )
    train(pages, "split")
    assert measured
    assert fitted[0].isdisjoint(measured)
    assert fitted[0] | measured == fitted[1] == {page.sample.site for page in pages}


@pytest.mark.parametrize("kind", ["text", "html"])
def test_no_line_of_a_measured_page_is_in_what_is_made_of_others(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    text = of_sites([numbered(page, number) for number, page in enumerate(make_pages(40))], 20)
    data = fitted_on(text + of_sites(make_pages(40, "html"), 20), kind, monkeypatch, refit=False)
    made = "\n".join(sample.content for sample in data.samples if sample.source == "composed")
    seen = {int(number) for number in re.findall(r"page(\d+)", made)}
    assert seen
    assert not any(is_held_out(text[number].sample.site) for number in seen)


def test_unlabelled_pages_teach_and_those_of_measured_sites_do_not(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = make_pages(30) + make_pages(30, "html")
    unlabelled = [
        page.sample for page in of_sites(make_pages(24, seed=1), 12) + of_sites(make_pages(24, "html", 2), 12)
    ]
    taught: list[dict[str, set[str]]] = []
    monkeypatch.setattr(
        "training.train._fit",
        lambda parts, *_: [
            taught.append({kind: {s.site for s in data.samples} for kind, data in part.unlabelled.items()}) or {}
            for part in parts
        ],
    )
    monkeypatch.setattr("training.train.evaluate", lambda model, pages: [])
    info = train(pages, "both", unlabelled=[*unlabelled, replace(unlabelled[0], site="")]).model.info
    everyone = {f"s{number}" for number in range(12)}
    unmeasured = {site for site in everyone if not is_held_out(site)}
    assert taught == [{"text": unmeasured | {""}, "html": unmeasured}, {"text": everyone | {""}, "html": everyone}]
    assert info["unlabelled_pages"] == {"text": 25, "html": 24}


def test_the_markup_teaches_the_text_head(make_pages: MakePages) -> None:
    pages = make_pages(40, "html")
    head = train(pages, "html", refit=False).model.heads["html"]
    fresh = make_pages(6, "html", 1)
    data = build_dataset(fresh, "html")
    taught = pseudo_label(head, replace(data, labels=np.full_like(data.labels, -1)))
    assert [page.sample for page in taught] == [page.sample for page in fresh]
    for page, truth in zip(taught, fresh, strict=True):
        assert page.page.elements is None
        assert page.page.segment_texts() == truth.page.segment_texts()
        known = page.labels >= 0
        assert known.mean() > 0.5
        assert (page.labels == truth.labels)[known].mean() > 0.9
        assert np.array_equal(page.weights > 0, known)


def test_a_text_page_in_paragraphs_keeps_its_segments_and_labels(make_pages: MakePages) -> None:
    (page,) = make_pages(1, "text")
    odd = replace(
        page.sample,
        content="a < b & c\n\N{ZERO WIDTH SPACE}x\nb",
        lines=("a < b & c", "\N{ZERO WIDTH SPACE}x", "b"),
        labels=("content", "comment", "link_list"),
    )
    for labelled in (page, label_page(odd)):
        paragraphs = in_paragraphs(labelled)
        assert paragraphs.sample.kind == "html"
        assert paragraphs.sample.site == labelled.sample.site
        assert paragraphs.page.segment_texts() == labelled.page.segment_texts()
        assert np.array_equal(paragraphs.labels, labelled.labels)
        assert np.array_equal(paragraphs.weights, labelled.weights)


def test_lists_of_composed_pages_are_marked_up_and_their_articles_are_not(make_pages: MakePages) -> None:
    pages = compose_pages(make_pages(24, "text"), 0, share=1.0)
    made = with_lists_marked_up(pages, 0)
    ways = set()
    for page, html in zip(pages, made, strict=True):
        assert html.page.segment_texts() == [" ".join(text.split()) for text in page.page.segment_texts()]
        assert np.array_equal(html.labels, page.labels)
        assert html.page.elements is not None
        linked = html.page.elements.links > 0
        listed = page.labels == LINK_LIST
        assert not linked[~listed].any()
        headings = np.array([html.page.elements.tags[i] == "h3" for i in html.page.elements.innermost])
        first = listed & np.diff(listed, prepend=False)
        assert np.array_equal(headings, first) or not headings.any()
        in_lists = linked[listed & ~headings]
        assert in_lists.all() or not in_lists.any()
        ways.add((bool(in_lists.all()), bool(headings.any())))
    assert ways == {(True, True), (True, False), (False, True), (False, False)}


def test_broken_lines_are_segments_with_the_labels_of_the_lines(make_pages: MakePages) -> None:
    (page,) = make_pages(1, "text")
    broken = in_broken_lines(page)
    assert broken.sample.content.count("<br>") == len(page.labels)
    assert broken.sample.content.count("<div>") == 1, "where the lists are must not show"
    assert broken.page.segment_texts() == page.page.segment_texts()
    assert np.array_equal(broken.labels, page.labels)
    assert np.array_equal(broken.weights, page.weights)
    untaught = replace(page, weights=np.where(page.labels == CONTENT, page.weights, np.float32(0)))
    for written in (in_broken_lines, in_paragraphs):
        assert np.array_equal(written(untaught).weights, untaught.weights)


def test_what_the_parser_changes_of_a_line_leaves_its_label(make_pages: MakePages) -> None:
    (page,) = make_pages(1, "text")
    lines = ("a\0b", "\ud83d", "c")
    odd = label_page(
        replace(page.sample, content="\n".join(lines), lines=lines, labels=("content", "link_list", "content"))
    )
    assert in_paragraphs(odd).labels.tolist() == odd.labels.tolist() == [CONTENT, LINK_LIST, CONTENT]


def test_text_pages_teach_the_html_head_at_a_lower_weight(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    html, text = make_pages(24, "html"), make_pages(60, "text", 1)
    bare = replace(
        text[0].sample, id="bare", labels=("link_list",) * len(text[0].sample.lines or ()), page_type="article"
    )
    data = fitted_on([*html, *text, label_page(bare)], "html", monkeypatch)
    of_page = np.bincount(data.page_of, data.weights)
    taught = {sample.id: weight for sample, weight in zip(data.samples, of_page.tolist(), strict=True)}
    assert len(taught) == len(data) > len(html) + len(text)
    for page, share in [*((page, 1.0) for page in html), *((page, 0.3) for page in text)]:
        assert taught.pop(page.sample.id) == pytest.approx(share * page.weights.sum(), rel=1e-4)
    made = [sample for sample in data.samples if sample.id in taught]
    assert {sample.id.split("/")[0] for sample in made} == {"composed", "evading"}
    assert {sample.site for sample in made} <= {page.sample.site for page in text}
    assert any("<a href" in sample.content for sample in made)


def test_long_lines_of_pages_without_content_teach_nothing(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = make_pages(30)
    lines = ("cheap " * 20, "cheap locks", "locks " * 20)
    spun = label_page(
        replace(pages[0].sample, id="spun", content="\n".join(lines), lines=lines, labels=("link_list",) * 3)
    )
    mixed = label_page(
        replace(spun.sample, id="mixed", site="mixed.example", labels=("content", "link_list", "link_list"))
    )
    data = fitted_on([*pages, spun, mixed], "text", monkeypatch)
    rows = {sample.id: data.page_of == place for place, sample in enumerate(data.samples)}
    assert data.weights[rows["spun"]].tolist() == [0, spun.weights[1], 0]
    assert data.labels[rows["spun"]].tolist() == [LINK_LIST] * 3, "the scorer of whole pages is to know them"
    assert data.weights[rows["mixed"]].tolist() == mixed.weights.tolist()


def test_composed_pages_borrow_nothing_that_teaches_nothing(make_pages: MakePages) -> None:
    pages = make_pages(24, "text")
    (spun,) = make_pages(1, "text", 7)
    lines = tuple(f"spun headline {number} " + "about cheap locks and keys " * 3 for number in range(400))
    sample = replace(spun.sample, content="\n".join(lines), lines=lines, labels=("link_list",) * len(lines))
    for page, expected in ((label_page(sample), True), (without_spun(label_page(sample)), False)):
        made = compose_pages([*pages, page], 0, share=2.0)
        assert any("cheap locks" in text for one in made for text in texts_labelled(one, LINK_LIST)) == expected


def test_pages_labelled_by_line_are_neither_html_nor_composed(make_pages: MakePages) -> None:
    lines = make_pages(12, "text")
    (page,) = make_pages(1, "html")
    pages = [lines[0], as_text(page), *compose_pages(lines, 0)[:1]]
    assert build_dataset(pages, "text").labelled_by_line.tolist() == [True, False, False]


def test_digests_tell_contents_and_not_copies(make_pages: MakePages) -> None:
    data = build_dataset(make_pages(6, "html"), "html")
    assert pickle.loads(pickle.dumps(data)).digest() == data.digest()
    others = [
        replace(data, labels=1 - data.labels),
        replace(data, samples=[replace(sample, page_type="article") for sample in data.samples]),
        replace(data, samples=[replace(sample, kind="text") for sample in data.samples]),
        replace(data, words=data.words * 2),
        replace(data, classes=None),
        data.select(np.arange(6) > 0),
    ]
    assert len({other.digest() for other in [data, *others]}) == 7


def test_joined_datasets_are_those_of_the_pages_together(make_pages: MakePages) -> None:
    first, second = make_pages(6, "html"), make_pages(5, "html", 1)
    joined, whole = (
        build_dataset(first, "html").joined(build_dataset(second, "html")),
        build_dataset(first + second, "html"),
    )
    assert joined.samples == whole.samples
    for name in ("offsets", "X", "labels", "weights", "chars"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name)), name
    assert (joined.words != whole.words).nnz == (joined.classes != whole.classes).nnz == 0


def test_an_unlabelled_page_that_repeats_a_labelled_one_is_left_out(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = make_pages(30)
    assert any(len(line) >= LONG_LINE for line in pages[0].page.segment_texts())
    trained = train(pages, "text", unlabelled=[pages[0].sample], refit=False)
    assert trained.model.info["unlabelled_pages"] == {"text": 0}


def test_folds_depend_on_nothing_but_the_site() -> None:
    sites = [f"site{i}.example" for i in range(400)]
    folds = [site_fold(site, FOLDS) for site in sites]
    assert folds == [site_fold(site, FOLDS) for site in sites]
    assert set(folds) == set(range(FOLDS))
    assert 0.15 < np.mean([is_held_out(site) for site in sites]) < 0.35


def test_datasets_hold_the_rows_of_their_pages(make_pages: MakePages, tmp_path: Path) -> None:
    pages = make_pages(40, "html")
    empty = label_page(Sample("empty", "synthetic", "a", "html", "<p>", (), ()))
    data = build_dataset([*pages[:5], empty, *pages[5:]], "html")
    assert len(data) == 40
    chosen = np.arange(40) % 3 == 1
    part = data.select(chosen)
    assert [sample.id for sample in part.samples] == [pages[i].sample.id for i in range(1, 40, 3)]
    rows = slice(*part.offsets[1:3].tolist())
    assert np.array_equal(part.X[rows], extract([pages[4].page], "html").X)
    assert np.array_equal(part.labels[rows], pages[4].labels)
    assert part.words.shape[0] == part.classes.shape[0] == len(part.labels) == part.offsets[-1]
    for _ in range(2):
        cached = build_dataset(pages, "html", tmp_path)
        assert np.array_equal(cached.X, data.X)
        assert (cached.words != data.words).nnz == 0


# Evaluation, of a model whose mistakes are known: it keeps what ends like a sentence


def test_figures_of_a_page_counted_by_hand(sentence_model: Model) -> None:
    blocks = (
        ("content", "Ten chars."),
        ("content", "No stop at end here."[:-1]),
        ("boilerplate", "An ad, sir"),
        ("link_list", "A full one."),
        ("comment", "Not counted at all."),
    )
    row = row_of(evaluate(sentence_model, [page_of("a", *blocks)]), "corpus, text")
    # One kept rightly, one lost, one left, one removed rightly: F1 is 2 / (2 + 1 + 1) both ways.
    assert row.macro_f1.value == 0.5
    assert row.content_lost.value == pytest.approx(19 / 29)
    assert row.unwanted_left.value == pytest.approx(11 / 21)
    assert (row.pages, row.word_f1) == (1, None)


def test_pages_without_content_do_not_count_as_left(sentence_model: Model) -> None:
    spam = page_of("spam", ("link_list", "Buy now."), ("link_list", "Buy more."))
    good = page_of("good", ("content", "One."), ("boilerplate", "Menu"), kind="article")
    rows = evaluate(sentence_model, [spam, good])
    row = row_of(rows, "corpus, text")
    assert (row.pages, row.unwanted_left.value, row.content_lost.value) == (2, 0, 0)
    # Kept rightly 1, left 2, removed rightly 1: the mean of 2/4 and 2/4.
    assert row.macro_f1.value == 0.5
    assert row_of(rows, "corpus, text, pages with content").macro_f1.value == 1
    assert row_of(rows, "corpus, text, article").pages == 1


def test_error_bars_are_the_spread_over_pages(sentence_model: Model) -> None:
    right = page_of("right", ("content", "One."), ("boilerplate", "Menu"))
    wrong = page_of("wrong", ("content", "One"), ("boilerplate", "Menu."))
    one = row_of(evaluate(sentence_model, [right]), "corpus, text").macro_f1
    alike = row_of(evaluate(sentence_model, [right] * 5), "corpus, text").macro_f1
    assert (one.value, one.low, one.high) == (alike.value, alike.low, alike.high) == (1, 1, 1)
    mixed = row_of(evaluate(sentence_model, [right, wrong]), "corpus, text")
    # Of two pages a quarter of the draws is twice the one, a quarter twice the other.
    assert (mixed.macro_f1.value, mixed.macro_f1.low, mixed.macro_f1.high) == (0.5, 0, 1)
    many = row_of(evaluate(sentence_model, [right, wrong] * 50), "corpus, text").macro_f1
    assert 0.35 < many.low < many.value == 0.5 < many.high < 0.65
    assert row_of(evaluate(sentence_model, [right, wrong]), "corpus, text") == mixed


def test_html_is_measured_with_and_without_markup(sentence_model: Model, make_pages: MakePages) -> None:
    pages = make_pages(3, "html")
    rows = evaluate(sentence_model, pages)
    assert {row.group for row in rows} == {"synthetic, html", "synthetic, text without markup"}
    assert [row.group for row in evaluate(sentence_model, pages, html_as_text=False)] == ["synthetic, html"]
    # The footer ends like a sentence: the only mistake, and six words too many beside the 110 of each article.
    for row in rows:
        assert row.content_lost.value == 0
        assert row.word_f1 is not None
        assert 0.9 < row.word_f1.value < 1
    text_only = Model("text", {"text": sentence_model.heads["text"]})
    assert [row.group for row in evaluate(text_only, pages)] == ["synthetic, text without markup"]
    assert evaluate(text_only, []) == []


def test_words_are_compared_as_multisets() -> None:
    assert word_f1("a a b", "a b b") == pytest.approx(2 / 3)
    assert (word_f1("", ""), word_f1("a", ""), word_f1("A, b!", "b a")) == (1, 0, 1)


def test_the_tables_have_a_line_a_row_that_has_figures(sentence_model: Model, make_pages: MakePages) -> None:
    rows = evaluate(sentence_model, make_pages(2) + make_pages(2, "html"))
    table = as_table(rows)
    for row in rows:
        # Segments of every row; words only where there is a gold text.
        assert table.count(f"\n{row.group}  ") == (1 if row.word_f1 is None else 2), row.group
        assert f"{row.macro_f1}" in table
