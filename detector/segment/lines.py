"""Where the text of a page is divided into segments, and how much of each stands in links."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.segment.flow import Flow
from detector.segment.tags import CELL, LINK, STEPS, Tags, rows
from detector.segment.text import INVISIBLE

LONG_CELL = 80
"""Characters in a row's earlier cells above which the next cell starts a segment: layout, not data."""

_NEWLINE = ord("\n")
_LINE_ENDS = "\n\r"
_MAY_BE_INVISIBLE = np.zeros(256, bool)
_MAY_BE_INVISIBLE[list({char.encode()[0] for char in INVISIBLE})] = True


@dataclass(frozen=True, slots=True)
class Lines:
    """The segments of a page, in order.

    Attributes:
        text: The segments joined by newlines.
        starts: (n_segments,) int64 offsets into `text`.
        ends: (n_segments,) int64 offsets into `text`.
        ended_by: (n_segments,) int64, which tag ends the segment.
        link_chars: (n_segments,) int32, characters that stand inside links.
        links: (n_segments,) int32, links that begin in the segment.
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ended_by: NDArray[np.int64]
    link_chars: NDArray[np.int32]
    links: NDArray[np.int32]


def divide(tags: Tags, flow: Flow) -> Lines:
    """Divide the text of a page at blocks, at breaks, and at the cells that need it."""
    dividing = _dividing(tags, flow)
    chars = flow.chars_before.take(dividing)
    # A tag ends a segment if there was text since the dividing tag before it; a blank follows the text.
    ending = np.diff(chars, prepend=np.int32(0)).nonzero()[0]
    ends = chars.take(ending).astype(np.int64) - 1
    starts = _starts(ends)
    text, doubtful = _text(flow, dividing.take(ending))
    is_as_it_was = _strip(text, starts, ends, doubtful)
    link_chars = _link_chars(tags, flow, starts, ends)
    if not is_as_it_was:
        shown = ends > starts
        ending, link_chars, starts, ends = ending[shown], link_chars[shown], starts[shown], ends[shown]
        text = "\n".join([text[start:end] for start, end in rows(starts, ends)])
        lengths = ends - starts
        ends = np.cumsum(lengths + 1) - 1
        starts = ends - lengths
    return Lines(text, starts, ends, dividing.take(ending), link_chars, _links(tags, dividing, ending))


def _text(flow: Flow, ended_by: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
    """The segments joined by newlines; and those that may show nothing, by their first bytes, or need to be stripped."""
    ends = flow.bytes_before.take(ended_by) - 1
    doubtful = _MAY_BE_INVISIBLE.take(flow.codes.take(_starts(ends)))
    if flow.is_verbatim is not None:
        doubtful |= flow.is_verbatim.take(ended_by)
    flow.codes[ends] = _NEWLINE
    text = flow.codes[: ends[-1] if len(ends) else 0].tobytes().decode()
    return text, doubtful.nonzero()[0]


def _strip(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], doubtful: NDArray[np.int64]) -> bool:
    """Take the whitespace off the ends of some segments, and all off those that show nothing; whether none changed."""
    is_as_it_was = True
    for place, start, end in rows(doubtful, starts.take(doubtful), ends.take(doubtful)):
        line = text[start:end]
        if not line.strip(INVISIBLE):
            ends[place] = start
        elif line[0] in _LINE_ENDS or line[-1].isspace():
            starts[place] = end - len(line.lstrip(_LINE_ENDS))
            ends[place] = start + len(line.rstrip())
        else:
            continue
        is_as_it_was = False
    return is_as_it_was


def _starts(ends: NDArray[np.signedinteger]) -> NDArray[np.int64]:
    """Where segments begin that are divided by one blank."""
    starts = np.zeros(len(ends), np.int64)
    np.add(ends[:-1], 1, out=starts[1:])
    return starts


def _dividing(tags: Tags, flow: Flow) -> NDArray[np.int64]:
    """The tags that divide the text."""
    cells = (tags.roles == CELL).nonzero()[0]
    dividing = (tags.roles > CELL).nonzero()[0]
    if not len(cells):
        return dividing
    return np.sort(np.append(dividing, _dividing_cells(tags, flow, cells, dividing)))


def _dividing_cells(tags: Tags, flow: Flow, cells: NDArray[np.int64], dividing: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tags of cells that divide a row: at the start of one behind much text, at the end of one divided inside."""
    before = np.append(0, flow.chars_before.take(dividing)).take(dividing.searchsorted(cells))
    found = array("q")
    divided = 0
    at_starts: list[int] = []
    for cell, is_end, here, last_divided in rows(
        cells, tags.closing.take(cells), flow.chars_before.take(cells), before
    ):
        divided = max(divided, last_divided)
        if is_end:
            divides = divided > at_starts.pop()
        else:
            divides = here > divided + LONG_CELL + 1
            at_starts.append(here if divides else divided)
        if divides:
            found.append(cell)
            divided = here
    return np.frombuffer(found, np.int64)


def _link_chars(tags: Tags, flow: Flow, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int32]:
    """The characters of each segment that stand inside links."""
    links = (tags.roles == LINK).nonzero()[0]
    if not len(links):
        return np.zeros(len(starts), np.int32)
    closing = tags.closing.take(links)
    depths = np.cumsum(STEPS.take(closing), dtype=np.int32)
    # Links within links are none of their own.
    opens = flow.chars_before.take(links[(depths == 1) & ~closing])
    closes = flow.chars_before.take(links[depths == 0])
    linked = np.cumsum(closes - opens)

    def before(places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Characters inside links before each place."""
        link = opens.searchsorted(places, "right") - 1
        return np.where(link < 0, 0, linked.take(link) - np.maximum(closes.take(link) - places, 0))

    return (before(ends) - before(starts)).astype(np.int32)


def _links(tags: Tags, dividing: NDArray[np.int64], ending: NDArray[np.int64]) -> NDArray[np.int32]:
    """The links that begin in each segment, or around it: the last division outside of links begins to count anew."""
    steps = tags.steps(tags.roles == LINK)
    counts = np.cumsum(steps > 0, dtype=np.int32).take(dividing)
    anew = np.cumsum(steps, dtype=np.int32).take(dividing) == 0
    anew &= tags.roles.take(dividing) != CELL
    anew[ending] = True
    earlier = np.maximum.accumulate(np.where(anew, counts, 0))
    return counts.take(ending) - np.append(np.int32(0), earlier).take(ending)
