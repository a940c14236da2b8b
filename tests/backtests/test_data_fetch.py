"""`python -m backtests data fetch`: downloads go on where they were, and backtests run on what they brought."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.alpaca._parsing_data import Candle, exact
from adapters.alpaca.bars import MINUTE_NANOS, Builder, Length
from adapters.alpaca.fetch import parts
from backtests.__main__ import main as command
from configs.load import compose
from market._store import Holding, Store
from market.catalog import open_market
from market.downloads import Downloads
from simulators.alpaca.control import AlpacaProcess

FETCH = ["data", "fetch", "source=alpaca"]


@pytest.fixture(scope="module")
def alpaca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlpacaProcess]:
    log = tmp_path_factory.mktemp("alpaca") / "alpaca.log"
    process = AlpacaProcess(["paused=true", "calls_per_min=0", "instruments=AAPL,SPY,BTC/USD"], log)
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_API_KEY", "PKREHEARSAL0000000000")
    monkeypatch.setenv("ALPACA_API_SECRET", "rehearsal")


def fetch(alpaca: AlpacaProcess, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of the command, as a user gives it."""
    local = [f"venue.trading_url={alpaca.url}", "venue.calls_per_min=10000", f"folder={folder / 'downloads'}"]
    monkeypatch.setattr("sys.argv", ["backtests", *FETCH, *local, *words])
    return command()


def requests(alpaca: AlpacaProcess) -> int:
    """How often bars were asked for so far."""
    found: int = alpaca.control().audit()["requests"].get("bars", 0)
    return found


def source(folder: Path, **more: Any) -> Downloads:
    return Downloads(folder=folder / "downloads", catalog_dir=folder / "catalog", **more)


def test_a_download_is_prepared_and_a_second_one_asks_for_nothing_that_is_there(
    alpaca: AlpacaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("symbols=AAPL,SPY", "start=2012-12-01", "end=2013-01-01", "output=json")
    assert fetch(alpaca, tmp_path, monkeypatch, *words, "adjustment=raw") == 0
    first = json.loads(capsys.readouterr().out)
    assert [(row["symbol"], row["rows"], row["new_rows"]) for row in first["symbols"]] == [
        ("AAPL", 780, 780), ("SPY", 780, 780),
    ]  # fmt: skip
    before = requests(alpaca)
    assert fetch(alpaca, tmp_path, monkeypatch, *words, "adjustment=raw") == 0
    assert requests(alpaca) == before
    longer = (words[0], "start=2012-11-01", words[2], words[3])
    assert fetch(alpaca, tmp_path, monkeypatch, *longer, "adjustment=raw") == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["new_rows"] for row in again["symbols"]] == [21 * 39, 21 * 39]
    assert requests(alpaca) == before + 2 * 2  # a month of New York's lies in two of UTC's


def test_a_backtest_runs_on_what_was_downloaded(
    alpaca: AlpacaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert fetch(alpaca, tmp_path, monkeypatch, "symbols=AAPL", "start=2013-01-01", "end=2013-02-01") == 0
    assert "python -m backtests run data=alpaca instruments=[AAPL] bar=1m" in capsys.readouterr().out
    words = [
        "run", "data=alpaca", f"data.folder={tmp_path / 'downloads'}", "instruments=[AAPL]", "bar=15m", "output=json",
        "run.plots=false", "run.tearsheet=false", f"run.dir={tmp_path / 'run'}",
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["backtests", *words])
    assert command() == 0
    assert json.loads(capsys.readouterr().out)["halted"] is False


def test_days_are_a_download_of_their_own_and_crypto_has_its_own_data_set(
    alpaca: AlpacaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    days = ("start=2012-12-01", "end=2013-01-01", "timeframe=1day", "output=json")
    assert fetch(alpaca, tmp_path, monkeypatch, "symbols=AAPL", *days) == 0
    (row,) = json.loads(capsys.readouterr().out)["symbols"]
    assert (row["rows"], row["first"], row["doubts"]) == (20, "2012-12-03 16:00 -0500", [])
    hours = ("symbols=BTC/USD", "start=2013-01-01", "end=2013-01-08", "timeframe=1hour", "output=json")
    assert fetch(alpaca, tmp_path, monkeypatch, *hours) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["data"], document["symbols"][0]["rows"]) == ("alpaca_crypto", 7 * 48)
    market = open_market(source(tmp_path, asset_class="crypto"), ["BTC/USD"], "1h")
    assert len(market.bars()) == 7 * 24
    assert str(market.instruments[0].id) == "BTC/USD.ALPACA"


def test_a_download_that_is_refused_halfway_keeps_what_it_has(
    alpaca: AlpacaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("symbols=AAPL", "start=2012-12-01", "end=2012-12-20", "adjustment=raw")
    assert fetch(alpaca, tmp_path, monkeypatch, *words) == 0
    alpaca.control().ask("fault", kind="status", status=403, on="bars", times=1)
    assert fetch(alpaca, tmp_path, monkeypatch, *words[:2], "end=2013-02-01", words[3]) == 2
    said = capsys.readouterr().err
    assert "AAPL from 2012-12-20 on cannot be downloaded" in said
    assert "Traceback" not in said
    assert fetch(alpaca, tmp_path, monkeypatch, *words[:2], "end=2013-02-01", words[3]) == 0
    holding = Store(tmp_path / "downloads" / "iex-raw").holding("AAPL")
    assert holding is not None
    assert holding.rows == {"1m": 41 * 39}


def test_prices_that_are_adjusted_anew_are_all_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("symbols=AAPL", "start=2012-12-01", "output=json")
    process = AlpacaProcess(["paused=true", "calls_per_min=0", "instruments=AAPL"], tmp_path / "alpaca.log")
    try:
        assert fetch(process, tmp_path, monkeypatch, *words, "end=2013-01-01") == 0
        process.control().ask("split", symbol="AAPL", ratio="2")
        assert fetch(process, tmp_path, monkeypatch, *words, "end=2013-01-15") == 0
    finally:
        process.kill()
    before, after = (json.loads(line)["symbols"][0] for line in capsys.readouterr().out.splitlines())
    assert (before["renewed"], after["renewed"]) == (False, True)
    assert after["new_rows"] == after["rows"] > before["rows"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["symbols=APPL", "start=2013-01-01"], "Alpaca has no APPL; did you mean 'AAPL'?"),
        (["start=2013-01-01"], "symbols is needed, as in symbols=AAPL,SPY"),
        (["symbols=AAPL"], "start=: must be a day, as in start=2024-01-01"),
        (["symbols=AAPL", "start=2013-01-01", "end=2012-01-01"], "is not before end=2012-01-01"),
        (["symbols=AAPL", "start=2099-01-01"], "lies in the future"),
        (["symbols=AAPL", "start=2013-01-01", "feed=sop"], "feed=sop: did you mean sip?"),
        (["symbols=AAPL", "start=2013-01-01", "timeframe=7min"], "seconds and minutes must divide 60"),
        (
            ["symbols=AAPL", "start=2013-01-01", "timeframe=fast"],
            "timeframe=fast: must be a length such as 1min",
        ),
        (["symbols=AAPL,BTC/USD", "start=2013-01-01"], "BTC/USD is crypto and the others are shares"),
        (["symbol=AAPL", "start=2013-01-01"], "unknown key symbol; did you mean symbols?"),
    ],
)
def test_a_mistake_costs_one_line_and_exit_code_2(
    alpaca: AlpacaProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    assert fetch(alpaca, tmp_path, monkeypatch, *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_no_keys_and_no_download_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ALPACA_API_KEY")
    monkeypatch.delenv("ALPACA_API_SECRET")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "sys.argv", ["backtests", *FETCH, "symbols=AAPL", "start=2013-01-01", f"folder={tmp_path}"]
    )
    assert command() == 2
    assert "no keys; set ALPACA_API_KEY and ALPACA_API_SECRET" in capsys.readouterr().err
    monkeypatch.setattr(
        "sys.argv", ["backtests", "run", "data=alpaca", f"data.folder={tmp_path}", "instruments=[AAPL]"]
    )
    assert command() == 2
    assert "python -m backtests data fetch source=alpaca symbols=AAPL start=" in capsys.readouterr().err


def test_the_data_sets_compose() -> None:
    assert compose("backtest", ["data=alpaca"]).config.data.calendar == "XNYS"
    assert compose("backtest", ["data=alpaca_crypto"]).config.data.calendar == "24/7"


def test_what_is_missing_of_a_window_is_what_no_stretch_covers(tmp_path: Path) -> None:
    store, holding = Store(tmp_path), Holding("AAPL", 4, 0)
    for start, until in ((10, 20), (30, 40)):
        store.add(holding, "1m", start, until, [])
    assert holding.missing("1m", 5, 45) == [(5, 10), (20, 30), (40, 45)]
    assert holding.missing("1m", 12, 18) == []
    assert store.holding("AAPL") == holding
    month = 31 * 86_400 * 1_000_000_000
    assert next(until for _, until in parts(0, 2 * month, "1m")) == month


def test_bars_of_a_backtest_are_built_as_those_of_the_stream(tmp_path: Path) -> None:
    """Whole sessions of random minutes, some missing: the vectorised rule and the stream's give the same bars."""
    data, opened = source(tmp_path), 1_357_914_600_000_000_000  # 2013-01-11T14:30Z
    random, minutes = np.random.default_rng(7), []
    for number in sorted(random.choice(390, 200, replace=False)):
        opens, closes = (round(float(price), 2) for price in random.uniform(99, 101, 2))
        start = opened + int(number) * MINUTE_NANOS
        prices = (opens, max(opens, closes), min(opens, closes), closes, float(random.integers(1, 99)))
        minutes.append(Candle(start, start + MINUTE_NANOS, *map(exact, prices)))
    holding, store = Holding("AAPL", 4, 0), data.store
    store.add(holding, "1m", opened, opened + 390 * MINUTE_NANOS, [(each.end, *each[2:]) for each in minutes])
    closes_at = opened + 390 * MINUTE_NANOS
    for text, length in (("5m", 5), ("30m", 30), ("1h", 60), ("4h", 240)):
        builder = Builder(Length(length * MINUTE_NANOS), is_crypto=False, close_after=lambda _: closes_at)
        expected = [bar for each in minutes for bar in builder.add(each)] + builder.flush(closes_at)
        frame = data.frame("AAPL", text)
        assert list(frame["ts"]) == [bar.end for bar in expected]
        for name in ("open", "high", "low", "close", "volume"):
            assert list(frame[name]) == [float(getattr(bar, name)) for bar in expected]


def test_a_download_is_quick_enough_to_prepare(tmp_path: Path) -> None:
    """A year of minutes of one share: read and built within seconds."""
    data, holding = source(tmp_path, asset_class="crypto"), Holding("BTC/USD", 2, 8)
    start = 1_356_998_400_000_000_000
    rows = [(start + (number + 1) * MINUTE_NANOS, 1.0, 1.0, 1.0, 1.0, 1.0) for number in range(100_000)]
    data.store.add(holding, "1m", start, rows[-1][0], rows)
    began = time.perf_counter()
    assert len(data.frame("BTC/USD", "1h")) == 1_667
    assert time.perf_counter() - began < 60
