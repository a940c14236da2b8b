"""Every YAML option that ships composes, validates, and comes back the same from its own text."""

from __future__ import annotations

from pathlib import Path

import pytest

import configs
from configs.errors import ConfigError
from configs.load import compose, load
from configs.resolve import resolve

FOLDER = Path(configs.__file__).parent
VERBS = ("backtest", "live")
OPTIONS = sorted(
    (path.parent.name, path.stem) for path in FOLDER.glob("*/*.yaml") if path.parent.name != "hydra"
)
SHIPPED = {(group, name) for group, name in OPTIONS}


def required(path: Path, folder: Path) -> list[str]:
    """Overrides that give a value to each key a YAML leaves to the user (???)."""
    lines = [line.partition(":") for line in path.read_text().splitlines()]
    keys = [key.strip() for key, _, value in lines if value.partition("#")[0].strip() == "???"]
    return [f"{path.parent.name}.{key}='{folder}'" for key in keys]


def stand_ins(mine: list[str], group: str) -> list[str]:
    """The user's own strategy and data where this option is not about them."""
    flag, *choices = mine
    return [flag, *(choice for choice in choices if choice.partition("=")[0] != group)]


NEEDED = {("journal", "postgres"): ["journal.url=postgresql://keel@127.0.0.1:5432/keel"]}
"""What an option cannot be without."""
LIVE_ONLY = ("journal",)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("group", "name"), OPTIONS, ids=[f"{group}={name}" for group, name in OPTIONS])
def test_every_option_composes_and_validates(
    verb: str, group: str, name: str, mine: list[str], tmp_path: Path
) -> None:
    path = FOLDER / group / f"{name}.yaml"
    flag, *choices = stand_ins(mine, group)
    if group == "experiment":
        choices = []  # it chooses by itself
    overrides = [*choices, f"{group}={name}", *required(path, tmp_path), *NEEDED.get((group, name), [])]
    if group in LIVE_ONLY and verb != "live":
        with pytest.raises(ConfigError):
            compose(verb, overrides, flag.partition("=")[2])
        return
    composed = compose(verb, overrides, flag.partition("=")[2])
    assert load(composed.text) == composed


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_opens_with_the_command_that_uses_it(path: Path) -> None:
    opening = next(line for line in path.read_text().splitlines() if "@package" not in line)
    assert opening.startswith("# ")
    assert "python -m " in opening


def test_the_default_groups_ship() -> None:
    defaults = {("venue", "replay"), ("data", "us_equities"), ("strategy", "ema_cross"), ("risk", "default")}
    assert defaults <= SHIPPED


@pytest.mark.parametrize("verb", VERBS)
def test_the_default_run_is_made_of_shipped_classes(verb: str) -> None:
    config = compose(verb).config
    assert config.venue.name == "replay"
    assert config.venue.maker_fee > 0
    assert config.venue.taker_fee > 0
    assert resolve(config.venue.factory, "venue.factory").__name__ == "ReplayVenue"
    assert [spec.strategy_path for spec in config.all_strategies.values()] == [
        "strategies.ema_cross:EmaCross"
    ]


def test_two_strategies_share_one_set_of_limits_over_two_instruments() -> None:
    config = compose("backtest", ["experiment=two_strategies"]).config
    assert list(config.all_strategies) == ["strategy", "second"]
    assert [spec.instruments for spec in config.all_strategies.values()] == [("AAPL",), ("MSFT",)]
    assert config.strategies["second"].strategy_path.endswith(":BollingerReversion")
