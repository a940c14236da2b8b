"""Every YAML of configs/data names a class that accepts it, and opens with the command that uses it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from market import DataSource

FOLDER = Path(__file__).parents[2] / "configs" / "data"
NAMES = ("us_equities", "fx_daily", "csv", "parquet")


def _load(name: str, **more: Any) -> DataSource:
    values = {
        key: value
        for key, value in yaml.safe_load((FOLDER / f"{name}.yaml").read_text()).items()
        if value != "???"
    }
    module, _, cls = values["source"].partition(":")
    source = getattr(import_module(module), cls).model_validate(values | more)
    assert isinstance(source, DataSource)
    return source


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_with_its_command_and_names_its_class_first(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    assert text.startswith(f"# python -m backtests run data={name} ")
    assert text.split("\n\n")[0].count("\n") < 12
    settings = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert settings[0].startswith("source: market.")


@pytest.mark.parametrize("name", NAMES)
def test_it_composes_and_is_named_like_its_file(name: str) -> None:
    more = {"path": "x"} if name in {"csv", "parquet"} else {}
    assert _load(name, **more).name == name


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_its_defaults_are_those_of_the_class(name: str) -> None:
    source = _load(name, path="x")
    assert source == type(source).model_validate({"path": "x", "label": "START"})


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_every_setting_can_be_seen_in_the_yaml(name: str) -> None:
    shown = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert set(shown) == set(type(_load(name, path="x")).model_fields)
    assert set(shown["columns"]) == {
        "time",
        "symbol",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "bid",
        "ask",
        "bid_size",
        "ask_size",
    }


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_without_a_path_it_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError, match="path"):
        _load(name)


def test_a_source_of_ones_own_cannot_misspell_a_key() -> None:
    with pytest.raises(ValidationError, match="symbol"):
        _load("us_equities", symbol=["MSFT"])
