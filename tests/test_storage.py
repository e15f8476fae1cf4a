from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detector import Detector
from detector.errors import ModelError
from detector.features import TEXT_BITS
from detector.golden import replay
from detector.model import Model, input_names
from detector.network import Network, Sight
from detector.places import Places
from detector.segment import segment_text
from detector.storage import (
    GOLDEN,
    MANIFEST,
    MAX_WEIGHTS_BYTES,
    WEIGHTS,
    load_model,
    manifest_sha256,
    read_golden,
    save_model,
)

SameModel = Callable[[Model, Model], bool]
Edit = Callable[[dict[str, Any]], object]
INPUTS = len(input_names("text"))


def npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npy_header(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"abc"


def altered(
    source: Path,
    folder: Path,
    arrays: dict[str, NDArray[Any]] | None = None,
    members: dict[str, bytes] | None = None,
    edit: Edit = lambda manifest: None,
) -> Path:
    """A copy of a model with other arrays, digests to match, other bytes for members, and an edited manifest."""
    changed = {**np.load(source / WEIGHTS), **(arrays or {})}
    manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    manifest["arrays"] = {
        name: {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest(),
        }
        for name, array in changed.items()
        if array.dtype != object
    }
    edit(manifest)
    manifest["sha256"] = manifest_sha256(manifest)
    folder.mkdir()
    with zipfile.ZipFile(folder / WEIGHTS, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in changed.items():
            archive.writestr(f"{name}.npy", (members or {}).get(name) or npy(array))
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    shutil.copy(source / GOLDEN, folder)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_a_model_comes_back_as_it_was_saved(
    same_model: SameModel, sentence_model: Model, sentence_folder: Path
) -> None:
    loaded = load_model(sentence_folder)
    assert (loaded.name, loaded.info) == ("sentences", {"made": "by hand"})
    for kind, head in sentence_model.heads.items():
        other = loaded.head(kind)
        assert (head.threshold, head.lift) == (other.threshold, other.lift)
        assert head.words.scale == other.words.scale
        assert np.array_equal(head.words.table, other.words.table)


def test_equal_models_are_equal_files_and_nothing_else_is_left(sentence_folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        save_model(load_model(sentence_folder), tmp_path / "new" / "model")
    files = {path.name: path.read_bytes() for path in (tmp_path / "new" / "model").iterdir()}
    assert files == {name: (sentence_folder / name).read_bytes() for name in (MANIFEST, WEIGHTS, GOLDEN)}


def test_a_model_of_one_kind(sentence_model: Model, tmp_path: Path) -> None:
    save_model(Model("text", {"text": sentence_model.heads["text"]}), tmp_path)
    pages = ["<!doctype html><p>It burned down.", "It burned down.", "<!doctype html>"]
    unread, text, empty = Detector(tmp_path).classify_many(pages)
    assert (unread.problem, unread.kind, unread.text) == ("model 'text' was not trained on html pages", "html", "")
    assert (len(unread), unread.spam_probability, pickle.loads(pickle.dumps(unread)).segments) == (0, None, [])
    assert (text.problem, text.text) == (None, "It burned down.")
    assert empty.problem == "empty page"


def test_a_copy_made_by_the_helper_loads(
    same_model: SameModel, sentence_model: Model, sentence_folder: Path, tmp_path: Path
) -> None:
    assert same_model(load_model(altered(sentence_folder, tmp_path / "m")), sentence_model)


def test_missing_parts_are_said(sentence_folder: Path, tmp_path: Path) -> None:
    assert "no model here" in refusal(tmp_path / "gone")
    assert "name a folder made by 'detector train'" in refusal(sentence_folder / MANIFEST)
    shutil.copy(sentence_folder / MANIFEST, tmp_path)
    assert "cannot read the weights" in refusal(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"not a zip archive")
    assert "damaged weights" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b"{'format': 1}", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1]", "not a model manifest"),
        (b"{}", "not a model manifest"),
        (b'{"format": 4}', "altered or damaged since it was written"),
        (b" " * (1 << 20) + b"{}", "larger than that of any honest model"),
    ],
)
def test_a_manifest_that_is_none_is_refused(sentence_folder: Path, tmp_path: Path, content: bytes, said: str) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    (folder / MANIFEST).write_bytes(content)
    assert said in refusal(folder)


SEGMENT = {"sight": "segment", "distance": 0, "unit": 1.0}


def network(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a manifest says of the text head's network."""
    found: dict[str, Any] = manifest["heads"]["text"]["networks"][0]
    return found


EDITS: dict[str, tuple[Edit, str]] = {
    "newer format": (lambda m: m.update(format=5), "model format 5, this version reads 4; upgrade the package"),
    "older format": (lambda m: m.update(format=3), "model format 3, this version reads 4; train the model again"),
    "other labels": (lambda m: m.update(labels=["spam"]), "its labels are ['spam'], expected ['content'"),
    "other schema": (lambda m: m["heads"]["html"].update(schema="0"), "made for other html features"),
    "no schema": (lambda m: m["heads"]["html"].pop("schema"), "KeyError('schema')"),
    "no heads": (lambda m: m.pop("heads"), "KeyError('heads')"),
    "empty heads": (lambda m: m.update(heads={}), "heads []; expected 'text', 'html' or both"),
    "unknown head": (lambda m: m["heads"].update(pdf={}), "heads ['html', 'pdf', 'text']"),
    "heads a list": (lambda m: m.update(heads=["text"]), "does not describe a model"),
    "head null": (lambda m: m["heads"].update(text=None), "does not describe a model"),
    "no name": (lambda m: m.pop("name"), "KeyError('name')"),
    "info a number": (lambda m: m.update(info=3), "does not describe a model"),
    "arrays a list": (lambda m: m.update(arrays=[]), "no table of arrays"),
    "array null": (lambda m: m["arrays"].update({"text.mean": None}), "damaged weights"),
    "array missing": (lambda m: m["arrays"].pop("text.mean"), "disagree about ['text.mean']"),
    "array extra": (lambda m: m["arrays"].update(x={}), "disagree about ['x']"),
    "array outside": (lambda m: m["arrays"].update({"../../x": {}}), "disagree about ['../../x']"),
    "digest": (lambda m: m["arrays"]["html.mean"].update(sha256="0"), "'html.mean' is not the one in the manifest"),
    "shape": (
        lambda m: m["arrays"]["html.mean"].update(shape=[1]),
        "'html.mean' has another size than the manifest says",
    ),
    "dtype": (lambda m: m["arrays"]["html.mean"].update(dtype="int8"), "'html.mean' has another size than"),
    "dtype unknown": (lambda m: m["arrays"]["html.mean"].update(dtype="O"), "damaged weights"),
    "shape of bools": (lambda m: m["arrays"]["html.mean"].update(shape=[True]), "damaged weights"),
    "shape too large": (lambda m: m["arrays"]["html.mean"].update(shape=[10**23]), "damaged weights"),
    "no network": (lambda m: m["heads"]["text"].update(networks=[]), "text head has 0 networks"),
    "many stages": (lambda m: network(m).update(stages=[SEGMENT] * 17), "has 17 stages"),
    "absent layer": (lambda m: network(m).update(stages=[SEGMENT]), "KeyError('text.network0.layer1.weight')"),
    "unit zero": (lambda m: network(m).update(output_unit=0.0), "has unit 0.0"),
    "unit huge": (lambda m: network(m).update(output_unit=2.0**16), "has unit 65536.0"),
    "threshold": (lambda m: m["heads"]["text"].update(threshold=1.5), "threshold 1.5"),
    "lift": (lambda m: m["heads"]["text"].update(lift=1.0), "lift 1.0"),
    "threshold text": (lambda m: m["heads"]["text"].update(threshold="0.5"), "does not describe a model"),
    "scale NaN": (lambda m: m["heads"]["text"]["scales"].update(words=float("nan")), "scale nan"),
    "scale huge": (lambda m: m["heads"]["text"]["scales"].update(words=10**400), "does not describe a model"),
    "spam bias NaN": (lambda m: m["heads"]["text"]["scales"].update(spam_bias=float("nan")), "values beyond"),
    "spam words absent": (lambda m: m["heads"]["text"]["scales"].pop("spam_words"), "KeyError('spam_words')"),
    "spam bias huge": (lambda m: m["heads"]["text"]["scales"].update(spam_bias=10**400), "does not describe a model"),
    "scale absent": (lambda m: m["heads"]["html"]["scales"].pop("classes"), "KeyError('classes')"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_manifest_is_refused(sentence_folder: Path, tmp_path: Path, name: str) -> None:
    edit, said = EDITS[name]
    assert said in refusal(altered(sentence_folder, tmp_path / "m", edit=edit))


ARRAYS: dict[str, tuple[str, NDArray[Any]]] = {
    "NaN": ("text.mean", np.full(INPUTS, np.nan, np.float32)),
    "infinity": ("text.words.bias", np.array([0, 0, np.inf], np.float32)),
    "float64": ("text.mean", np.zeros(INPUTS)),
    "big endian": ("text.mean", np.zeros(INPUTS, ">f4")),
    "text": ("text.mean", np.array(["a"])),
    "short mean": ("text.mean", np.zeros(INPUTS - 1, np.float32)),
    "zero scale": ("text.scale", np.zeros(INPUTS, np.float32)),
    "short words of spam": ("text.spam.words", np.zeros(8, np.int8)),
    "float words of spam": ("text.spam.words", np.zeros(1 << TEXT_BITS, np.float32)),
    "narrow spam": ("text.spam.hidden", np.zeros((3, 4), np.float32)),
    "wide spam": ("text.spam.output", np.zeros(5, np.float32)),
    "square spam": ("text.spam.output", np.zeros((4, 4), np.float32)),
    "loud spam": ("text.spam.hidden_bias", np.full(4, 1e30, np.float32)),
    "short table": ("text.words", np.zeros((8, 3), np.int8)),
    "float table": ("text.words", np.zeros((8, 3), np.float32)),
    "flat bias": ("text.words.bias", np.zeros((), np.float32)),
    "short bias": ("text.network0.layer0.bias", np.zeros(2, np.float32)),
    "wide layer": ("text.network0.layer0.weight", np.zeros((INPUTS, 4), np.int16)),
    "deep layer": ("text.network0.layer0.weight", np.zeros((1, INPUTS, 3), np.int16)),
    "flat layer": ("text.network0.layer0.weight", np.zeros((), np.int16)),
    "real layer": ("text.network0.layer0.weight", np.zeros((INPUTS, 3), np.float32)),
    "heavy layer": ("text.network0.layer0.weight", np.full((INPUTS, 3), 32767, np.int16)),
}


def without_groups(network: Network) -> Network:
    """Text has none."""
    return replace(network, stages=[stage for stage in network.stages if stage.sight != Sight.GROUPS])


@pytest.fixture(scope="module")
def seeing_folder(
    sentence_model: Model, make_network: Callable[[int], Network], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model whose text head looks along the page: stages for segments, neighbours (2), page, neighbours (5)."""
    head = replace(sentence_model.heads["text"], networks=[without_groups(make_network(INPUTS))])
    folder = tmp_path_factory.mktemp("models") / "seeing"
    save_model(Model("seeing", {"text": head}), folder)
    return folder


def test_networks_that_look_along_the_page_come_back_as_they_were(
    seeing_folder: Path, make_network: Callable[[int], Network], tmp_path: Path
) -> None:
    (loaded,), made = (
        load_model(altered(seeing_folder, tmp_path / "m")).heads["text"].networks,
        without_groups(make_network(INPUTS)),
    )
    assert [(s.sight, s.distance) for s in loaded.stages] == [(s.sight, s.distance) for s in made.stages]
    rows = np.random.default_rng(0).normal(size=(40, INPUTS)).astype(np.float32)
    places = Places.of(np.array([0, 3, 40]))
    assert np.array_equal(loaded.logits(rows, places), made.logits(rows, places))


STAGES: dict[str, tuple[int, dict[str, Any], str]] = {
    "unknown sight": (1, {"sight": "everything"}, "'everything' is not a valid Sight"),
    "no sight": (1, {"sight": None}, "does not describe a model"),
    "sight of narrower layers": (1, {"sight": "segment", "distance": 0}, "'text.network0.layer1' has shapes (18, 6)"),
    "sight of wider layers": (2, {"sight": "neighbours", "distance": 1}, "'text.network0.layer2' has shapes (6, 6)"),
    "residual of another width": (
        0,
        {"sight": "page"},
        "stage 0 of 'text.network0' has (6,) outputs, and adds them to",
    ),
    "distance zero": (1, {"distance": 0}, "stage 1 of 'text.network0' has distance 0"),
    "distance negative": (1, {"distance": -2}, "has distance -2"),
    "distance huge": (1, {"distance": 1025}, "has distance 1025"),
    "distance a float": (1, {"distance": 2.0}, "has distance 2.0"),
    "distance a bool": (1, {"distance": True}, "has distance True"),
    "distance of a segment": (0, {"distance": 1}, "has distance 1"),
    "distance of a page": (2, {"distance": 1}, "has distance 1"),
    "groups that there are not": (
        2,
        {"sight": "groups"},
        "stage 2 of 'text.network0' looks at groups, and there are none",
    ),
    "unit negative": (1, {"unit": -1.0}, "has unit -1.0"),
    "unit infinite": (1, {"unit": float("inf")}, "has unit inf"),
}


@pytest.mark.parametrize("name", STAGES)
def test_stages_that_do_not_fit_are_refused(seeing_folder: Path, tmp_path: Path, name: str) -> None:
    stage, change, said = STAGES[name]
    edit: Edit = lambda manifest: network(manifest)["stages"][stage].update(change)  # noqa: E731 - as in the tables
    assert said in refusal(altered(seeing_folder, tmp_path / "m", edit=edit))


def test_a_stage_without_its_sight_is_refused(seeing_folder: Path, tmp_path: Path) -> None:
    edit: Edit = lambda manifest: network(manifest)["stages"][1].pop("distance")  # noqa: E731 - as in the tables
    assert "KeyError('distance')" in refusal(altered(seeing_folder, tmp_path / "m", edit=edit))


@pytest.mark.parametrize("part", ["scale", "bias"])
def test_layers_whose_results_could_grow_without_end_are_refused(
    seeing_folder: Path, tmp_path: Path, part: str
) -> None:
    arrays = {f"text.network0.layer1.{part}": np.full(6, 2.0**21, np.float32)}
    assert "has scales or biases beyond 1048576" in refusal(altered(seeing_folder, tmp_path / "m", arrays=arrays))


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_wrong_type_or_shape_are_refused(sentence_folder: Path, tmp_path: Path, name: str) -> None:
    refusal(altered(sentence_folder, tmp_path / "m", arrays=dict([ARRAYS[name]])))


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("schema", "said"), [(99, "newer text features.*upgrade the package"), (0, "other text.*train it again")]
)
def test_a_model_of_another_schema_says_which_side_is_behind(
    sentence_folder: Path, tmp_path: Path, schema: int, said: str
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["info"]["schema"] = schema
        manifest["heads"]["text"]["schema"] = "0123456789abcdef"

    assert re.search(said, refusal(altered(sentence_folder, tmp_path / "m", edit=edit)))


def test_pickles_are_refused_without_running_them(sentence_folder: Path, tmp_path: Path) -> None:
    pickled = npy(np.array([Canary(tmp_path / "ran")], object))
    assert "another size" in refusal(altered(sentence_folder, tmp_path / "m", members={"text.mean": pickled}))
    assert not (tmp_path / "ran").exists()


def test_weights_that_unpack_to_too_much_are_refused_unread(sentence_folder: Path, tmp_path: Path) -> None:
    folder = altered(sentence_folder, tmp_path / "m", arrays={"bomb": np.zeros(65 << 20, np.int8)})
    assert (folder / WEIGHTS).stat().st_size < 1 << 20
    assert "unpacks to more than" in refusal(folder)


@pytest.mark.parametrize("name", ["../../x", "/x", "a\\..\\x", "C:x", ""])
def test_names_of_arrays_are_never_paths(sentence_folder: Path, tmp_path: Path, name: str) -> None:
    folder = altered(sentence_folder, tmp_path / "m", arrays={name: np.zeros(3, np.int8)})
    before = sorted(tmp_path.rglob("*"))
    # A name that a zip archive cannot carry is refused; any other is an array like the rest.
    with suppress(ModelError):
        load_model(folder)
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/x").exists()


@pytest.mark.parametrize(
    "member",
    [
        b"not an array at all",
        npy_header(f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({10**15},)}}\n"),
        npy_header(f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({10**23},)}}\n"),
        npy_header("{'descr': '|i1', 'fortran_order': False, 'shape': (True,)}\n"),
        npy_header("{((((((\n"),
    ],
)
def test_members_that_are_no_arrays_are_refused(sentence_folder: Path, tmp_path: Path, member: bytes) -> None:
    refusal(altered(sentence_folder, tmp_path / "m", members={"text.mean": member}))


def leading_out(folder: Path, outside: Path) -> None:
    outside.write_bytes((folder / WEIGHTS).read_bytes())
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(outside)


def in_a_circle(folder: Path, outside: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).symlink_to(folder / MANIFEST)


def to_a_device(folder: Path, outside: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).symlink_to("/dev/zero")


def to_a_pipe(folder: Path, outside: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def to_a_folder(folder: Path, outside: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()


def without_end(folder: Path, outside: Path) -> None:
    with (folder / WEIGHTS).open("ab") as stream:
        stream.truncate(MAX_WEIGHTS_BYTES + 1)


def many_members(folder: Path, outside: Path) -> None:
    with zipfile.ZipFile(folder / WEIGHTS, "w") as archive:
        for number in range(1100):
            archive.writestr(f"{number}.npy", b"")


def a_comment(folder: Path, outside: Path) -> None:
    with zipfile.ZipFile(folder / WEIGHTS, "a") as archive:
        archive.comment = b"x" * 60_000


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (leading_out, "weights.npz: a link that leads out of the model's folder"),
        (in_a_circle, "no model here"),
        (to_a_device, "model.json: a link that leads out of the model's folder"),
        (to_a_pipe, "weights.npz: not a regular file"),
        (to_a_folder, "model.json: not a regular file"),
        (without_end, "weights.npz: larger than that of any honest model"),
        (many_members, "its directory is not that of an honest model"),
        (a_comment, "its directory is not that of an honest model"),
    ],
)
def test_files_that_are_not_what_they_seem_are_refused(
    sentence_folder: Path, tmp_path: Path, damage: Callable[[Path, Path], None], said: str
) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    damage(folder, tmp_path / "outside")
    assert said in refusal(folder)


def test_a_link_inside_the_folder_and_one_to_the_folder_are_followed(sentence_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    (folder / WEIGHTS).rename(folder / "other.npz")
    (folder / WEIGHTS).symlink_to("other.npz")
    (tmp_path / "link").symlink_to(folder)
    assert load_model(tmp_path / "link").name == "sentences"


def regolded(source: Path, folder: Path, rows: Any) -> Path:
    """A copy of a model with other golden rows, and a digest to match."""
    content = json.dumps(rows).encode()
    altered(source, folder, edit=lambda manifest: manifest.update(golden=hashlib.sha256(content).hexdigest()))
    (folder / GOLDEN).write_bytes(content)
    return folder


def test_golden_rows_are_replayed_and_the_first_that_differs_is_named(sentence_folder: Path, tmp_path: Path) -> None:
    rows = read_golden(sentence_folder)
    assert replay(load_model(sentence_folder), rows) == sum(len(row["probabilities"]) for row in rows) > 30
    rows[1]["probabilities"][2][0] += 9e-7
    model = load_model(regolded(sentence_folder, tmp_path / "near", rows))
    replay(model, rows)
    rows[1]["probabilities"][2][0] += 2e-6
    rows[3]["probabilities"][0][1] += 0.5
    with pytest.raises(ModelError, match=r"golden page 2 \(text\), segment 3 \('300 g Berglinsen'\): content is 0\..*"):
        replay(model, rows)
    rows[0]["spam_probability"] = 0.25
    with pytest.raises(
        ModelError, match=r"golden page 1 \(text\): its probability of spam is 0\.\d{7} here and was 0\.2500000;"
    ):
        replay(model, rows)
    rows[0]["spam_probability"] = None
    with pytest.raises(
        ModelError, match=r"golden page 1 \(text\): its probability of spam is 0\.\d{7} here and was unknown;"
    ):
        replay(model, rows)
    rows[0]["spam_probability"] = model.spam_probability(segment_text(rows[0]["page"]))
    rows[1]["probabilities"].pop()
    with pytest.raises(ModelError, match=r"golden page 2 \(text\) is cut into 8 segments here and was into 7"):
        replay(model, rows)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [1],
        [{"kind": "pdf", "page": "x", "probabilities": [], "spam_probability": None}],
        [{"kind": "text", "page": 1, "probabilities": [], "spam_probability": None}],
        [{"kind": "text", "page": "x", "probabilities": [[0.5, 0.5]], "spam_probability": None}],
        [{"kind": "text", "page": "x", "probabilities": [[0.5, 0.5, None]], "spam_probability": None}],
        [{"kind": "text", "page": "x", "probabilities": []}],
        [{"kind": "text", "page": "x", "probabilities": [], "spam_probability": "0.5"}],
    ],
)
def test_golden_rows_that_are_none_are_refused(sentence_folder: Path, tmp_path: Path, rows: Any) -> None:
    with pytest.raises(ModelError, match=r"golden\.json: no golden rows"):
        read_golden(regolded(sentence_folder, tmp_path / "m", rows))


def test_missing_and_altered_golden_rows_are_said(sentence_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sentence_folder, tmp_path / "m")
    (folder / GOLDEN).write_text("[]")
    with pytest.raises(ModelError, match=r"not the golden rows in the manifest"):
        read_golden(folder)
    (folder / GOLDEN).unlink()
    with pytest.raises(ModelError, match=r"cannot read the golden rows \(No such file"):
        read_golden(folder)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, MANIFEST])
def test_a_failed_save_leaves_the_model_that_was_there(
    sentence_model: Model, sentence_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder, other = tmp_path / "model", Model("other", {"text": sentence_model.heads["text"]})
    shutil.copytree(sentence_folder, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    opened = Path.open

    def full(path: Path, mode: str = "r", **options: Any) -> Any:
        if name in path.name and mode != "rb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ModelError, match=rf"{re.escape(str(folder / name))}: the model cannot be written .*make room"):
        save_model(other, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    monkeypatch.undo()
    save_model(other, folder)
    assert load_model(folder).name == "other"
