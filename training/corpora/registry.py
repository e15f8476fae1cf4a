"""The public corpora that can be made into training files, and what may be done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detector.errors import UsageError
from training.corpora import article_extraction, cleaneval, dragnet, krdwrd, l3s_gn1, readability, wcxb
from training.corpora.clone import Records


@dataclass(frozen=True, slots=True)
class Corpus:
    """A public corpus.

    Attributes:
        name: As the command line knows it.
        title: What it is.
        home: Where to get it.
        licence: As its source states it; what the pages themselves allow is another question.
        use: "train" where a model trained on it may be given away, otherwise "measure".
        split: How to keep training and measuring apart.
        read: The records of a local clone.
    """

    name: str
    title: str
    home: str
    licence: str
    use: Literal["train", "measure"]
    split: str
    read: Callable[[Path], Records]


_ARTICLES_BY_SITE = "No split of its own; `detector train` holds out one site in four."
_FOR_OTHERS = "Others publish figures on it: keep all of it for measuring, or the figures cannot be compared."

CORPORA = (
    Corpus(
        "wcxb",
        "WCXB, development split: seven page types, English",
        "https://github.com/Murrough-Foley/web-content-extraction-benchmark",
        "CC-BY-4.0 (early versions: Apache-2.0); see LICENSE in the clone",
        "train",
        "The authors' development split, to train and tune on. Their test split is `wcxb-test`; "
        "a few sites are in both.",
        wcxb.read_dev,
    ),
    Corpus(
        "wcxb-test",
        "WCXB, test split",
        "https://github.com/Murrough-Foley/web-content-extraction-benchmark",
        "CC-BY-4.0 (early versions: Apache-2.0); see LICENSE in the clone",
        "measure",
        "The authors' test split: measure on it, never train or tune.",
        wcxb.read_test,
    ),
    Corpus(
        "article-extraction",
        "Article Extraction Benchmark: articles, English",
        "https://github.com/scrapinghub/article-extraction-benchmark",
        "MIT",
        "measure",
        _FOR_OTHERS,
        article_extraction.read,
    ),
    Corpus(
        "dragnet",
        "dragnet's first data set: articles and blog posts",
        "https://github.com/seomoz/dragnet_data",
        "AGPL-3.0",
        "measure",
        "training.txt and test.txt in the clone are the authors' split; this file holds both parts.",
        dragnet.read_first,
    ),
    Corpus(
        "dragnet-feeds",
        "dragnet's second data set: news from feeds, 2020",
        "https://github.com/dragnet-org/dragnet_data",
        "CC-BY-4.0",
        "train",
        _ARTICLES_BY_SITE,
        dragnet.read_second,
    ),
    Corpus(
        "cleaneval",
        "CleanEval 2007: mixed pages, English",
        "https://cleaneval.sigwac.org.uk",
        "none stated",
        "measure",
        "Ids tell the development set from the final one. " + _FOR_OTHERS,
        cleaneval.read,
    ),
    Corpus(
        "krdwrd",
        "KrdWrd CANOLA: mixed pages, English, several annotators",
        "https://github.com/krdwrd/data",
        "CC-BY-SA-4.0",
        "train",
        _ARTICLES_BY_SITE,
        krdwrd.read,
    ),
    Corpus(
        "l3s-gn1",
        "L3S-GN1: news of 2008, English",
        "https://www.l3s.de/~kohlschuetter/boilerplate/",
        "research use only, not transferable",
        "measure",
        _FOR_OTHERS,
        l3s_gn1.read,
    ),
    Corpus(
        "readability",
        "Test pages of Mozilla's Readability, several languages",
        "https://github.com/mozilla/readability",
        "Apache-2.0 for the project; the pages belong to their publishers",
        "measure",
        "The gold text is what Readability itself makes of a page: a comparison with it, not with a reader.",
        readability.read,
    ),
)
"""In the order of `detector corpora list`."""


def find_corpus(name: str) -> Corpus:
    """The corpus of that name.

    Raises:
        UsageError: There is none; the message lists those there are.
    """
    for corpus in CORPORA:
        if corpus.name == name:
            return corpus
    raise UsageError(f"no corpus '{name}'; there are {', '.join(corpus.name for corpus in CORPORA)}")
