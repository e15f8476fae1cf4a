"""The review as one HTML file that needs no server and no network, and that no page in it can take over."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from importlib.resources import files
from string import Template
from typing import Any

from detector.data import LABELS
from detector.review.page import ReviewPage

SCRIPTS = ("store.js", "paper.js", "minimap.js", "card.js", "actions.js", "main.js")
"""Parts of the one script, in the order in which they stand in it."""

GENERATED = 'name="generator" content="link-farm-detector"'
"""What the head of every HTML file has that this package writes."""

_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def render(pages: Iterable[ReviewPage]) -> str:
    """The whole file.

    Args:
        pages: In the order in which they are to be read; two of one digest are shown once.
    """
    first_of: dict[str, ReviewPage] = {}
    for page in pages:
        first_of.setdefault(page.digest, page)
    unique = list(first_of.values())
    style, script = _asset("review.css"), "".join(map(_asset, SCRIPTS))
    return Template(_asset("review.html")).substitute(
        generated=GENERATED,
        policy=_policy(style, script),
        style=style,
        script=script,
        index=_json({"labels": LABELS, "pages": [page.facts for page in unique]}),
        pages="\n".join(
            f'<script type="application/json" id="page-{number}">{_json(page.body)}</script>'
            for number, page in enumerate(unique)
        ),
    )


def _policy(style: str, script: str) -> str:
    """A content security policy that allows this style and this script, and no string to become markup or code."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(value: Any) -> str:
    """JSON that ends no script element, opens no comment, and survives any encoding of the file."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _asset(name: str) -> str:
    return files("detector.review").joinpath(name).read_text(encoding="utf-8")
