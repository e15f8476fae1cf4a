"""Which site a page is from: pages of one site share a template, so splits go by site."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

FOLDS = 5
"""Parts, by site: the words of each are scored by a scorer that has learnt from the other parts only."""

_SECOND_LEVELS = frozenset(["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "mil"])
_HOSTS = ("blogspot.", "wordpress.com", "github.io", "tumblr.com", "typepad.com", "livejournal.com", "medium.com")
_CANONICAL = re.compile(
    r"<link\b(?=[^>]{0,400}\brel=[\"']?canonical\b)[^>]{0,400}?\bhref=[\"']?([^\"'\s>]+)", re.IGNORECASE
)
_HEAD_CHARS = 50_000
_BARE_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/|$)")
"""How an address begins that was written without its scheme."""

_NUMBERS = re.compile(r"[\d.]+|[\da-f:.]*:[\da-f:.]*")
"""Addresses of machines, which belong to no domain."""


def canonical_url(html: str) -> str | None:
    """The address a page gives as its own in `<link rel="canonical">`, or None.

    >>> canonical_url('<head><link rel="canonical" href="https://harbour.example/a"></head>')
    'https://harbour.example/a'
    """
    match = _CANONICAL.search(html[:_HEAD_CHARS])
    return match[1] if match else None


def site_of(url: str | None, fallback: str) -> str:
    """The registered domain of a URL, or the fallback where there is no host.

    Three labels where the second is a common second-level suffix, and one site a subdomain on blog hosts. A public
    suffix list would be right more often; a split only needs that pages of one site fall on one side.

    >>> site_of("https://www.news.example.co.uk/a", "x"), site_of("http://me.wordpress.com/", "x"), site_of(None, "x")
    ('example.co.uk', 'me.wordpress.com', 'x')
    >>> site_of("news.example.com/a", "x"), site_of("http://192.168.1.1/", "x")
    ('example.com', '192.168.1.1')
    """
    url = url or ""
    try:
        parts = urlsplit(f"//{url}" if _BARE_HOST.match(url) else url)
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return fallback
    if not host:
        return fallback
    if _NUMBERS.fullmatch(host):
        return host
    if any(name in host for name in _HOSTS):
        return host
    labels = host.split(".")
    size = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVELS else 2
    return ".".join(labels[-size:])


def site_fold(site: str, folds: int) -> int:
    """The fold of a site: stable from run to run, the same for all pages of the site."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "replace")).digest()[:8], "big") % folds
