"""As a process: it outlives its own kill, plays its market to the end, and refuses bad input in one line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bokeh_sampledata import stocks

from configs.errors import ConfigError
from simulators.alpaca.run import make_server
from simulators.alpaca.settings import parse
from tests.simulators.alpaca.asking import ask

pytestmark = pytest.mark.slow

BUY = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}


@pytest.mark.parametrize("asked", [["days=250"], ["days=250", "start=2012-01-03"], ["days=700"]])
def test_as_many_sessions_are_played_as_were_asked_for(asked: list[str]) -> None:
    settings = parse(["instruments=AAPL", *asked])
    _, first, last = make_server(settings)
    traded = pd.DataFrame(stocks.data).query("ticker == 'AAPL'").date
    assert traded.between(pd.Timestamp(first), pd.Timestamp(last)).sum() == settings.days


def test_a_kill_at_any_moment_loses_nothing_that_was_answered(start: Any, tmp_path: Path) -> None:
    answered = []
    state = f"state={tmp_path / 'state.jsonl'}"
    for life in range(3):
        broker = start(state)
        broker.control().price("AAPL", 50 + life)
        for number in range(3):
            name = f"{life}-{number}"
            status, row, _ = ask(broker, "POST", "/v2/orders", BUY | {"client_order_id": name})
            assert status == 200
            answered.append((name, row["id"]))
        limit = BUY | {
            "type": "limit",
            "limit_price": "10",
            "time_in_force": "gtc",
            "client_order_id": f"far-{life}",
        }
        ask(broker, "POST", "/v2/orders", limit)
        before = broker.control().audit()
        broker.kill()
    after = start(state).control().audit()
    assert {row["client_order_id"]: row["id"] for row in after["orders"]}.items() >= dict(answered).items()
    for name in ("cash", "positions", "fills", "received", "activities"):
        assert after[name] == before[name], name
    assert after["cash"] == str(100_000 - 3 * (50 + 51 + 52))
    assert [row["status"] for row in after["orders"]].count("new") == 3


def test_it_plays_to_the_end_of_its_days_and_the_day_orders_end_with_each(start: Any) -> None:
    broker = start("paused=false", "speed=0", "days=3", "end=2013-01-11")
    deadline = time.monotonic() + 120
    while not (state := broker.control().ask("market"))["ended"]:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    assert state["now"].startswith("2013-01-11T21:05")
    bars = ask(broker, "GET", "/v2/stocks/AAPL/bars?timeframe=1Min&start=2013-01-11&limit=100")[1]["bars"]
    assert (len(bars), bars[0]["t"], bars[-1]["t"]) == (39, "2013-01-11T14:30:00Z", "2013-01-11T20:59:00Z")
    assert ask(broker, "GET", "/v2/clock")[1]["is_open"] is False


def test_speed_is_market_seconds_in_a_second(start: Any) -> None:
    broker = start("paused=false", "speed=60", "start=2013-01-11T10:00", "days=1")

    def told() -> tuple[float, float, float]:
        """When it was asked, what it told, when that came."""
        asked, text = time.monotonic(), ask(broker, "GET", "/v2/clock")[1]["timestamp"]
        came, (hours, minutes, secs) = time.monotonic(), text[11:].partition("-")[0].split(":")
        return asked, int(hours) * 3600 + int(minutes) * 60 + float(secs), came

    first_asked, first, first_came = told()
    time.sleep(1)
    later_asked, later, later_came = told()
    assert 0.8 * 60 * (later_asked - first_came) <= later - first <= 1.2 * 60 * (later_came - first_asked)


def test_a_script_is_done_before_anybody_is_let_in(start: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    lines = [
        {"op": "price", "symbol": "AAPL", "price": "77"},
        {"op": "activity", "type": "CSD", "net_amount": "5"},
    ]
    script.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    broker = start(f"script={script}")
    assert ask(broker, "GET", "/v2/stocks/AAPL/trades/latest")[1]["trade"]["p"] == 77
    assert ask(broker, "GET", "/v2/account")[1]["cash"] == "100005"


def test_recorded_minutes_are_played_as_they_are(start: Any, tmp_path: Path) -> None:
    rows = ["time,open,high,low,close,volume"]
    for day in (1, 4):
        for minute in range(390):
            at = datetime(2013, 2, day, 14, 30, tzinfo=UTC) + timedelta(minutes=minute)
            price = 5000 + minute
            prices = ",".join(f"{each / 100:.2f}" for each in (price, price + 5, price - 5, price + 1))
            rows.append(f"{at.isoformat()},{prices},100")
    (tmp_path / "AAPL.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = ["data=csv", f"data.path={tmp_path / 'AAPL.csv'}", f"data.catalog_dir={tmp_path / 'kept'}"]
    broker = start(*data, "bar=1m", "start=2013-02-04", "days=1")
    broker.control().ask("market", do="step", n=2)
    bars = ask(broker, "GET", "/v2/stocks/AAPL/bars?timeframe=1Min&start=2013-02-04")[1]["bars"]
    assert (len(bars), bars[-1]["t"], bars[-1]["o"]) == (32, "2013-02-04T15:01:00Z", 50.31)
    day = ask(broker, "GET", "/v2/stocks/AAPL/bars?timeframe=1Day&start=2013-02-01&end=2013-02-01")[1][
        "bars"
    ][0]
    assert (day["o"], day["h"], day["c"], day["v"]) == (50, 53.94, 53.9, 39_000)


def test_a_live_account_takes_live_keys_only(start: Any) -> None:
    broker = start("kind=live")
    assert ask(broker, "GET", "/v2/account")[0] == 401
    keys = {"APCA-API-KEY-ID": "AKREHEARSAL0000000000", "APCA-API-SECRET-KEY": "rehearsal"}
    status, account, _ = ask(broker, "GET", "/v2/account", headers=keys)
    assert (status, account["account_number"].startswith("PA")) == (200, False)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("ports=1", "unknown key ports; did you mean port?"),
        ("speed", "alpaca takes key=value arguments"),
        ("speed=-1", "speed=-1: must be a number from 0"),
        ("kind=demo", "kind=demo: must be paper or live"),
        ("key=AK1", "key: of a paper account begins with PK"),
        ("start=tomorrow", "start=tomorrow: must be a date"),
    ],
)
def test_an_argument_that_is_wrong_is_named(argument: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse([argument])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["instruments=NOPE"], "instruments: there is no NOPE"),
        (["start=2013-02-02", "end=2013-02-03"], "no session in between"),
        (["script=/nowhere/at/all", "instruments=AAPL"], "cannot be read"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "simulators", "alpaca", "port=0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_help_names_every_argument() -> None:
    command = [sys.executable, "-m", "simulators", "alpaca", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    for name in parse([]).__slots__:
        assert name in done.stdout or name == "overrides"
