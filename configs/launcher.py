"""Where do the jobs of a multirun or the trials of a sweep run: here, on all cores, or on a Ray cluster?

`hydra/launcher=NAME` and `hydra.launcher.KEY=VALUE` are read here and never reach Hydra, whose plugins of these names
would drop jobs that fail and hold back the versions of joblib and Ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.closest import closest
from configs.errors import ConfigError
from configs.messages import unknown_key

FOLDER = Path(__file__).parent / "hydra" / "launcher"
BASIC = "basic"
"""One job after the other in this process; Hydra's own option of this name stands for it."""
_CHOICE, _KEY = "hydra/launcher=", "hydra.launcher."


class Launcher(BaseModel):
    """How jobs are run. `workers` counts those that run at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["basic", "joblib", "ray"] = "basic"
    """basic: one after the other in this process; joblib: on the cores of this machine; ray: on a Ray cluster."""
    workers: Literal["auto"] | Annotated[int, Field(strict=True, ge=1, le=10_000)] = "auto"
    """How many run at once; auto is one a core."""
    address: str | None = None
    """Address of a running Ray cluster; none starts one on this machine."""
    runtime_env: dict[str, Any] = {}
    """Ray's runtime_env: what it prepares on each machine."""


def launcher_of(words: Sequence[str]) -> tuple[list[str], Launcher]:
    """The words of a command line that are not about the launcher, and the launcher those others make.

    Raises ConfigError for a launcher, a key or a value that is not known.
    """
    rest, name, given = [], BASIC, {}
    for word in words:
        plain = word.lstrip("+")
        if plain.startswith(_CHOICE):
            name = plain.removeprefix(_CHOICE)
        elif plain.startswith(_KEY) and "=" in plain:
            key, _, value = plain.removeprefix(_KEY).partition("=")
            given[key] = _value(key, value)
        else:
            rest.append(word)
    return rest, _made(name, given)


def _made(name: str, given: dict[str, Any]) -> Launcher:
    options = sorted({BASIC, *(path.stem for path in FOLDER.glob("*.yaml"))})
    if name not in options:
        near = closest(name, options)
        hint = f"did you mean {near}? There are" if near else "there are"
        raise ConfigError(f"{_CHOICE}{name}: no such option; {hint}: {', '.join(options)}")
    own: dict[str, Any] = {"name": BASIC}
    if name != BASIC:
        own = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    for key in given:
        if key not in own or key == "name":
            raise ConfigError(unknown_key(f"{_KEY}{key}", [known for known in own if known != "name"]))
    try:
        return Launcher.model_validate({**own, **given})
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        wanted = {
            "workers": "a whole number of at least 1, or auto",
            "address": "the address of a Ray cluster, such as auto, or null",
        }.get(key, "a section such as {working_dir: .}")
        raise ConfigError(f"{_KEY}{key}={given.get(key)}: must be {wanted}") from None


def _value(key: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(
            f"cannot read {_KEY}{key}={text}: write a number, a word or {{KEY: VALUE}}"
        ) from None
