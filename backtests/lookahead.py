"""`python -m backtests lookahead`: does a strategy decide with what it cannot know yet?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtests.bias.disguise import FACTORS, unmasked
from backtests.bias.finding import Report, headline, steps, tell
from backtests.bias.foreign import FOREIGN, foreign
from backtests.bias.imported import importing
from backtests.bias.labels import labels
from backtests.bias.opened import listening, opened
from backtests.bias.peeking import peeks, repeated
from backtests.bias.seen import first_run, for_checks, watch, without_limits
from backtests.bias.settings import LookaheadSettings, taken
from backtests.bias.world import world_of
from backtests.trial import market_of
from configs.load import Composed, main

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = 0
NOTHING_DECIDED = "it asked for no order before the last bar of the full run: give it data on which it trades"
HELP = """python -m backtests lookahead strategy=NAME [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Runs the strategy again with the future taken away and with another one: up to that moment it must have asked for the
same orders. Then feeds it markets that never were: what it does there must know nothing of the real one. And the real
one under other dates and prices: it must not lose what it knew. Takes what `python -m backtests run` takes (its --help
lists it), and:

  lookahead.cuts=12       moments at which the future is taken away and changed
  lookahead.changes=2     other futures at each of them
  lookahead.histories=10  markets that never were; 0 leaves them out, and the real one under other dates
  lookahead.block=20      bars in a block of the real market that those are made of
  lookahead.seed=1        of every random choice

Example: python -m backtests lookahead strategy=ema_cross
Example: python -m backtests lookahead strategy=bollinger_reversion lookahead.cuts=40 output=json

Exit codes: 0 clean, 1 caught or nothing to compare, 2 bad input, 130 interrupted. docs/research.md says what is
checked and what is not.
"""


def lookahead(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    settings, rest = taken(LookaheadSettings, "lookahead", argv)
    return main("backtest", rest, lambda composed: check(composed, settings))


def check(composed: Composed, settings: LookaheadSettings) -> int:
    """Check one composed run. Answers the exit code."""
    config = for_checks(composed.config)
    market = market_of(composed.config)
    headline("lookahead", config, market)
    world = world_of(market, composed.config.run.max_bars)
    with importing(config) as imported:
        with listening() as paths:
            full = first_run(config, world)
        at_import, notes = imported()
    files, more = opened(config, market, at_import, paths)
    notes += more
    markets = settings.histories and settings.histories + 1 + len(FACTORS)
    total = 1 + settings.cuts * (1 + settings.changes) + markets
    with steps("lookahead", total) as step:
        findings = [repeated(config, world, full, step)]
        figures: dict[str, float | None] = {}
        if not findings[0].caught:
            findings += peeks(config, world, full, settings, step)
            if settings.histories:
                free = without_limits(config)
                real = watch(free, world)
                step(FOREIGN)
                for found, more, told in (
                    foreign(free, world, real, settings, step),
                    unmasked(free, world, real, step),
                ):
                    findings.append(found)
                    notes += more
                    figures |= told
    findings += [files, *labels(config, world)]
    report = Report(
        "lookahead",
        tuple(findings),
        {"decisions": len(full.decisions), **figures, "settings": settings.model_dump()},
        tuple(notes),
        None if any(each[0] < world.stamps[-1] for each in full.decisions) else NOTHING_DECIDED,
    )
    return tell(report, composed, market)
