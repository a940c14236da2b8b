"""Execution algorithms are named in the config like strategies: by path, with parameters of their own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.load import compose, load
from configs.schema import AlgorithmSpec
from risk.desk import RiskDesk
from runs.algorithms import AlgorithmError, build_algorithms
from runs.record import Recorder

MODULE = """
from nautilus_trader.trading import ExecutionAlgorithm, ExecutionAlgorithmConfig


class SlicesConfig(ExecutionAlgorithmConfig):
    def __init__(self, clip: int = 10, **_: object) -> None:
        self.clip = clip


class TightConfig(ExecutionAlgorithmConfig):
    def __init__(self, clip: int = 10) -> None:
        self.clip = clip


class Slices(ExecutionAlgorithm):
    def __init__(self, config: SlicesConfig) -> None:
        super().__init__(config)
        self.clip = config.clip
"""
PATHS = [
    "exec_algorithms.ICE.algorithm_path=my_slices:Slices",
    "exec_algorithms.ICE.config_path=my_slices:SlicesConfig",
]


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_slices.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))


def refused(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compose("backtest", overrides)
    return str(caught.value)


def test_none_is_configured_unless_asked_for() -> None:
    assert compose("backtest").config.exec_algorithms == {}
    assert compose("live").config.exec_algorithms == {}


def test_parameters_stand_beside_the_paths_and_come_back_the_same_from_the_text() -> None:
    composed = compose("backtest", [*PATHS, "exec_algorithms.ICE.clip=3"])
    spec = composed.config.exec_algorithms["ICE"]
    assert spec.params == {"clip": 3}
    assert [each.__name__ for each in spec.classes()] == ["Slices", "SlicesConfig"]
    assert load(composed.text) == composed
    assert AlgorithmSpec.model_validate(spec.model_dump()) == spec


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([PATHS[0]], "exec_algorithms.ICE.config_path is missing; name a class as package.module:Name"),
        ([*PATHS, "exec_algorithms.ICE.clip=x"], "exec_algorithms.ICE.clip=x: must be a whole number"),
        ([*PATHS, "exec_algorithms.ICE.clop=3"], "did you mean exec_algorithms.ICE.clip?"),
        ([*PATHS, "exec_algorithms.ICE.log_events=false"], "belongs to the engine and is set by Keel"),
        ([*PATHS, "exec_algorithms.ICE.exec_algorithm_id=X"], "belongs to the engine and is set by Keel"),
        (["exec_algorithms.ICE.algorithm_path=my_slices:SlicesConfig", PATHS[1]], "does not derive from"),
        (["exec_algorithms.ICE.algorithm_path=my_slices:Slizes", PATHS[1]], "did you mean my_slices:Slices?"),
        (["exec_algorithms={I-C: {algorithm_path: 'my_slices:Slices'}}"], "must be a word of letters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(overrides: list[str], said: str) -> None:
    line = refused(*overrides)
    assert said in line
    assert "\n" not in line


def test_a_class_that_does_not_take_its_id_is_named() -> None:
    wrong = [PATHS[0], "exec_algorithms.ICE.config_path=my_slices:TightConfig"]
    config = compose("backtest", wrong).config
    desk = RiskDesk(
        config.risk, starting_cash=Decimal(1), currency="USD", zone="UTC", witness=Recorder()
    )  # fmt: skip
    with pytest.raises(AlgorithmError, match=r"exec_algorithms\.ICE: my_slices:Slices"):
        build_algorithms(config, desk)
