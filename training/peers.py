"""Other extractors, to be measured beside ours: from HTML to text, or from lines to those that stay.

Each is called as its own documentation calls it, with its defaults. They raise what they like on hostile pages.
"""

from __future__ import annotations

import html as html_module
import logging
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import Any

from detector.errors import UsageError
from detector.segment import segment_html

HtmlPeer = Callable[[str, str | None], str]
"""From HTML and its language (a two-letter code, or None where unknown) to the text that stays."""

LinePeer = Callable[[Sequence[str], str | None], list[bool]]
"""From the lines of a text, none of them blank, and their language to which of them stay."""

C4_RULES = "C4 line rules"
INSTALL = "pip install 'link-farm-detector[peers]'"

_C4_ENDS = (".", "!", "?", '"')
_C4_WORDS = 5
_JUSTEXT_PARAGRAPH = re.compile(r"p\[(\d+)\]$")
_JUSTEXT_LANGUAGES = dict(
    pair.split(":")
    for pair in (
        "ar:Arabic bg:Bulgarian ca:Catalan cs:Czech da:Danish de:German el:Greek en:English es:Spanish fi:Finnish "
        "fr:French he:Hebrew hi:Hindi hr:Croatian hu:Hungarian id:Indonesian it:Italian ko:Korean lt:Lithuanian "
        "nb:Norwegian_Bokmal nl:Dutch no:Norwegian_Bokmal pl:Polish pt:Portuguese ro:Romanian ru:Russian sk:Slovak "
        "sl:Slovenian sr:Serbian sv:Swedish tr:Turkish uk:Ukrainian vi:Vietnamese"
    ).split()
)
"""Its stop list for each language, by two-letter code."""


def html_peers() -> dict[str, HtmlPeer]:
    """The peers that read HTML, by the name of their distribution.

    Raises:
        UsageError: One of them is not installed.
    """
    try:
        import readability
        import trafilatura
        from justext import justext
        from resiliparse.extract.html2text import extract_plain_text
    except (ImportError, OSError) as error:
        raise UsageError(f"the peers are not all installed ({error}); run: {INSTALL}") from error
    # They log every page they find odd; what matters here is what they raise and what they return.
    for name in ("trafilatura", "htmldate", "readability"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def run_justext(html: str, lang: str | None = None) -> str:
        paragraphs = justext(html.encode("utf-8", "replace"), encoding="utf-8", **_justext_settings(lang))
        return "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate)

    def run_readability(html: str, lang: str | None = None) -> str:
        # It returns HTML; our own segmenter breaks the lines where a browser would.
        return segment_html(readability.Document(html).summary()).text

    def run_resiliparse(html: str, lang: str | None = None) -> str:
        return str(extract_plain_text(html, main_content=True))

    def run_trafilatura(html: str, lang: str | None = None) -> str:
        return trafilatura.extract(html) or ""

    return {
        "jusText": run_justext,
        "readability-lxml": run_readability,
        "resiliparse": run_resiliparse,
        "trafilatura": run_trafilatura,
    }


def text_peers() -> dict[str, LinePeer]:
    """The peers that read text: the C4 line rules, and jusText with each line in a `<p>`.

    Raises:
        UsageError: jusText is not installed.
    """
    try:
        from justext import justext
    except (ImportError, OSError) as error:
        raise UsageError(f"the peers are not all installed ({error}); run: {INSTALL}") from error

    def run_justext(lines: Sequence[str], lang: str | None = None) -> list[bool]:
        body = "".join(f"<p>{html_module.escape(line)}</p>" for line in lines)
        html = f"<html><body>{body}</body></html>".encode("utf-8", "replace")
        kept = [False] * len(lines)
        for paragraph in justext(html, encoding="utf-8", **_justext_settings(lang)):
            place = _JUSTEXT_PARAGRAPH.search(paragraph.xpath)
            if place and not paragraph.is_boilerplate:
                kept[int(place[1]) - 1] = True
        return kept

    return {C4_RULES: c4_line_rules, "jusText": run_justext}


def c4_line_rules(lines: Sequence[str], lang: str | None = None) -> list[bool]:
    """Which lines the rules of C4 keep.

    A line stays if it ends in a full stop, an exclamation or question mark or a quotation mark, has at least five
    words, and does not mention Javascript (Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a
    Unified Text-to-Text Transformer", https://arxiv.org/abs/1910.10683, section 2.2). The paper's rules for whole pages
    are left out.

    >>> c4_line_rules(["Home | News", "The mill burned down last night.", "Please enable Javascript in your browser."])
    [False, True, False]
    """
    return [
        line.rstrip().endswith(_C4_ENDS) and len(line.split()) >= _C4_WORDS and "javascript" not in line.lower()
        for line in lines
    ]


def versions() -> dict[str, str]:
    """The installed version of each peer that is a distribution."""
    return {name: metadata.version(name) for name in ("jusText", "readability-lxml", "resiliparse", "trafilatura")}


@cache
def _justext_settings(lang: str | None) -> dict[str, Any]:
    """The language's stop list, English's where the language is unknown; without one, what its README says to do."""
    from justext import get_stoplist

    language = _JUSTEXT_LANGUAGES.get((lang or "en")[:2].lower())
    if language is None:
        return {"stoplist": frozenset(), "stopwords_low": 0, "stopwords_high": 0}
    return {"stoplist": get_stoplist(language)}
