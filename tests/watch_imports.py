"""Imports Keel's modules and prints what their own code does meanwhile beyond defining things, one line each.

Run as `python watch_imports.py ROOT MODULE ...`. Watched are files, folders, processes and sockets (Python's audit
events) and reads of the environment. What an imported library does at its own import is its affair.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

WATCHED = ("open", "os.", "glob.", "pathlib.", "shutil.", "socket.", "sqlite3.", "subprocess.", "tempfile.")
HARMLESS = ("os.add_dll_directory",)
SELF = str(Path(__file__).resolve())


class WatchedEnvironment(type(os.environ)):  # type: ignore[misc]  # the class is private, its instance is not
    """The environment, telling who reads it."""

    def __getitem__(self, key: str) -> str:
        report(f"read the environment variable {key}")
        value: str = super().__getitem__(key)
        return value

    def __iter__(self) -> Any:
        report("read the environment")
        return super().__iter__()


root = ""
reading = ""
found: list[str] = []


def report(what: str) -> None:
    """Keep it when Keel's own code did it: not the import system, not a library."""
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to ask who is calling
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib") or "site-packages" in file:
            return
        if file.startswith(root) and file != SELF:
            found.append(f"{reading}: {Path(file).relative_to(root).as_posix()}:{frame.f_lineno} {what}")
            return
        frame = frame.f_back  # type: ignore[assignment]


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if reading and event.startswith(WATCHED) and event not in HARMLESS:
        report(f"{event} {arguments[0] if arguments else ''}")


if __name__ == "__main__":
    root = sys.argv[1] + os.sep
    sys.path.insert(0, sys.argv[1])
    os.environ.__class__ = WatchedEnvironment
    sys.addaudithook(watch)
    for reading in sys.argv[2:]:
        importlib.import_module(reading)
    reading = ""
    sys.stdout.write("\n".join(found))
