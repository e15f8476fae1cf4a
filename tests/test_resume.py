"""What was computed before an interruption is not computed again."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest

import training.train
from detector.errors import RunError
from detector.model import Head, Model
from training import fit, resume
from training.dataset import Dataset
from training.labelling import LabelledPage
from training.resume import code_digest, remember
from training.train import train


def test_a_result_is_computed_once_a_key(tmp_path: Path) -> None:
    calls: list[int] = []

    def result_of(number: int, folder: Path | None = tmp_path / "cache") -> int:
        def compute() -> int:
            calls.append(number)
            return number * 10

        return remember(folder, ("tenfold", number, np.arange(number)), compute)

    assert [result_of(1), result_of(2), result_of(1), result_of(2)] == [10, 20, 10, 20]
    assert calls == [1, 2]
    assert (result_of(1, None), calls) == (10, [1, 2, 1])


def test_an_interrupted_computation_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remember(tmp_path, "key", interrupted)
    assert list(tmp_path.iterdir()) == []
    assert remember(tmp_path, "key", lambda: 1) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_refuses_even_to_take_away_is_named_by_why_the_result_was_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "unlink", read_only)
    monkeypatch.setattr("joblib.dump", full)
    with pytest.raises(RunError, match="No space left on device"):
        remember(tmp_path, "key", lambda: 1)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    remember(tmp_path, "key", lambda: 1)
    (kept,) = tmp_path.glob("*.joblib")
    kept.write_bytes(b"")
    with pytest.raises(RunError, match=f"{kept.name}: a damaged result .*; delete it and start again"):
        remember(tmp_path, "key", lambda: 1)


def test_code_digests_tell_code_apart() -> None:
    assert code_digest([fit]) == code_digest([fit]) != code_digest([resume])
    assert code_digest([training]) != code_digest([training.train])


def test_a_training_goes_on_where_it_stopped(
    make_pages: Callable[..., list[LabelledPage]],
    sentence_model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: list[int] = []

    def fit_or_stop(data: Dataset, *args: object, **kwargs: object) -> Head:
        if stops_at is not None and len(fitted) == stops_at:
            raise KeyboardInterrupt
        fitted.append(len(data))
        return sentence_model.heads["text"]

    monkeypatch.setattr("training.train.fit_head", fit_or_stop)
    # Side by side, the processes would count for themselves.
    monkeypatch.setattr("training.train.Parallel", partial(joblib.Parallel, backend="sequential"))
    stops_at: int | None = 1
    with pytest.raises(KeyboardInterrupt):
        train(make_pages(20), "small", cache=tmp_path)
    stops_at = None
    train(make_pages(20), "small", cache=tmp_path)
    assert len(fitted) == 2, "the fit on three quarters of the sites is not repeated"
    assert fitted[0] < fitted[1]
    train(make_pages(20), "small", cache=tmp_path)
    assert len(fitted) == 2
    train(make_pages(20), "small", cache=tmp_path, seed=1)
    assert len(fitted) == 4, "another seed is another fit"
