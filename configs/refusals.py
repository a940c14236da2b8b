"""How is what Hydra, OmegaConf or the YAML reader refused told in one line of ours?

They speak in several lines and of their own settings; here is what the user asked, what there is, what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from yaml import MarkedYAMLError, YAMLError

from configs.closest import closest, listed
from configs.edge import one_line
from configs.errors import ConfigError
from configs.messages import may_be_secret, unknown_key
from configs.schema import RunConfig


def shown(text: str) -> str:
    """An override as the user wrote it; only its key when its value may be a secret."""
    plain = text.removeprefix("++")
    key, equals, _ = plain.partition("=")
    return f"{key}{equals}..." if may_be_secret(key) else plain


def override(text: str) -> ConfigError:
    """An override that cannot be read."""
    return ConfigError(
        f"cannot read {shown(text)!r}: write key=value, and quote what holds more than letters, digits and "
        """-_./ twice: 'key="some text"'"""
    )


def several(group: str, names: Sequence[str]) -> ConfigError:
    """Several options of a group that takes one."""
    more = f"; a second one is +strategy@strategies.second={names[-1]}" if group == "strategy" else ""
    return ConfigError(f"{group}=[{','.join(names)}]: takes one name, such as {group}={names[0]}{more}")


def option(path: str | None, options: Sequence[str] | None) -> ConfigError | None:
    """A file that does not exist: `path` is group/option, or the name of a whole config."""
    if path is None:
        return None
    group, _, name = path.removesuffix(".yaml").rpartition("/")
    if not group:
        return ConfigError(f"there is no config {name}.yaml; look at the name and at --config-dir")
    if not options:
        return ConfigError(f"there is no {group}/{name}.yaml; look at the name and at --config-dir")
    near = closest(name, options)
    hint = f"did you mean {near}? There are" if near else "there are"
    return ConfigError(f"{group}={name}: no such option; {hint}: {listed(options)}")


def yaml(error: YAMLError) -> ConfigError:
    """A file that is not YAML."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        place = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}"
        return ConfigError(f"{place}: not YAML: {error.problem}")
    return ConfigError(f"not YAML: {one_line(error)}")


def file(error: OSError) -> ConfigError | None:
    """A file that cannot be read."""
    return ConfigError(f"{error.filename}: {error.strerror}") if error.strerror else None


def endless() -> ConfigError:
    """A YAML that names itself, straight or through another."""
    return ConfigError("a YAML leads back to itself, by its defaults list or an &anchor; take that out")


def missing(key: str) -> ConfigError:
    """A value that a YAML leaves to the user (???)."""
    return ConfigError(f"{key} is missing; give {key}=VALUE")


def value(key: str | None, text: str) -> ConfigError:
    """A value that cannot be worked out (an interpolation)."""
    first = text.partition("\n")[0]
    return ConfigError(f"{key}: {first}" if key else first)


def command_line(said: str) -> ConfigError:
    """Flags that cannot be read: argparse prints its usage, then `program: error: reason`."""
    reason = (said.strip().splitlines() or ["bad arguments"])[-1].partition("error: ")
    return ConfigError(f"{reason[2] or reason[0]}; write key=value, --help lists keys and flags")


def composition(text: str, inner: str, folders: Iterable[Path]) -> ConfigError:
    """Groups and overrides that do not fit; `inner` is the error under it, `folders` hold the groups."""
    groups = sorted({path.parent.name for folder in folders for path in folder.glob("*/*.yaml")} - {"hydra"})
    for pattern, told in _COMPOSITION:
        if found := pattern.search(text):
            return ConfigError(told(next(filter(None, found.groups()), ""), groups))
    plain = text.partition("Config search path:")[0]
    return ConfigError(
        one_line(f"{plain} {inner}").replace("++", "") or "the configuration cannot be composed"
    )


def of_run_folder(refused: ConfigError, folders: Iterable[Path]) -> ConfigError:
    """A refusal, with what to do instead where --config-dir named the folder of a run, which holds no groups."""
    for folder in folders:
        if (folder / "config.yaml").is_file() and (folder / "versions.json").is_file():
            return ConfigError(
                f"--config-dir={folder} is the folder of a run, whose config has no groups to choose from: "
                f"python -m backtests rerun {folder} repeats it ({refused})"
            )
    return refused


def _no_such_key(key: str, groups: Sequence[str]) -> str:
    if key.startswith("hydra."):
        return f"unknown key {key}; --cfg hydra shows Hydra's own keys"
    if key in groups:
        return f"{key}: choose it with {key}=NAME, change what is in it with {key}.KEY=VALUE"
    return unknown_key(key, dict.fromkeys([*RunConfig.model_fields, *groups]))


def _list_or_sweep(text: str, _: Sequence[str]) -> str:
    key, _, values = shown(text).partition("=")
    return f"{key}={values}: write {key}=[{values}] for a list, or add -m for a run of each"


def _sweep(text: str, _: Sequence[str]) -> str:
    return f"{shown(text)}: add -m to run once for each value"


def _another_kind(text: str, _: Sequence[str]) -> str:
    return f"{shown(text)}: this key holds something of another kind; --cfg job shows it"


def _not_a_name(_: str, groups: Sequence[str]) -> str:
    return f"a group ({listed(groups)}) takes the name of one of its options, such as venue=replay"


def _chosen_twice(group: str, _: Sequence[str]) -> str:
    return f"{group} is chosen twice; to choose another write {group}=NAME, without +"


def _not_chosen(group: str, _: Sequence[str]) -> str:
    return f"{group} is missing; choose one with {group}=NAME (--help lists them)"


def _nothing_to_delete(key: str, _: Sequence[str]) -> str:
    return f"~{key}: there is nothing to delete; leave it out"


# What Hydra's sentence says -> ours; the pattern's one group is the key, group or override it is about.
_COMPOSITION: tuple[tuple[re.Pattern[str], Callable[[str, Sequence[str]], str]], ...] = (
    (re.compile(r"Config group override must be a string"), _not_a_name),
    (re.compile(r"Error merging override (.*)"), _another_kind),
    (re.compile(r"Could not override '([^']+)'|config group '([^']+)' does not exist"), _no_such_key),
    (re.compile(r"Ambiguous value for argument '(.*)'$", re.MULTILINE), _list_or_sweep),
    (re.compile(r"Sweep parameters '(.*)' requires --multirun"), _sweep),
    (re.compile(r"Multiple values for ([^.\s]+)\.|(\S+) appears more than once"), _chosen_twice),
    (re.compile(r"You must specify '([^']+)'"), _not_chosen),
    (re.compile(r"Could not delete (?:from config\. )?'([^']+)'"), _nothing_to_delete),
)
