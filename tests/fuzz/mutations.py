"""Mutants of real pages, at three levels: bytes, tags and nesting.

Bytes are flipped, cut, repeated, made NUL, or become invalid and mixed encodings; tags are dropped, doubled, swapped, left
open, or given attributes; pieces are wrapped in the same tag over and over. Small mutants begin as a piece of a page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_TAG = re.compile(rb"<[^<>]{0,200}>")
_TAGS = tuple(b"div p a b table td tr ul li select option svg math template plaintext textarea pre script".split())
_ODDITIES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"&#x110000;", b"&#0;", b"&" * 50, b"&lt;" * 50,
    "\u202e\u2066".encode(), "\u200b\u200d\ufeff".encode(), "e\u0301".encode() * 20, b"<!--", b"<![CDATA[", b"]]>",
    b"<plaintext>", b"\r", b"\x0b\x0c", "\u2028".encode(), b"<meta charset=utf-16>", b"<meta charset=shift_jis>",
    "Привет".encode("cp1251"), "価格".encode("shift_jis"), b"[" * 40, b"1" * 60, b"|" * 30, b"<a href=x" * 5,
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def mutate_bytes(draw: random.Random, page: bytes) -> bytes:
    """A few bytes changed, cut out, repeated, or an oddity put in."""
    at = draw.randrange(len(page) + 1)
    end = min(len(page), at + draw.choice((1, 4, 60, 2000)))
    choice = draw.randrange(4)
    if choice == 0:
        return page[:at] + draw.randbytes(end - at) + page[end:]
    if choice == 1:
        return page[:at] + page[end:]
    if choice == 2:
        return page[:at] + page[at:end] * draw.randint(2, 40) + page[end:]
    return page[:at] + draw.choice(_ODDITIES) + page[at:]


def mutate_tags(draw: random.Random, page: bytes) -> bytes:
    """One tag dropped, doubled, replaced, left open, or given a thousand attributes."""
    found = draw.choice(list(_TAG.finditer(page)) or [None])
    if found is None:
        return page + b"<" + draw.choice(_TAGS) + b">"
    tag = found[0]
    names = b" ".join(b"a%d=%d" % (i, i) for i in range(draw.choice((3, 1000))))
    replacement = draw.choice(
        (b"", tag * draw.randint(2, 50), b"<" + draw.choice(_TAGS) + b">", tag[:-1], tag[:-1] + b" " + names + b">")
    )
    return page[: found.start()] + replacement + page[found.end() :]


def mutate_nesting(draw: random.Random, page: bytes) -> bytes:
    """A piece wrapped in one tag many times over; closed, half closed or left open."""
    at, tag, depth = draw.randrange(len(page) + 1), draw.choice(_TAGS), draw.choice((5, 100, 2000))
    closed = draw.choice((0, depth // 2, depth))
    end = min(len(page), at + draw.choice((0, 300)))
    return page[:at] + (b"<%b>" % tag) * depth + page[at:end] + (b"</%b>" % tag) * closed + page[end:]


MUTATIONS: tuple[Mutation, ...] = (mutate_bytes, mutate_bytes, mutate_tags, mutate_nesting)


def mutate(draw: random.Random, page: bytes, longest: int) -> bytes:
    """A page with one to six mutations, cut to so many bytes after each."""
    for _ in range(draw.randint(1, 6)):
        page = draw.choice(MUTATIONS)(draw, page)[:longest]
    return page


def piece(draw: random.Random, page: bytes, shortest: int, longest: int) -> bytes:
    """A part of a page from anywhere in it; short lengths are as likely as long ones."""
    size = round(shortest * (longest / shortest) ** draw.random())
    at = draw.randrange(max(len(page) - size, 0) + 1)
    return page[at : at + size]
