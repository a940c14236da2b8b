"""Why is a number of a report not known?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from live._report_cells import many
from runs.market_model import FEWEST

if TYPE_CHECKING:
    from live._report_fills import Quality
    from live._report_numbers import Report


def reasons_of(report: Report, unpriced: str | None, *, has_snapshots: bool) -> dict[str, str]:
    """Name of a number that is None -> why; unpriced: why the prices of positions are not known."""
    value, trades, fills, benchmark = report.value, report.trades, report.fills, report.benchmark
    reasons: dict[str, str] = {}

    def tell(name: str, number: object, why: str) -> None:
        if number is None:
            reasons[name] = why

    no_value = "no snapshot of the account in this period knows its equity"
    if value.unread:
        no_value = f"the amount of {value.unread} cash flows cannot be read"
    elif value.points and value.grown is None:
        no_value = "equity was not above zero"
    for name, number in (
        ("value.start", value.start), ("value.end", value.end), ("value.pnl", value.pnl),
        ("value.pnl_open", report.open_pnl), ("value.return", value.part), ("risk.max_drawdown", value.max_drawdown),
    ):  # fmt: skip
        tell(name, number, no_value)
    count, days = len(report.measured.returns), len(report.measured.trading_days)
    few = f"{many(count, 'daily return')}; fewer than {FEWEST} say nothing" if count < FEWEST else ""
    if few and days > count:
        few += f" ({many(days, 'day')} with snapshots, {count} of them with some the day before)"
    tell("risk.sharpe", report.sharpe, few or "daily returns do not differ")
    tell("risk.volatility", report.volatility, few)
    tell(
        "risk.turnover",
        report.turnover,
        no_value if value.end is None else "no fresh rate of a foreign currency",
    )
    tell("risk.average_exposure", report.average_exposure, "no snapshot of this period knows exposure")
    none = "no trade ended in this period"
    tell("trades.win_rate", trades.win_rate, none)
    tell("trades.average_win", trades.average_win, none if not trades.count else "no trade won")
    tell("trades.average_loss", trades.average_loss, none if not trades.count else "no trade lost")
    tell("trades.profit_factor", trades.profit_factor, none if not trades.count else "no trade lost")
    tell("fills.cost", fills.cost, _why_no_cost(fills))
    tell("fills.bps", fills.bps, _why_no_cost(fills))
    tell("fills.commission", fills.commission, "some of it was paid in a currency without a fresh rate")
    late = "no fill whose intent and fill this node saw itself" if fills.fills else "nothing was filled"
    tell("orders.to_fill_p50_secs", report.timing.p50_secs, late)
    if benchmark is None:
        reasons["benchmark"] = "none was asked for, and nothing was traded to compare with"
    else:
        tell("benchmark.alpha", benchmark.alpha, benchmark.why or "")
    if report.held:
        tell("positions.pnl", report.held[0].pnl, unpriced or "the position changed since")
    if not report.distances and has_snapshots:
        reasons["limits"] = "the limits of these runs cannot be read by this version of Keel"
    return reasons


def _why_no_cost(fills: Quality) -> str:
    if not fills.fills:
        return "nothing was filled"
    return "no fill has a decision price" if not fills.decided else "no fresh rate of a foreign currency"
