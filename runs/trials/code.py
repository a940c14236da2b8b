"""Which code was tried: has the strategy, or anything of its author's that it imports, changed since?"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_ELSEWHERE = ("site-packages", "dist-packages")
# Read as text: a syntax tree of a few files takes longer than all the rest of counting a trial.
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]*(\([^)]*\)|[^\n#;]*)", re.MULTILINE)
_NAME = re.compile(rb"[(,\s]*([\w.]+)(?:\s+as\s+\w+)?")


def code_version(paths: Iterable[str]) -> str:
    """A hash of the source of these classes' modules (package.module:Name) and of what they import beside them.

    Looked at are modules that are loaded and lie under the folder that holds the first one's package: the author's own,
    never what is installed. A module without a source file (a notebook's) counts by its name alone.
    """
    found: dict[str, bytes | None] = {}
    for path in sorted(set(paths)):
        name = path.partition(":")[0]
        _collect(name, _root(name), found)
    digest = hashlib.sha256()
    for name in sorted(found):
        source = found[name]
        if source is not None:
            digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()[:16]


def _collect(name: str, root: Path | None, found: dict[str, bytes | None]) -> None:
    """Add a module and what it imports to `found`: name -> source, None where it is not the author's."""
    if name in found:
        return
    found[name] = source = _source(sys.modules.get(name), root)
    for imported in _imports(source or b"", name):
        if imported in sys.modules:
            _collect(imported, root, found)


def _root(name: str) -> Path | None:
    """The folder that holds the top-level package of a module."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return None if file is None else Path(file).parents[name.count(".")]


def _source(module: ModuleType | None, root: Path | None) -> bytes | None:
    file = getattr(module, "__file__", None)
    if file is None or root is None:
        return b"" if module is not None and root is None else None
    folder = f"{root}{os.sep}"
    if not file.startswith(folder) or not file.endswith(".py"):
        return None
    if any(f"{os.sep}{place}{os.sep}" in file.removeprefix(str(root)) for place in _ELSEWHERE):
        return None
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _imports(source: bytes, name: str) -> Iterator[str]:
    """The modules that a source may mean by its imports: `from a import b` is a and a.b."""
    for origin, names in _IMPORT.findall(source):
        imported = [each.decode() for each in _NAME.findall(names)]
        if not origin:
            yield from imported
            continue
        base = _absolute(origin.decode(), name)
        yield base
        yield from (f"{base}.{each}" for each in imported)


def _absolute(origin: str, name: str) -> str:
    """`.sizing`, imported by `desk.breakout`, is `desk.sizing`."""
    relative = origin.lstrip(".")
    level = len(origin) - len(relative)
    if not level:
        return origin
    package = (getattr(sys.modules[name], "__package__", None) or "").split(".")
    return ".".join(filter(None, (*package[: len(package) - level + 1], relative)))
