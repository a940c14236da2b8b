"""A strategy's parameters are what its config class's own signature says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import InstrumentId, OrderSide

from configs.errors import ConfigError
from configs.parameters import checked, parameter_names
from configs.resolve import resolve
from configs.schema import StrategySpec

pytestmark = pytest.mark.usefixtures("home")


def spec(params: Mapping[str, Any], config: str = "MineConfig") -> StrategySpec:
    paths = {"strategy_path": "my_desk:Mine", "config_path": f"my_desk:{config}"}
    return StrategySpec.model_validate({**paths, **params})


def test_values_arrive_in_the_types_of_the_signature() -> None:
    given = {"size": 0.1, "weight": 2, "hedge": "AAPL.XNAS", "side": "SELL", "copy": True, "sides": "both"}
    assert spec(given).params == {
        "size": Decimal("0.1"),
        "weight": 2.0,
        "hedge": InstrumentId.from_str("AAPL.XNAS"),
        "side": OrderSide.SELL,
        "copy": True,
        "sides": "both",
    }


def test_only_what_was_given_is_kept_so_that_the_class_gives_its_own_defaults() -> None:
    assert spec({}).params == {}
    assert spec({"fast": 3}).params == {"fast": 3}


def test_parameters_may_be_given_as_one_mapping_from_python() -> None:
    config = StrategySpec(strategy_path="my_desk:Mine", config_path="my_desk:MineConfig", params={"fast": 3})
    assert config.params == {"fast": 3}
    assert StrategySpec.model_validate(config.model_dump()) == config


def test_what_keel_fills_in_and_what_is_the_engines_are_no_parameters() -> None:
    names = parameter_names(resolve("my_desk:MineConfig", "config_path"))
    assert names[:3] == ("fast", "slow", "size")
    assert not {"instrument_ids", "bar_types", "strategy_id", "order_id_tag", "_"} & set(names)


def test_a_class_that_hands_its_other_arguments_on_takes_its_bases_parameters_too() -> None:
    assert spec({"extra": 2, "fast": 4}, "DerivedConfig").params == {"extra": 2, "fast": 4}


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(ValueError, match="period"):
        spec({}, "NeedsConfig")


def test_both_classes_can_be_had_from_a_spec() -> None:
    strategy, config = spec({}).classes()
    assert (strategy.__name__, config.__name__) == ("Mine", "MineConfig")


def test_nothing_is_turned_into_a_number_that_was_not_one() -> None:
    config_class = resolve("my_desk:MineConfig", "config_path")
    for wrong in ("10", True, 2.5, None, [1]):
        with pytest.raises(ValueError, match="fast"):
            checked(config_class, {"fast": wrong})


def test_a_module_that_vanished_after_validation_is_named(home: Path) -> None:
    gone = spec({}).model_copy(update={"config_path": "my_gone:Config"})
    assert not (home / "my_gone.py").exists()
    with pytest.raises(ConfigError, match="there is no module my_gone"):
        gone.classes()
