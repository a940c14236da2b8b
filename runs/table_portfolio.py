"""What does a user read in the terminal about costs, and about the parts of an account?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from runs.wording import UNDEFINED, money, percent, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runs.costs import CostsTaken
    from runs.portfolio import Capacity, Contribution, Together
    from runs.summary import Summary

_MOST = 8
FREE = "FREE OF COSTS: no trade cost anything, as none ever is. Choose costs=default or another preset."
COLUMNS = ("P&L", "Return", "Risk", "Trades", "Exposure")
ROWS = {"strategies": "Strategy", "instruments": "Instrument"}


def costs_lines(summary: Summary) -> list[str]:
    """What was assumed, and what it took."""
    if summary.costs is None:
        return []
    return [f"assumed: {summary.costs.assumed}", f"took {taken_text(summary.costs, summary.currency)}"]


def taken_text(costs: CostsTaken, currency: str) -> str:
    """The total and its parts; those that a simulation has and that were nothing are left out."""
    parts = [f"fees {costs.fees:,f}"]
    if costs.slippage is None or costs.slippage:
        parts.append(f"slippage {UNDEFINED if costs.slippage is None else f'{costs.slippage:,f}'}")
    if costs.borrow:
        parts.append(f"borrowing {costs.borrow:,f}")
    if costs.interest:
        parts.append(f"interest {costs.interest:,f}")
    rate = "" if costs.bps is None else f", {costs.bps:.1f} bp of what was traded"
    return f"{money(costs.total, currency)}{rate} ({', '.join(parts)})"


def capacity_text(capacity: Capacity, currency: str) -> str:
    """How much of the volume was taken, and at which size it would be a hundredth."""
    first = capacity.sizes[0]
    return (
        f"fills took {_small(capacity.median)} of their bar's volume (median; 95th of a hundred "
        f"{_small(capacity.p95)}); {first.participation:.0%} at "
        f"{money(first.median, currency)} (median) and {money(first.p95, currency)} (95th)"
    )


def several(summary: Summary) -> Iterator[tuple[str, list[Contribution], Together]]:
    """(strategies or instruments, their rows, how they moved together) where there is more than one."""
    for kind in ROWS:
        parts = (summary.contributions or {}).get(kind, [])
        moved = (summary.correlation or {}).get(kind)
        if moved is not None:
            yield kind, parts, moved


def contributions_table(kind: str, parts: list[Contribution], made: Callable[[str], Table]) -> Table:
    """A row for each part, those with the largest profit or loss where they are many."""
    table = made(f"By {ROWS[kind].lower()}")
    table.add_column(ROWS[kind], overflow="fold")
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    shown = sorted(parts, key=lambda part: -abs(part.pnl))[:_MOST] if len(parts) > _MOST else parts
    for part in shown:
        table.add_row(*contribution_cells(part))
    if len(parts) > len(shown):
        table.caption = f"and {len(parts) - len(shown):,} more in summary.json"
    return table


def contribution_cells(part: Contribution) -> tuple[str, ...]:
    """Name, P&L, contribution to return, share of risk, trades and exposure, as they are to be read."""
    return (
        part.name,
        f"{part.pnl:+,f}",
        percent(part.contribution, signed=True),
        percent(part.risk_share),
        f"{part.trades:,}",
        percent(part.exposure),
    )


def together_text(moved: Together) -> str:
    """Correlations, the highest first, and what they come to."""
    pairs = [
        (moved.correlation[one][other], moved.names[one], moved.names[other])
        for one, other in combinations(range(len(moved.names)), 2)
        if moved.correlation is not None
    ]
    known = sorted(((value, *names) for value, *names in pairs if value is not None), reverse=True)
    told = [f"{one} and {other} {value:.2f}" for value, one, other in known[:3]]
    most = (
        "correlation of days: " + (", ".join(told) or UNDEFINED) + (" ..." if len(known) > len(told) else "")
    )
    return (
        f"{most}; diversification ratio {ratio(moved.diversification_ratio)}, "
        f"effective bets {ratio(moved.effective_bets)} of {len(moved.names)}"
    )


def told(name: str, lines: list[str]) -> Table:
    """Lines under each other beside a name."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(Text(f"{name:<10}", style="bold"), Text("\n".join(lines)))
    return grid


def _small(fraction: float) -> str:
    """A fraction as percent with two figures, however small."""
    return f"{100 * fraction:.2g}%" if fraction < 0.1 else percent(fraction)  # noqa: PLR2004 - 10%
