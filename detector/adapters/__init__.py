"""Detectors inside the frameworks that hold the pages: convert in, call `Detector`, convert out.

One module a framework, each with an extra of its own and importable without the others:
`scrapy`, `crawl4ai`, `datatrove`, `datasets`, `pandas`, `polars`, `spark`. What a page is or whether it goes is decided
in `detector.pipeline`; here are only the shapes that a framework hands over and wants back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def framework(extra: str) -> Iterator[None]:
    """Import a framework inside, so that one that is missing names the line that installs it.

    Args:
        extra: The extra of this package that brings the framework.

    Raises:
        ImportError: The framework, or something that it needs, is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"detector.adapters.{extra} cannot be imported ({error}); run: pip install 'link-farm-detector[{extra}]'"
        ) from error
