"""Damage to a model folder, a byte at a time: refused by name, or without effect."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.errors import ModelError
from detector.model import Model
from detector.storage import MANIFEST, WEIGHTS, load_model


def flip(path: Path, at: int, bits: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.write_bytes(content)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flips")


@pytest.fixture(scope="module")
def refused_or_same(same_model: Callable[[Model, Model], bool], sentence_model: Model) -> Callable[[Path], bool]:
    """A function that tells whether a folder is refused by name or loads as the model it was made from."""

    def check(folder: Path) -> bool:
        try:
            return same_model(load_model(folder), sentence_model)
        except ModelError as error:
            return str(folder) in str(error)

    return check


@settings(max_examples=120)
@example(part="contents", offset=8, bits=1)
@given(
    part=st.sampled_from(["manifest", "members", "contents"]), offset=st.integers(0, 1 << 20), bits=st.integers(1, 255)
)
def test_a_flipped_byte_is_refused_or_harmless(
    refused_or_same: Callable[[Path], bool], sentence_folder: Path, scratch: Path, part: str, offset: int, bits: int
) -> None:
    manifest, weights = (sentence_folder / MANIFEST).read_bytes(), (sentence_folder / WEIGHTS).read_bytes()
    (scratch / MANIFEST).write_bytes(manifest)
    (scratch / WEIGHTS).write_bytes(weights)
    with zipfile.ZipFile(scratch / WEIGHTS) as archive:
        contents = archive.start_dir
    if part == "manifest":
        flip(scratch / MANIFEST, offset % len(manifest), bits)
    elif part == "members":
        flip(scratch / WEIGHTS, offset % contents, bits)
    else:
        flip(scratch / WEIGHTS, contents + offset % (len(weights) - contents), bits)
    assert refused_or_same(scratch)


@pytest.mark.parametrize(
    ("number", "other"), [('"threshold": 0.5', '"threshold": 0.9'), ('"words": 0.', '"words": 9.')]
)
def test_a_flipped_digit_in_the_manifest_is_refused(
    sentence_folder: Path, tmp_path: Path, number: str, other: str
) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    manifest = (folder / MANIFEST).read_text(encoding="utf-8")
    assert number in manifest
    (folder / MANIFEST).write_text(manifest.replace(number, other, 1), encoding="utf-8")
    with pytest.raises(ModelError):
        load_model(folder)


def test_damage_in_another_compression_is_refused(sentence_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    with (
        zipfile.ZipFile(sentence_folder / WEIGHTS) as source,
        zipfile.ZipFile(folder / WEIGHTS, "w", zipfile.ZIP_LZMA) as archive,
    ):
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    flip(folder / WEIGHTS, 60, 0xFF)
    with pytest.raises(ModelError):
        load_model(folder)
