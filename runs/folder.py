"""Where do the files of a run go, so that no two runs ever share a place and none loses a file?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from runs.errors import FolderError

CONFIG = "config.yaml"
VERSIONS = "versions.json"
SUMMARY = "summary.json"

_ROOT = "outputs"
_LOCK = ".lock"
_SHOWN = 3  # files a message names
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, its own while `open_folder` lasts; files appear whole or not at all."""

    path: Path

    def write(self, name: str, content: str | bytes) -> Path:
        """Write one file atomically and return its path. Raises FolderError when the disk refuses."""
        target = self.path / name
        part = target.with_name(f".{name}.part")
        try:
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(target)
        except OSError as error:
            raise FolderError(f"cannot write {target}: {_why(error)}") from error
        return target

    def files(self) -> list[str]:
        """Names of the files in the folder, hidden ones left out, in alphabetical order."""
        return sorted(file.name for file in self.path.iterdir() if not file.name.startswith("."))


@contextmanager
def open_folder(
    kind: Literal["backtests", "live", "sweeps", "checks", "compares", "walk_forward"],
    name: str,
    directory: Path | None = None,
    now: datetime | None = None,
) -> Iterator[RunFolder]:
    """Make or take a folder for one run and keep every other run out of it until the block ends.

    directory: the user's own choice (`run.dir`), made if it is missing; None: a new folder
    `outputs/<kind>/<date>_<time>-<name>` under the current one, in local time (`now`, for tests).
    Raises FolderError when the folder is in use, already holds a run, or cannot be written.
    """
    if directory is None:
        path = _new_folder(Path(_ROOT) / kind, name, now or datetime.now(UTC))
    else:
        path = directory.expanduser()
        _make(path)
    with _locked(path):
        _refuse_what_is_there(path)
        yield RunFolder(path)


@contextmanager
def reopened_folder(path: Path) -> Iterator[RunFolder]:
    """Take a folder up again to go on with what it holds. Raises FolderError when it is in use or cannot be written."""
    with _locked(path):
        yield RunFolder(path)


def _new_folder(parent: Path, name: str, now: datetime) -> Path:
    if not _NAME.fullmatch(name):
        raise FolderError(
            f"run.name={name!r} cannot name a folder: "
            "use letters, digits and . _ - (at most 100), as in run.name=ema-1"
        )
    _make(parent)
    stem = f"{now.astimezone():%Y-%m-%d_%H-%M-%S}-{name}"
    number = 1
    while True:
        path = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:  # another run began in the same second
            number += 1
        except OSError as error:
            raise FolderError(_unusable(path, error)) from error
        else:
            return path


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(_unusable(path, error)) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Held by the operating system for this process: a killed run leaves the file, but not the lock.
    lock = FileLock(path / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        if not (
            path / _LOCK
        ).exists():  # filelock takes "no such file" for a race and tries until its time-out
            raise FolderError(_unusable(path, OSError("no file can be made in it"))) from None
        raise FolderError(
            f"run.dir={path} is in use by another run; wait for it to end or give this one its own run.dir"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise FolderError(_unusable(path, error)) from error
    try:
        yield
    finally:
        lock.release()


def _refuse_what_is_there(path: Path) -> None:
    there = RunFolder(path).files()
    if not there:
        return
    what = "a finished run" if SUMMARY in there else "an unfinished run" if CONFIG in there else "other files"
    shown = ", ".join(there[:_SHOWN]) + (", ..." if len(there) > _SHOWN else "")
    raise FolderError(
        f"run.dir={path} already holds {what} ({shown}), and nothing is ever overwritten; "
        "name a new or an empty folder, or leave run.dir out"
        + (f"; python -m backtests rerun {path} repeats a backtest" if SUMMARY in there else "")
    )


def _unusable(path: Path, error: Exception) -> str:
    return f"run folder {path} cannot be used: {_why(error)}; choose another with run.dir=..."


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
