"""How does the local broker survive its own kill? Each change is a line of a file before anybody hears of it.

A line that a kill cut short is dropped: nobody was told of it. The file is rewritten whole at every start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.errors import SimulatorError

Line = dict[str, Any]


class Record:
    """Lines of JSON in a file, written through to the system with each call; no file: nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        """Nothing is read or written before `read` and `rewrite`."""
        self._path = path
        self._file: Any = None

    def read(self) -> Iterator[Line]:
        """What an earlier life wrote. Raises SimulatorError for a file that is not such a record."""
        if self._path is None or not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                if number == len(lines):
                    return
                raise SimulatorError(
                    f"state={self._path}: line {number} is not JSON; name another file"
                ) from error

    def rewrite(self, lines: list[Line]) -> None:
        """Replace the file, atomically, and keep it open for more. Raises SimulatorError when it cannot be."""
        if self._path is None:
            return
        part = self._path.with_name(self._path.name + ".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
            part.replace(self._path)
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise SimulatorError(
                f"state={self._path}: cannot be written ({error.strerror}); name another file"
            ) from error

    def write(self, lines: list[Line]) -> None:
        """Append lines; a kill of the process after this call does not lose them."""
        if self._file is not None and lines:
            self._file.write("".join(f"{json.dumps(line)}\n" for line in lines))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
