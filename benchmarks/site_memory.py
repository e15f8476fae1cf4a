"""What a memory of the site adds to the page alone, on simulated sites of 50 to 1,000 pages.

    python benchmarks/site_memory.py --corpora DIR [--model DIR] [--sites 4] [--sizes 50 100 300 1000] [--json FILE]

Templates and judged articles are of the corpora that no model is trained on; unlabelled crawl text fills the sites.
Every page of a site is in the memory, the judged one as well, which is known by its address.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np  # noqa: E402 - the threads are fixed first

from detector import Detector  # noqa: E402
from detector.data import CONTENT, Kind  # noqa: E402
from training.corpora import MEASURE_ONLY, corpus_file, label_corpus, read_corpus, read_raw_texts  # noqa: E402
from training.labelling import LabelledPage, label_page  # noqa: E402
from training.simulation import both_modes, make_article, make_filler, make_site, make_template  # noqa: E402
from training.site_memory import as_page, signatures_of  # noqa: E402

JUDGED = 40
SEED = 11


@dataclass
class Tally:
    """Sums over the judged pages of the sites of one size and kind."""

    kind: str
    size: int
    pages: int = 0
    template_chars: int = 0
    removed_alone: int = 0
    removed_with: int = 0
    article_lines: int = 0
    lost_alone: int = 0
    lost_with: int = 0
    touched: int = 0
    rescued: int = 0
    teaser_lines: int = 0
    teasers_touched: int = 0
    headlines: int = 0
    headlines_alone: int = 0
    headlines_with: int = 0
    alone_seconds: float = 0.0
    with_seconds: float = 0.0

    def row(self) -> str:
        """As a line of a Markdown table."""
        lines, chars, heads = max(self.article_lines, 1), max(self.template_chars, 1), max(self.headlines, 1)
        cells = (
            f"{self.kind}, {self.size:,} pages",
            f"{self.pages}",
            f"{self.removed_alone / chars:.2%}",
            f"{self.removed_with / chars:.2%}",
            f"{self.lost_alone / lines:.2%}",
            f"{self.lost_with / lines:.2%}",
            f"{self.touched} of {self.article_lines:,} ({self.touched / lines:.3%})",
            f"{self.rescued}",
            f"{self.teasers_touched} of {self.teaser_lines}",
            f"{self.headlines_alone / heads:.0%} / {self.headlines_with / heads:.0%}",
        )
        return "| " + " | ".join(cells) + " |"


HEAD = (
    "| site | judged | template removed, page alone | with memory | article lines lost, page alone | with memory "
    "| touched by the memory | rescued | teasers touched | headlines kept |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def measure(
    detector: Detector, pages: list[LabelledPage], texts: list[str], kind: Kind, size: int, sites: int
) -> Tally:
    """Simulate sites of one size, and strip their judged pages with and without what the memory knows."""
    random = np.random.default_rng(SEED)
    tally = Tally(kind, size)
    articles = [(page.sample.site, article) for page in pages if (article := make_article(page))]
    templates = [(page.sample.site, template) for page in pages if (template := make_template(page))]
    fillers = [filler for filler in map(make_filler, texts) if filler]
    for number in random.permutation(len(templates))[:sites].tolist():
        site, template = templates[number]
        others = [article for name, article in articles if name != site]
        judged = [others[i] for i in random.permutation(len(others))[: min(JUDGED, size // 2)].tolist()]
        filling = [fillers[i] for i in random.permutation(len(fillers))[: size - len(judged)].tolist()]
        whole = make_site(template, judged, filling, kind, f"measured-{number}.example", random)
        store = signatures_of(map(as_page, whole))
        knowing = Detector(detector.model, signatures=store)
        titles = {article.title.text for article in judged}
        chosen = [page for page in whole if page.judged]
        contents = [as_page(page) for page in chosen]
        started = time.perf_counter()
        alone = list(detector.classify_many(contents))
        between = time.perf_counter()
        known = list(knowing.classify_many(contents))
        tally.alone_seconds += between - started
        tally.with_seconds += time.perf_counter() - between
        for page, before, after in zip(chosen, alone, known, strict=True):
            labelled = label_page(page.sample)
            texts_of = [" ".join(text.split()) for text in labelled.page.segment_texts()]
            content = labelled.labels == CONTENT
            is_title = content & np.array([text in titles for text in texts_of])
            # What another page shows of the article is a teaser; the rest stands on this page alone.
            unique = content & ~is_title & np.array([text in page.article for text in texts_of])
            teased = unique & (knowing_counts(store, labelled, page.url) > 0)
            unique &= ~teased
            template_lines = labelled.labels > CONTENT
            chars = labelled.page.ends - labelled.page.starts
            tally.pages += 1
            tally.template_chars += int(chars[template_lines].sum())
            tally.removed_alone += int(chars[template_lines & ~before.kept].sum())
            tally.removed_with += int(chars[template_lines & ~after.kept].sum())
            tally.article_lines += int(unique.sum())
            tally.lost_alone += int((unique & ~before.kept).sum())
            tally.lost_with += int((unique & ~after.kept).sum())
            tally.touched += int((unique & before.kept & ~after.kept).sum())
            tally.rescued += int((unique & ~before.kept & after.kept).sum())
            tally.teaser_lines += int(teased.sum())
            tally.teasers_touched += int((teased & before.kept & ~after.kept).sum())
            tally.headlines += int(is_title.sum())
            tally.headlines_alone += int((is_title & before.kept).sum())
            tally.headlines_with += int((is_title & after.kept).sum())
    return tally


def knowing_counts(store: object, labelled: LabelledPage, url: str) -> np.ndarray:
    """On how many other pages each line stands, word for word."""
    from detector.features.site import NAMES, site_features

    found = site_features([labelled.page], [url], store)  # type: ignore[arg-type]
    return np.rint(np.expm1(found.X[:, NAMES.index("log_pages_with_line")]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sites", type=int, default=4, help="simulated for each size and kind")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 300, 1000])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = [name for name in MEASURE_ONLY if corpus_file(arguments.corpora, name).parent.name == "html"]
    pages = both_modes(list(label_corpus(read_corpus(arguments.corpora, names))))
    texts = read_raw_texts(arguments.corpora)
    detector = Detector(arguments.model)
    tallies = []
    print(HEAD)
    kinds: tuple[Kind, ...] = ("html", "text")
    for kind in kinds:
        chosen = [page for page in pages if (page.page.elements is not None) == (kind == "html")]
        for size in arguments.sizes:
            tallies.append(measure(detector, chosen, texts, kind, size, arguments.sites))
            print(tallies[-1].row(), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(tally) for tally in tallies], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
