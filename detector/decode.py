"""Bytes to text, and text to its kind; any input is accepted."""

from __future__ import annotations

import codecs
import re

from detector.data import Kind

PAGE_SUFFIXES = (".txt", ".text", ".html", ".htm", ".xhtml", ".md")
"""How files that hold a page are named, in folders of them."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
_META_WINDOW = 4096
"""Bytes searched for a `<meta>` charset; the standard's 1,024 misses pages with long comments at the top."""

_NO_ENCODINGS = frozenset(("utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"))
"""Codecs of Python that no page is written in."""

_OF_WIDE_UNITS = ("utf-16", "utf-32")
"""A `<meta>` that is read as ASCII cannot be in these encodings; UTF-8 is meant (WHATWG Encoding Standard)."""

MOST_DAMAGED, MOST_DAMAGED_UTF_8 = 0.1, 0.5
"""Share of the characters beyond ASCII that may be damaged in a page of that encoding. One cut off in the middle of a character has
one such, and one in another encoding has nothing else. For UTF-8 the share may be larger: its characters hardly ever occur by
chance."""

_WIDER = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "gb2312": "gb18030"}
"""Encodings that browsers read as a superset (WHATWG Encoding Standard, names and labels)."""

_OPENING = re.compile(
    r"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s|(?:html|head|body|\?xml|meta|title|link|base|style|script|noscript|div|table|article)\b)",
    re.IGNORECASE | re.DOTALL,
)
"""Possessive throughout: comments in a row must not be tried in all divisions."""

_OPENING_WINDOW = 2048
_CLOSING_TAG = re.compile(r"</(?:p|div|a|li|ul|td|tr|table|span|h[1-6]|section|body|html)\s*>", re.I)
_CLOSING_WINDOW = 32_768
_CLOSING_TAGS_OF_HTML = 5


def decode(content: bytes, charset: str | None = None) -> str:
    """Decode a page by byte-order mark, HTTP charset, `<meta>` charset, UTF-8 if it fits, then detection.

    An encoding that all bytes fit comes before one that a few don't; these become U+FFFD.

    >>> decode("Grüße".encode("latin-1"), "iso-8859-1")
    'Grüße'

    Args:
        content: The page as it came.
        charset: The encoding named by the HTTP header, if any; an unknown name is passed over.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    declared = _META_CHARSET.search(content[:_META_WINDOW])
    in_meta = _known_encoding(declared[1].decode("ascii")) if declared else None
    if in_meta is not None and in_meta.startswith(_OF_WIDE_UNITS):
        in_meta = "utf-8"
    encodings = [encoding for encoding in (_known_encoding(charset), in_meta, "utf-8") if encoding is not None]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    for encoding in encodings:
        text = content.decode(encoding, "replace")
        beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
        if text.count("\ufffd") <= beyond_ascii * (MOST_DAMAGED_UTF_8 if encoding == "utf-8" else MOST_DAMAGED):
            return text
    return _decode_detected(content)


def _known_encoding(name: str | None) -> str | None:
    """The Python codec for an encoding's name, or None if there is none that turns bytes into text."""
    if not name:
        return None
    try:
        info = codecs.lookup(name.strip().strip("\"'"))
    except (LookupError, ValueError):
        return None
    if not getattr(info, "_is_text_encoding", True) or info.name in _NO_ENCODINGS:
        return None
    return _WIDER.get(info.name, info.name)


def _decode_detected(content: bytes) -> str:
    """Decode by what the bytes look like. Detection is the parser package's own module, apart from its parser."""
    from turbohtml.detect import detect

    found = _known_encoding(detect(content).encoding)
    return content.decode(found or "cp1252", "replace")


def without_surrogates(text: str) -> str:
    """The text with `?` for half surrogates, which JSON can name and UTF-8 cannot hold; text of others as it is."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


BINARY = "looks like a binary file"
"""The problem of what `looks_binary`."""

_BINARY_WINDOW = 8192
_CONTROL_SHARE, _LEAST_CONTROLS = 0.04, 3
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
"""Characters that text has no use for; of 13,000 crawled pages one has 2.7 % of them, and no other over 1 %."""


def looks_binary(content: str | bytes) -> bool:
    """Whether content is no text: more than four in a hundred of the bytes it begins with are control characters, and no
    byte-order mark says that they belong to wide ones.

    >>> looks_binary(b"PK" + bytes(6)), looks_binary("Hi".encode("utf-16"))
    (True, False)

    Args:
        content: A page as it came, or decoded.
    """
    head = content[:_BINARY_WINDOW]
    if isinstance(head, str):
        head = head.encode("utf-8", "replace")
    elif any(head.startswith(mark) for mark, _ in _BYTE_ORDER_MARKS):
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls >= _LEAST_CONTROLS and controls > len(head) * _CONTROL_SHARE


def sniff_kind(text: str) -> Kind:
    """Tell HTML from plain text by how it opens, or by a handful of closing tags near the top.

    >>> sniff_kind("<!doctype html><title>x</title>"), sniff_kind("1 < 2, and <b>this</b> is text")
    ('html', 'text')
    """
    if "<" not in text[:_CLOSING_WINDOW]:
        return "text"
    if _OPENING.match(text[:_OPENING_WINDOW].lstrip("\ufeff")):
        return "html"
    closing = len(_CLOSING_TAG.findall(text[:_CLOSING_WINDOW]))
    return "html" if closing >= _CLOSING_TAGS_OF_HTML else "text"
