"""Link-farm and boilerplate detection: split a web page into segments, label each, strip what is not its content.

A page (plain text a block a line, or HTML) is cut into segments; features of each segment and its neighbours go
through a small trained model; every segment is labelled `content`, `link_list` or `boilerplate`; the text without
the last two comes out. `detector.pipeline` reads as the list of these steps.

    >>> from detector import Detector, strip
    >>> result = Detector().classify("Some text.")
    >>> result.source_text
    'Some text.'
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.data import LABELS, Label, Page, PageResult, Segment
    from detector.errors import DetectorError, InputError, ModelError, SampleError, SignatureError, UsageError
    from detector.pipeline import Detector

__all__ = [
    "LABELS",
    "Detector",
    "DetectorError",
    "InputError",
    "Label",
    "ModelError",
    "Page",
    "PageResult",
    "SampleError",
    "Segment",
    "SignatureError",
    "UsageError",
    "strip",
]

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("LABELS", "Label", "Page", "PageResult", "Segment"), "detector.data"),
    **dict.fromkeys(
        ("DetectorError", "InputError", "ModelError", "SampleError", "SignatureError", "UsageError"), "detector.errors"
    ),
    "Detector": "detector.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import detector` alone loads neither NumPy nor the parser."""
    if name not in _HOMES:
        raise AttributeError(f"module 'detector' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


@cache
def _default_detector() -> Detector:
    from detector.pipeline import Detector

    return Detector()


def strip(page: str | bytes) -> str:
    """The text of a page without link lists and boilerplate, by the model that ships with the package.

    Args:
        page: Plain text or HTML; bytes are decoded.
    """
    return _default_detector().strip(page)
