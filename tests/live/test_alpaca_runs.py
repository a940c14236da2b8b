"""`live run` on the four Alpaca venues, each against a local Alpaca: what a user types, from start to summary."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from bokeh_sampledata import stocks

from tests.live.alpaca_here import keys, local_alpaca, real_money
from tests.live.nodes import ROOT

pytestmark = pytest.mark.slow

TRADES = [
    "bar=5m", "strategy=ema_cross", "strategy.fast=3", "strategy.slow=8", "strategy.sizing=percent_of_equity",
    "strategy.size_pct=0.5", "risk.max_position_pct=0.9", "output=json",
]  # fmt: skip


def command(tmp_path: Path, *arguments: str) -> list[str]:
    journal = f"journal.path={tmp_path / 'journal.db'}"
    return [sys.executable, "-m", "live", "run", journal, *arguments]


def environment(tmp_path: Path, given: dict[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, **(given or {}), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state")}


def live(
    tmp_path: Path, *arguments: str, given: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(tmp_path, *arguments), cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
        env=environment(tmp_path, given), stdin=subprocess.DEVNULL,
    )  # fmt: skip


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_a_rehearsal_trades_to_its_end_with_no_keys_and_leaves_no_process(tmp_path: Path) -> None:
    done = live(tmp_path, "venue=alpaca_rehearsal", "venue.days=3", "venue.bars_per_day=390", *TRADES)
    found = summary(done)
    assert found["orders"] > 2
    assert found["fills"] > 2
    assert found["final_equity"] != found["starting_equity"] == "100000.00"
    assert not [
        each
        for each in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(each.info["cmdline"] or [])
    ]


def test_a_rehearsal_of_coins_whose_fees_are_taken_in_coins_adds_up(tmp_path: Path) -> None:
    done = live(
        tmp_path, "venue=alpaca_rehearsal", "venue.days=4", "instruments=[BTC/USD,ETH/USD]", "bar=15m",
        "strategy=ema_cross", "strategy.fast=2", "strategy.slow=4", "strategy.sizing=percent_of_equity", "output=json",
    )  # fmt: skip
    found = summary(done)
    assert found["trades"] > 2
    assert Decimal(found["fees"]) > 0
    assert "not valued" not in done.stderr
    verify = [sys.executable, "-m", "live", "audit", "verify", f"journal.path={tmp_path / 'journal.db'}"]
    checked = subprocess.run(
        verify,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environment(tmp_path),
    )
    assert checked.returncode == 0, checked.stdout


def test_the_same_seed_rehearses_the_same_prices(tmp_path: Path) -> None:
    """Fills of market orders race the market at speed 0, the bars do not: refusals of a closed gate compare them."""
    rehearsal = ["venue=alpaca_rehearsal", "venue.days=2", *TRADES, "risk.max_order_notional=1"]
    first, second = (summary(live(tmp_path, *rehearsal)) for _ in range(2))
    assert first["refusals"] == second["refusals"] > 0
    other = summary(live(tmp_path, *rehearsal, "venue.seed=7"))
    assert other["orders"] == 0


def test_a_rehearsal_ends_with_the_figures_of_a_backtest(tmp_path: Path) -> None:
    wanted = [
        "venue.days=40",
        "strategy.fast=2",
        "strategy.slow=4",
        "risk.max_position_pct=0.9",
        "output=json",
    ]
    found = summary(live(tmp_path, "venue=alpaca_rehearsal", "strategy=ema_cross", *wanted))
    told = pd.DataFrame(stocks.data).query("ticker == 'AAPL'")
    closes = told.adj_close.to_numpy()[-40:]
    assert found["bars"] == 40
    assert found["buy_and_hold_return"] == pytest.approx(closes[-1] / closes[0] - 1, abs=0.03)
    assert found["buy_and_hold_max_drawdown"] == pytest.approx(_deepest(closes), abs=0.03)
    assert found["fills"] > 1
    assert found["volatility"] > 0
    assert 0 < found["time_in_market"] < 1
    assert 0 < found["exposure"] <= found["max_exposure"] < 0.95
    assert (found["first_bar"] < "2013-01-05", found["last_bar"] >= "2013-03-01") == (True, True)


def _deepest(prices: Any) -> float:
    return float((1 - prices / np.maximum.accumulate(prices)).max())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_however_the_node_ends_its_local_alpaca_ends_with_it(number: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "venue=alpaca_rehearsal", "venue.speed=60", *TRADES), cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("outputs/live/*/engine*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)
    while not (brokers := children_of(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=240)
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(brokers, timeout=120)
    assert alive == []


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("data=fx_daily", "data=us_equities, csv or parquet"),
        ("bar=30s", "30-SECOND"),
        ("instruments=[APPL]", "there is no APPL"),
    ],
)
def test_what_cannot_be_rehearsed_costs_one_line(argument: str, told: str, tmp_path: Path) -> None:
    done = live(tmp_path, "venue=alpaca_rehearsal", argument)
    assert done.returncode == 2
    assert told in done.stderr.strip().splitlines()[-1]
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("venue", ["alpaca_paper", "alpaca_sandbox"])
def test_paper_and_sandbox_trade_at_a_local_alpaca(venue: str, tmp_path: Path) -> None:
    played = ["paused=false", "speed=1200", "bars_per_day=390"]
    with local_alpaca(tmp_path, *played) as broker:
        done = live(
            tmp_path, f"venue={venue}", f"venue.trading_url={broker.url}", *TRADES, "bar=1m", "run.max_minutes=0.2",
            given=keys(),
        )  # fmt: skip
        found, audit = summary(done), broker.control().audit()
    assert found["fills"] > 0
    assert "rehearsal" not in (done.stderr + done.stdout).replace("alpaca_rehearsal", "")
    if venue == "alpaca_paper":
        assert len(audit["fills"]) >= found["fills"]
        assert set(audit["received"].values()) == {1}
    else:
        assert audit["orders"] == []


def test_real_money_shows_the_account_and_goes_on_only_with_the_phrase(tmp_path: Path) -> None:
    with local_alpaca(tmp_path, "kind=live") as broker:
        real = [*real_money(tmp_path, broker), "risk=first_month_live", "run.max_minutes=0.02"]
        off = live(tmp_path, *real, given=keys("live"))
        assert (off.returncode, "live.enabled=false" in off.stderr) == (2, True)
        assert broker.control().audit()["requests"] == {}
        asked = live(tmp_path, *real, "live.enabled=true", given=keys("live"))
        assert (asked.returncode, "nobody is at a terminal" in asked.stderr) == (2, True)
        shown = asked.stderr
        assert "123KEEL0SIM (live)" in shown
        assert "100,000.00 USD" in shown
        assert "trading_blocked" in shown
        assert "max_position_pct" in shown
        meant = live(
            tmp_path,
            *real,
            "live.enabled=true",
            "live.confirm=YES I UNDERSTAND",
            "output=json",
            given=keys("live"),
        )
        assert summary(meant)["orders"] == 0
        paper = live(tmp_path, *real, "live.enabled=true", given=keys("paper"))
        assert (paper.returncode, "begin with AK" in paper.stderr) == (2, True)


def test_an_account_of_the_other_kind_is_refused_whatever_its_keys_look_like(tmp_path: Path) -> None:
    """A token does not tell which account it opens; the account's number does."""
    with local_alpaca(tmp_path, "kind=paper") as broker:
        real = [*real_money(tmp_path, broker), "risk=first_month_live", "live.enabled=true"]
        done = live(tmp_path, *real, given={"ALPACA_OAUTH_TOKEN": "rehearsal-token"})
        assert done.returncode == 2
        assert "account PA3KEEL0SIM is a paper account; venue=alpaca_paper is for it" in done.stderr
        assert broker.control().audit()["orders"] == []


def test_a_blocked_account_starts_nothing(tmp_path: Path) -> None:
    with local_alpaca(tmp_path) as broker:
        broker.control().ask("account", trading_blocked=True)
        done = live(tmp_path, "venue=alpaca_paper", f"venue.trading_url={broker.url}", given=keys())
        assert done.returncode == 2
        assert "may not trade: trading_blocked" in done.stderr.strip().splitlines()[-1]
