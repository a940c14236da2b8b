"""Fees that come after the trades are a line of their own; a fee that cannot be counted says why in words."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.account import VenueFlow
from journal import tables
from journal.config import JournalConfig
from live._fees import later_fees
from live._report_style import CSS
from live.history import history
from live.pnl import pnl
from live.report import report
from tests.journal.filled import arguments
from tests.live.reported import Account, new_york

Capture = pytest.CaptureFixture[str]
DAY, ALL = "date=2010-05-05", "period=all"


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


def flow(kind: str, amount: str, currency: str = "USD", instrument: str | None = None) -> dict[str, str]:
    told = VenueFlow(
        "1", kind, Decimal(amount), currency, instrument, None, "executed", "REG fee, of May 5", 1
    )
    return {"kind": "ACCOUNT_FLOW", "reason": str(told)}


def charged(folder: Path) -> list[str]:
    """A trade that came out even, and a fee of 1.25 after it; answers what a verb needs to find it."""
    config = JournalConfig(path=folder / "journal.db")
    desk = Account(config, "2010-05-05 09:30")
    for hour, side in ((10, "BUY"), (11, "SELL")):
        desk.order(new_york(f"2010-05-05 {hour}:00"), "AAPL.XNAS", side, "10", "30", fee="0.5")
    desk.event(new_york("2010-05-05 15:00"), **flow("fee", "-1.25"))
    desk.cash -= Decimal("1.25")
    desk.see("2010-05-05 16:00")
    desk.close(new_york("2010-05-05 17:00"))
    return arguments(config)


def test_only_fees_of_the_accounts_currency_are_added_up() -> None:
    events = [
        flow("fee", "-1234.5"), flow("fee", "0.25", instrument="AAPL.ALPACA"), flow("fee", "-7", "EUR"),
        flow("dividend", "-3"), {"kind": "ALARM", "reason": "fee: -1.00 USD (x)"},
    ]  # fmt: skip
    assert later_fees(events, "USD") == Decimal("1234.25")
    assert later_fees([], "USD") == 0


def test_pnl_tells_them_apart_from_what_is_open(tmp_path: Path, capsys: Capture) -> None:
    of = charged(tmp_path)
    assert pnl([*of, ALL, "output=json"]) == 0
    equity = json.loads(capsys.readouterr().out)["equity"]
    assert (equity["change"], equity["fees_later"], equity["unexplained"]) == ("-2.25", "1.25", "0")
    assert pnl([*of, ALL]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Fees 1.00, taken off already; 1.25 more charged later, in no trade" in said
    assert "closed trades -1.00, fees charged later -1.25, open positions and everything else 0.00" in said


def test_a_report_tells_them_apart_from_what_is_open(tmp_path: Path, capsys: Capture) -> None:
    given = [*charged(tmp_path), DAY, f"to={tmp_path / 'page.html'}"]
    assert report([*given, "output=json"]) == 0
    value = json.loads(capsys.readouterr().out)["value"]
    assert [value[name] for name in ("pnl", "pnl_realised", "fees_later", "pnl_open")] == [
        "-2.25",
        "-1",
        "1.25",
        "0",
    ]
    assert report(given) == 0
    assert "fees charged later" in capsys.readouterr().out
    assert "fees charged later" in (tmp_path / "page.html").read_text()


def test_a_commission_in_a_coin_without_a_rate_says_so_in_words(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    desk = Account(config, "2010-05-05 09:30")
    fill = {
        **desk.base, "ts": new_york("2010-05-05 10:00"), "trade_id": "T-1", "client_order_id": "O-1",
        "venue_order_id": "V-1", "strategy": "EmaCross-001", "instrument": "BTC/USD.ALPACA", "side": "BUY",
        "quantity": Decimal("0.000000005"), "price": Decimal(30), "commission": Decimal("0.000000001"),
        "currency": "BTC", "liquidity": "TAKER", "decision_price": None, "slippage": None, "source": "engine",
    }  # fmt: skip
    desk.writer.add(tables.fills, fill)
    desk.see("2010-05-05 16:00")
    desk.close(new_york("2010-05-05 17:00"))
    of, page = arguments(config), tmp_path / "page.html"
    assert report([*of, DAY, f"to={page}"]) == 0
    for told in (capsys.readouterr().out, page.read_text()):
        assert "fills.commission" not in told
        assert "some of it was paid in a currency without a fresh rate" in " ".join(told.split())
    assert history([*of, "what=fills"]) == 0
    assert "0.000000005" in capsys.readouterr().out


def test_a_long_name_of_a_figure_breaks_instead_of_running_into_its_value() -> None:
    (rule,) = [line for line in CSS.splitlines() if line.startswith("dt {")]
    assert "nowrap" not in rule
