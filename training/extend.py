"""A model that exists, taught by a few dozen pages more; the pages it was made from are not needed.

The scorers of words and the standardisation stay as they are: fifty pages say nothing of most words. The networks are
fitted on to the new labels, with a penalty on the squared distance of their weights from what they were (L2 to an
anchor; Daume III, Marcu, JAIR 2006; Xuhong, Grandvalet, Davoine, ICML 2018). The README of this folder has what was
measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from detector.data import Kind
from detector.errors import SampleError
from detector.model import Head, Model
from training.dataset import Dataset, build_dataset
from training.evaluate import as_dicts, evaluate
from training.export import segment_rows
from training.fit import MIN_PAGES, Progress
from training.labelling import LabelledPage, as_text
from training.learnt import digest_of, pages_known_to
from training.network import Rows, fit_on, one_hot
from training.sufficiency import check_balance
from training.train import Trained, describe, is_held_out, text_pages

ANCHOR_PENALTY = 0.1
"""Weight of half the squared distance from the old weights, beside the mean log loss. From .01 to .3 the result hardly
changes; .001 loses more content."""


def extend(
    base: Model,
    pages: Sequence[LabelledPage],
    name: str,
    *,
    cache: Path | None = None,
    progress: Progress = lambda message: None,
) -> Trained:
    """Teach a model further pages.

    Kinds of pages that are not among them keep the head they had. Nothing here is random.

    Args:
        base: The model to begin with.
        pages: Labelled pages of either kind; HTML pages also teach the text head, without their markup.
        name: Name of the new model.
        cache: Folder for cached features, or None.
        progress: Called with a line of text before each step.

    Returns:
        The model fitted on all pages. Its figures, and those of `base`, are of held-out sites that the fit behind the
        figures had not seen; there are none where no page is of such a site.

    Raises:
        SampleError: Nothing can be learnt from the pages; the message says what is missing.
    """
    by_kind = _by_kind(base, pages, progress)
    measured = _extended(base, by_kind, name, cache, progress, held_out=False)
    progress("measuring on the other quarter")
    # One site in four by its hash: of few sites it may be none.
    known = pages_known_to(base)
    set_aside = [page for page in pages if is_held_out(page.sample.site)]
    unseen = [page for page in set_aside if digest_of(page.sample) not in known]
    if not set_aside:
        progress(
            f"no figures: none of the {len({page.sample.site for page in pages})} sites falls into the held-out quarter"
        )
    elif len(unseen) < len(set_aside):
        progress(
            f"'{base.name}' has learnt from {len(set_aside) - len(unseen)} of the {len(set_aside)} pages set aside to measure "
            "on: they do not count"
        )
    progress("fitting on all sites")
    model = _extended(base, by_kind, name, cache, progress, held_out=True)
    rows, before = evaluate(measured, unseen), evaluate(base, unseen)
    model.info.update(describe(pages, 0, known), held_out=as_dicts(rows))
    model.info["base"] = {key: base.info[key] for key in ("data_sha256", "pages", "corpora") if key in base.info}
    return Trained(model, rows, measured, unseen, before)


def extend_head(head: Head, data: Dataset) -> Head:
    """Fit the networks of a head on to the labels of a dataset, anchored where they were.

    Args:
        head: All of it but the networks stays.
        data: Labelled segments of the head's kind of page.
    """
    inputs = head.standardised(segment_rows(head, data))
    page_weights = np.ones(len(data), np.float32)
    rows = Rows.of(data, inputs, one_hot(data.labels), data.weights, page_weights)
    return replace(head, networks=[fit_on(network, rows, ANCHOR_PENALTY) for network in head.networks])


def _by_kind(base: Model, pages: Sequence[LabelledPage], progress: Progress) -> dict[Kind, list[LabelledPage]]:
    """The pages for each head that there are enough of."""
    html = [page for page in pages if page.sample.kind == "html"]
    text = text_pages(pages, progress) + [as_text(page) for page in html]
    every: dict[Kind, list[LabelledPage]] = {"text": text, "html": html}
    chosen: dict[Kind, list[LabelledPage]] = {}
    reasons = []
    for kind, of_kind in every.items():
        try:
            _check(base, of_kind, kind)
        except SampleError as error:
            reasons.append(str(error))
            continue
        chosen[kind] = of_kind
    if not chosen:
        raise SampleError("; ".join(reasons))
    for reason in reasons:
        progress(f"a head stays as it was: {reason}")
    return chosen


def _check(base: Model, pages: list[LabelledPage], kind: Kind) -> None:
    """Refuse pages that would teach a head nothing, or of which too few are not held out."""
    if kind not in base.heads:
        raise SampleError(
            f"model '{base.name}' has no head for {kind} pages that could be taught the {len(pages)} samples"
        )
    seen = [page for page in pages if not is_held_out(page.sample.site)]
    if len(seen) < MIN_PAGES:
        raise SampleError(
            f"too few {kind} samples: {len(pages)} pages, {len(pages) - len(seen)} of them of sites set aside "
            f"to measure on; at least {MIN_PAGES} besides those are needed"
        )
    check_balance(seen, kind)


def _extended(
    base: Model,
    by_kind: dict[Kind, list[LabelledPage]],
    name: str,
    cache: Path | None,
    progress: Progress,
    *,
    held_out: bool,
) -> Model:
    """The model fitted on the pages, with or without those of the held-out sites."""
    heads = dict(base.heads)
    for kind, pages in by_kind.items():
        chosen = [page for page in pages if held_out or not is_held_out(page.sample.site)]
        progress(f"{kind}: fitting the networks on to {len(chosen)} pages")
        heads[kind] = extend_head(base.heads[kind], build_dataset(chosen, kind, cache))
    return Model(name, heads, {"extends": base.name})
