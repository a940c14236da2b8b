"""Where is the head of every chain kept a second time, so that rows cut off its end are missed?"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from journal.chain import Link

WIDTH = 20
SIZE = WIDTH + 1 + 64 + 1


class HeadFile:
    """One small file a chain, `<chain>.head` in the folder `<journal>.heads`, rewritten in place after every commit."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched before the first `write`."""
        self.path = path
        self._file: int | None = None

    @classmethod
    def of(cls, folder: Path, chain: str) -> HeadFile:
        """The file of a chain in the folder of heads."""
        return cls(folder / f"{chain}.head")

    def write(self, link: Link) -> None:
        """Keep a head; for a chain that one process writes. Raises OSError when the disk refuses."""
        os.pwrite(self._opened(), _line(link), 0)

    def raise_to(self, link: Link) -> None:
        """Keep a head unless a newer one is kept; for a chain that several processes write. Raises OSError."""
        file = self._opened()
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            text = os.pread(file, SIZE + 1, 0).decode("ascii", "replace")
            kept = _link(text)
            if not text or (
                kept is not None and kept.seq < link.seq
            ):  # what is no head stays: `audit verify` tells
                os.pwrite(file, _line(link), 0)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def read(self) -> Link | None:
        """The head that was kept; None where none was. Raises ValueError when the file holds something else."""
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        found = _link(text)
        if found is None:
            raise ValueError(f"{self.path} does not hold the head of a chain")
        return found

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if (
            self._file is not None and os.fstat(self._file).st_nlink == 0
        ):  # deleted: what is written there is lost
            self.close()
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        return self._file


def _line(link: Link) -> bytes:
    return f"{link.seq:0{WIDTH}d} {link.hash}\n".encode()


def _link(text: str) -> Link | None:
    words = text.split()
    if len(words) != 2 or len(words[1]) != 64 or not words[0].isdigit():  # noqa: PLR2004 - number and hash
        return None
    return Link(int(words[0]), words[1])
