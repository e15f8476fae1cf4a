"""Damaged and forged model folders through the loader: `python tests/fuzz/fuzz_models.py --executions N`.

Three kinds: bytes of a file changed, cut or repeated; the manifest's values exchanged for hostile ones, and arrays for
others of any type, shape and content. The last two get digests to match, as a forger would make them. Each is refused by a
`ModelError` that names the folder, or loads a model that labels a page with finite probabilities. Prints a line of JSON;
exit status 1, with the folder left behind, if neither happened.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import Detector, Page
from detector.errors import ModelError
from detector.golden import replay
from detector.pipeline import DEFAULT_MODEL
from detector.storage import GOLDEN, MANIFEST, WEIGHTS, load_model, manifest_sha256, read_golden

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 17, 1 << 40, 10**400, -1.5, 0.0, 1e-320, 1e308, float("nan"), float("inf"), "", "text", "../../x",
    "/etc/passwd", "\ud800", "x" * 10_000, [], [[]], [0], [-1], [1 << 40], {}, {"sight": "page"}, [None] * 40,
)  # fmt: skip
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (3,), (3, 3), (0, 3), (84,), (1 << 16, 3), (2, 2, 2))
DTYPES = ("int8", "int16", "float32", "float64", "bool", "complex64", "S3", ">f4", "int64")
PAGES = (
    Page("The mill burned down in 1911.\nHome | News\n- One\n- Two", "text"),
    Page("<nav class=menu><a href=1>Home</a></nav><p>The mill burned down.<table><tr><td>1<td>2</table>", "html"),
)
Folder = dict[str, bytes]


def damage_bytes(draw: random.Random, files: Folder) -> None:
    """A file with a piece changed, cut out, repeated or put elsewhere; or two files exchanged."""
    name = draw.choice([MANIFEST, WEIGHTS, GOLDEN])
    content = bytearray(files[name])
    for _ in range(draw.choice((1, 1, 3, 20))):
        # The ends of an archive are its structure.
        at = draw.choice((draw.randrange(len(content) + 1), max(len(content) - draw.randrange(1, 3000), 0)))
        end = min(len(content), at + draw.choice((1, 2, 8, 300)))
        content[at:end] = draw.choice((draw.randbytes(end - at), b"", bytes(content[at:end]) * 2, b"\0" * (end - at)))
    files[name] = bytes(content)
    if draw.random() < 0.02:
        files[MANIFEST], files[WEIGHTS] = files[WEIGHTS], files[MANIFEST]


def forge_manifest(draw: random.Random, files: Folder) -> None:
    """One to three values anywhere in the manifest or the golden rows exchanged, dropped or added."""
    golden = json.loads(files[GOLDEN])
    manifest = json.loads(files[MANIFEST])
    for _ in range(draw.randint(1, 3)):
        _forge(draw, golden if draw.random() < 0.2 else manifest)
    files[GOLDEN] = json.dumps(golden).encode("utf-8", "surrogatepass")
    if isinstance(manifest.get("golden"), str):
        manifest["golden"] = hashlib.sha256(files[GOLDEN]).hexdigest()
    files[MANIFEST] = _signed(manifest)


def _forge(draw: random.Random, node: Any) -> None:
    """One value below a list or an object."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = draw.choice(places)
        if isinstance(node[place], dict | list) and node[place] and draw.random() < 0.85:
            node = node[place]
            continue
        if draw.random() < 0.2:
            del node[place]
        else:
            node[place] = draw.choice(VALUES)
        return


def forge_arrays(draw: random.Random, files: Folder) -> None:
    """One to three arrays exchanged for others, packed or not, and described as they are or as they were."""
    manifest = json.loads(files[MANIFEST])
    with np.load(io.BytesIO(files[WEIGHTS])) as loaded:
        arrays: dict[str, NDArray[Any]] = dict(loaded)
    for name in draw.sample(sorted(arrays), draw.randint(1, 3)):
        arrays[name] = _other(draw, arrays[name])
        if draw.random() < 0.9:
            manifest["arrays"][name] = {
                "shape": list(arrays[name].shape),
                "dtype": str(arrays[name].dtype),
                "sha256": hashlib.sha256(np.ascontiguousarray(arrays[name]).tobytes()).hexdigest(),
            }
    if draw.random() < 0.1:
        name = draw.choice(("../../x", "/x", "", "bomb"))
        arrays[name] = np.zeros(draw.choice((1, 80 << 20)), np.int8)
        manifest["arrays"][name] = {"shape": [1], "dtype": "int8", "sha256": ""}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array)
            archive.writestr(f"{name}.npy", stream.getvalue())
    files[WEIGHTS] = packed.getvalue()
    files[MANIFEST] = _signed(manifest)


def _other(draw: random.Random, array: NDArray[Any]) -> NDArray[Any]:
    """Extreme values in the same form, or another form."""
    if draw.random() < 0.5:
        if array.dtype.kind == "i":
            return np.full_like(array, draw.choice((np.iinfo(array.dtype).min, np.iinfo(array.dtype).max, 0)))
        return np.full_like(array, draw.choice((np.nan, np.inf, 0, -1, 1e-40, 3e38, -3e38)))
    return np.zeros(draw.choice((*SHAPES, array.shape, array.T.shape)), draw.choice(DTYPES))


def _signed(manifest: dict[str, Any]) -> bytes:
    manifest["sha256"] = manifest_sha256(manifest)
    return json.dumps(manifest).encode("utf-8", "surrogatepass")


def is_refused(folder: Path) -> bool:
    """Whether a folder is refused by name; if not, it is a model that works.

    Raises:
        AssertionError: It is refused without being named, or says what is no number.
    """
    try:
        model, rows = load_model(folder), read_golden(folder)
    except ModelError as error:
        if str(folder) not in str(error):
            raise AssertionError("the refusal does not name the folder") from error
        return True
    for result in Detector(model).classify_many(page for page in PAGES if page.kind in model.heads):
        assert np.isfinite(result.probabilities).all()
        assert len(result.segments) == len(result)
    try:
        replay(model, rows)
    except ModelError:
        return True
    return False


def main() -> None:
    """Parse the arguments, fuzz, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so many")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="forged-"))
    honest = {name: (DEFAULT_MODEL / name).read_bytes() for name in (MANIFEST, WEIGHTS, GOLDEN)}
    done, refused, crashes, longest = 0, 0, 0, 0.0
    until = time.monotonic() + arguments.seconds
    for number in range(arguments.executions):
        if time.monotonic() > until:
            break
        done += 1
        draw = random.Random(f"{arguments.seed}/{number}")
        files = dict(honest)
        draw.choice((damage_bytes, forge_manifest, forge_arrays))(draw, files)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        began = time.process_time()
        try:
            refused += is_refused(folder)
        except Exception:
            crashes += 1
            shutil.copytree(folder, f"crash-model-{number}")
            print(f"crash-model-{number}:\n{traceback.format_exc()}", file=sys.stderr)
        longest = max(longest, time.process_time() - began)
    shutil.rmtree(folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        json.dumps(
            {
                "executions": done, "refused": refused, "crashes": crashes,
                "longest": round(longest, 2), "memory_mb": round(memory, 1),
            }
        )
    )  # fmt: skip
    raise SystemExit(1 if crashes else 0)


if __name__ == "__main__":
    main()
