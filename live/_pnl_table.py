"""How does a person read profit and loss in a terminal?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from live._amounts import NONE, money_text
from live._fitted import BAD, GOOD, Column, Row, console, fitted
from live._history_columns import time_text
from live._periods import Span, bucket_name
from live._pnl import TIMES, Line
from live._pnl_report import Report

ZERO = Decimal(0)
BAR = 10  # characters of the longest bar, to either side
STEPS = "▁▂▃▄▅▆▇█"
SPARK = 60
FLOWS = 5  # deposits and withdrawals that are shown one by one


def show(report: Report, limit: int | None, chart: Path | None) -> None:
    """Print the lines, the totals and, in the terminal itself, a picture of both."""
    screen = console()
    head = f"  {report.whose.told}, {_span(report.span, report.days.zone)}, in {report.currency}, {report.days.told}"
    screen.print(Text.assemble((f"P&L by {report.by}", "bold"), head), soft_wrap=True)
    if report.lines:
        _show_lines(screen, report, limit)
    else:
        since = "; period=all looks at everything" if report.span != Span() else ""
        screen.print(
            f"No trade was closed and no change of equity was kept in this time{since}.", soft_wrap=True
        )
    if report.lines or report.equity.change is not None:
        screen.print(_totals(screen, report))
    _show_flows(screen, report)
    if chart is not None:
        screen.print(Text.assemble(("Chart       ", "bold"), str(chart)), soft_wrap=True)


def _show_lines(screen: Console, report: Report, limit: int | None) -> None:
    lines = report.shown(limit)
    longest = max(abs(line.result.pnl) for line in lines)
    rows = [{"line": line} for line in lines]
    table, left_out = fitted(_columns(report, longest, plain_letters=not _draws(screen)), rows, screen.width)
    screen.print(table)
    if len(lines) < len(report.lines):
        which = "last" if report.by in TIMES else "first"
        count = f"The {which} {len(lines):,} of {len(report.lines):,} lines; limit=all shows all of them."
        screen.print(count, style="dim")
    _show_gaps(screen, report)
    if left_out:
        screen.print(f"Too narrow for {', '.join(left_out)}; output=json has everything.", style="dim")


def _show_gaps(screen: Console, report: Report) -> None:
    missing = report.days_without_equity
    if missing and report.by in TIMES:
        days = "1 day that has trades" if missing == 1 else f"{missing:,} days that have trades"
        said = f"Equity was not kept on {days}; its change stands on the day on which it was next kept."
        screen.print(said, style="dim", soft_wrap=True)


def _columns(report: Report, longest: Decimal, *, plain_letters: bool) -> list[Column]:
    money = report.currency
    return [
        Column(report.by.capitalize(), lambda row: _name(row["line"], report.by)),
        Column("Trades", lambda row: str(row["line"].result.trades), right=True, rank=1),
        Column("Won", lambda row: _rate(row["line"].result.win_rate), right=True, rank=4),
        Column(
            "P&L", lambda row: money_text(row["line"].result.pnl, money, signed=True), right=True, tone=_tone
        ),
        Column(
            "",
            lambda row: _bar(row["line"].result.pnl, longest, plain_letters=plain_letters),
            rank=3,
            tone=_tone,
        ),
        *(_of_time(money) if report.by in TIMES else []),
        Column("Fees", lambda row: money_text(row["line"].result.commission, money), right=True, rank=6),
    ]


def _of_time(money: str) -> list[Column]:
    def signed(amount: Decimal | None) -> str:
        return money_text(amount, money, signed=True)

    return [
        Column("Cumulative", lambda row: signed(row["line"].cumulative), right=True, rank=2),
        Column("Equity change", lambda row: signed(row["line"].equity_change), right=True, rank=5),
    ]


def _name(line: Line, by: str) -> str:
    if not isinstance(line.key, date):
        return line.key
    name = bucket_name(line.key, by)
    if by == "week":
        return f"{name}  {line.key:%b %d} - {line.key + timedelta(days=6):%b %d}"
    return f"{name} {line.key:%a}" if by == "day" else name


def _tone(row: Row) -> int:
    pnl: Decimal = row["line"].result.pnl
    return (pnl > 0) - (pnl < 0)


def _bar(amount: Decimal, longest: Decimal, *, plain_letters: bool) -> str:
    """A bar to the right of the middle for a gain, to the left for a loss."""
    length = round(abs(amount) / longest * BAR) if longest else 0
    bar = ("#" if plain_letters else "█") * max(length, 1 if amount else 0)
    left, right = (bar, "") if amount < 0 else ("", bar)
    return f"{left:>{BAR}}{'|' if plain_letters else '│'}{right:<{BAR}}"


def spark(amounts: Sequence[Decimal]) -> str:
    """A line of signs, higher where the amount is; of many amounts some, the first and the last always."""
    if len(amounts) > SPARK:
        amounts = [amounts[round(at * (len(amounts) - 1) / (SPARK - 1))] for at in range(SPARK)]
    low, high = min(amounts), max(amounts)
    if low == high:
        return STEPS[len(STEPS) // 2] * len(amounts)
    return "".join(STEPS[int((each - low) / (high - low) * (len(STEPS) - 1))] for each in amounts)


def _rate(fraction: float | None) -> str:
    return NONE if fraction is None else f"{fraction:.1%}"


def _draws(screen: Console) -> bool:
    return screen.encoding.lower().startswith("utf")


def _totals(screen: Console, report: Report) -> Table:
    total, money = report.total, report.currency
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    style = GOOD if total.pnl > 0 else BAD if total.pnl < 0 else ""
    earned = Text(f"{money_text(total.pnl, money, signed=True)} {money}", style=style)
    trades = "1 trade" if total.trades == 1 else f"{total.trades:,} trades"
    grid.add_row(
        "Total", earned.append(f" in {trades}, {total.wins:,} won ({_rate(total.win_rate)})", style="")
    )
    if total.trades:
        factor = NONE if total.profit_factor is None else f"{total.profit_factor:,.2f}"
        win, loss = (money_text(each, money, signed=True) for each in (total.average_win, total.average_loss))
        grid.add_row("Average", f"win {win}, loss {loss}; profit factor {factor}")
        later = (
            f"; {money_text(report.fees_later, money)} more charged later, in no trade"
            if report.fees_later
            else ""
        )
        grid.add_row("Fees", f"{money_text(total.commission, money)}, taken off already{later}")
    if report.by in TIMES and len(report.lines) > 1 and _draws(screen):
        grid.add_row("Cumulative", spark([line.cumulative or ZERO for line in report.lines]))
    if report.equity.change is not None:
        grid.add_row("Equity", _equity(report))
    return grid


def _equity(report: Report) -> str:
    """Where it came from and went to, and what closed trades are of that."""
    equity, money = report.equity, report.currency
    ends = ""
    if equity.start is not None:
        ends = f"{money_text(equity.start, money)} to {money_text(equity.end, money)}: "
    change, rest = (money_text(each, money, signed=True) for each in (equity.change, report.rest))
    as_of = time_text(equity.as_of_ns, report.days.zone)
    later = (
        f"fees charged later {money_text(-report.fees_later, money, signed=True)}, "
        if report.fees_later
        else ""
    )
    return (
        f"{ends}{change} by {as_of}; closed trades {money_text(report.total.pnl, money, signed=True)}, "
        f"{later}open positions and everything else {rest}"
    )


def _show_flows(screen: Console, report: Report) -> None:
    for row in report.cash_flows[-FLOWS:]:
        screen.print(Text(f"{time_text(row['ts'], report.days.zone)}  {row['reason']}"), soft_wrap=True)
    if len(report.cash_flows) > FLOWS:
        screen.print(
            f"and {len(report.cash_flows) - FLOWS} more: history what=events kind=CASH_FLOW", style="dim"
        )


def _span(span: Span, zone: str) -> str:
    if span.since_ns is None and span.until_ns is None:
        return "all of it"
    since = "" if span.since_ns is None else f"from {time_text(span.since_ns, zone)} "
    return f"{since}until {time_text(span.until_ns, zone)}" if span.until_ns is not None else since.strip()
