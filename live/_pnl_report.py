"""What belongs to a report of profit and loss, and how does a script read it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from journal.tables import plain
from live._amounts import EXACT_DIGITS
from live._periods import Days, Span, bucket_name
from live._pnl import TIMES, Line, Result
from live._pnl_equity import Equity
from live._whose import Whose
from runs.times import iso


@dataclass(frozen=True, slots=True)
class Report:
    """Whose it is, of which days, and the lines, totals and equity of it; amounts in `currency`.

    daily: the same trades by session day, whatever `lines` are by; fees_later: what was charged after the trades, and
    is in none of them.
    """

    whose: Whose
    days: Days
    by: str
    span: Span
    currency: str
    lines: Sequence[Line]
    daily: Sequence[Line]
    total: Result
    equity: Equity
    cash_flows: Sequence[Mapping[str, Any]]
    fees_later: Decimal = Decimal(0)

    def name_of(self, line: Line) -> str:
        """What a line is about."""
        return bucket_name(line.key, self.by) if isinstance(line.key, date) else line.key

    def shown(self, limit: int | None) -> Sequence[Line]:
        """At most so many lines: of time the newest, else the best; None for all."""
        if limit is None:
            return self.lines
        return self.lines[-limit:] if self.by in TIMES else self.lines[:limit]

    @property
    def days_without_equity(self) -> int:
        """Days on which trades were closed and no snapshot was taken; a replay at full speed has many."""
        if not self.equity.changes:
            return 0
        return sum(bool(line.result.trades) and line.key not in self.equity.changes for line in self.daily)

    @property
    def rest(self) -> Decimal | None:
        """The part of the change of equity that no closed trade and no fee explains; None where nobody knows."""
        change = self.equity.change
        with localcontext(prec=EXACT_DIGITS):
            return None if change is None else change - self.total.pnl + self.fees_later


def document(report: Report, limit: int | None) -> dict[str, Any]:
    """The report as JSON: amounts as text, ratios as numbers, times in ISO 8601, what is unknown is null."""
    run, zone, equity = report.whose.run, report.days.zone, report.equity
    return {
        "mode": run["mode"],
        "venue": run["venue"],
        "scope": None if report.whose.runs_alone else run["scope"],
        "currency": report.currency,
        "by": report.by,
        "zone": zone,
        "since": _time(report.span.since_ns, zone),
        "until": _time(report.span.until_ns, zone),
        "rows": [
            {
                "key": report.name_of(line),
                **_result(line.result),
                "cumulative": _amount(line.cumulative),
                "equity_change": _amount(line.equity_change),
            }
            for line in report.shown(limit)
        ],
        "total": _result(report.total),
        "equity": {
            "start": _amount(equity.start),
            "end": _amount(equity.end),
            "change": _amount(equity.change),
            "fees_later": _amount(report.fees_later),
            "unexplained": _amount(report.rest),
            "as_of": _time(equity.as_of_ns, zone),
        },
        "cash_flows": [{"time": iso(row["ts"], zone), "reason": row["reason"]} for row in report.cash_flows],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "trades": result.trades,
        "wins": result.wins,
        "losses": result.losses,
        "pnl": plain(result.pnl),
        "commission": plain(result.commission),
        "win_rate": result.win_rate,
        "average_win": _amount(result.average_win),
        "average_loss": _amount(result.average_loss),
        "profit_factor": result.profit_factor,
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _time(stamp: int | None, zone: str) -> str | None:
    return None if stamp is None else iso(stamp, zone)
