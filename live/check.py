"""`python -m live check`: would a run of this config be able to trade, and if not, what is to be done?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from configs.errors import ConfigError
from live._check_limits import limit_findings
from live._inspecting import composed_with, inspecting
from live._show import console, print_json

if TYPE_CHECKING:
    from adapters.inspection import Finding, Inspector
    from configs.load import Composed
    from configs.schema import RunConfig

USAGE = """python -m live check [venue=NAME] [order=true|false] [KEY=VALUE] ... [output=json]

Connects to a venue as a run of this config would, and looks: keys and permissions, state of the account, clocks and
market hours, symbols, prices of the chosen feed, smallest sizes against the limits, buying power against the worst
case, and both streams. On paper and in a rehearsal it places one order far away from the price and cancels it;
with real money only after order=true, and order=false leaves it out.

Exit code 0: nothing failed; 1: something did, and the line says what to do.

Example: python -m live check venue=alpaca_paper instruments=[AAPL,SPY] venue.feed=sip
"""
OK, FAILED = 0, 1
STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def check(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return composed_with(argv, ("order",), USAGE, _check)


def _check(composed: Composed, given: dict[str, str]) -> int:
    config, order = composed.config, _switch(given.get("order"))
    with inspecting(config) as inspector:
        findings = asyncio.run(_findings(config, inspector, order=order))
    well = not any(each.outcome == "failed" for each in findings)
    if config.output == "json":
        rows = [
            {"name": each.name, "outcome": each.outcome, "found": each.found, "fix": each.fix}
            for each in findings
        ]
        print_json({"venue": config.venue.name, "mode": config.venue.mode, "ok": well, "checks": rows})
    else:
        _show(config, findings)
    return OK if well else FAILED


async def _findings(config: RunConfig, inspector: Inspector, *, order: bool | None) -> list[Finding]:
    """What the venue's own checks find, and then the limits beside what they found; the test order stays last."""
    found = [each async for each in inspector.check(order=order)]
    limits = limit_findings(config, inspector)
    last = next((at for at, each in enumerate(found) if each.name == "order stream"), len(found))
    return [*found[:last], *limits, *found[last:]]


def _show(config: RunConfig, findings: Sequence[Finding]) -> None:
    table = Table(
        title=f"{config.venue.name} ({config.venue.mode})", title_justify="left", box=None, pad_edge=False
    )
    for name in ("Check", "", "Found", "What to do"):
        table.add_column(name, overflow="fold", no_wrap=name in ("Check", ""))
    for each in findings:
        style = STYLES[each.outcome]
        table.add_row(each.name, f"[{style}]{each.outcome}[/{style}]", each.found, each.fix or "")
    console().print(table)


def _switch(written: str | None) -> bool | None:
    if written is None:
        return None
    if written.lower() not in ("true", "false"):
        raise ConfigError(f"order={written}: must be true or false")
    return written.lower() == "true"
