"""Which figures does a report show, beside each other: result, risk, trades, orders and what is on record?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from live._amounts import held_text
from live._report_cells import NANOS, Cell, Cells, Facts, many

if TYPE_CHECKING:
    from live._report_numbers import Report

Rows = list[tuple[str, Cell]]


def result(report: Report, cells: Cells) -> Facts:
    """What the account was worth and what it earned."""
    value = report.value
    rows: Rows = [
        ("Start", cells.money(value.start, "value.start")),
        ("End", cells.money(value.end, "value.end")),
    ]
    if value.flows or value.unread:
        rows += [("Paid in", cells.money(value.deposits)), ("Paid out", cells.money(value.withdrawals))]
    rows += [
        ("Profit and loss", cells.money(value.pnl, "value.pnl", signed=True)),
        ("closed trades", cells.money(report.trades.pnl, signed=True)),
        *(
            [("fees charged later", cells.money(-report.fees_later, signed=True))]
            if report.fees_later
            else []
        ),
        ("still open", cells.money(report.open_pnl, "value.pnl_open", signed=True)),
        ("Commission", cells.money(report.fills.commission, "fills.commission")),
        ("Return", cells.percent(value.part, "value.return", signed=True)),
    ]
    index = report.benchmark
    if index is None:
        return Facts("Result", rows)
    rows += [
        (f"Holding {index.symbol}", cells.percent(index.part, index.why or "", signed=True)),
        ("Alpha", cells.percent(index.alpha, "benchmark.alpha", signed=True)),
        ("Beta", cells.ratio(index.beta, "benchmark.alpha")),
    ]
    note = "" if index.source is None else f"{index.symbol}: {index.source}. "
    note += "" if index.alpha is None else f"Alpha is a year's, {_measured(report)}."
    return Facts("Result", rows, note)


def risk(report: Report, cells: Cells) -> Facts:
    """What it took to earn that."""
    rows: Rows = [
        ("Sharpe ratio", cells.ratio(report.sharpe, "risk.sharpe")),
        ("Volatility", cells.percent(report.volatility, "risk.volatility")),
        ("Deepest drawdown", cells.percent(report.value.max_drawdown, "risk.max_drawdown")),
        ("Average exposure", cells.percent(report.average_exposure, "risk.average_exposure")),
        ("Traded", cells.money(report.fills.traded, "risk.turnover")),
        ("Turnover", cells.ratio(report.turnover, "risk.turnover", "x")),
        ("Time halted", cells.percent(report.halted_part, "fewer than two snapshots")),
    ]
    note = f"Sharpe and volatility are a year's, {_measured(report)}, with a risk-free rate of zero. "
    note += "Turnover: bought and sold in the period, over average equity."
    return Facts("Risk", rows, note)


def _measured(report: Report) -> str:
    """Which daily returns Sharpe, volatility, alpha and beta are of."""
    found = report.measured
    since = "" if found is report.value or found.before is None else f" since {found.before}"
    return f"of {many(len(found.returns), 'daily return')}{since}"


def trades(report: Report, cells: Cells) -> Facts:
    """How closed trades went."""
    found = report.trades
    secs = found.average_holding_secs
    held = cells.unknown("trades.win_rate") if secs is None else Cell(held_text(int(secs * NANOS)))
    rows: Rows = [
        ("Closed", Cell(f"{found.count:,}")),
        ("Won, lost, even", Cell(f"{found.won:,} / {found.lost:,} / {found.even:,}")),
        ("Win rate", cells.percent(found.win_rate, "trades.win_rate")),
        ("Average win", cells.money(found.average_win, "trades.average_win", signed=True)),
        ("Average loss", cells.money(found.average_loss, "trades.average_loss", signed=True)),
        ("Largest win", cells.money(found.largest_win, "trades.average_win", signed=True)),
        ("Largest loss", cells.money(found.largest_loss, "trades.average_loss", signed=True)),
        ("Profit factor", cells.ratio(found.profit_factor, "trades.profit_factor")),
        ("Held on average", held),
        ("Losses in a row", Cell(f"{found.longest_losing_streak:,}")),
    ]
    return Facts("Trades", rows, "From flat until flat again, after commission.")


def fills(report: Report, cells: Cells) -> Facts:
    """What became of orders."""
    orders, quality = report.orders, report.fills
    late = "orders.to_fill_p50_secs"
    rows: Rows = [
        ("Orders sent", Cell(f"{orders.sent:,}")),
        ("Filled", Cell(f"{orders.filled:,} in {many(quality.fills, 'fill')}")),
        ("In part, cut short", Cell(f"{orders.partly:,} / {orders.cut_short:,}")),
        ("Rejected", Cell(f"{orders.rejected:,}", "warn" if orders.rejected else "")),
        ("Cancelled, expired", Cell(f"{orders.canceled:,} / {orders.expired:,}")),
        ("Slippage", cells.cost(quality.cost, "fills.cost")),
        ("in basis points", cells.basis_points(quality.bps, "fills.bps")),
        ("Time to fill, p50", cells.secs(report.timing.p50_secs, late)),
        ("Time to fill, p95", cells.secs(report.timing.p95_secs, late)),
    ]
    if report.market_timing.orders not in (0, report.timing.orders):
        half, most = cells.secs(report.market_timing.p50_secs), cells.secs(report.market_timing.p95_secs)
        rows.append(("market orders", Cell(f"{half.text} / {most.text}")))
    measured = f"{quality.decided:,} of {many(quality.fills, 'fill')}"
    note = f"Slippage: cost against the price at the decision ({measured}); below zero is a gain. "
    return Facts("Orders and fills", rows, note + "Time: from the intent on disk to the first fill.")


def record(report: Report) -> Facts:
    """What the report was made from."""
    health = report.health
    tone = {True: "good", False: "bad", None: "dim"}
    sound = Cell(health.told, tone[health.sound])  # type: ignore[arg-type]  # one of Tone
    decided = ", ".join(f"{count:,} {verdict}" for verdict, count in report.decisions.items())
    asked = ", ".join(f"{count:,} {event}" for event, count in report.approvals.items())
    rows: Rows = [
        ("Journal", sound),
        ("Decisions of the gate", Cell(decided or "none")),
        ("Approvals", Cell(asked or "none")),
        ("Limits", Cell(", ".join(report.limits_versions) or "none")),
        ("Period", Cell(report.period.days.told)),
    ]
    return Facts("On record", rows, " ".join(report.notes))
