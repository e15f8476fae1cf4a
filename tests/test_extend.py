from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.data import BOILERPLATE, CONTENT, LABELS, LINK_LIST, Kind
from detector.errors import ModelError, SampleError
from detector.features import extract, grouping_names
from detector.model import Head, Model, input_names, stack_inputs
from detector.network import Sight
from detector.storage import load_model, save_model
from training.dataset import build_dataset
from training.evaluate import as_dicts
from training.export import RealLayer, round_network, segment_rows
from training.extend import extend
from training.labelling import LabelledPage, label_page
from training.learnt import digest_of, pages_known_to
from training.network import plan_of
from training.sufficiency import check_balance
from training.train import Trained, is_held_out

MakePages = Callable[..., list[LabelledPage]]


def fittable(head: Head, kind: Kind) -> Head:
    """The head made by hand, in the shape that can be fitted on: what its network does not need is small and random."""
    random = np.random.default_rng(4)
    hidden, width = 12, 6
    names, groups = input_names(kind), len(grouping_names(kind))

    def layer(n_in: int, n_out: int, sight: Sight = Sight.SEGMENT, distance: int = 0) -> RealLayer:
        weight = random.normal(size=(n_in, n_out)) / 10
        weight[:, 0] = 0
        return RealLayer(weight, np.zeros(n_out), sight, distance)

    first, second, output = layer(len(names), hidden), layer(hidden, width), np.zeros((width, len(LABELS)))
    first.weight[names.index("ends_terminal"), 0] = second.weight[0, 0] = 1
    output[0, CONTENT] = 20
    parts = {Sight.NEIGHBOURS: 3, Sight.SIDES: 2, Sight.GROUPS: groups}
    others = [layer(parts.get(sight, 1) * width, width, sight, distance) for sight, distance in plan_of(groups)[2:]]
    layers = [first, second, *others]
    rows = random.uniform(-1, 1, (50, len(names)))
    alike = random.integers(9, size=(groups, 50))
    network = round_network([*layers, RealLayer(output, head.networks[0].output.bias)], rows, groups=alike)
    return replace(head, networks=[network])


@pytest.fixture(scope="module")
def base(sentence_model: Model) -> Model:
    """`sentence_model` in the shape that can be fitted on."""
    heads = {kind: fittable(head, kind) for kind, head in sentence_model.heads.items()}
    return replace(sentence_model, heads=heads)


@pytest.fixture(scope="module")
def base_folder(base: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `base`."""
    folder = tmp_path_factory.mktemp("models") / "sentences"
    save_model(base, folder)
    return folder


@pytest.fixture(scope="module")
def extended(base: Model, make_pages: MakePages) -> Trained:
    """The model that keeps what ends like a sentence, taught pages whose footer does and is none."""
    return extend(base, make_pages(24), "extended")


def test_a_model_learns_what_its_new_pages_say(extended: Trained, make_pages: MakePages) -> None:
    held_out = sum(is_held_out(page.sample.site) for page in make_pages(24))
    now, before = extended.held_out[0], extended.before[0]
    assert now.pages == before.pages == held_out > 0
    assert now.unwanted_left.value < before.unwanted_left.value / 4
    assert now.macro_f1.value > 0.98 > before.macro_f1.value
    assert extended.model.info["extends"] == extended.measured.info["extends"] == "sentences"
    assert extended.model.info["pages"] == {"synthetic": 24}
    assert extended.model.info["held_out"] == as_dicts(extended.held_out)


def test_pages_that_the_base_has_learnt_from_do_not_count(extended: Trained, make_pages: MakePages) -> None:
    said: list[str] = []
    pages = make_pages(30)
    again = extend(extended.model, pages, "again", progress=said.append)
    known = pages_known_to(extended.model)
    assert len(known) == 24
    unseen = [page for page in pages if is_held_out(page.sample.site) and digest_of(page.sample) not in known]
    assert again.unseen == unseen
    assert sum(row.pages for row in again.held_out if row.split == "corpus") == len(unseen)
    assert any("they do not count" in line for line in said)
    assert pages_known_to(again.model) == known | {digest_of(page.sample) for page in pages}


def test_the_scorers_and_the_standardisation_stay(extended: Trained, base: Model) -> None:
    new, old = extended.model.heads["text"], base.heads["text"]
    assert new.words is old.words
    assert new.mean is old.mean
    assert new.scale is old.scale
    assert len(new.networks) == len(old.networks)


def test_extending_twice_gives_equal_models_to_the_bit(
    extended: Trained, base: Model, make_pages: MakePages, tmp_path: Path
) -> None:
    again = extend(base, make_pages(24), "extended", cache=tmp_path / "cache")
    for name, model in (("a", extended.model), ("b", again.model)):
        save_model(model, tmp_path / name)
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert load_model(tmp_path / "a").info["extends"] == "sentences"


def test_a_kind_without_samples_keeps_its_head(base: Model, make_pages: MakePages) -> None:
    said: list[str] = []
    model = extend(base, make_pages(12), "new", progress=said.append).model
    assert model.heads["html"] is base.heads["html"]
    assert model.heads["text"] is not base.heads["text"]
    assert any("a head stays as it was: too few html samples: 0 pages" in line for line in said)


def test_spun_lines_that_teach_nothing_are_counted(base: Model, make_pages: MakePages) -> None:
    pages = make_pages(12)
    spun = ("cheap locks and keys " * 5, "cheap locks", "keys and locks, cheap " * 5)
    sample = replace(pages[0].sample, id="spun", content="\n".join(spun), lines=spun, labels=("link_list",) * 3)
    said: list[str] = []
    extend(base, [*pages, label_page(sample)], "new", progress=said.append)
    assert "text: 2 long lines of pages without content teach nothing line by line" in said


def test_html_pages_teach_both_heads(base: Model, make_pages: MakePages) -> None:
    model = extend(base, make_pages(12, "html"), "new").model
    assert all(model.heads[kind] is not head for kind, head in base.heads.items())


def test_few_sites_are_extended_without_figures(base: Model, make_pages: MakePages) -> None:
    inside = next(page.sample.site for page in make_pages(20) if not is_held_out(page.sample.site))
    pages = [replace(page, sample=replace(page.sample, site=inside)) for page in make_pages(8)]
    said: list[str] = []
    done = extend(base, pages, "new", progress=said.append)
    assert (done.held_out, done.before) == ([], [])
    assert any("no figures: none of the 1 sites" in line for line in said)


def test_what_would_teach_nothing_is_refused(base: Model, make_pages: MakePages) -> None:
    with pytest.raises(SampleError, match=r"too few text samples: 3 pages, \d of them of sites set aside"):
        extend(base, make_pages(3), "new")
    text_only = Model("small", {"text": base.heads["text"]})
    with pytest.raises(SampleError, match="model 'small' has no head for html pages"):
        extend(text_only, make_pages(3, "html"), "new")
    content_only = [replace(page, labels=np.zeros_like(page.labels)) for page in make_pages(20)]
    with pytest.raises(SampleError, match=r"one-sided: 0 of .* are anything but content.*; add whole pages"):
        extend(base, content_only, "new")


def test_samples_with_hardly_any_content_are_refused_by_their_share(make_pages: MakePages) -> None:
    pages = [replace(page, labels=np.full_like(page.labels, LINK_LIST)) for page in make_pages(20)]
    pages[0].labels[:3] = BOILERPLATE, CONTENT, CONTENT
    with pytest.raises(
        SampleError, match="2 of 300 labelled segments are content, less than 2%; add pages with an article"
    ):
        check_balance(pages, "text")
    pages[1].labels[:4] = CONTENT
    check_balance(pages, "text")
    with pytest.raises(SampleError, match="0 of 0"):
        check_balance([], "text")


def test_networks_of_another_shape_are_refused(sentence_model: Model, make_pages: MakePages) -> None:
    with pytest.raises(SampleError, match="not of the shape that is fitted here; train one from the samples"):
        extend(sentence_model, make_pages(12), "new")


def test_rows_of_a_dataset_are_the_inputs_of_its_head(sentence_model: Model, make_pages: MakePages) -> None:
    for kind in ("text", "html"):
        pages = make_pages(4, kind)
        head = sentence_model.heads[kind]
        features = extract([page.page for page in pages], kind)
        rows = segment_rows(head, build_dataset(pages, kind))
        classes = None if head.classes is None or features.dom is None else head.classes.score(features.dom)
        assert np.allclose(rows, stack_inputs(features, head.words.score(features.text), classes), atol=1e-5)
        assert np.allclose(head.standardised(rows), head.inputs(features), atol=1e-5)


def test_the_command_extends_and_says_both_figures(
    run: Callable[..., Any], write_samples: Callable[[Path, int], Path], base_folder: Path, tmp_path: Path
) -> None:
    samples = write_samples(tmp_path / "samples", 16)
    done = run("train", samples, "-o", tmp_path / "mine", "--extend", "--model", base_folder)
    assert done.code == 0
    assert done.out.count("samples, text") >= 2
    assert "held-out sites, before:" in done.out
    assert load_model(tmp_path / "mine").info["extends"] == "sentences"
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert f"--extend --model {base_folder}" in card
    assert "It extends model `sentences`" in card
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "README.md",
        "golden.json",
        "model.json",
        "report",
        "weights.npz",
    ]
    assert "before on the same pages" not in (tmp_path / "mine" / "report" / "index.html").read_text(encoding="utf-8")


def test_evaluate_says_that_a_model_was_trained_on_the_pages(
    run: Callable[..., Any], write_samples: Callable[[Path, int], Path], base_folder: Path, tmp_path: Path
) -> None:
    samples = write_samples(tmp_path / "samples", 16)
    assert run("train", samples, "-o", tmp_path / "mine", "--extend", "--model", base_folder, "--no-report").code == 0
    told = "mine has learnt from 16 of these 16 pages"
    assert told in run("evaluate", samples, "--model", tmp_path / "mine").err
    assert "has learnt from" not in run("evaluate", samples, "--model", base_folder).err


def test_samples_without_an_address_and_leftovers_of_a_killed_run(
    run: Callable[..., Any], base_folder: Path, tmp_path: Path
) -> None:
    for number in range(14):
        lines = "".join(f"content\tSalt and the mill {number} {line}.\nboilerplate\tMenu {line}\n" for line in range(5))
        address = f"# url: https://a{number}.example/\n" if number < 4 else ""
        (tmp_path / f"{number}.tsv").write_text(address + lines, encoding="utf-8")
    (tmp_path / "mine" / ".unfinished").mkdir(parents=True)
    files = sorted(tmp_path.glob("*.tsv"))
    command = ("train", *files, "-o", tmp_path / "mine", "--extend", "--model", base_folder, "--no-report")
    done = run(*command, "--cache", tmp_path / "cache")
    assert (done.code, "10 of 14 pages have no address" in done.err) == (0, True), done.err
    assert not (tmp_path / "mine" / ".unfinished").exists()


def test_wrong_use_of_extend_is_said(run: Callable[..., Any], tmp_path: Path, base_folder: Path) -> None:
    alone = run("train", "samples", "--model", base_folder, "-o", tmp_path / "m")
    assert (alone.code, "give --extend as well" in alone.err) == (2, True)
    nothing = run("train", "--extend", "-o", tmp_path / "m")
    assert (nothing.code, "name sample files or folders" in nothing.err) == (2, True)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("entry", [5, "no base64!", ["a"]])
def test_damaged_digests_of_pages_are_named(base: Model, entry: object) -> None:
    with pytest.raises(ModelError, match="model 'sentences': the digests of its pages are damaged"):
        pages_known_to(replace(base, info={"page_digests": entry}))


def test_model_info_does_not_print_all_digests(run: Callable[..., Any], base: Model, tmp_path: Path) -> None:
    save_model(replace(base, info={"page_digests": "A" * 4000, "seed": 3}), tmp_path / "model")
    told = run("model", "info", tmp_path / "model").out
    assert "(4,000 characters)" in told
    assert len(told) < 2000
