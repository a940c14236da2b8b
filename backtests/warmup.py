"""`python -m backtests warmup`: does a strategy forget how much history came before?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtests.bias.finding import Report, headline, steps, tell
from backtests.bias.seen import for_checks
from backtests.bias.settings import WarmupSettings, taken
from backtests.bias.warming import compare, finding
from backtests.bias.world import world_of
from backtests.trial import market_of
from configs.load import Composed, main

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = 0
NOTHING_HELD = (
    "it held nothing after any of the later starts, nor did the whole run: give it data on which it trades"
)
HELP = """python -m backtests warmup strategy=NAME [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Starts the strategy at many later dates and compares it with the run over all of the data: after so many bars it must be
on the same sides and enter with the same share of equity. Takes what `python -m backtests run` takes (its --help lists
it), and:

  warmup.bars=250         bars after its start by which it must decide as one that started long before
  warmup.starts=24        later starts
  warmup.tolerance=0.01   how far the share of equity of an entry may differ
  warmup.seed=1           of the choice of starts

Example: python -m backtests warmup strategy=ema_cross
Example: python -m backtests warmup strategy=bollinger_reversion warmup.bars=100 output=json

Exit codes: 0 clean, 1 caught or nothing to compare, 2 bad input, 130 interrupted. docs/research.md says what is
compared.
"""


def warmup(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    settings, rest = taken(WarmupSettings, "warmup", argv)
    return main("backtest", rest, lambda composed: check(composed, settings))


def check(composed: Composed, settings: WarmupSettings) -> int:
    """Check one composed run. Answers the exit code."""
    config = for_checks(composed.config)
    market = market_of(composed.config)
    headline("warmup", config, market)
    world = world_of(market, composed.config.run.max_bars)
    with steps("warmup", settings.starts + 1) as step:
        starts = compare(config, world, settings, step)
    found, figures = finding(world, starts, settings)
    notes = []
    shortest = min(each.left + each.bars for each in starts)
    if shortest <= settings.bars:
        notes.append(
            f"the last start has only {shortest} bars to come, warmup.bars is {settings.bars}: "
            "give it more data or state less"
        )
    nothing = None if any(each.held for each in starts) else NOTHING_HELD
    report = Report("warmup", (found,), {**figures, "settings": settings.model_dump()}, tuple(notes), nothing)
    return tell(report, composed, market)
