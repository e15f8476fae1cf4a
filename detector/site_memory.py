"""Filling the memory: pages to counts of their signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detector.data import Page
from detector.features.site import page_signatures
from detector.limits import Limits
from detector.pipeline import batches, segment_page
from detector.signatures.counting import PageCounter, PageSignatures

_LIMITS = Limits()
"""A page that `Detector` refuses by default is not counted either."""

_BATCH = 64


def count_pages(pages: Iterable[Page], counter: PageCounter) -> int:
    """Count the signatures of pages; nothing of a page is kept but hashes.

    Args:
        pages: Pages with their address (`Page.url`); without one, a page counts for the web and for no host.
        counter: `SignatureCounter(scheme())`, or one in Redis.

    Returns:
        How many pages were new to the counter.
    """
    return sum(counter.add(signatures) for signatures in signatures_of(pages))


def signatures_of(pages: Iterable[Page]) -> Iterator[list[PageSignatures]]:
    """What is counted of pages, a batch at a time; pages without segments are left out.

    Args:
        pages: As for `count_pages`.
    """
    for batch in batches(pages, _BATCH):
        segmented = [segment_page(page, _LIMITS)[1] for page in batch]
        # A page without segments has nothing to recur, and all such pages would be one.
        filled = [place for place, page in enumerate(segmented) if len(page)]
        yield page_signatures([segmented[i] for i in filled], [batch[i].url for i in filled])
