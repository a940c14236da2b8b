"""What a summary says of luck, beside the formulas it comes from."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from runs.luck.bootstrap import interval, max_drawdowns, sharpes
from runs.luck.figures import Luck, Trials, luck_of
from runs.luck.sharpe import deflated_sharpe, min_track_record, probabilistic_sharpe
from runs.sentences import luck_lines
from runs.summary import Summary

RETURNS = np.random.default_rng(3).standard_normal(800) * 0.01 + 0.0008


def summary(**given: Any) -> Summary:
    """A summary of which only what is given matters."""
    names = [name for name in Summary.__dataclass_fields__ if name not in given]
    return Summary(**{**dict.fromkeys(names), **given})


def test_each_figure_is_that_of_its_formula() -> None:
    found = luck_of(RETURNS, 252, Trials(7, 0.001))
    needed = min_track_record(RETURNS)
    sharpe, drawdown = interval(RETURNS, sharpes), interval(RETURNS, max_drawdowns)
    assert needed is not None
    assert sharpe is not None
    assert drawdown is not None
    assert found == Luck(
        trials_ledger=7,
        deflated_sharpe=deflated_sharpe(RETURNS, 7, 0.001),
        probabilistic_sharpe=probabilistic_sharpe(RETURNS),
        track_record_days=800,
        min_track_record_days=math.ceil(needed),
        min_track_record_years=needed / 252,
        sharpe_low=sharpe.low * math.sqrt(252),
        sharpe_high=sharpe.high * math.sqrt(252),
        max_drawdown_low=drawdown.low,
        max_drawdown_high=drawdown.high,
    )


def test_a_ledger_that_has_counted_none_knows_of_no_others() -> None:
    """The run itself is one: a count of none is that of a ledger that could not be written."""
    assert luck_of(RETURNS, 252, Trials(0)) == luck_of(RETURNS, 252)
    assert luck_of(None, 252, Trials(0)) == Luck()


def test_every_figure_is_a_key_of_the_summary_and_json() -> None:
    found = luck_of(RETURNS, 252, Trials(1))
    document = json.loads(replace(summary(), **asdict(found)).to_json())
    assert {name: document[name] for name in asdict(found)} == asdict(found)


@pytest.mark.parametrize("days", [0, 1, 3, 9, 50])
def test_a_run_that_never_traded_says_nothing_of_its_sharpe(days: int) -> None:
    found = luck_of(np.zeros(days), 252, Trials(2))
    assert (found.deflated_sharpe, found.probabilistic_sharpe, found.min_track_record_days) == (
        None,
        None,
        None,
    )
    assert (found.sharpe_low, found.sharpe_high) == (None, None)
    assert found.track_record_days == days


def test_a_run_that_lost_everything_has_only_its_trials() -> None:
    assert luck_of(None, 252, Trials(4)) == Luck(trials_ledger=4)


def test_what_is_no_trial_says_nothing_of_others() -> None:
    found = luck_of(RETURNS, 252)
    assert found.trials_ledger is None
    assert found.deflated_sharpe is None
    assert found.probabilistic_sharpe is not None


def test_the_lines_a_person_reads() -> None:
    lines = luck_lines(
        summary(
            trials_ledger=1_200,
            deflated_sharpe=0.731,
            probabilistic_sharpe=0.994,
            track_record_days=504,
            min_track_record_days=252,
            min_track_record_years=1.0,
            sharpe_low=-0.2,
            sharpe_high=1.171,
            max_drawdown_low=0.042,
            max_drawdown_high=0.119,
        )
    )
    assert lines == [
        "Sharpe -0.20 to 1.17, max drawdown 4.2% to 11.9%: 90% of resamples",
        "99.4% sure of a Sharpe above 0; 95% takes 1.0 years, this has 2.0",
        "73.1% after 1,200 trials of it on this data (deflated Sharpe)",
    ]
    assert max(map(len, lines)) <= 68  # fits a terminal of 80 columns
    assert luck_lines(summary(probabilistic_sharpe=0.3)) == [
        "30.0% sure of a Sharpe above 0; no length of record would give 95%"
    ]
    assert luck_lines(summary()) == []
