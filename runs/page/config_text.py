"""Which config and versions does a run folder hold, and what of them may be shown?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import RootModel

from runs.folder import CONFIG, VERSIONS
from runs.logs.secrets import scrubber_for
from runs.trials.code import code_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OWN_PLACES = ("run", "output", "log", "hydra")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where there is a C library


class _Document(RootModel[dict[str, Any]]):
    """A config as it was written, for whoever takes a model."""


@dataclass(frozen=True)
class Kept:
    """What a run folder says of where it came from. document, versions: empty where the folder has none."""

    document: Mapping[str, Any]
    versions: Mapping[str, Any]

    @property
    def strategies(self) -> list[str]:
        """The class paths of its strategies."""
        return strategies_of(self.document)

    @property
    def text(self) -> str:
        """The config as YAML, every secret replaced by ***."""
        return yaml.safe_dump(self.shown, sort_keys=False, allow_unicode=True, width=100)

    @property
    def shown(self) -> dict[str, Any]:
        """The config with every secret replaced by ***."""
        own: dict[str, Any] = scrubber_for(_Document(dict(self.document))).value(dict(self.document))
        return own


def kept_in(path: Path) -> Kept | None:
    """Config and versions of a run folder; None where it keeps no config."""
    document = read_yaml(path / CONFIG)
    return None if document is None else Kept(document, read_json(path / VERSIONS) or {})


def read_yaml(path: Path) -> dict[str, Any] | None:
    """A YAML file with keys; None where there is none, or it cannot be read."""
    try:
        found = yaml.load(path.read_bytes(), _LOADER)  # noqa: S506 - either loader is a safe one
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON file with keys; None where there is none, or it cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def strategies_of(document: Mapping[str, Any]) -> list[str]:
    """The class paths of the strategies of a config."""
    others = document.get("strategies") or {}
    specs = [document.get("strategy") or {}, *others.values()]
    return [spec["strategy_path"] for spec in specs if isinstance(spec, dict) and "strategy_path" in spec]


def code_of_document(document: Mapping[str, Any]) -> str:
    """Version of the code that a config names, as `runs.trials.trial.code_of` has it once the classes are loaded."""
    strategies = [document.get("strategy"), *(document.get("strategies") or {}).values()]
    named = [spec for spec in strategies if isinstance(spec, dict)]
    algorithms = [spec for spec in (document.get("exec_algorithms") or {}).values() if isinstance(spec, dict)]
    paths = [spec.get(key) for spec in named for key in ("strategy_path", "config_path")]
    paths += [spec.get("algorithm_path") for spec in algorithms]
    return code_version(path for path in paths if isinstance(path, str))


def same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs run the same strategy classes on the same instruments and bar, with any parameters."""
    return sorted(strategies_of(one)) == sorted(strategies_of(other)) and all(
        one.get(key) == other.get(key) for key in ("instruments", "bar", "data")
    )


def same_strategy(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs are the same but for where they ran and what was printed."""
    left, right = (
        {key: value for key, value in each.items() if key not in _OWN_PLACES} for each in (one, other)
    )
    return left == right
