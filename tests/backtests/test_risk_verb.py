"""`python -m backtests risk` tells the limits of a run, and which line set each, without any market data."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtests.risk import HELP, risk
from configs.load import compose
from risk.limits import RiskConfig
from risk.overrides import effective

TWO = ["experiment=two_strategies"]
LINES = (
    "risk.overrides=[{strategy: ema_cross, max_position_pct: 0.01, max_daily_loss_pct: 0.01},"
    "{venue: XNAS, max_leverage: 2, max_orders_per_day: 50},{asset_class: crypto, allow_short: false}]"
)


def told(capsys: pytest.CaptureFixture[str], argv: Sequence[str]) -> str:
    assert risk(argv) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def as_json(capsys: pytest.CaptureFixture[str], argv: Sequence[str]) -> dict[str, Any]:
    document = json.loads(told(capsys, [*argv, "output=json"]))
    assert isinstance(document, dict)
    return document


def test_json_has_every_key_with_its_value_unit_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    limits = as_json(capsys, ["risk=crypto", "risk.max_daily_loss=1500.50", "risk.max_repeats=3"])["limits"]
    assert list(limits) == list(RiskConfig.model_fields)
    preset = "configs/risk/crypto.yaml"
    assert limits["max_position_pct"] == {"value": 0.2, "unit": "of equity", "set_by": preset}
    assert limits["max_daily_loss"] == {"value": "1500.5", "unit": "USD", "set_by": "command line"}
    assert limits["max_repeats"] == {"value": 3, "unit": "orders", "set_by": "command line"}
    assert limits["min_sharpe"]["value"] is None
    assert limits["allow_short"]["value"] is False


def test_json_has_what_lines_make_tighter_for_whom(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, [*TWO, LINES])
    first, second = found["overrides"]
    assert (first["strategy"], first["instrument"]) == ("EmaCross-001", "AAPL.XNAS")
    assert first["limits"]["max_position_pct"] == {
        "value": 0.01,
        "unit": "of equity",
        "set_by": "overrides[0] (strategy: ema_cross)",
    }
    assert (second["strategy"], second["instrument"]) == ("BollingerReversion-002", "MSFT.XNAS")
    assert list(second["limits"]) == ["max_orders_per_day"]
    assert found["breakers"]["strategy:EmaCross-001"]["max_daily_loss_pct"]["value"] == 0.01
    assert found["notes"] == [
        "overrides[1] (venue: XNAS) changes nothing with max_leverage=2: configs/risk/default.yaml has 1",
        "overrides[2] (asset_class: crypto) matches no order in this run",
    ]
    assert found["limits"]["overrides"]["value"][0]["strategy"] == "ema_cross"


def test_what_is_told_is_what_the_gate_will_ask(capsys: pytest.CaptureFixture[str]) -> None:
    limits = compose("backtest", [*TWO, LINES]).config.risk
    names = {"venue": "XNAS", "asset_class": "EQUITY", "venue_name": "replay"}
    asked = effective(limits, strategy_id="EmaCross-001", strategy_name="strategy", **names)
    told_limits = as_json(capsys, [*TWO, LINES])["overrides"][0]["limits"]
    for key, row in told_limits.items():
        assert Decimal(str(row["value"])) == getattr(asked, key) != getattr(limits, key)


def test_no_market_data_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["data=csv", "data.path=nowhere.csv", "data.instrument_class=crypto", "data.venue=BINANCE"]
    lines = "risk.overrides=[{asset_class: crypto, max_leverage: 0.5}, {venue: XNAS, max_leverage: 0.1}]"
    found = as_json(capsys, [*files, lines])
    (only,) = found["overrides"]
    assert (only["instrument"], only["limits"]["max_leverage"]["value"]) == ("all instruments", 0.5)
    assert found["notes"] == ["overrides[1] (venue: XNAS) matches no order in this run"]
    (only,) = as_json(capsys, [*files, lines, "instruments=[BTC-USDT]"])["overrides"]
    assert only["instrument"] == "BTC-USDT.BINANCE"


def test_a_source_that_cannot_tell_leaves_its_instruments_open(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my" / "data").mkdir(parents=True)
    (tmp_path / "my" / "data" / "far.yaml").write_text("source: far_away:Far\nsymbols: [AAPL]\n")
    (tmp_path / "far_away.py").write_text(
        "from market.source import DataSource\n"
        "class Far(DataSource):\n"
        "    def available(self): return ('AAPL',)\n"
        "    def raw_version(self): return '0'\n"
        "    def instrument(self, symbol): raise RuntimeError('no connection')\n"
        "    def frame(self, symbol, bar): raise NotImplementedError\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    lines = (
        "risk.overrides=[{strategy: ema_cross, max_leverage: 0.5}, {asset_class: equity, max_leverage: 0.1}]"
    )
    found = as_json(capsys, [f"--config-dir={tmp_path / 'my'}", "data=far", lines])
    assert [each["instrument"] for each in found["overrides"]] == ["AAPL"]
    assert found["notes"] == [
        "overrides[1] (asset_class: equity) matches no order that is known without the data"
    ]


@pytest.mark.parametrize("width", [44, 60, 80, 200])
def test_a_person_reads_every_key_its_value_and_what_set_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = told(capsys, [*TWO, "risk=first_month_live", "risk.max_order_pct=1", LINES])
    assert max(map(len, out.splitlines())) <= width
    words = " ".join(out.split())
    assert all(key in words for key in RiskConfig.model_fields)
    if width >= 80:
        rows = [" ".join(line.split()) for line in out.splitlines()]
        assert "max_position_pct 0.02 (2% of equity) risk/first_month_live.yaml" in rows
        assert "max_order_pct 1 (100% of equity) command line" in rows
        assert "max_drawdown off risk/default.yaml" in rows
        assert "session_zone the data's risk/default.yaml" in rows
        assert "max_orders_per_day 50 orders overrides[1] (venue: XNAS)" in rows
        assert "Tighter for EmaCross-001 in AAPL.XNAS" in rows
        assert "Breakers of strategy:EmaCross-001, beside those above" in rows


def test_it_says_what_real_money_would_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    off = as_json(capsys, ["risk.max_leverage=off", "risk.max_orders_per_day=off"])["notes"]
    assert off == ["venues with real money refuse max_leverage=off and max_orders_per_day=off"]
    assert as_json(capsys, ["risk.max_leverage=off", "risk.allow_off=true"])["notes"] == []
    research = as_json(capsys, ["risk=off_for_research"])["notes"]
    assert research == ["research_only: paper, live and rehearsal venues refuse these limits"]


def test_it_shows_what_approval_asks_of_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    limits = as_json(capsys, ["approval.mode=all", "approval.timeout_mins=5"])["limits"]
    assert limits["require_approval"] == {"value": True, "unit": "", "set_by": "approval.mode=all"}
    assert limits["approval_timeout_mins"] == {
        "value": 5.0,
        "unit": "minutes",
        "set_by": "approval.timeout_mins",
    }
    assert limits["approval_band_pct"]["set_by"] != "approval.band_pct"
    live = as_json(capsys, ["approval.mode=live_orders"])["limits"]
    assert live["require_approval"]["value"] is False


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["risk=consrvative"], "error: risk=consrvative: no such option; did you mean conservative?"),
        (["risk.max_levrage=1"], "error: unknown key risk.max_levrage; did you mean risk.max_leverage?"),
        (["foo"], "error: cannot read 'foo'"),
        (
            ["risk.overrides=[{venue: replay, trading_hours: XNYS},{venue: XNAS, trading_hours: XLON}]"],
            "error: risk.overrides: trading_hours=XNYS and XLON both hold for an order; give one",
        ),
    ],
)
def test_wrong_input_costs_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], line: str) -> None:
    assert risk(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1


def test_several_runs_are_told_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert risk(["-m", "risk=crypto,aggressive", "output=json"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["limits"]["max_leverage"]["value"] for line in said] == [1.0, 2.0]


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_commands_that_work(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert told(capsys, [flag]) == HELP
    for line in HELP.splitlines():
        if line.startswith("Example: "):
            assert told(capsys, shlex.split(line)[5:])
