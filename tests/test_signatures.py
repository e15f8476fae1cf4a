"""Counting signatures: the store, its file, merging, and counting in one process and in Redis."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.errors import SignatureError, UsageError
from detector.signatures import PageSignatures, SignatureCounter, SignatureStore, merge_to_file, store
from detector.signatures.keys import KeyKind, tag
from detector.signatures.shared import RedisSignatureCounter

SCHEME = "of the tests"


def make_store(pairs: dict[int, int]) -> SignatureStore:
    keys = np.array(sorted(pairs), np.uint64)
    return SignatureStore(keys, np.array([pairs[key] for key in sorted(pairs)], np.uint32), SCHEME)


def random_keys(size: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.unique(np.random.default_rng(seed).integers(0, 1 << 64, size, np.uint64))


def make_page(number: int, keys: list[int]) -> PageSignatures:
    identity = tag(np.array([number << 20], np.uint64), KeyKind.CONTENT)
    return PageSignatures(identity, np.unique(np.concatenate((identity, np.array(keys, np.uint64)))))


@pytest.mark.parametrize("shift", [0, 40], ids=["spread", "crowded into few buckets"])
@pytest.mark.parametrize("size", [1, 2, 7, 5000])
def test_look_ups_find_what_is_there_and_nothing_else(size: int, shift: int) -> None:
    keys = np.unique(random_keys(size) >> np.uint64(shift))
    counts = np.arange(1, len(keys) + 1, dtype=np.uint32)
    found = SignatureStore(keys, counts, SCHEME)
    assert found.lookup(keys).tolist() == counts.tolist()
    strangers = np.setdiff1d(
        np.concatenate((keys + np.uint64(1), keys - np.uint64(1), np.array([0, 2**64 - 1], np.uint64))), keys
    )
    assert not found.lookup(strangers).any()


def test_look_ups_keep_the_shape_and_an_empty_store_knows_nothing() -> None:
    assert make_store({}).lookup(np.zeros((2, 3), np.uint64)).shape == (2, 3)
    assert make_store({5: 2}).lookup(np.array([[5], [6]], np.uint64)).tolist() == [[2], [0]]


def test_a_store_refuses_keys_out_of_order() -> None:
    with pytest.raises(UsageError, match="ascending"):
        SignatureStore(np.array([2, 2], np.uint64), np.ones(2, np.uint32), SCHEME)


def test_a_store_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_store({1: 1}).counts[0] = 7


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    keys = random_keys(3000)
    saved = SignatureStore(keys, (keys % np.uint64(90)).astype(np.uint32), SCHEME)
    saved.save(tmp_path / "a")
    opened = SignatureStore.open(tmp_path / "a", SCHEME)
    assert np.array_equal(opened.keys, saved.keys)
    assert np.array_equal(opened.lookup(keys), saved.counts)
    make_store({}).save(tmp_path / "empty")
    assert len(SignatureStore.open(tmp_path / "empty", SCHEME)) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a", "empty"}


def test_every_changed_byte_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a"
    make_store({3: 1, 9: 4, 70: 2}).save(path)
    whole = path.read_bytes()
    header_end = whole.index(b"}") + 1
    for place in [*range(header_end), *range(store.HEADER_BYTES, len(whole))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(SignatureError, match="a: "):
            SignatureStore.open(path, SCHEME)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a signature file"),
        (b"PK\x03\x04" * 2000, "not a signature file"),
        (store.MAGIC + b"[" * (store.HEADER_BYTES - 8), "damaged header"),
        (store.MAGIC + b'{"format": 9}'.ljust(store.HEADER_BYTES - 8), "format"),
        (store.MAGIC + b'{"format": 1, "scheme": "x", "signatures": -1}'.ljust(store.HEADER_BYTES - 8), "damaged"),
    ],
)
def test_what_is_no_signature_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(SignatureError, match=message):
        SignatureStore.open(tmp_path / "b", SCHEME)


def test_a_cut_file_another_scheme_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    make_store({3: 1, 9: 4}).save(path)
    with pytest.raises(SignatureError, match="another version"):
        SignatureStore.open(path, "other")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SignatureError, match="cut short"):
        SignatureStore.open(path, SCHEME)
    with pytest.raises(SignatureError, match="missing: cannot be read"):
        SignatureStore.open(tmp_path / "missing", SCHEME)
    with pytest.raises(SignatureError, match="cannot be written"):
        make_store({}).save(tmp_path / "no folder" / "a")


def test_an_honest_digest_over_unsorted_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    keys, counts = np.array([9, 3], "<u8"), np.array([1, 1], "<u4")
    digest = store._digest(SCHEME, [keys, counts])
    header = {"format": store.FORMAT, "scheme": SCHEME, "signatures": 2, "sha256": digest}
    head = (store.MAGIC + json.dumps(header).encode()).ljust(store.HEADER_BYTES)
    path.write_bytes(head + keys.tobytes() + counts.tobytes())
    with pytest.raises(SignatureError, match="ascending"):
        SignatureStore.open(path, SCHEME)


def test_merging_sums_whatever_the_order_and_the_size_of_the_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(4)
    parts = [dict.fromkeys(random_keys(500, seed=seed % 2).tolist(), seed + 1) for seed in range(3)]
    parts[2] |= {int(key): 5 for key in random.integers(0, 100, 20)}
    stores = [make_store(part) for part in parts]
    expected: Counter[int] = Counter()
    for part in parts:
        expected.update(part)
    monkeypatch.setattr(store, "_MERGED_AT_A_TIME", 100)
    merge_to_file(stores, tmp_path / "ranges")
    merge_to_file(stores[::-1], tmp_path / "reversed")
    assert (tmp_path / "ranges").read_bytes() == (tmp_path / "reversed").read_bytes()
    merged = SignatureStore.open(tmp_path / "ranges", SCHEME)
    assert dict(zip(merged.keys.tolist(), merged.counts.tolist(), strict=True)) == dict(expected)
    monkeypatch.undo()
    assert np.array_equal(SignatureStore.merge(stores).counts, merged.counts)


def test_sums_stop_at_the_largest_count() -> None:
    most = store.MOST_COUNT
    assert SignatureStore.merge([make_store({8: most}), make_store({8: most})]).counts.tolist() == [most]


def test_rare_lines_may_be_forgotten_but_no_page_and_no_host() -> None:
    hashes = np.array([64, 128], np.uint64)
    pairs = {int(key): count for kind in KeyKind for key, count in zip(tag(hashes, kind), (1, 2), strict=True)}
    kept = SignatureStore.merge([make_store(pairs)], min_pages=2).totals()
    assert {kind: keys for kind, (keys, _) in kept.items()} == {
        KeyKind.LINE: 1, KeyKind.WEB_LINE: 1, KeyKind.NEAR: 1, KeyKind.RUN: 1,
        KeyKind.HOST: 2, KeyKind.URL: 2, KeyKind.CONTENT: 2,
    }  # fmt: skip


def test_stores_that_do_not_belong_together_are_not_merged() -> None:
    other = SignatureStore(np.empty(0, np.uint64), np.empty(0, np.uint32), "other")
    with pytest.raises(UsageError, match="different ways"):
        SignatureStore.merge([make_store({}), other])
    with pytest.raises(UsageError, match="nothing to merge"):
        SignatureStore.merge([])
    with pytest.raises(UsageError, match="min_pages"):
        SignatureStore.merge([make_store({})], min_pages=0)


@pytest.mark.parametrize("on_disk", [False, True])
def test_pages_are_counted_once_in_however_many_runs(tmp_path: Path, on_disk: bool) -> None:
    pages = [make_page(number, [1 << 30, number % 3 << 40]) for number in range(1, 21)]
    whole = SignatureCounter(SCHEME)
    assert whole.add([*pages, *pages[:5]]) == 20
    parts = SignatureCounter(SCHEME, tmp_path if on_disk else None, run_keys=7)
    assert [parts.add([page]) for page in [*pages, *pages]] == [1] * 20 + [0] * 20
    assert np.array_equal(whole.freeze().keys, parts.freeze().keys)
    assert np.array_equal(whole.freeze().counts, parts.freeze().counts)
    assert whole.freeze().lookup(np.array([1 << 30], np.uint64)).tolist() == [20]
    parts.freeze_to_file(tmp_path / "all")
    assert np.array_equal(SignatureStore.open(tmp_path / "all", SCHEME).counts, whole.freeze().counts)


def test_a_counter_may_go_on_after_it_was_frozen() -> None:
    counter = SignatureCounter(SCHEME)
    assert len(counter.freeze()) == 0
    counter.add([make_page(1, [8])])
    before = counter.freeze()
    counter.add([make_page(2, [8]), make_page(1, [8])])
    assert (before.lookup(np.array([8], np.uint64))[0], counter.freeze().lookup(np.array([8], np.uint64))[0]) == (1, 2)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis server of our own on the loopback."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def test_crawlers_that_share_a_redis_count_as_one_would(redis_url: str) -> None:
    pytest.importorskip("redis")
    random = np.random.default_rng(6)
    pages = [make_page(number, [*random.integers(1, 1 << 64, 30, np.uint64).tolist(), 77 << 8]) for number in range(40)]
    first, second = (RedisSignatureCounter(redis_url, SCHEME, prefix="two [crawlers]*") for _ in range(2))
    assert first.add(pages[:25]) + second.add(pages[10:]) == 40
    alone = SignatureCounter(SCHEME)
    alone.add(pages)
    shared, expected = second.freeze(), alone.freeze()
    assert np.array_equal(shared.keys, expected.keys)
    assert np.array_equal(shared.counts, expected.counts)
    assert len(RedisSignatureCounter(redis_url, "another scheme", prefix="two [crawlers]*").freeze()) == 0


def test_a_redis_that_does_not_answer_is_named() -> None:
    pytest.importorskip("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SignatureError, match="check the server's address"):
        RedisSignatureCounter(f"redis://127.0.0.1:{port}/0", SCHEME)
