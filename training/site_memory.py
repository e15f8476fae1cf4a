"""Teach a model to use what other pages hold: fit its site heads on simulated sites.

    detector signatures teach MODEL --corpora DIR [--unseen MODEL]

A site head weighs two sources: what the page alone says, and what other pages of the site hold. The sites are made of
held-out pages, and the first of the two comes from a model that has not seen them. So the head learns how far to trust
each source on pages that nobody has trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.data import CONTENT, Kind, Page
from detector.errors import SampleError
from detector.features.site import scheme, site_features
from detector.model import CLIP, Head, Model, SiteHead, stack_site_inputs
from detector.pipeline import score
from detector.signatures import SignatureCounter, SignatureStore
from detector.site_memory import count_pages
from training.fit import LEAST_SPREAD, Progress
from training.labelling import LabelledPage, label_page
from training.network import Rows, fit_network, one_hot
from training.simulation import Article, SitePage, both_modes, make_article, make_filler, make_site, make_template
from training.standardising import mean_and_spread
from training.train import is_held_out

SITES = 60
"""Simulated sites for each kind of page."""

LEAST_SITE_PAGES, MOST_SITE_PAGES = 2, 400
"""Pages of a simulated site, evenly on a logarithmic scale."""

WHOLLY_KNOWN, LEAST_KNOWN = 0.5, 0.1
"""Share of the sites all of whose pages are in the memory; of the others, at least this share of the pages is."""

COPIED = 0.1
"""Share of the judged articles that also stand on another host."""

MOST_JUDGED = 12
"""Pages of a site at most that are learnt from; the others only fill the memory."""

CONTENT_WEIGHT = 3.0
"""Weight of content beside 1 for the rest: a line of an article taken for template is worse than a line of template
left standing."""

SITE_HEAD_SIZES = (24, 12)
"""Outputs of the network's first dense layer; of the second and of the convolutions."""


@dataclass(frozen=True, slots=True)
class _SiteRows:
    """What the site head learns from.

    Attributes:
        inputs: (n_segments, len(SITE_INPUT_NAMES)) float32.
        labels: (n_segments,) int8.
        weights: (n_segments,) float32, 0 where the head is not asked or the label is unknown.
        page_sizes: (n_pages,) int64, segments of each page; none is empty.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int8]
    weights: NDArray[np.float32]
    page_sizes: NDArray[np.int64]


def fit_site_heads(
    model: Model,
    unseen: Model,
    pages: Sequence[LabelledPage],
    unlabelled: Sequence[str],
    *,
    seed: int = 0,
    sites: int = SITES,
    progress: Progress = lambda message: None,
) -> Model:
    """The model with site heads.

    Args:
        model: Gets the heads.
        unseen: Says what the page alone says of held-out pages; it must not have seen them.
        pages: Labelled pages; sites are made of the held-out ones, the others are the rest of the web.
        unlabelled: Texts to fill the sites with.
        seed: Of everything random.
        sites: To simulate for each kind.
        progress: Called with a line of text before each step.

    Raises:
        SampleError: The held-out pages give no template or no article.
    """
    held_out = both_modes([page for page in pages if is_held_out(page.sample.site)])
    samples = [page.sample for page in pages if not is_held_out(page.sample.site)]
    web = signatures_of(Page(sample.content, sample.kind, sample.url) for sample in samples)
    fillers = [filler for filler in map(make_filler, unlabelled) if filler]
    heads: dict[Kind, Head] = {}
    for kind, head in model.heads.items():
        chosen = [page for page in held_out if (page.page.elements is not None) == (kind == "html")]
        progress(f"{kind}: {sites} sites of {len(chosen)} held-out pages")
        parts = list(_simulate(chosen, fillers, web, unseen.head(kind), kind, sites, seed))
        rows = _SiteRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _SiteRows.__slots__))
        progress(f"{kind}: site head on {len(rows.inputs):,} segments")
        heads[kind] = replace(head, site=_fit(rows, seed))
    return Model(model.name, heads, {**model.info, "site_memory": {"sites": sites, "seed": seed}})


def signatures_of(pages: Iterable[Page]) -> SignatureStore:
    """Counts of the signatures of pages, under the pages' addresses."""
    counter = SignatureCounter(scheme())
    count_pages(pages, counter)
    return counter.freeze()


def as_page(page: SitePage) -> Page:
    """A simulated page as a crawler has it."""
    return Page(page.sample.content, page.sample.kind, page.url)


def _simulate(
    pages: Sequence[LabelledPage],
    fillers: Sequence[Article],
    web: SignatureStore,
    head: Head,
    kind: Kind,
    sites: int,
    seed: int,
) -> Iterator[_SiteRows]:
    """The rows of one site after the other."""
    random = np.random.default_rng(seed)
    articles = [(page.sample.site, article) for page in pages if (article := make_article(page))]
    templates = [(page.sample.site, template) for page in pages if (template := make_template(page))]
    if not articles or not templates:
        raise SampleError(
            f"no sites can be made of {len(pages)} held-out {kind} pages; add pages with content and menus"
        )
    for number in range(sites):
        site, template = templates[int(random.integers(len(templates)))]
        size = int(np.exp(random.uniform(np.log(LEAST_SITE_PAGES), np.log(MOST_SITE_PAGES))))
        others = [article for name, article in articles if name != site]
        judged = [others[i] for i in random.permutation(len(others))[: min(size, MOST_JUDGED)].tolist()]
        filling = [fillers[i] for i in random.permutation(len(fillers))[: size - len(judged)].tolist()]
        whole = make_site(template, judged, filling, kind, f"simulated-{number}.example", random)
        # A crawl has seen part of a site, and the page at hand may be among what it has seen.
        known_share = 1.0 if random.random() < WHOLLY_KNOWN else random.uniform(LEAST_KNOWN, 1.0)
        known = [page for page in whole if random.random() < known_share]
        # Some articles are printed elsewhere too: that a text is found on other hosts says little against it.
        copies = [_elsewhere(page, number) for page in whole if page.judged and random.random() < COPIED]
        store = SignatureStore.merge([signatures_of(map(as_page, [*known, *copies])), web])
        yield _rows([page for page in whole if page.judged], store, head, kind)


def _elsewhere(page: SitePage, number: int) -> SitePage:
    """The article of a page on another host."""
    text = "\n".join(sorted(page.article))
    url = f"https://copy-{number}.example/{page.url.rsplit('/', 1)[1]}"
    return replace(page, url=url, sample=replace(page.sample, content=text, kind="text"))


def _rows(pages: Sequence[SitePage], store: SignatureStore, head: Head, kind: Kind) -> _SiteRows:
    labelled = [label_page(page.sample) for page in pages]
    segmented = [page.page for page in labelled]
    alone, _ = score(head, segmented, kind)
    site = site_features(segmented, [page.url for page in pages], store)
    labels = np.concatenate([page.labels for page in labelled])
    weights = np.concatenate([page.weights for page in labelled]) * np.where(labels == CONTENT, CONTENT_WEIGHT, 1.0)
    # Segments the head is never asked about teach it nothing, but stand around those it is asked about.
    weights *= (labels >= 0) & (site.recurs | site.host_known)
    # Every site weighs the same, however long its template.
    weights /= max(float(weights.sum()), 1e-6)
    return _SiteRows(stack_site_inputs(alone, site), labels, weights.astype(np.float32), np.diff(site.offsets))


def _fit(rows: _SiteRows, seed: int) -> SiteHead:
    asked = rows.weights > 0
    mean, spread = (array.astype(np.float32) for array in mean_and_spread(rows.inputs[asked], LEAST_SPREAD))
    standard = np.clip((rows.inputs - mean) / spread, -CLIP, CLIP)
    offsets = np.concatenate(([0], np.cumsum(rows.page_sizes)))
    weights = rows.weights / rows.weights[asked].mean()
    pages, n = len(rows.page_sizes), len(standard)
    network = fit_network(
        Rows(
            standard,
            one_hot(rows.labels),
            weights,
            offsets,
            groups=np.empty((0, n), np.int64),
            chars=np.ones(n, np.int64),
            page_weights=np.ones(pages, np.float32),
        ),
        SITE_HEAD_SIZES,
        seed,
    )
    return SiteHead(mean, spread, network)
