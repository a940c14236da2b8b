"""Can two runs ever share a place, or one lose a file of another?"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runs.errors import FolderError
from runs.folder import RunFolder, open_folder

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
HOLD_UNTIL_TOLD = """
import sys
from pathlib import Path
from runs.folder import open_folder
with open_folder("live", "other", Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def refused(directory: Path) -> str:
    """The one line a user reads when the folder cannot be had."""
    with pytest.raises(FolderError) as caught, open_folder("backtests", "test", directory):
        pass
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_gets_a_new_folder_named_by_kind_time_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_folder("backtests", "ema_cross", now=NOON) as folder:
        assert folder.path == Path("outputs/backtests") / f"{NOON.astimezone():%Y-%m-%d_%H-%M-%S}-ema_cross"
        assert folder.path.is_dir()


def test_runs_of_the_same_second_get_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_folder("live", "x", now=NOON) as one, open_folder("live", "x", now=NOON) as two:
        assert one.path != two.path


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with open_folder("live", "x", tmp_path / "run"):
        assert "in use by another run" in refused(tmp_path / "run")


def test_a_folder_in_use_by_another_process_is_refused_until_that_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD_UNTIL_TOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert "in use by another run" in refused(tmp_path / "run")
        other.kill()
        other.wait()
    with open_folder("live", "x", tmp_path / "run") as folder:
        assert folder.files() == []


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("summary.json", "a finished run"),
        ("config.yaml", "an unfinished run"),
        ("notes.txt", "other files"),
    ],
)
def test_a_folder_that_holds_something_is_refused_and_left_as_it_is(
    tmp_path: Path, file: str, what: str
) -> None:
    (tmp_path / file).write_text("precious")
    said = refused(tmp_path)
    assert f"already holds {what} ({file})" in said
    assert "name a new or an empty folder" in said
    assert (tmp_path / file).read_text() == "precious"


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    assert "cannot be used" in refused(tmp_path / "run")
    assert "cannot be used" in refused(tmp_path / "run" / "below")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that no user can write")
@pytest.mark.parametrize("directory", ["/proc/keel", "/proc/self"])
def test_a_file_system_that_takes_no_files_is_refused(directory: str) -> None:
    said = refused(Path(directory))
    assert f"{directory} cannot be used" in said
    assert "run.dir=" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in refused(tmp_path)
    assert "Permission denied" in refused(tmp_path / "below")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 101])
def test_a_name_that_is_no_folder_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FolderError, match="cannot name a folder"), open_folder("live", name):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.json", "first")
    folder.write("summary.json", b"second")
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]
    assert (tmp_path / "summary.json").read_bytes() == b"second"


def test_a_disk_that_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"cannot write .*gone"):
        RunFolder(tmp_path / "gone").write("summary.json", "x")
