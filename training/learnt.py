"""Which pages a model has learnt from, kept in its manifest: figures of those say nothing of others."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from detector.errors import ModelError
from detector.model import Model
from training.samples import Sample

DIGESTS = "page_digests"
"""The entry of a model's `info`."""

DIGEST_BYTES = 6
"""Of a page: of a million pages, two have the same digest once in five hundred times."""

MOST_PAGES = 50_000
"""A manifest holds no more than a megabyte; of models of more pages nothing is kept."""


def digest_of(sample: Sample) -> bytes:
    """The beginning of the page's digest; (DIGEST_BYTES) bytes."""
    return sample.digest[:DIGEST_BYTES]


def pages_known_to(model: Model) -> frozenset[bytes]:
    """The digests of the pages that a model has learnt from; empty where its manifest holds none.

    Raises:
        ModelError: What the manifest holds are no digests.
    """
    try:
        content = base64.b64decode(model.info.get(DIGESTS, ""), validate=True)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"model '{model.name}': the digests of its pages are damaged ({error}); train it again"
        ) from error
    return frozenset(content[at : at + DIGEST_BYTES] for at in range(0, len(content), DIGEST_BYTES))


def packed_digests(samples: Iterable[Sample], before: Iterable[bytes] = ()) -> dict[str, str]:
    """The entry for a model's `info`; empty for too many pages.

    Args:
        samples: What the model has learnt from.
        before: Digests of what the model that it extends had learnt from.
    """
    digests = sorted({*map(digest_of, samples), *before})
    return {DIGESTS: base64.b64encode(b"".join(digests)).decode()} if len(digests) <= MOST_PAGES else {}
