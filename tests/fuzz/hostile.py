"""Pages made to break a parser or a pipeline, of any size; `python tests/fuzz/hostile.py` measures them at full size.

Each is measured in a process of its own: processor seconds a byte, and peak memory over that of a one-line page.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from detector import Detector
from detector.limits import MAX_SEGMENTS

MOST_TIMES, MOST_BESIDES_MB = 50, 32
"""Memory that a page may take: so many times its bytes, and as much for 4,096 segments at a time and a small tree."""

HOSTILE: dict[str, tuple[Callable[[int], bytes], int]] = {
    "nested divs": (lambda n: b"<div> " * n + b"x" + b"</div> " * n, 100_000),
    "formatting reopened": (lambda n: b"<p>" + b"".join(b"<b a=%d>" % i for i in range(500)) + b"<p>abc" * n, 150_000),
    "link reopened": (lambda n: b"<p><a>" + b"<p>abcd" * n, 190_000),
    "long link reopened": (lambda n: b"<p><a href=" + b"x" * n + b">" + b"<p>abc" * (n // 4), 400_000),
    "attributes reopened": (lambda n: b"<p><a " + b" ".join(b"a%d=1" % i for i in range(n)) + b">" + b"<p>abc" * n, 100_000),
    "link of quotes reopened": (lambda n: b"<p><a b='" + b'"' * 1000 + b"'>" + b"<p>abcdefghijkl" * n, 120_000),
    "hidden link reopened": (lambda n: b'<p><!--<b x="--><a href=' + b"y" * n + b'>">' + b"<p>abcdefghijkl" * (n // 2), 20_000),
    "option copied": (lambda n: b"<select><button><selectedcontent></selectedcontent></button><option selected><p><a>" + b"<p>abcdefg" * n, 190_000),
    "nested links and tables": (lambda n: b"<table><tr><td><a href=x>" * n, 100_000),
    "misnested formatting": (lambda n: b"<b><i><p>x</b></i> and more" * n, 20_000),
    "attributes": (lambda n: b"<p " + b" ".join(b"a%d=1" % i for i in range(n)) + b">x", 1_000_000),
    "attribute that begins with =": (lambda n: b'<p =x="' + b"a " * n + b'">x', 2_000_000),
    "attributes merged": (lambda n: b"<html>" + b"".join(b"<html a%d=1>" % i for i in range(n)) + b"<p>x", 100_000),
    "one long class": (lambda n: b"<p class=" + b"a" * n + b">x", 4_000_000),
    "one text node": (lambda n: b"<p>" + b"word " * (n // 5), 50_000_000),
    "one line of text": (lambda n: b"word " * (n // 5), 50_000_000),
    "one unbroken word": (lambda n: b"a" * n, 50_000_000),
    "tags without text": (lambda n: b"<b></b>" * (n // 2), 10_000_000),
    "paragraphs without text": (lambda n: b"<p>" * n, 10_000_000),
    "segments": (lambda n: b"a\n" * n, 1_000_000),
    "short lines": (lambda n: b"ab\n" * n, 199_000),
    "blank lines": (lambda n: b" \n" * n + b"a", 10_000_000),
    "short paragraphs": (lambda n: b"<p>abc" * n, 199_000),
    "paragraphs of a letter": (lambda n: b"<p>a" * n, 100_000),
    "short cells": (lambda n: b"<table>" + (b"<tr>" + b"<td>123" * 100) * (n // 100), 900_000),
    "entities": (lambda n: b"<p>" + b"&CounterClockwiseContourIntegral;&#x1F600;&am" * n, 200_000),
    "declared entities": (lambda n: b'<!DOCTYPE x [<!ENTITY a "&a;&a;">]><p>' + b"&a;" * n, 1_000_000),
    "gigantic table": (lambda n: b"<table>" + (b"<tr>" + b"<td>1" * 100) * (n // 100), 1_000_000),
    "plaintext": (lambda n: b"<p>x<plaintext>" + b"<p>y</plaintext>\n" * n, 40_000),
    "invalid and mixed encodings": (lambda n: "é".encode() * n + b"\xff\xc3\x80" * n + "Ж".encode("cp1251") * n, 1_000_000),
    "NULs": (lambda n: b"<p>" + b"a\0" * n, 1_000_000),
    "bidi and zero-width": (lambda n: ("\u202e\u2066a\u200b\u200d\ufeff" * n).encode(), 1_000_000),
    "combining marks": (lambda n: ("a" + "\u0301" * n).encode(), 1_000_000),
    "brackets": (lambda n: b"[" * n + b"]" * n, 500_000),
    "unclosed comment": (lambda n: b"<!--" + b"-->x<!--" * n, 500_000),
}  # fmt: skip
"""By name: how to make one, and its full size."""


def _peak() -> int:
    """The most bytes that the process has held. What `getrusage` says begins with what its parent held when it was started."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def measure(name: str, part: float = 1.0) -> dict[str, object]:
    """Classify one hostile page with no limits but those of segments and tags, and say what it took, with `spam_probability`."""
    make, size = HOSTILE[name]
    detector = Detector(max_bytes=1 << 32, max_segments=MAX_SEGMENTS, timeout=math.inf)
    detector.classify("One line.", "text")
    detector.classify("<p>One line.", "html")
    page = make(int(size * part))
    before = _peak()
    began = time.process_time()
    result = detector.classify(page, "html" if page.startswith(b"<") else "text")
    _ = result.spam_probability
    seconds = time.process_time() - began
    peak = _peak() - before
    return {
        "page": name,
        "kind": result.kind,
        "bytes": len(page),
        "seconds": round(seconds, 2),
        "ns_a_byte": round(seconds / len(page) * 1e9),
        "memory_ratio": round(peak / len(page), 1),
        "memory_mb": round(peak / 1e6, 1),
        "segments": len(result),
        "problem": result.problem,
    }


def main() -> None:
    """Measure every page, or the one named, at full size or the given part of it."""
    if len(sys.argv) > 2:
        print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))), flush=True)
        return
    part = sys.argv[1] if len(sys.argv) > 1 else "1"
    for name in HOSTILE:
        done = subprocess.run([sys.executable, __file__, name, part], check=False)
        if done.returncode:
            print(json.dumps({"page": name, "exit": done.returncode}), flush=True)


if __name__ == "__main__":
    main()
