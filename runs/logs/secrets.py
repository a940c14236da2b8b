"""Which secrets does this process know, so that the log can keep them out?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from runs.logs.scrub import Scrubber

DOTENV = ".env"
_SHORTEST = 4  # a shorter value would take words out of every line
_SECRET_WORDS = frozenset(
    {
        "KEY",
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "PWD",
        "PGPASSWORD",
        "CREDENTIAL",
        "CREDENTIALS",
    }
    | {"APIKEY", "SECRETKEY"}
)
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$", re.MULTILINE)


def scrubber_for(
    config: BaseModel, environment: Mapping[str, str] | None = None, dotenv: Path = Path(DOTENV)
) -> Scrubber:
    """A scrubber that knows the credentials that a config names, and every variable whose name says it is a secret.

    `environment` is this process's own where None; `dotenv` is a file of NAME=VALUE lines, which need not be there.
    """
    return scrubber_with(named_variables(config), environment, dotenv)


def scrubber_with(
    named: Iterable[str], environment: Mapping[str, str] | None = None, dotenv: Path = Path(DOTENV)
) -> Scrubber:
    """As `scrubber_for`, of the variables that hold credentials by their name."""
    variables = {**_assigned(dotenv), **(os.environ if environment is None else environment)}
    names = set(named)
    return Scrubber(
        value
        for name, value in variables.items()
        if len(value) >= _SHORTEST and (name in names or _sounds_secret(name)) and not _is_place(value)
    )


def named_variables(model: BaseModel) -> Iterator[str]:
    """The environment variables that a config names, at any depth: every value of a key that ends in `_variable`."""
    yield from variables_in(model.model_dump())


def variables_in(value: Any) -> Iterator[str]:
    """The same of a document, such as a config's YAML."""
    if isinstance(value, dict):
        for key, each in value.items():
            if str(key).endswith("_variable") and isinstance(each, str):
                yield each
            yield from variables_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from variables_in(each)


def _sounds_secret(name: str) -> bool:
    return not _SECRET_WORDS.isdisjoint(name.upper().split("_"))


def _is_place(value: str) -> bool:
    """A folder, such as the shell's own PWD."""
    return value.startswith(os.sep)


def _assigned(dotenv: Path) -> dict[str, str]:
    try:
        text = dotenv.read_text(encoding="utf-8", errors="replace")
    except OSError:  # there is none: most have no such file
        return {}
    return {name: value.strip("\"'") for name, value in _ASSIGNED.findall(text)}
