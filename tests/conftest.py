"""Helpers that several test files share: a model made by hand, synthetic labelled pages, and the command line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from detector.data import CONTENT, LABELS, LINK_LIST, Kind
from detector.features import DOM_BITS, TEXT_BITS, extract
from detector.model import HashedScorer, Head, Model, input_names
from detector.network import Layer, Network, Sight
from detector.segment import segment_html, segment_text
from detector.spam import SpamScorer, n_columns
from detector.storage import save_model
from training.export import RealLayer, round_network
from training.labelling import LabelledPage, label_page
from training.samples import Sample
from training.train import Trained, train

# On a busy machine any example may take longer than Hypothesis allows one by default.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

NOUNS = [
    "river",
    "mill",
    "council",
    "bridge",
    "harvest",
    "museum",
    "garden",
    "winter",
    "teacher",
    "market",
    "island",
    "letter",
    "captain",
    "harbour",
]
PLACES = ["home", "contact", "privacy", "terms", "login", "register", "subscribe", "about", "help", "cookies"]
Block = tuple[str, str]
"""A label and a text."""


def synthetic_blocks(random: np.random.Generator) -> list[Block]:
    """The blocks of a page: a menu, an article, headlines of other pages, a footer."""

    def draw(words: list[str], count: int) -> str:
        return " ".join(words[i] for i in random.integers(len(words), size=count))

    return [
        *(("boilerplate", draw(PLACES, 4).title().replace(" ", " | ")) for _ in range(3)),
        *(("content", f"The {draw(NOUNS, 14)}, and the {draw(NOUNS, 5)}.") for _ in range(5)),
        *(("link_list", f"{draw(NOUNS, 5).title()} - Daily Post") for _ in range(6)),
        ("boilerplate", "Copyright 2020. All rights reserved."),
    ]


def synthetic_sample(number: int, blocks: list[Block], kind: Kind) -> Sample:
    """Blocks as a sample, each number of another site."""
    name, site = f"{kind}{number}", f"{kind}{number}.example"
    if kind == "text":
        labels, lines = zip(*blocks, strict=True)
        return Sample(name, "synthetic", site, "text", "\n".join(lines), lines, labels)
    markup = {"content": "<p>{}</p>", "link_list": "<li><a href=/x>{}</a></li>", "boilerplate": "<div>{}</div>"}
    html = "".join(markup[label].format(text) for label, text in blocks)
    return Sample(name, "synthetic", site, "html", html, gold_text="\n".join(t for lb, t in blocks if lb == "content"))


@pytest.fixture(scope="session", autouse=True)
def _one_blas_thread() -> Iterator[None]:
    """Networks this small take 25 times as long when the threads of BLAS wait for one another on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def make_pages() -> Callable[..., list[LabelledPage]]:
    """A function (sites, kind="text", seed=0) to that many labelled pages, one a site."""

    def make(sites: int, kind: Kind = "text", seed: int = 0) -> list[LabelledPage]:
        random = np.random.default_rng(seed)
        return [label_page(synthetic_sample(i, synthetic_blocks(random), kind)) for i in range(sites)]

    return make


@pytest.fixture(scope="session")
def trained(make_pages: Callable[..., list[LabelledPage]]) -> Trained:
    """A text model that has not seen the held-out sites among 30."""
    return train(make_pages(30), "small", refit=False)


@pytest.fixture(scope="session")
def write_samples() -> Callable[[Path, int], Path]:
    """A function (folder, sites) that fills a folder with TSV samples, one a site, and returns it."""

    def write(folder: Path, sites: int) -> Path:
        random = np.random.default_rng(1)
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(sites):
            lines = [f"# url: https://site{i}.example/page", *map("\t".join, synthetic_blocks(random))]
            (folder / f"{i}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def sentence_model() -> Model:
    """A model made by hand: what ends like a sentence is content, everything else a link list."""
    random = np.random.default_rng(0)
    heads: dict[Kind, Head] = {}
    kinds: tuple[Kind, ...] = ("text", "html")
    for kind in kinds:
        names = input_names(kind)
        weights = np.zeros((len(names), len(LABELS)), np.float32)
        weights[names.index("ends_terminal"), CONTENT] = 20
        bias = np.zeros(len(LABELS), np.float32)
        bias[[CONTENT, LINK_LIST]] = -10, 5
        heads[kind] = Head(
            words=_random_scorer(TEXT_BITS, random),
            classes=_random_scorer(DOM_BITS, random) if kind == "html" else None,
            mean=np.zeros(len(names), np.float32),
            scale=np.ones(len(names), np.float32),
            networks=[Network([], Layer.round(weights, bias, 8.0))],
            threshold=0.5,
            lift=0.0,
            spam=_random_spam_scorer(len(names), random) if kind == "text" else None,
        )
    return Model("sentences", heads, {"made": "by hand"})


def _random_scorer(bits: int, random: np.random.Generator) -> HashedScorer:
    table = np.zeros((1 << bits, len(LABELS)), np.int8)
    table[random.integers(1 << bits, size=400)] = random.integers(-90, 90, size=(400, len(LABELS)))
    return HashedScorer(table, 0.03, random.normal(size=len(LABELS)).astype(np.float32))


def _random_spam_scorer(inputs: int, random: np.random.Generator) -> SpamScorer:
    columns, hidden = n_columns(inputs), 4
    return SpamScorer(
        words=random.integers(-127, 128, 1 << TEXT_BITS).astype(np.int8),
        words_scale=0.02,
        mean=np.zeros(columns, np.float32),
        scale=np.ones(columns, np.float32),
        hidden=(random.normal(size=(columns, hidden)) / columns**0.5).astype(np.float32),
        hidden_bias=random.normal(size=hidden).astype(np.float32),
        output=random.normal(size=hidden).astype(np.float32),
        bias=-0.5,
    )


@pytest.fixture(scope="session")
def make_network() -> Callable[[int], Network]:
    """A function of a number of inputs to a random network that sees segments, neighbours, pages and two groupings."""

    def make(inputs: int) -> Network:
        random = np.random.default_rng(3)
        plan = [(inputs, 6, Sight.SEGMENT, 0), (18, 6, Sight.NEIGHBOURS, 2), (6, 6, Sight.PAGE, 0)]
        plan += [(12, 6, Sight.SIDES, 3), (12, 6, Sight.SIDES, 4096), (12, 6, Sight.GROUPS, 0)]
        plan += [(18, 6, Sight.NEIGHBOURS, 5), (6, len(LABELS), Sight.SEGMENT, 0)]
        layers = [
            RealLayer(random.normal(size=(n_in, n_out)) / n_in**0.5, random.normal(size=n_out) / 4, sight, distance)
            for n_in, n_out, sight, distance in plan
        ]
        groups = random.integers(20, size=(2, 300))
        return round_network(layers, random.normal(size=(300, inputs)), groups=groups)

    return make


@pytest.fixture(scope="session")
def sentence_folder(sentence_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `sentence_model`; not to be changed."""
    folder = tmp_path_factory.mktemp("models") / "sentences"
    save_model(sentence_model, folder)
    return folder


@pytest.fixture(scope="session")
def same_model() -> Callable[[Model, Model], bool]:
    """A function of two models that tells whether they see and say the same, to the bit."""
    features = {
        "text": extract([segment_text("The mill burned down.\nHome | News\n- One\n- Two")], "text"),
        "html": extract([segment_html("<nav class=menu><a href=1>Home</a></nav><p>It burned down.</p>")], "html"),
    }

    def same(model: Model, other: Model) -> bool:
        return model.heads.keys() == other.heads.keys() and all(
            np.array_equal(head.inputs(features[kind]), other.heads[kind].inputs(features[kind]))
            and np.array_equal(head.predict_proba(features[kind]), other.heads[kind].predict_proba(features[kind]))
            and head.threshold == other.heads[kind].threshold
            for kind, head in model.heads.items()
        )

    return same


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """A function (*arguments, stdin=b"") that runs the command line in this process, as the entry point does."""
    from detector.cli import main

    # `train` would take the folder for its own, and a test would fit on all of it.
    monkeypatch.delenv("DETECTOR_CORPORA", raising=False)

    def call(*arguments: object, stdin: bytes = b"") -> Run:
        monkeypatch.delenv("DETECTOR_CORPORA", raising=False)
        monkeypatch.setattr(sys, "argv", ["detector", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Run(int(ended.value.code or 0), printed.out, printed.err)

    return call
