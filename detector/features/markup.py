"""The elements of a batch of HTML pages as flat arrays, numbered through the batch, with one root a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.features.batch import Batch


@dataclass(frozen=True, slots=True)
class Markup:
    """Elements as spans over the batch's segments. The last elements are the pages' roots, which have no name.

    The elements that cover a segment are its innermost element and that one's ancestors.

    Attributes:
        names: The different (tag, class and id words) of each page, page after page.
        tags: The different tags of the batch; the last is that of roots, an empty string.
        tag_of: (n_names + 1,) int64, index into `tags`; the last is that of roots.
        name_of: (n_elements,) int64, index into `names`; `len(names)` for roots.
        parents: (n_elements,) int64; a root is its own parent.
        first: (n_elements,) int64, the first segment covered.
        last: (n_elements,) int64, one past the last segment covered.
        innermost: (n_segments,) int64, the innermost element around each segment.
        link_chars: (n_segments,) int64, characters inside links.
        links: (n_segments,) int64, links that begin in the segment.
        wider: (n_elements,) int64, the nearest element around that covers more segments, or the root.
        ancestors: Each (n_elements,) int64: the parent, the second ancestor, the fourth, and so on to the roots.
    """

    names: list[tuple[str, str]]
    tags: list[str]
    tag_of: NDArray[np.int64]
    name_of: NDArray[np.int64]
    parents: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    innermost: NDArray[np.int64]
    link_chars: NDArray[np.int64]
    links: NDArray[np.int64]
    wider: NDArray[np.int64]
    ancestors: list[NDArray[np.int64]]

    def covering(self, values: NDArray[np.int64], combine: np.ufunc = np.add) -> NDArray[np.int64]:
        """The values of the elements that cover each segment, added up or otherwise combined.

        Args:
            values: (..., n_elements) int64; zero for roots.
            combine: An associative ufunc for which zero changes nothing.

        Returns:
            (..., n_segments) int64.
        """
        # After each step a value is that of twice as many elements up the tree.
        for further in self.ancestors:
            values = combine(values, values.take(further, axis=-1))
        return values.take(self.innermost, axis=-1)


def build_markup(batch: Batch) -> Markup:
    """Lay the elements of the pages side by side.

    Args:
        batch: HTML pages: all have `elements`.
    """
    pages = [page.elements for page in batch.pages if page.elements is not None]
    sizes = [len(page.first) for page in pages]
    bases = np.cumsum([0, *sizes])
    roots = int(bases[-1]) + np.arange(len(pages))
    names = [name for page in pages for name in page.names]
    name_bases = np.cumsum([0, *(len(page.names) for page in pages)])
    tags: dict[str, int] = {}
    tag_of = [tags.setdefault(tag, len(tags)) for tag, _ in names]

    def lay(arrays: list[NDArray[np.int32]], shifts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([array + shift for array, shift in zip(arrays, shifts.tolist(), strict=True)])

    def lay_upward(arrays: list[NDArray[np.int32]]) -> NDArray[np.int64]:
        """Element numbers through the batch; -1 stands for the page's root."""
        laid = lay(arrays, bases[:-1])
        owner = np.repeat(np.arange(len(pages)), [len(array) for array in arrays])
        return np.where(np.concatenate(arrays) < 0, roots[owner], laid)

    starts, ends = batch.offsets[:-1], batch.offsets[1:]
    parents = np.append(lay_upward([page.parents for page in pages]), roots)
    first = np.append(lay([page.first for page in pages], starts), starts)
    last = np.append(lay([page.last for page in pages], starts), ends)
    return Markup(
        names=names,
        tags=[*tags, ""],
        tag_of=np.array([*tag_of, len(tags)]),
        name_of=np.append(lay([page.name_of for page in pages], name_bases[:-1]), np.full(len(pages), len(names))),
        parents=parents,
        first=first,
        last=last,
        innermost=lay_upward([page.innermost for page in pages]),
        link_chars=np.concatenate([page.link_chars for page in pages]).astype(np.int64),
        links=np.concatenate([page.links for page in pages]).astype(np.int64),
        wider=_wider(parents, first, last),
        ancestors=_ancestors(parents, int(bases[-1])),
    )


def _ancestors(parents: NDArray[np.int64], first_root: int) -> list[NDArray[np.int64]]:
    """Each element's first, second, fourth, ... ancestor, until all are roots; (n_elements,) int64 each."""
    ancestors = [parents]
    while (ancestors[-1] < first_root).any():
        ancestors.append(ancestors[-1].take(ancestors[-1]))
    return ancestors


def _wider(parents: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest element around each that covers more segments, or the root; (n_elements,) int64.

    An element that covers all that its parent covers is the only child that covers anything. As elements are in
    document order, it comes right after its parent.
    """
    index = np.arange(len(parents))
    inside = parents == index - 1
    inside[1:] &= (first[1:] == first[:-1]) & (last[1:] == last[:-1])
    outermost = np.maximum.accumulate(np.where(inside, 0, index))
    return parents.take(outermost)
