"""docs/config.md tells the truth: commands compose, errors are those users get, no key is left out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import configs
from adapters.replay.config import ReplayVenueConfig
from configs.schema import LogSettings, RunConfig, RunSettings
from tests.configs.running import run

FOLDER = Path(configs.__file__).parent
TEXT = (FOLDER.parent / "docs" / "config.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m (?:backtests|live) run[^`\n|]*", TEXT)))
ERRORS = re.findall(r"\$ (python -m .*)\n    (error: .*)", TEXT)
VERBS = {"backtests": "backtest", "live": "live"}


def arguments(command: str) -> tuple[str, list[str]]:
    """The config and the arguments of `python -m backtests run ...`."""
    words = shlex.split(command)
    return VERBS[words[2]], words[4:]


@pytest.mark.parametrize("command", [c for c in COMMANDS if "my_desk" not in c and c not in dict(ERRORS)])
def test_each_command_composes(capsys: pytest.CaptureFixture[str], command: str) -> None:
    verb, argv = arguments(command.strip())
    seen = run(capsys, argv, verb)
    assert seen.code == 0, seen.err


@pytest.mark.parametrize(("command", "line"), ERRORS)
def test_each_error_is_the_one_a_user_gets(
    capsys: pytest.CaptureFixture[str], command: str, line: str
) -> None:
    verb, argv = arguments(command)
    seen = run(capsys, argv, verb)
    assert (seen.code, seen.out, seen.err) == (2, "", f"{line}\n")


def test_every_key_has_its_row() -> None:
    named = {"name", "mode", "config", "factory"}  # a YAML's own, not a user's
    keys = [f"run.{name}" for name in RunSettings.model_fields]
    keys += [f"log.{name}" for name in LogSettings.model_fields]
    keys += [f"venue.{name}" for name in ReplayVenueConfig.model_fields if name not in named]
    keys += [name for name in RunConfig.model_fields if name not in {"run", "log"}]
    assert [key for key in keys if f"`{key}" not in TEXT] == []


def test_every_group_and_option_is_named() -> None:
    groups = {path.parent.name for path in FOLDER.glob("*/*.yaml")} - {"hydra"}
    assert {group for group in groups if f"| `{group}` |" not in TEXT} == set()
    options = {path.stem for path in FOLDER.glob("*/*.yaml") if path.parent.name not in {"hydra", "risk"}}
    assert {option for option in options if f"`{option}`" not in TEXT} == set()
