"""What does a person read about a halt that was lifted?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from risk.breaker import RiskState, ScopeState


def told_of_resume(
    venue: str, before: RiskState, after: RiskState, left_open: Sequence[str] = ()
) -> list[str]:
    """Every scope's references as they were and are, whether it was lifted or not; the book goes by its venue."""
    lines = _told_of(venue, before, after)
    if left_open:
        lines.append(f"closing them is given up, so these stay open: {', '.join(left_open)}")
    elif before.flattening and not after.flattening:
        lines.append(
            "flattening was not finished when the run ended: look at the positions before you trade on"
        )
    for name in before.scopes:
        lines += _told_of(name, before.scopes[name], after.scopes[name])
    return lines


def _told_of(name: str, before: ScopeState, after: ScopeState) -> list[str]:
    """What a scope's references were and are, whether it was lifted or not."""
    was = f"was {before.state}: {before.reason}" if before.reason else f"was {before.state}"
    references = (
        f"drawdown is measured from {_moved(before.peak, after.peak)}, "
        f"the day's loss from {_moved(before.day_start, after.day_start)}"
    )
    if before.peak_base is not None or before.day_base is not None:
        references += (
            f"; fractions are of {_moved(before.drawdown_base, after.drawdown_base)} and of "
            f"{_moved(before.daily_base, after.daily_base)}"
        )
    if before.halted == after.halted:
        return [f"{name} {was}, and stays so; {references}"]
    forgotten = len(before.trades.trades)
    counted = f"; {forgotten} closed trades no longer count" if forgotten else ""
    return [f"{name} {was}", f"now {after.state}; {references}{counted}"]


def _moved(before: Decimal, after: Decimal) -> str:
    return f"{after:,.2f} (was {before:,.2f})" if before != after else f"{after:,.2f}"
