"""Files that are written whole: by several at once, to pipes and devices, and with links in the way."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detector.files import remove_leftovers, renamed_when_whole, write_together, write_whole


def test_two_writers_of_one_file_do_not_take_each_others_temporary(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with renamed_when_whole(path) as first:
        first.write_bytes(b"first")
        with renamed_when_whole(path) as second:
            second.write_bytes(b"second")
        assert (path.read_bytes(), first.read_bytes()) == (b"second", b"first")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_has_the_rights_of_any_other_and_a_name_of_any_length(tmp_path: Path) -> None:
    for name in ("a", "x" * 255, "井" * 85):
        write_whole(tmp_path / name, b"new", synced=True)
        (tmp_path / "other").touch()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_leftovers_of_a_file_are_taken_away_and_nothing_else(tmp_path: Path) -> None:
    others = {".a.part", ".a.b.0123456789abcdef.part", "a.0123456789abcdef.part", ".a.mine.part", "a"}
    for name in (*others, ".a.0123456789abcdef.part"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "a")
    assert {path.name for path in tmp_path.iterdir()} == others


def test_files_written_together_are_named_when_one_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="No such file") as caught:
        write_together({tmp_path / "a": b"new", tmp_path / "gone" / "b": b"new"})
    assert caught.value.filename == str(tmp_path / "gone" / "b")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match=r"a'$") as caught:
        write_whole(tmp_path / "a", b"new")
    assert caught.value.filename == str(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"content", synced=True)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    reader.join()
    assert read == [b"content"]


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="the system has no /dev/stdout")
def test_standard_output_by_name_is_written_to_after_what_it_holds(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from detector.files import write_whole\n"
        "Path.replace = None\n"  # never harm the system's own, should this fail
        "print('before', flush=True); write_whole(Path('/dev/stdout'), b'after'); write_whole(Path('/dev/null'), b'x')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before\nafter"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"before\nafter"


def test_a_planted_link_to_a_pipe_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    write_whole(tmp_path / "link", b"content")
    assert not (tmp_path / "link").is_symlink()
