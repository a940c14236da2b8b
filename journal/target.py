"""How does a new file come to be whole or not at all, and never over one that is there?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from journal.errors import JournalError


class TargetError(JournalError):
    """A file that was named is there already, or cannot be written."""

    exit_code = 2


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raises TargetError when one of them is there."""
    for path in paths:
        if path.exists() or path.is_symlink():
            raise TargetError(
                f"to={path}: is there already and is not overwritten; name another or move it away"
            )


def made(folder: Path) -> Path:
    """A folder, made where it is not there. Raises TargetError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise TargetError(f"to={folder}: no folder can be made there ({error.strerror})") from error
    return folder


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside `path`, for this user alone, that becomes `path` when the block ends well; else it is gone again.

    Raises TargetError when `path` is there or the disk refuses.
    """
    refuse_existing([path])
    part: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(descriptor)
        part = Path(name)
        yield part
        _synced(part)
        refuse_existing([path])
        part.replace(path)
        _synced(path.parent)
    except OSError as error:
        raise TargetError(f"to={path}: cannot be written ({error.strerror or error})") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _synced(path: Path) -> None:
    """What was written is on disk, not only in memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
