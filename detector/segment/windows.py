"""Long pages in pieces, so that what a page costs in memory is bounded by its size and not by how finely it is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detector.data import Elements, SegmentedPage

WINDOW = 4096
"""Most segments that are looked at together. Features and the network's layers take two to three kilobytes a segment,
however short its text. Of 12,000 crawled pages two had more, and no page that a model was trained on."""


def windows_of(page: SegmentedPage) -> list[SegmentedPage]:
    """The page, or if it has more than `WINDOW` segments, its pieces, each as if it were a page."""
    if len(page) <= WINDOW:
        return [page]
    return [_window(page, first, min(first + WINDOW, len(page))) for first in range(0, len(page), WINDOW)]


def _window(page: SegmentedPage, first: int, last: int) -> SegmentedPage:
    """The segments `first:last` as a page; of the others nothing is known."""
    begin, end = int(page.starts[first]), int(page.ends[last - 1])
    return replace(
        page,
        text=page.text[begin:end],
        starts=page.starts[first:last] - begin,
        ends=page.ends[first:last] - begin,
        elements=None if page.elements is None else _around(page.elements, first, last),
    )


def _around(elements: Elements, first: int, last: int) -> Elements:
    """The elements that cover one of the segments `first:last`, cut to these."""
    kept = (elements.first < last) & (elements.last > first)
    # One more, so that -1, for no element, stays what it is. What encloses a kept element covers the same segment.
    number = np.append(np.cumsum(kept, dtype=np.int32) - 1, np.int32(-1))
    names, name_of = np.unique(elements.name_of[kept], return_inverse=True)
    return Elements(
        names=[elements.names[i] for i in names.tolist()],
        name_of=name_of.astype(np.int32),
        parents=number[elements.parents[kept]],
        first=np.maximum(elements.first[kept] - first, 0).astype(np.int32),
        last=np.minimum(elements.last[kept] - first, last - first).astype(np.int32),
        innermost=number[elements.innermost[first:last]],
        link_chars=elements.link_chars[first:last],
        links=elements.links[first:last],
    )
