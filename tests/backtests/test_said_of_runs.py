"""Does a backtest say on stderr what makes its result worth less than it looks?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backtests.run import run
from backtests.sweep import sweep

SHORT = [
    "run.plots=false",
    "run.tearsheet=false",
    "run.max_bars=400",
    "data=fx_daily",
    "instruments=[EURUSD]",
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_of_which_every_order_was_refused_says_by_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SHORT, "output=json"]) == 0
    said = capsys.readouterr()
    count = json.loads(said.out)["refusals"]
    assert count > 0
    assert said.err.splitlines()[-1] == (
        f"no order passed: all {count} were refused, by MAX_POSITION ({count}); "
        "python -m backtests risk shows the limits"
    )


def test_a_run_that_traded_says_no_such_thing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SHORT, "risk.max_position_pct=1", "costs=oanda", "output=json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["fills"] > 0
    assert "no order passed" not in said.err
    assert "doubt" not in said.err
    assert "is for" not in json.loads(said.out)["costs"]["assumed"]


def test_costs_of_another_asset_class_are_doubted_and_the_run_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    doubt = "costs=ib is for equity, not for EURUSD.ECB (fx)"
    assert run([*SHORT, "risk.max_position_pct=1", "costs=ib", "output=json"]) == 0
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if line.startswith("doubt: ")] == [
        f"doubt: {doubt}; docs/costs.md says which preset is for what"
    ]
    assert json.loads(said.out)["costs"]["assumed"].endswith(f"; {doubt}")
    assert sweep([*SHORT, "costs=ib", "strategy.fast=5,10", "sweep.workers=1"]) in (0, 1)
    assert f"doubt: {doubt}" in capsys.readouterr().err
