"""MinHash signatures, and the memory of signatures: on how many distinct pages each was found.

`sketch` makes signatures; `store` holds frozen counts, in memory or in one file; `counting` counts the pages of one
process and `shared` those of several, in Redis. What is hashed into a signature is said in `detector.features.site`.
"""

from __future__ import annotations

from detector.signatures.counting import PageSignatures, SignatureCounter
from detector.signatures.sketch import minhash
from detector.signatures.store import SignatureStore, merge_to_file

__all__ = ["PageSignatures", "SignatureCounter", "SignatureStore", "merge_to_file", "minhash"]
