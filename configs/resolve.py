"""Which class does a path such as `strategies.ema_cross:EmaCross` name?

The module may live anywhere on Python's path, so classes outside this repository work too (`python -m` puts
the current folder there). Nothing but the named module is imported.
"""

from __future__ import annotations

import pkgutil
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, TracebackType

from configs.closest import closest
from configs.edge import one_line
from configs.errors import ConfigError

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def resolve(path: str, field: str, *, of: type | None = None, absent: str | None = None) -> type:
    """The class that `path` (package.module:Name) names; `field` is where the path was given.

    `of` is a class it must derive from, `absent` what to tell the user when its module does not exist.
    Raises ConfigError, in one line, when there is no such module or class, or the module cannot be imported.
    """
    if not _PATH.fullmatch(path):
        raise ConfigError(f"{field}={path}: not the path of a class; write package.module:Name")
    module_name, name = path.split(":")
    module = _module(module_name, f"{field}={path}", absent)
    found = getattr(module, name, None)
    if found is None:
        near = closest(name, (n for n, value in vars(module).items() if isinstance(value, type)))
        hint = f"did you mean {module_name}:{near}?" if near else "look at the name after the colon"
        raise ConfigError(f"{field}={path}: module {module_name} has no {name}; {hint}")
    if not isinstance(found, type):
        raise ConfigError(f"{field}={path}: {name} is not a class; name a class of module {module_name}")
    if of is not None and not issubclass(found, of):
        raise ConfigError(f"{field}={path}: {name} does not derive from {of.__module__}.{of.__qualname__}")
    return found


def _module(name: str, given: str, absent: str | None) -> ModuleType:
    """Import a module; whatever its own code raises becomes one line that names the error and its place."""
    if _exists(name, given):
        try:
            return import_module(name)
        except (Exception, SystemExit) as error:  # another's code runs here: it may raise anything
            raise ConfigError(f"{given}: importing {name} failed: {_told(error)}") from error
    if absent is not None:
        raise ConfigError(absent)
    near = _nearest_module(name)
    hint = f"did you mean {near}?" if near else "is it installed, or in the folder you are in?"
    raise ConfigError(f"{given}: there is no module {name}; {hint}")


def _exists(name: str, given: str) -> bool:
    parent = name.rpartition(".")[0]
    if parent and not _exists(parent, given):
        return False
    try:
        return name in sys.modules or find_spec(name) is not None
    except (Exception, SystemExit) as error:  # finding a.b imports a: another's code
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            return False  # its parent is a plain module, not a package
        raise ConfigError(f"{given}: importing {parent} failed: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """`NameError: name 'x' is not defined (mine.py, line 3)`: the error and the last place it came from."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    place = _last_place(error.__traceback__)
    return f"{type(error).__name__}: {one_line(error)}" + (f" ({place})" if place else "")


def _last_place(traceback: TracebackType | None) -> str:
    place = ""
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not filename.startswith("<") and filename != __file__:
            place = f"{filename}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _nearest_module(name: str) -> str | None:
    """The module most like `name` among those beside the first part of it that does not exist."""
    parts = name.split(".")
    for depth, part in enumerate(parts):
        parent = ".".join(parts[:depth])
        folders = getattr(sys.modules.get(parent), "__path__", []) if parent else None
        siblings = {module.name for module in pkgutil.iter_modules(folders)}
        if part not in siblings:
            near = closest(part, siblings)
            return ".".join([*parts[:depth], near, *parts[depth + 1 :]]) if near else None
    return None
