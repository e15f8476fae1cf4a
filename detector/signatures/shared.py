"""Counting pages by signature in Redis, for several crawlers at once.

The only file that knows Redis. Crawlers add pages; what classifies is always a frozen snapshot, so that the result of
a page never depends on how far the others have come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.errors import SignatureError
from detector.signatures.counting import PageSignatures
from detector.signatures.store import MOST_COUNT, SignatureStore

if TYPE_CHECKING:
    from types import ModuleType

# Keys lie in a million small hashes, chosen by their first 20 bits: Redis packs small hashes many times tighter
# than keys of their own. A script runs as a whole or not at all, so a page is never half counted.
_ADD = """
local function bucket(key)
    local third = string.byte(key, 3)
    return KEYS[1] .. ':' .. string.sub(key, 1, 2) .. string.char(third - third % 16)
end
for i = 2, 1 + tonumber(ARGV[1]) do
    if redis.call('HEXISTS', bucket(ARGV[i]), ARGV[i]) == 1 then return 0 end
end
for i = 2 + tonumber(ARGV[1]), #ARGV do
    redis.call('HINCRBY', bucket(ARGV[i]), ARGV[i], 1)
end
return 1
"""
_SCANNED = 1000
_BIG_ENDIAN = np.dtype(">u8")


class RedisSignatureCounter:
    """Counts the pages of many processes in one Redis server.

    Args:
        url: Such as `redis://localhost:6379/0`.
        scheme: See `SignatureStore`; counts of different schemes are kept apart.
        prefix: Of the names of everything kept in Redis.

    Raises:
        SignatureError: The `redis` package is not installed, or the server does not answer.
    """

    def __init__(self, url: str, scheme: str, prefix: str = "link-farm-detector") -> None:
        self._redis = _import_redis()
        self._client: Any = self._redis.Redis.from_url(url)
        self._scheme = scheme
        self._prefix = f"{prefix}:{scheme}".encode()
        self._add = self._client.register_script(_ADD)
        self._run(self._client.ping)

    def add(self, pages: Iterable[PageSignatures]) -> int:
        """Count pages; one whose address or content any crawler has counted before is not counted again.

        Returns:
            How many were new.

        Raises:
            SignatureError: The server does not answer; whole pages are counted or not, and adding them again is safe.
        """
        calls = self._client.pipeline(transaction=False)
        for page in pages:
            names = [key.tobytes() for key in (*_bytes(page.identity), *_bytes(page.keys))]
            self._add(keys=[self._prefix], args=[len(page.identity), *names], client=calls)
        return sum(self._run(calls.execute))

    def freeze(self) -> SignatureStore:
        """The counts so far; no crawler may be adding meanwhile, or its pages may be half in."""
        keys: list[bytes] = []
        counts: list[int] = []
        for name in self._run(lambda: list(self._client.scan_iter(_literally(self._prefix) + b":*", _SCANNED))):
            found: dict[bytes, bytes] = self._run(self._client.hgetall, name)
            keys += found
            counts += map(int, found.values())
        packed = np.frombuffer(b"".join(keys), _BIG_ENDIAN).astype(np.uint64)
        order = np.argsort(packed)
        limited = np.minimum(np.array(counts, np.int64), MOST_COUNT).astype(np.uint32)
        return SignatureStore(packed[order], limited[order], self._scheme)

    def _run(self, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except self._redis.RedisError as error:
            raise SignatureError(f"Redis: {error}; check the server's address and that it runs") from error


def _bytes(keys: Any) -> Any:
    return keys.astype(_BIG_ENDIAN)


def _literally(pattern: bytes) -> bytes:
    """The pattern of Redis that matches just these bytes."""
    return b"".join(b"\\" + bytes([byte]) if byte in b"*?[]\\^" else bytes([byte]) for byte in pattern)


def _import_redis() -> ModuleType:
    try:
        import redis
    except ImportError as error:
        raise SignatureError(
            f"counting in Redis needs a package more ({error}); run: pip install 'link-farm-detector[signatures]'"
        ) from error
    return redis
