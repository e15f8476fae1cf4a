"""The page inside a WARC record: the response of a server, or text that was already extracted."""

from __future__ import annotations

import zlib
from typing import Any

from detector.corpus.packing import load_library
from detector.corpus.records import Problem, Record, Skipped, Trouble
from detector.data import KindOption, Page

_KIND_OF_CONTENT: dict[str, KindOption] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "": "auto",
}
_MAIN_TYPES = frozenset(("application", "audio", "font", "image", "message", "model", "multipart", "text", "video"))
"""By which records without a page are counted: whole types would be as many as an archive cares to make up."""


def fastwarc() -> Any:
    """The library that reads WARC.

    Raises:
        InputError: It is not installed.
    """
    return load_library("fastwarc.warc", "WARC and WET need fastwarc")


def address_of(header: dict[str, str]) -> str | None:
    """The address of a record's page; wget puts it into angle brackets."""
    url = header.get("warc-target-uri")
    return url[1:-1] if url is not None and url.startswith("<") and url.endswith(">") else url


def page_of_warc(record: Record, max_bytes: int) -> tuple[dict[str, Any], Page] | Problem | Skipped:
    """The fields and the page of a record; runs in a worker.

    Fields: `url`, `date`, `warc` and, for a response, `http`: the two headers whole, names in lower case. Answers that are not the
    page that was asked for, such as redirects and errors, and what is neither HTML nor text are skipped.
    """
    header = record.fields
    url = address_of(header)
    fields: dict[str, Any] = {"url": url, "date": header.get("warc-date"), "warc": header}
    content_type, charset, body = header.get("content-type", ""), None, record.content
    if content_type.lower().startswith("application/http"):
        parsed = _parse_http(record.content, max_bytes)
        if isinstance(parsed, str):
            return Problem(record.source, record.number, Trouble.CORRUPT, parsed, url)
        status, http, content_type, charset, body = parsed
        if not 200 <= status < 300:
            return Skipped(f"HTTP {status}")
        fields["http"] = http
        if len(body) > max_bytes:
            detail = f"over {max_bytes:,} bytes when unpacked"
            return Problem(record.source, record.number, Trouble.TOO_LARGE, detail, url)
    content_type = content_type.split(";")[0].strip().lower()
    kind = _KIND_OF_CONTENT.get(content_type)
    if kind is None:
        main = content_type.partition("/")[0]
        return Skipped(f"content type {main}/*" if main in _MAIN_TYPES else "unknown content type")
    if header.get("warc-type", "").lower() == "conversion":
        charset = "utf-8"
    return fields, Page(body, kind, url, charset)


def _parse_http(block: bytes, max_bytes: int) -> tuple[int, dict[str, str], str, str | None, bytes] | str:
    """Status, header, content type, charset and unpacked body of a response, or what is wrong with it."""
    reason = "not an HTTP response"
    if not block.startswith(b"HTTP/"):
        return reason
    # Some archives hold bodies unpacked, under the header of the packed ones: then less is unpacked.
    for unpacked in ("all", "content", "none"):
        try:
            record = fastwarc().WarcRecord.from_bytes(_as_response(block))
            record.parse_http(auto_decode=unpacked, quirks_mode=True)
            if record.http_headers is None:
                return reason
            body = record.reader.read(max_bytes + 1)
        except OSError as error:
            reason = str(error)
            continue
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            return "the HTTP parser gave up on it"
        http = {key.lower(): value for key, value in record.http_headers.items()}
        if "deflate" in http.get("content-encoding", "").lower():
            body = _inflated(body, max_bytes)
        status = record.http_headers.status_code
        # A status line without a number is no reason to lose the page.
        return 200 if status is None else status, http, record.http_content_type or "", record.http_charset, body
    return reason


def _inflated(body: bytes, max_bytes: int) -> bytes:
    """The body without the raw deflate that some servers send as `deflate`, and browsers read; as it is, if it is no such stream."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        return body
    return unpacked if stream.eof or len(unpacked) > max_bytes else body


def _as_response(block: bytes) -> bytes:
    """An HTTP message in a WARC record, for the library has no parser of HTTP alone."""
    header = (
        f"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return header.encode() + block + b"\r\n\r\n"
