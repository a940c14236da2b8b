"""Which line set each key of a section: a YAML, or the command line?

Hydra lays the files of its defaults list over each other in their order and the command line on top; whoever named a
key last has set it. Nothing of Hydra is needed here: load.py hands over what it composed from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND_LINE = "command line"
SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class File:
    """One YAML of the defaults list: its path, the package its keys go to (`risk`, empty for the root), its keys."""

    path: Path
    package: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """One key of the command line and the value it was given; `removed` where it was taken out (~key)."""

    key: str
    value: Any = None
    removed: bool = False


def set_by(section: str, files: Iterable[File], command_line: Iterable[Given]) -> dict[str, str]:
    """Key of the section -> what set it last; keys that nothing names are left out: the model's default holds."""
    found: dict[str, str] = {}
    for file in files:
        found |= dict.fromkeys(_keys(section, file.package, file.content), shown(file.path))
    for given in command_line:
        named = _keys(section, given.key, given.value)
        if given.removed:
            found = {key: source for key, source in found.items() if key not in named}
        else:
            found |= dict.fromkeys(named, COMMAND_LINE)
    return found


def shown(path: Path) -> str:
    """A file as a user knows it: one that ships from `configs/`, their own from the current folder."""
    if path.is_relative_to(SHIPPED):
        return path.relative_to(SHIPPED.parent).as_posix()
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _keys(section: str, package: str, content: Any) -> list[str]:
    """The keys of the section that `content` sets where it stands under the dotted `package`."""
    first, _, rest = package.partition(".")
    if not package:
        content = content.get(section) if isinstance(content, Mapping) else None
    elif first != section:
        return []
    elif rest:
        return [rest.partition(".")[0]]
    keys = content if isinstance(content, Mapping) else ()
    return [str(key) for key in keys if key != "defaults"]  # of a file: which others it builds on
