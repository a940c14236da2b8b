"""How close did limits come, by the limits that were in force at the moment?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from journal.limits_version import limits_text, limits_version
from live._report_found import Found, Row, Series
from live._report_limits import Distance, LimitsInForce, distances
from risk.limits import RiskConfig

WIDE = RiskConfig(max_daily_loss_pct=Decimal("0.1"), max_drawdown_pct=Decimal("0.2"))
TIGHT = RiskConfig(max_daily_loss_pct=Decimal("0.05"), max_drawdown_pct=Decimal("0.2"))
RUN: Row = {"run_id": "r", "limits_version": limits_version(WIDE)}
SETS = {limits_version(each): limits_text(each) for each in (WIDE, TIGHT)}


def seen(ts: int, lost: str, equity: str = "100", peak: str = "100") -> Row:
    drawdown = (Decimal(peak) - Decimal(equity)) / Decimal(peak)
    return {
        "run_id": "r", "ts": ts, "day_pnl": -Decimal(lost), "day_start": Decimal(100), "peak": Decimal(peak),
        "equity": Decimal(equity), "drawdown": drawdown, "leverage": Decimal("0.5"), "open_positions": 1,
    }  # fmt: skip


def trade(pnl: str) -> Row:
    return {"pnl": Decimal(pnl), "pnl_pct": Decimal(pnl) / 100}


def event(ts: int, kind: str, reason: str, **more: Any) -> Row:
    return {
        "run_id": "r",
        "ts": ts,
        "kind": kind,
        "reason": reason,
        "risk_scope": "book",
        "breaker": None,
        **more,
    }


def found(**given: Any) -> Found:
    lists = (
        "snapshots", "fills", "refusals", "trips", "earlier_trips", "risk_events", "approvals", "alerts", "commands",
        "positions",
    )  # fmt: skip
    nothing: dict[str, Any] = {name: [] for name in lists}
    series = Series(None, None, [], [])
    maps: dict[str, Any] = {"orders": {}, "intents": {}, "decisions": {}, "receipts": {}}
    rest = {"runs": [RUN], "series": series, "daily": series, "limit_sets": SETS, "status": None}
    return Found(**{**nothing, **maps, **rest, **given})


def told(given: Found) -> dict[str, Distance]:
    return {line.key: line for line in distances(given, LimitsInForce(given))}


def test_the_worst_snapshot_counts_and_says_when_it_was() -> None:
    line = told(found(snapshots=[seen(1, "2"), seen(2, "8"), seen(3, "5")]))["max_daily_loss_pct"]
    assert (line.worst, line.limit, line.used, line.at) == (Decimal("0.08"), Decimal("0.1"), 0.8, 2)
    assert (line.breaker, line.is_breaker) == ("DAILY_LOSS", True)


def test_a_gain_uses_up_nothing() -> None:
    assert told(found(snapshots=[seen(1, "-3")]))["max_daily_loss_pct"].used == 0


def test_a_limit_that_was_tightened_counts_from_then_on() -> None:
    tightened = event(5, "LIMITS", f"max_daily_loss_pct 0.1 -> 0.05 (anna); limits {limits_version(TIGHT)}")
    line = told(found(snapshots=[seen(1, "6"), seen(6, "4")], risk_events=[tightened]))["max_daily_loss_pct"]
    assert (line.worst, line.limit, line.at) == (Decimal("0.04"), Decimal("0.05"), 6)
    assert line.used == pytest.approx(0.8)


def test_limits_that_the_journal_does_not_hold_are_told_as_a_doubt() -> None:
    lost = found(risk_events=[event(5, "LIMITS", "max_leverage 1 -> 0.5 (anna); limits 0123456789ab")])
    assert len(LimitsInForce(lost).doubts) == 1
    assert LimitsInForce(lost).versions == [limits_version(WIDE)]


def test_a_trip_between_two_snapshots_is_seen() -> None:
    trip = event(2, "TRIP", "", breaker="DAILY_LOSS", equity=Decimal(88), reference=Decimal(100))
    line = told(found(snapshots=[seen(1, "2"), seen(3, "1")], risk_events=[trip]))["max_daily_loss_pct"]
    assert (line.worst, line.at) == (Decimal("0.12"), 2)
    assert line.used == pytest.approx(1.2)


def test_a_trip_of_one_strategy_says_nothing_about_the_account() -> None:
    trip = event(2, "TRIP", "", breaker="DAILY_LOSS", equity=Decimal(-50), reference=Decimal(0))
    given = found(snapshots=[seen(1, "2")], risk_events=[{**trip, "risk_scope": "strategy:A-001"}])
    assert told(given)["max_daily_loss_pct"].worst == Decimal("0.02")


def test_money_limits_are_measured_in_money() -> None:
    limits = RiskConfig(max_daily_loss=Decimal(20), max_drawdown=Decimal(50))
    run = {**RUN, "limits_version": limits_version(limits)}
    lines = told(found(runs=[run], limit_sets={limits_version(limits): limits_text(limits)},
                       snapshots=[seen(1, "5", equity="95", peak="110")]))  # fmt: skip
    assert (lines["max_daily_loss"].worst, lines["max_daily_loss"].used) == (Decimal(5), 0.25)
    assert (lines["max_drawdown"].worst, lines["max_drawdown"].used) == (Decimal(15), 0.3)


def test_a_losing_streak_goes_on_from_before_the_period() -> None:
    limits = RiskConfig(max_consecutive_losses=4)
    run, sets = (
        {**RUN, "limits_version": limits_version(limits)},
        {limits_version(limits): limits_text(limits)},
    )
    given = found(
        runs=[run],
        limit_sets=sets,
        earlier_trips=[trade("5"), trade("-1"), trade("-1")],
        trips=[trade("-2"), trade("3"), trade("-1")],
    )
    line = told(given)["max_consecutive_losses"]
    assert (line.worst, line.used) == (Decimal(3), 0.75)


def test_win_rate_and_sharpe_are_the_lowest_of_the_last_trades_and_nothing_for_fewer() -> None:
    limits = RiskConfig(min_win_rate=Decimal("0.25"), min_sharpe=Decimal(-1), performance_trades=4)
    run, sets = (
        {**RUN, "limits_version": limits_version(limits)},
        {limits_version(limits): limits_text(limits)},
    )
    trips = [trade(pnl) for pnl in ("5", "-1", "-1", "4", "-3", "-2")]
    lines = told(found(runs=[run], limit_sets=sets, trips=trips))
    assert (lines["min_win_rate"].worst, lines["min_win_rate"].at_least) == (Decimal("0.25"), True)
    assert lines["min_win_rate"].used == pytest.approx(1.0)
    assert lines["min_sharpe"].worst is not None
    few = told(found(runs=[run], limit_sets=sets, trips=trips[:3]))
    assert (few["min_win_rate"].worst, few["min_sharpe"].worst) == (None, None)


def test_limits_of_another_version_of_keel_are_not_guessed_at() -> None:
    given = found(limit_sets={limits_version(WIDE): '{"max_frobnication": 3}'}, snapshots=[seen(1, "2")])
    assert told(given) == {}
