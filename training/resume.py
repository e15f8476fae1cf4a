"""Results kept on disk, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import joblib

from detector.errors import RunError
from detector.files import renamed_when_whole

Result = TypeVar("Result")


def remember(folder: Path | None, key: object, compute: Callable[[], Result]) -> Result:
    """What `compute` returns, or what it returned when it was called before under an equal key.

    joblib.Memory does the same, but writes the `repr` of every argument, and those of a corpus are large. The folder
    must be one's own: what lies in it is unpickled.

    Args:
        folder: Where results are kept; None computes anew.
        key: Anything that `joblib.hash` takes. Equal keys must mean equal results, so a digest of the code belongs in
            it.
        compute: Called without arguments.

    Raises:
        RunError: The result cannot be kept.
    """
    if folder is None:
        return compute()
    path = folder / f"{joblib.hash(key)}.joblib"
    if path.exists():
        try:
            found: Result = joblib.load(path)
        except Exception as error:  # unpickling what is damaged raises what it likes
            raise RunError(
                f"{path}: a damaged result of an earlier run ({error!r}); delete it and start again"
            ) from error
        return found
    result = compute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An interrupted run leaves nothing that looks like a result.
        with renamed_when_whole(path) as temporary:
            joblib.dump(result, temporary)
    except OSError as error:
        raise RunError(
            f"{folder}: what was computed cannot be kept ({error.strerror}); make room or name another folder, "
            "and start the command again: from the same folder it goes on"
        ) from error
    return result


def code_digest(modules: Sequence[ModuleType]) -> str:
    """A digest of the source of modules, and of all that lies below those that are packages."""
    content = hashlib.sha256()
    for module in modules:
        path = Path(str(module.__file__))
        for file in sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]:
            content.update(file.read_bytes())
    return content.hexdigest()
