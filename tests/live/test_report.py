"""`live report`: are the numbers those of the journal, exact where they are money, and n/a where they are unknown?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from journal import tables
from journal.config import JournalConfig
from journal.control import Account as Whom
from journal.control import Receipt, command_row, receipt_row, write
from journal.heads import HeadFile
from live.report import HELP, report
from market.catalog import open_market
from market.us_equities import UsEquities
from tests.journal.filled import NANOS, arguments, fill, journal_on
from tests.live.reported import Account, new_york

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
TRIP = "DAILY_LOSS: equity 100,560.00 is 2.00% below session day 2010-05-06 began at 102,612.25; trips at 100,560.00"


def story(config: JournalConfig) -> None:
    """Two days of a paper account: Wednesday +1,200, a deposit of 500 in the evening, Thursday a halt."""
    desk = Account(config, "2010-05-05 09:30", "risk.max_position_pct=0.5", "risk.max_leverage=1")
    desk.clock.fill_ns = 100_000_000
    desk.order(new_york("2010-05-05 10:00"), "AAPL.XNAS", "BUY", "1000", "30.03", decided="30", fee="1.50")
    desk.see("2010-05-05 12:00", AAPL="31")
    desk.clock.fill_ns = 300_000_000
    desk.order(
        new_york("2010-05-05 13:00"), "AAPL.XNAS", "SELL", "1000", "31.233", decided="31.24", fee="1.50"
    )
    desk.refuse(
        new_york("2010-05-05 14:00"), "AAPL.XNAS", "MAX_POSITION", "AAPL.XNAS would be 60%; limit 50%"
    )
    desk.refuse(
        new_york("2010-05-05 14:01"), "AAPL.XNAS", "MAX_POSITION", "AAPL.XNAS would be 61%; limit 50%"
    )
    desk.refuse(new_york("2010-05-05 14:02"), "MSFT.XNAS", "MAX_LEVERAGE", "1.2 times equity; limit 1.0")
    desk.see("2010-05-05 16:00")
    desk.pay("2010-05-05 18:00", "500")
    desk.order(new_york("2010-05-06 10:00"), "MSFT.XNAS", "BUY", "2000", "25", fee="2")
    desk.order(new_york("2010-05-06 10:05"), "MSFT.XNAS", "BUY", "100", "25", status="REJECTED")
    desk.order(new_york("2010-05-06 10:06"), "MSFT.XNAS", "BUY", "100", "25", status="CANCELED")
    desk.see("2010-05-06 11:00", MSFT="24.5")
    desk.see("2010-05-06 14:45", MSFT="23.9")
    desk.state = "HALTED"
    event = {"kind": "TRIP", "breaker": "DAILY_LOSS", "risk_scope": "book", "reason": TRIP}
    values = {**desk.base, **event, "ts": new_york("2010-05-06 14:45"), "equity": desk.equity}
    desk.writer.add(tables.risk_events, {**values, "reference": desk.equity + 2200})
    desk.see("2010-05-06 14:46", "trip")
    desk.alert(new_york("2010-05-06 14:45"), "critical", "TRIP", "DAILY_LOSS halted trading")
    desk.see("2010-05-06 16:00", MSFT="24")
    _command(desk, "resume", "looked at it", "2010-05-06 15:00", answered=True)
    _command(desk, "flatten", "going home", "2010-05-06 15:30", answered=False)
    desk.close(new_york("2010-05-06 17:00"), "stopped by SIGTERM")


def _command(desk: Account, verb: str, why: str, when: str, *, answered: bool) -> None:
    whom, head = (
        Whom(desk.scope, desk.mode, desk.venue),
        HeadFile.of(desk.config.heads_folder, tables.CONTROL),
    )
    row = {**command_row(whom, verb, {"scope": "book"}, why), "at": new_york(when), "who": "anna"}
    write(desk.engine, head, [(tables.commands, row)])
    head.close()
    if answered:
        receipt = Receipt(row["command_id"], "DONE", "book is ACTIVE", {})
        answer = receipt_row(whom, receipt, by="node", ts=new_york(when) + NANOS)
        desk.writer.add(tables.receipts, {**answer, "run_id": desk.run_id})


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The story, and how a verb finds it."""
    with journal_on(request.param, tmp_path_factory.mktemp("report")) as config:
        story(config)
        yield [*arguments(config), f"to={tmp_path_factory.mktemp('pages') / 'page.html'}"]


def asked(capsys: Capture, *given: str) -> dict[str, Any]:
    assert report([*given, "output=json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: Capture, *given: str) -> str:
    assert report(list(given)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def part(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names}


def test_a_day_is_told_to_the_cent(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "date=2010-05-05")
    assert found["value"] == {
        "start": "100000", "end": "101700", "deposits": "500", "withdrawals": "0", "pnl": "1200",
        "pnl_realised": "1200", "fees_later": "0", "pnl_open": "0", "return": pytest.approx(0.012),
    }  # fmt: skip
    assert part(found["trades"], "count", "won", "lost", "even", "pnl", "commission", "average_win") == {
        "count": 1, "won": 1, "lost": 0, "even": 0, "pnl": "1200", "commission": "3", "average_win": "1200",
    }  # fmt: skip
    assert (found["trades"]["win_rate"], found["trades"]["profit_factor"]) == (1.0, None)
    assert found["undefined"]["trades.profit_factor"] == "no trade lost"


def test_open_result_is_what_closed_trades_do_not_explain(journal: list[str], capsys: Capture) -> None:
    value = asked(capsys, *journal, "date=2010-05-06")["value"]
    assert part(value, "start", "end", "pnl", "pnl_realised", "pnl_open") == {
        "start": "101700", "end": "99698", "pnl": "-2002", "pnl_realised": "0", "pnl_open": "-2002",
    }  # fmt: skip


def test_slippage_is_cost_against_the_decision_and_a_gain_is_below_zero(
    journal: list[str], capsys: Capture
) -> None:
    fills = asked(capsys, *journal, "date=2010-05-05")["fills"]
    assert part(fills, "fills", "traded", "commission", "decided", "cost") == {
        "fills": 2, "traded": "61263", "commission": "3", "decided": 2, "cost": "37",
    }  # fmt: skip
    assert fills["bps"] == pytest.approx(37 / (30_000 + 31_240) * 10_000)
    assert fills["worst_bps"] == pytest.approx(10.0)
    assert list(fills["by_instrument"]) == ["AAPL.XNAS"]


def test_time_to_fill_goes_from_the_intent_to_the_first_fill(journal: list[str], capsys: Capture) -> None:
    orders = asked(capsys, *journal, "date=2010-05-05")["orders"]
    assert (orders["to_fill_orders"], orders["to_fill_p50_secs"]) == (2, pytest.approx(0.2))
    assert orders["to_fill_p95_secs"] == pytest.approx(0.29)


def test_orders_are_counted_by_what_became_of_them(journal: list[str], capsys: Capture) -> None:
    orders = asked(capsys, *journal, "date=2010-05-06")["orders"]
    assert part(orders, "sent", "filled", "rejected", "canceled", "partly", "unknown") == {
        "sent": 3, "filled": 1, "rejected": 1, "canceled": 1, "partly": 0, "unknown": 0,
    }  # fmt: skip
    assert orders["reject_reasons"] == {"no reason given": 1}


def test_refusals_are_counted_by_code_with_the_newest_arithmetic(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "date=2010-05-05")
    assert [(each["code"], each["count"], each["newest"]) for each in found["refusals"]] == [
        ("MAX_POSITION", 2, "AAPL.XNAS would be 61%; limit 50%"),
        ("MAX_LEVERAGE", 1, "1.2 times equity; limit 1.0"),
    ]
    assert found["decisions"] == {"PASS": 2, "REFUSE": 3}


def test_a_trip_and_how_close_its_breaker_came_are_told(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "date=2010-05-06")
    assert [(each["breaker"], each["scope"]) for each in found["trips"]] == [("DAILY_LOSS", "book")]
    lines = {each["key"]: each for each in found["limits"]}
    daily = lines["max_daily_loss_pct"]
    assert (daily["limit"], daily["is_breaker"]) == ("0.02", True)
    assert float(daily["worst"]) == pytest.approx(2202 / 101700)
    assert daily["used"] == pytest.approx(2202 / 101700 / 0.02)
    assert lines["max_drawdown_pct"]["used"] < 0.2
    assert found["halted_part"] == pytest.approx(75 / 300)
    assert found["account"]["state"] == "HALTED"


def test_what_people_asked_for_is_told_with_its_answer(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "date=2010-05-06")["commands"]
    assert [(each["verb"], each["who"], each["why"], each["outcome"]) for each in found] == [
        ("resume", "anna", "looked at it", "DONE"),
        ("flatten", "anna", "going home", None),
    ]


def test_positions_are_those_at_the_end_of_the_period(journal: list[str], capsys: Capture) -> None:
    assert asked(capsys, *journal, "date=2010-05-05")["positions"] == []
    found = asked(capsys, *journal, "date=2010-05-06")
    held = found["positions"][0]
    assert part(held, "instrument", "quantity", "average_price", "mark", "pnl") == {
        "instrument": "MSFT.XNAS", "quantity": "2000", "average_price": "25", "mark": None, "pnl": None,
    }  # fmt: skip
    assert found["undefined"]["positions.pnl"] == "no node has told prices"


def test_prices_of_positions_are_those_that_the_node_told_last(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    desk = Account(config, "2010-05-05 09:30")
    desk.order(new_york("2010-05-05 10:00"), "AAPL.XNAS", "BUY", "10", "30")
    desk.see("2010-05-05 16:00", AAPL="31")
    told = {
        "strategy": "EmaCross-001", "instrument": "AAPL.XNAS", "quantity": "10", "mark": "31", "value": "310",
        "unrealised_pnl": "10",
    }  # fmt: skip
    document = {"run_id": desk.run_id, "market_time": "2010-05-05T20:00:00+00:00", "positions": [told]}
    with desk.engine.begin() as connection:
        values = {"scope": desk.scope, "run_id": desk.run_id, "at": new_york("2010-05-05 16:00")}
        connection.execute(insert(tables.node_status), {**values, "document": json.dumps(document)})
    desk.close()
    given = [*arguments(config), f"to={tmp_path / 'page.html'}"]
    held = asked(capsys, *given)["positions"][0]
    assert part(held, "mark", "value", "pnl") == {"mark": "31", "value": "310", "pnl": "10"}
    later = asked(capsys, *given, "date=2010-05-06")
    assert later["positions"][0]["mark"] is None
    assert later["undefined"]["positions.pnl"] == "the node's newest prices are not of this period"


def test_a_week_adds_up_its_days(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "period=week")
    assert [(each["day"], each["pnl"], each["flow"]) for each in found["days"]] == [
        ("2010-05-05", "1200", "500"),
        ("2010-05-06", "-2002", "0"),
    ]
    assert found["value"]["pnl"] == "-802"
    assert sum(Decimal(each["pnl"]) for each in found["days"]) == Decimal(-802)


def test_too_few_days_have_no_sharpe_ratio_alpha_or_beta(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "period=week")
    assert (found["risk"]["sharpe"], found["benchmark"]["alpha"], found["benchmark"]["beta"]) == (
        None,
        None,
        None,
    )
    assert found["undefined"]["risk.sharpe"].startswith("2 daily returns; fewer than 15")


def test_the_benchmark_is_the_first_instrument_at_the_prices_of_the_runs_data(
    journal: list[str], capsys: Capture
) -> None:
    found = asked(capsys, *journal, "date=2010-05-06")["benchmark"]
    assert (found["symbol"], found["source"]) == ("AAPL", "the run's data")
    assert found["return"] == pytest.approx(-0.0378, abs=0.001)  # the flash crash
    assert asked(capsys, *journal, "date=2010-05-06", "benchmark=none")["benchmark"] is None
    assert asked(capsys, *journal, "date=2010-05-06", "benchmark=IBM")["benchmark"]["symbol"] == "IBM"


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """An account that holds nothing but AAPL from April 2010 on, looked at at every close."""
    config = JournalConfig(path=tmp_path_factory.mktemp("months") / "journal.db")
    frame = open_market(UsEquities(), ("AAPL",), "1d", "2010-04-01", "2010-06-01").frame("AAPL")
    first = Decimal(str(frame["close"].iloc[0])).quantize(Decimal("0.0001"))
    desk = Account(config, "2010-04-01 09:30", cash=first * 1000)
    ts = int(frame["ts"].iloc[0])
    desk.order(ts, "AAPL.XNAS", "BUY", "1000", str(first), fee="0")
    for stamp, close in zip(frame["ts"], frame["close"], strict=True):
        desk.mark("AAPL.XNAS", f"{close:.4f}")
        desk.snapshot(int(stamp))
    desk.close()
    return [*arguments(config), f"to={tmp_path_factory.mktemp('pages') / 'page.html'}"]


def test_holding_the_benchmark_has_a_beta_of_one_and_no_alpha(months: list[str], capsys: Capture) -> None:
    found = asked(capsys, *months, "period=month", "date=2010-05-03")
    assert found["benchmark"]["beta"] == pytest.approx(1.0, abs=1e-6)
    assert found["benchmark"]["alpha"] == pytest.approx(0.0, abs=1e-6)
    assert found["benchmark"]["correlation"] == pytest.approx(1.0)
    assert found["value"]["return"] == pytest.approx(found["benchmark"]["return"])
    assert (found["risk"]["daily_returns"], found["risk"]["daily_returns_from"]) == (20, "2010-04-30")


def test_a_day_is_measured_on_the_quarter_that_ends_with_it(months: list[str], capsys: Capture) -> None:
    found = asked(capsys, *months, "date=2010-05-28")
    assert (found["risk"]["daily_returns"], found["risk"]["daily_returns_from"]) == (41, "2010-04-01")
    assert found["benchmark"]["beta"] == pytest.approx(1.0, abs=1e-6)
    assert found["risk"]["sharpe"] is not None
    assert report([*months, "date=2010-05-28"]) == 0
    assert "since 2010-04-01" in Path(months[-1].removeprefix("to=")).read_text(encoding="utf-8")


def test_where_the_runs_data_ends_prices_in_the_journal_are_the_benchmark(
    tmp_path: Path, capsys: Capture
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    desk = Account(config, "2026-11-02 09:30")
    desk.order(new_york("2026-11-02 10:00"), "AAPL.XNAS", "BUY", "10", "200")
    desk.see("2026-11-02 16:00")
    desk.order(new_york("2026-11-03 10:00"), "AAPL.XNAS", "SELL", "10", "210")
    desk.see("2026-11-03 16:00")
    desk.close()
    given = [*arguments(config), f"to={tmp_path / 'page.html'}"]
    found = asked(capsys, *given)["benchmark"]
    assert (found["source"], found["return"]) == ("prices in the journal", pytest.approx(0.05))
    absent = asked(capsys, *given, "benchmark=MSFT")
    assert (absent["benchmark"]["return"], absent["benchmark"]["alpha"]) == (None, None)
    assert "no price of MSFT" in absent["undefined"]["benchmark.alpha"]


def test_a_run_of_the_live_node_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    place = f"journal.path={tmp_path / 'journal.db'}"
    command = [
        sys.executable,
        "-m",
        "live",
        "run",
        place,
        "run.plots=false",
        "run.tearsheet=false",
        "output=json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True, env=environment)
    summary = json.loads(done.stdout)
    found = asked(capsys, place, "since=2000-03-01")
    rounded = Decimal("0.01") * summary["fills"]  # the engine rounds every fill to cents, the desk none
    assert abs(Decimal(found["value"]["end"]) - Decimal(summary["final_equity"])) <= rounded
    assert Decimal(found["value"]["start"]) == Decimal(summary["starting_equity"])
    assert (found["trades"]["count"], found["fills"]["fills"]) == (summary["trades"], summary["fills"])
    assert Decimal(found["fills"]["commission"]).quantize(Decimal("0.01")) == Decimal(summary["fees"])
    assert sum(each["count"] for each in found["refusals"]) == summary["refusals"]
    assert len(found["trips"]) == summary["trips"]
    assert found["journal"]["sound"] is True


def test_a_day_after_a_long_pause_says_what_it_counts(
    journal: list[str], tmp_path: Path, capsys: Capture
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    story(config)
    later = Account(config, "2010-06-01 09:30", run_id="paper-2")
    later.see("2010-06-01 16:00")
    later.close()
    given = [*arguments(config), f"to={tmp_path / 'page.html'}", "date=2010-06-01"]
    assert report(given) == 0
    assert "The snapshot before this day is of 2010-05-06" in capsys.readouterr().out
    assert report([*journal, "date=2010-05-06"]) == 0
    assert "The snapshot before" not in capsys.readouterr().out


def test_a_day_on_which_nothing_happened_says_so(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal, "date=2010-06-01")
    assert found["empty"] is True
    assert (found["value"]["pnl"], found["risk"]["max_drawdown"], found["trades"]["win_rate"]) == (
        None,
        None,
        None,
    )
    assert "no snapshot" in found["undefined"]["value.pnl"]
    assert report([*journal, "date=2010-06-01"]) == 0
    assert "Nothing was recorded in this period." in capsys.readouterr().out


def test_every_null_that_stands_for_a_number_has_its_reason(journal: list[str], capsys: Capture) -> None:
    for day in ("2010-05-05", "2010-05-06", "2010-06-01"):
        found = asked(capsys, *journal, f"date={day}")
        for section in ("value", "risk"):
            for name, number in found[section].items():
                if number is None and name not in ("daily_returns_from", "traded", "deposits", "withdrawals"):
                    assert found["undefined"].get(f"{section}.{name}"), f"{section}.{name} on {day}"


def test_the_chains_are_checked(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal)["journal"]
    assert (found["sound"], found["told"].split(":")[0]) == (True, "sound")


def test_the_runs_and_limits_of_the_period_are_named(journal: list[str], capsys: Capture) -> None:
    found = asked(capsys, *journal)
    assert [each["ended_why"] for each in found["runs"]] == ["stopped by SIGTERM"]
    assert found["limits_versions"] == [found["runs"][0]["limits_version"]]
    assert found["limits_in_force"]["max_daily_loss_pct"] == "0.02"


def test_the_text_says_what_matters_first(journal: list[str], capsys: Capture) -> None:
    assert report([*journal, "date=2010-05-06"]) == 0
    said = capsys.readouterr().out
    lines = [line.rstrip() for line in said.splitlines()]
    assert lines[0].split()[:2] == ["PAPER", "local_paper"]
    assert "HALTED" in lines[0]
    assert lines[1] == "Daily report: Thursday 6 May 2010"
    assert lines[2] == "Down 2,002.00 USD (-1.97%); the account is worth 99,698.00 USD."
    assert lines[3] == "! Trading is halted at the end of the period."
    assert "Profit factor" in said
    assert "n/a, no trade ended in this period" in " ".join(said.split())
    assert all(len(line) <= 120 for line in lines if not line.startswith("Page"))


def test_a_sandbox_is_told_by_its_newest_run_alone(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    fill(config)
    given = [*arguments(config), f"to={tmp_path / 'page.html'}"]
    found = asked(capsys, *given, "venue=replay")
    assert [each["run_id"] for each in found["runs"]] == ["replay-2"]
    earlier = asked(capsys, *given, "run=replay-1")
    assert [each["run_id"] for each in earlier["runs"]] == ["replay-1"]


def test_an_account_is_one_history_over_its_runs(tmp_path: Path, capsys: Capture) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    fill(config)
    given = [*arguments(config), f"to={tmp_path / 'page.html'}", "venue=alpaca_paper"]
    found = asked(capsys, *given, "since=2026-11-01", "until=2026-11-30")
    assert [each["run_id"] for each in found["runs"]] == ["paper-1", "paper-2"]
    assert found["value"]["end"] == "100190"
    assert found["trades"]["count"] == 5


def test_without_a_file_named_the_page_goes_to_outputs(
    journal: list[str], capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = asked(capsys, *(each for each in journal if not each.startswith("to=")), "period=month")
    assert found["html"] == "outputs/reports/paper_local_paper_2010-05.html"
    assert (tmp_path / found["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["period=yearly"], "period=yearly"),
        (["benchmark=NOPE"], "NOPE"),
        (["run=all"], "one account or one run"),
        (["run=nobody"], "no such run"),
        (["perod=day"], "did you mean period?"),
        (["output=xml"], "text or json"),
    ],
)  # fmt: skip
def test_bad_input_costs_one_line(journal: list[str], capsys: Capture, given: list[str], said: str) -> None:
    assert said in refused(capsys, *journal, *given)


def test_a_page_that_cannot_be_written_costs_one_line(
    journal: list[str], capsys: Capture, tmp_path: Path
) -> None:
    there = tmp_path / "a-file"
    there.write_text("in the way")
    given = [each for each in journal if not each.startswith("to=")]
    assert "name another file" in refused(capsys, *given, f"to={there / 'page.html'}")


def test_no_journal_costs_one_line(capsys: Capture, tmp_path: Path) -> None:
    assert "there is no journal" in refused(capsys, f"journal.path={tmp_path / 'none.db'}")


def test_help_gives_an_example(capsys: Capture) -> None:
    assert report(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert "Example: python -m live report" in HELP


def test_a_damaged_journal_is_the_first_thing_a_report_tells(tmp_path: Path, capsys: Capture) -> None:
    import sqlite3  # noqa: PLC0415 - only here, as somebody who changes a row would

    config = JournalConfig(path=tmp_path / "journal.db")
    story(config)
    with sqlite3.connect(config.file) as connection:
        connection.execute("UPDATE fills SET price = '29.03' WHERE id = 1")
    connection.close()
    assert report([*arguments(config), f"to={tmp_path / 'page.html'}"]) == 0
    assert "! The journal is not sound: CHANGED: fills" in capsys.readouterr().out
    assert (tmp_path / "page.html").stat().st_size > 0
