"""How is a log file written so that it neither grows without end nor tears a line?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runs.engine import ROTATE

if TYPE_CHECKING:
    from runs.logs.rendering import Line

_MODE = 0o640  # nobody outside the group has to read what is traded


class FileOutlet:
    """A file that lines are appended to, made with the first of them; at `max_bytes` it is put aside.

    FILE.1 is the newest of `kept` older ones. One that another process moved or removed is made anew.
    """

    def __init__(
        self,
        path: Path,
        least: int,
        *,
        tells_run: bool = False,
        max_bytes: int = ROTATE[0],
        kept: int = ROTATE[1],
    ) -> None:
        """`least`: level of the lines it takes; `tells_run`: each begins with its run, as several write to the file."""
        self.path = path
        self.name = str(path)
        self.least = least
        self._tells_run = tells_run
        self._max_bytes = max_bytes
        self._kept = kept
        self._file: int | None = None
        self._torn = False  # the last write stopped in the middle of a line

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines. Raises OSError when the disk refuses; what was written of them is a matter of luck."""
        text = "".join(
            f"[{line.run_id}] {line.text}\n" if self._tells_run else f"{line.text}\n" for line in lines
        )
        data = text.encode(errors="backslashreplace")
        file = self._opened(len(data))
        if self._torn:
            data = b"\n" + data
        self._torn = True
        while data:
            data = data[os.write(file, data) :]
        self._torn = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self, coming: int) -> int:
        if self._file is not None and self._is_elsewhere(self._file):
            self.close()
        if self._file is None:
            self._file = self._open()
        size = os.fstat(self._file).st_size
        if size and size + coming > self._max_bytes:
            with suppress(OSError):  # a folder that refuses: rather a file too long than lines lost
                self._put_aside()
            self.close()
            self._file = self._open()
        return self._file

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)

    def _is_elsewhere(self, file: int) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        mine = os.fstat(file)
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)

    def _put_aside(self) -> None:
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
