"""The whole of training: split by site, fit, measure on the held-out sites, fit again on everything."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

import detector
import training
from detector.data import CONTENT, Kind
from detector.errors import SampleError
from detector.features import SCHEMA
from detector.model import Head, Model
from detector.segment import segment_html, segment_text
from training.compose import compose_pages
from training.dataset import Dataset, build_dataset
from training.evaluate import Row, as_dicts, evaluate
from training.evasion import dress_pages, evade_pages
from training.fit import Progress, check_trainable, fit_head
from training.labelling import UNKNOWN, LabelledPage, as_text, without_spun
from training.learnt import packed_digests
from training.markup import in_broken_lines, in_paragraphs, with_lists_marked_up
from training.pseudo_labels import pseudo_label
from training.resume import code_digest, remember
from training.samples import Sample
from training.sites import site_fold
from training.sufficiency import check_balance
from training.wrapping import wrap_pages

HELD_OUT_PARTS = 4
"""One part in four of the sites is held out to measure on."""

_SPLIT_SALT = "held out:"
"""Keeps the held-out split independent of the folds inside `fit_head`."""

OTHER_KIND_WEIGHT = 0.3
"""Weight of pages of the other kind beside 1 for a head's own: HTML pages read as text are many, and their labels are
derived; text pages written as paragraphs have none of what markup says."""

COMPOSED_AS_HTML = 0.15
"""Composed HTML pages by text pages. Without any, text pages as paragraphs teach that every paragraph is content, an
auto-blog's list of its posts among them."""

LONG_LINE = 80
"""Characters of a line from which it does not stand in two pages by chance."""

MOST_UNLABELLED_CHARS = 30_000
"""Characters of an unlabelled text page that are read."""

LEARNT_IN_ORDER: tuple[Kind, ...] = ("html", "text")
"""HTML heads are fitted first: what they say of unlabelled pages is learnt by the text heads."""

FITTING_CODE = (detector, training)
"""What a fitted head depends on besides its data; a change of any of it fits heads anew."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and its figures on sites it had not seen when they were measured.

    Attributes:
        model: Fitted on all sites, unless that was not wanted.
        held_out: Figures of `measured` on the held-out sites.
        measured: The model that has not seen the held-out sites.
        unseen: The pages behind the figures.
        before: Figures on the same sites of the model that this one extends; empty if it extends none.
    """

    model: Model
    held_out: list[Row]
    measured: Model
    unseen: list[LabelledPage]
    before: list[Row] = field(default_factory=list)


def is_held_out(site: str) -> bool:
    """Whether a site is among those held out."""
    return site_fold(_SPLIT_SALT + site, HELD_OUT_PARTS) == 0


def train(
    pages: Sequence[LabelledPage],
    name: str,
    *,
    unlabelled: Sequence[Sample] = (),
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = lambda message: None,
    refit: bool = True,
) -> Trained:
    """Train a model on labelled pages.

    Text heads learn from text pages and from HTML pages without their markup; HTML heads learn from HTML pages and from
    text pages written as paragraphs. A kind with too few pages gets no head.

    Args:
        pages: Labelled pages of either kind.
        name: The model's name.
        unlabelled: Further pages, of which the students learn what their teachers say.
        seed: Of everything random.
        cache: Folder for features and fitted heads, so that an interrupted run goes on where it stopped; or None.
        progress: Called with a line of text before each step.
        refit: Fit again on all pages after measuring; False returns the model that has not seen the held-out sites.

    Raises:
        SampleError: Nothing can be learnt from the pages; the message says what is missing.
    """
    datasets = _datasets(pages, seed, cache, progress)
    labelled = {line for page in pages for line in page.page.segment_texts() if len(line) >= LONG_LINE}
    others = {kind: _unlabelled(unlabelled, labelled, kind, cache) for kind in datasets}
    seen = _Material(
        {kind: data.select(_unmeasured(data)) for kind, data in datasets.items()},
        {kind: data.select(_unmeasured(data)) for kind, data in others.items()},
    )
    progress(f"fitting on three quarters of the sites{', and on all of them' if refit else ''}")
    fitted = _fit([seen, _Material(datasets, others)] if refit else [seen], seed, progress, cache)
    unseen = [page for page in pages if is_held_out(page.sample.site)]
    learnt = pages if refit else [page for page in pages if not is_held_out(page.sample.site)]
    info = {**describe(learnt, seed), "unlabelled_pages": {kind: len(data) for kind, data in others.items()}}
    measured = Model(name, fitted[0], info)
    progress("measuring on the other quarter")
    rows = evaluate(measured, unseen)
    info["held_out"] = as_dicts(rows)
    return Trained(Model(name, fitted[-1], info), rows, measured, unseen)


@dataclass(frozen=True, slots=True)
class _Material:
    """What heads are fitted on.

    Attributes:
        labelled: By kind.
        unlabelled: Of the same kinds.
    """

    labelled: dict[Kind, Dataset]
    unlabelled: dict[Kind, Dataset]


def _unmeasured(data: Dataset) -> NDArray[np.bool_]:
    """The pages that are of no held-out site; (n_pages,) bool."""
    return np.array([not (sample.site and is_held_out(sample.site)) for sample in data.samples], bool)


def _datasets(pages: Sequence[LabelledPage], seed: int, cache: Path | None, progress: Progress) -> dict[Kind, Dataset]:
    """A dataset for each kind that has enough pages, both in all and among those that are not held out."""
    html = [page for page in pages if page.sample.kind == "html"]
    text = text_pages(pages, progress) + [_lighter(as_text(page)) for page in html]
    by_kind: dict[Kind, list[LabelledPage]] = {"text": text, "html": html}
    # What is made of pages is made within each side of the split: no headline, sentence or article crosses it.
    sides = [[page for page in text if is_held_out(page.sample.site) == side] for side in (True, False)]
    datasets: dict[Kind, Dataset] = {}
    reasons = []
    for kind, chosen in by_kind.items():
        seen = [page for page in chosen if not is_held_out(page.sample.site)]
        try:
            check_trainable(chosen, kind)
            check_trainable(seen, kind)
            check_balance(seen, kind)
        except SampleError as error:
            reasons.append(f"{error} (of {len(chosen)} pages, {len(chosen) - len(seen)} are set aside to measure on)")
            continue
        if kind == "text":
            makers = (compose_pages, evade_pages, dress_pages, wrap_pages)
            chosen = chosen + [page for side in sides for make in makers for page in make(side, seed)]
        else:
            chosen = chosen + [_lighter(page) for side in sides for page in _as_html(side, seed)]
        progress(f"{kind}: features of {len(chosen)} pages")
        datasets[kind] = build_dataset(chosen, kind, cache)
    if not datasets:
        raise SampleError("; ".join(reasons))
    for reason in reasons:
        progress(f"no model of that kind: {reason}")
    return datasets


def text_pages(pages: Sequence[LabelledPage], progress: Progress) -> list[LabelledPage]:
    """The text pages as heads learn them, with the long lines of pages without content at weight 0.

    Args:
        pages: Of either kind; those of HTML are left out.
        progress: Told how many lines got no weight, if any did.
    """
    lines = [without_spun(page) for page in pages if page.sample.kind == "text"]
    if untaught := sum(int(((page.labels >= 0) & (page.weights == 0)).sum()) for page in lines):
        progress(f"text: {untaught:,} long lines of pages without content teach nothing line by line")
    return lines


def _as_html(pages: Sequence[LabelledPage], seed: int) -> list[LabelledPage]:
    """Text pages written as HTML, and composed, evading and wrapped ones of them; none if none can be composed."""
    lines = [page for page in pages if page.sample.kind == "text"]
    composed = compose_pages(lines, seed, COMPOSED_AS_HTML)
    if not composed:
        return []
    # Pages without content would be nothing but lists, and corpora of HTML pages label such pages differently.
    with_content = [page for page in lines if (page.labels == CONTENT).any()]
    made = with_lists_marked_up([*composed, *evade_pages(lines, seed)], seed)
    return [*map(in_paragraphs, with_content), *made, *map(in_broken_lines, wrap_pages(lines, seed))]


def _fit(parts: Sequence[_Material], seed: int, progress: Progress, cache: Path | None) -> list[dict[Kind, Head]]:
    """The heads of each part, side by side."""
    jobs = [delayed(_fit_heads)(part, seed, progress, cache) for part in parts]
    return list(Parallel(n_jobs=len(jobs))(jobs))


def _fit_heads(part: _Material, seed: int, progress: Progress, cache: Path | None) -> dict[Kind, Head]:
    """The HTML head, and then the text head, which learns from it as well."""
    code = code_digest(FITTING_CODE) if cache is not None else ""
    heads: dict[Kind, Head] = {}
    for kind in LEARNT_IN_ORDER:
        if kind not in part.labelled:
            continue
        data, others = part.labelled[kind], part.unlabelled[kind]
        if kind == "text" and "html" in heads and len(part.unlabelled["html"]):
            taught = pseudo_label(heads["html"], part.unlabelled["html"])
            data = data.joined(build_dataset([_lighter(page) for page in taught], "text", cache))
        fit = partial(fit_head, data, others, seed=seed, progress=progress)
        heads[kind] = remember(cache, ("head", code, data.digest(), others.digest(), seed), fit)
    return {kind: heads[kind] for kind in part.labelled}


def _unlabelled(samples: Sequence[Sample], labelled: Set[str], kind: Kind, cache: Path | None) -> Dataset:
    """Features of the unlabelled pages of a kind, but for those that share a long line with a labelled page."""
    chosen = []
    for sample in samples:
        if sample.kind != kind:
            continue
        page = segment_html(sample.content) if kind == "html" else segment_text(sample.content[:MOST_UNLABELLED_CHARS])
        if len(page) > 1 and labelled.isdisjoint(page.segment_texts()):
            unknown = np.full(len(page), UNKNOWN, np.int8)
            chosen.append(LabelledPage(sample, page, unknown, np.zeros(len(page), np.float32)))
    return build_dataset(chosen, kind, cache)


def _lighter(page: LabelledPage) -> LabelledPage:
    return LabelledPage(page.sample, page.page, page.labels, page.weights * np.float32(OTHER_KIND_WEIGHT))


def describe(pages: Sequence[LabelledPage], seed: int, before: Iterable[bytes] = ()) -> dict[str, object]:
    """What the manifest says of the training pages.

    Args:
        pages: All of them.
        seed: Of everything random.
        before: Digests of the pages that the model which is extended had learnt from.
    """
    content = hashlib.sha256()
    for page in pages:
        content.update(page.sample.content.encode("utf-8", "surrogatepass"))
        content.update(page.labels.tobytes())
    return {
        "schema": SCHEMA,
        "seed": seed,
        "pages": dict(sorted(Counter(page.sample.source for page in pages).items())),
        "segments": int(sum((page.labels >= 0).sum() for page in pages)),
        "data_sha256": content.hexdigest(),
        **packed_digests((page.sample for page in pages), before),
    }
