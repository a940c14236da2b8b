"""What is a report for a script: one JSON document?

Counts are whole numbers, amounts exact text, ratios fractions, times ISO 8601 with the offset of the session days'
zone. What is not known is null, and `undefined` says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from journal.tables import plain
from live._report_benchmark import Benchmark
from live._report_events import Event
from live._report_fills import Quality
from live._report_trades import Trades
from runs.times import iso

if TYPE_CHECKING:
    from live._report_numbers import Report

Document = dict[str, Any]
TRIP = (
    "strategy",
    "instrument",
    "side",
    "quantity",
    "entry_price",
    "exit_price",
    "pnl",
    "commission",
    "slippage",
)


def document_of(report: Report, html: str | None) -> Document:
    """The whole report; html: where the page was written, None: nowhere."""
    return _Document(report).made(html)


class _Document:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._zone = report.period.zone

    def made(self, html: str | None) -> Document:
        report = self._report
        return {
            "period": self._period(),
            "account": self._account(),
            "empty": report.is_empty,
            "value": self._value(),
            "days": [self._day(each) for each in report.value.days],
            "risk": {
                "sharpe": report.sharpe,
                "volatility": report.volatility,
                "daily_returns": len(report.measured.returns),
                "daily_returns_from": _day_before(report),
                "days_per_year": report.days_per_year,
                "max_drawdown": report.value.max_drawdown,
                "turnover": report.turnover,
                "traded": _amount(report.fills.traded),
                "average_exposure": report.average_exposure,
            },
            "benchmark": _benchmark(report.benchmark),
            "trades": {
                **_trades(report.trades),
                "by_instrument": {name: _trades(each) for name, each in report.trades_by_instrument.items()},
                "by_strategy": {name: _trades(each) for name, each in report.trades_by_strategy.items()},
                "list": [self._trip(row) for row in report.trips],
            },
            "fills": {
                **_quality(report.fills),
                "by_instrument": {name: _quality(each) for name, each in report.fills_by_instrument.items()},
            },
            "orders": self._orders(),
            "decisions": dict(report.decisions),
            "refusals": [{**asdict(each), "at": self._time(each.at)} for each in report.refused],
            "trips": [self._plain(asdict(each)) for each in report.tripped],
            "halted_part": report.halted_part,
            "events": [self._event(each) for each in report.events],
            "limits": [self._plain(asdict(each)) for each in report.distances],
            "approvals": dict(report.approvals),
            "commands": [self._plain(asdict(each)) for each in report.asked],
            "alerts": {
                "counts": dict(report.alert_counts),
                "list": [self._event(each) for each in report.alerts],
            },
            "positions": [self._plain(asdict(each)) for each in report.held],
            "journal": {"sound": report.health.sound, "told": report.health.told},
            "runs": [self._plain(asdict(each)) for each in report.runs],
            "limits_versions": list(report.limits_versions),
            "limits_in_force": dict(report.limits),
            "undefined": dict(report.reasons),
            "notes": list(report.notes),
            "html": html,
        }

    def _period(self) -> Document:
        period = self._report.period
        return {
            "kind": period.kind,
            "first_day": period.first.isoformat(),
            "last_day": period.last.isoformat(),
            "from": self._time(period.from_ns),
            "until": self._time(period.until_ns),
            "days": period.days.told,
        }

    def _account(self) -> Document:
        about = self._report.about
        return {
            "scope": about["scope"],
            "mode": about["mode"],
            "venue": about["venue"],
            "account": about["account"],
            "currency": self._report.currency,
            "state": self._report.state,
        }

    def _value(self) -> Document:
        value, trades = self._report.value, self._report.trades
        return {
            "start": _amount(value.start),
            "end": _amount(value.end),
            "deposits": None if value.unread else _amount(value.deposits),
            "withdrawals": None if value.unread else _amount(value.withdrawals),
            "pnl": _amount(value.pnl),
            "pnl_realised": _amount(trades.pnl),
            "fees_later": _amount(self._report.fees_later),
            "pnl_open": _amount(self._report.open_pnl),
            "return": value.part,
        }

    def _day(self, day: Any) -> Document:
        return {
            "day": day.day.isoformat(),
            "start": _amount(day.start),
            "end": _amount(day.end),
            "flow": _amount(day.flow),
            "pnl": _amount(day.pnl),
            "return": day.part,
        }

    def _trip(self, row: Mapping[str, Any]) -> Document:
        return {
            "opened_at": self._time(row["opened_ns"]),
            "closed_at": self._time(row["closed_ns"]),
            **{key: self._plain(row[key]) for key in TRIP},
            "return": float(row["pnl_pct"]),
        }

    def _orders(self) -> Document:
        report = self._report
        return {
            **asdict(report.orders),
            "to_fill_orders": report.timing.orders,
            "to_fill_p50_secs": report.timing.p50_secs,
            "to_fill_p95_secs": report.timing.p95_secs,
            "market_to_fill_p50_secs": report.market_timing.p50_secs,
            "market_to_fill_p95_secs": report.market_timing.p95_secs,
        }

    def _event(self, event: Event) -> Document:
        return {"at": self._time(event.at), "kind": event.kind, "text": event.text}

    def _plain(self, value: Any) -> Any:
        """Values as JSON has them; keys that name a moment hold UTC ns."""
        if isinstance(value, Decimal):
            return _amount(value)
        if isinstance(value, Mapping):
            return {key: self._moment(key, each) for key, each in value.items()}
        return (
            [self._plain(each) for each in value]
            if isinstance(value, Sequence) and not isinstance(value, str)
            else value
        )

    def _moment(self, key: str, value: Any) -> Any:
        is_moment = key == "at" or key.endswith("_at")
        return self._time(value) if is_moment and isinstance(value, int) else self._plain(value)

    def _time(self, ts: int) -> str:
        return iso(ts, self._zone)


def _day_before(report: Report) -> str | None:
    """The day that the first of the daily returns is measured from."""
    before = report.measured.before
    return None if before is None else before.isoformat()


def _trades(trades: Trades) -> Document:
    return {
        key: _amount(value) if isinstance(value, Decimal) else value for key, value in asdict(trades).items()
    }


def _quality(quality: Quality) -> Document:
    return {
        key: _amount(value) if isinstance(value, Decimal) else value for key, value in asdict(quality).items()
    }


def _benchmark(benchmark: Benchmark | None) -> Document | None:
    if benchmark is None:
        return None
    found = asdict(benchmark)
    del found["line"]
    found["return"] = found.pop("part")
    return found


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
