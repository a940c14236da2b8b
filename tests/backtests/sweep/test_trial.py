"""One backtest among many: in memory, the same as `backtests run` would find, whatever goes wrong in it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from backtests.api import backtest
from backtests.points import configured, document_of, placed
from backtests.trial import PASSED, Outcome, market_of, run_trial
from configs.errors import ConfigError
from configs.load import compose
from configs.schema import RunConfig

ARGUMENTS = ["instruments=[AAPL,MSFT]", "run.start=2008-01-01", "run.end=2009-07-01"]


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return compose("backtest", ARGUMENTS).config


@pytest.fixture(scope="module")
def outcome(config: RunConfig) -> Outcome:
    return run_trial(config, market_of(config))


def test_a_trial_finds_what_a_backtest_finds(outcome: Outcome) -> None:
    result = backtest(ARGUMENTS)
    summary = vars(result.summary)
    assert outcome.figures["final_equity"] == float(summary["final_equity"])
    for name, value in ((name, value) for name, value in outcome.figures.items() if value is not None):
        assert value == pytest.approx(float(summary[name]) if isinstance(value, float) else summary[name])
    assert outcome.error is None
    assert len(outcome.returns) == len(outcome.days) == len(outcome.equity) - 1
    np.testing.assert_allclose(np.cumprod(1 + outcome.returns)[-1] * outcome.equity[0], outcome.equity[-1])


def test_decisions_are_every_order_asked_for_with_its_verdict(outcome: Outcome) -> None:
    result = backtest(ARGUMENTS)
    verdicts = [decision[-1] for decision in outcome.decisions]
    assert verdicts.count(PASSED) == len(result.orders)
    refused = [verdict for verdict in verdicts if verdict != PASSED]
    assert refused == [limit for limit in result.refusals["limit"] if limit not in ("ENGINE", "VENUE")]
    assert [decision[0] for decision in outcome.decisions] == sorted(
        decision[0] for decision in outcome.decisions
    )
    _, strategy, instrument, side, quantity, price, _ = outcome.decisions[0]
    assert (strategy, side, price) == ("EmaCross-001", "BUY", None)
    assert instrument.endswith(".XNAS")
    assert int(quantity) > 0


def test_the_same_trial_twice_is_the_same_to_the_bit(config: RunConfig, outcome: Outcome) -> None:
    again = run_trial(config, market_of(config))
    assert pickle.dumps(again.figures) == pickle.dumps(outcome.figures)
    assert again.decisions == outcome.decisions
    assert np.array_equal(again.returns, outcome.returns)


def test_looking_at_a_run_on_its_way_does_not_change_it(config: RunConfig, outcome: Outcome) -> None:
    seen: list[Any] = []

    def goes_on(so_far: dict[str, Any]) -> bool:
        seen.append(so_far)
        return True

    staged = run_trial(config, market_of(config), (0.25, 0.5, 0.75), goes_on)
    assert staged.figures == outcome.figures
    assert staged.decisions == outcome.decisions
    assert [so_far["bars"] for so_far in seen] == sorted({so_far["bars"] for so_far in seen})
    half = run_trial(config, market_of(config), (0.5,), lambda _: False)
    assert half.figures["bars"] == seen[1]["bars"]
    assert np.array_equal(half.returns, outcome.returns[: len(half.returns)])


def test_what_goes_wrong_is_told_in_one_line_and_raises_nothing(config: RunConfig) -> None:
    base = document_of(compose("backtest", ARGUMENTS).text)
    refused = run_trial(configured(base, {"strategy.fast": 50}), market_of(config))
    assert refused.error is not None
    assert "fast=50 must be below slow=50" in refused.error
    assert refused.exit_code == 2
    odd = {
        "strategy_path": "tests.backtests.sweep.odd:Odd",
        "config_path": "tests.backtests.sweep.odd:OddConfig",
    }
    failed = run_trial(configured(base, {"strategy": {**odd, "raises_at": 20}}), market_of(config))
    assert failed.error is not None
    assert "RuntimeError: odd, as it was asked to be" in failed.error
    assert (failed.exit_code, len(failed.returns), failed.figures) == (1, 0, {})


def test_data_is_opened_once_for_all_configs_that_ask_for_the_same(config: RunConfig) -> None:
    base = document_of(compose("backtest", ARGUMENTS).text)
    market = market_of(config)
    assert market_of(configured(base, {"strategy.fast": 7})) is market
    assert market.updates() is market.updates()
    assert market.frame("AAPL") is market.frame("AAPL")
    assert market_of(configured(base, {"run.end": "2009-01-01"})) is not market


def test_a_point_makes_the_config_that_the_command_line_makes(config: RunConfig) -> None:
    base = document_of(compose("backtest", ["instruments=[AAPL,MSFT]"]).text)
    point = {"run.start": "2008-01-01", "run.end": "2009-07-01"}
    assert configured(base, point) == config
    assert configured(base, {}) != config
    both = placed(base, {"strategy.fast": 7, "strategy": {"strategy_path": "a:B", "config_path": "a:C"}})
    assert both["strategy"] == {"strategy_path": "a:B", "config_path": "a:C", "fast": 7}


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ({"strateg.fast": 5}, "unknown key strateg; did you mean strategy?"),
        ({"strategy.fats": 5}, "unknown key strategy.fats; did you mean strategy.fast?"),
        ({"strategy.fast": "x"}, "strategy.fast=x"),
    ],
)
def test_a_point_that_is_no_run_is_refused_in_one_line(point: dict[str, Any], told: str) -> None:
    base = document_of(compose("backtest", ["instruments=[AAPL]"]).text)
    with pytest.raises(ConfigError) as error:
        configured(base, point)
    assert told in str(error.value)
