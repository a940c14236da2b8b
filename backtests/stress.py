"""`python -m backtests stress`: does the profit survive costs, delay, gaps and chance?"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

from backtests.bias.finding import Report, headline, steps, tell
from backtests.bias.random_entries import Null, random_entries
from backtests.bias.seen import first_run, for_checks
from backtests.bias.settings import StressSettings, taken
from backtests.bias.stresses import BASE, RANDOM, RESHUFFLED, Row, failures, findings, sharpes_of, stressed
from backtests.bias.world import world_of
from backtests.trial import market_of
from configs.load import Composed, main
from runs.analysis import analyse
from runs.trials.holdouts import refuse_held_out
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backtests.bias.world import World
    from configs.schema import RunConfig

OK = 0
HELP = """python -m backtests stress strategy=NAME [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Runs the strategy dearer, later, with gaps, with labels a bar late and on markets of the same returns in another order,
and compares it with random strategies that have its trades at other times. Takes what `python -m backtests run` takes
(its --help lists it), and:

  stress.costs=[2,5]          how many times the costs; the verdict looks at the first
  stress.missing_pct=0.01     share of the bars that are left out
  stress.reshuffled=20        markets made of blocks of the real one's returns
  stress.block=20             bars in a block
  stress.random_entries=1000  random strategies
  stress.min_sharpe=0         what the Sharpe ratio must exceed dearer, slipped, later and with gaps
  stress.max_p_value=0.1      share of the random strategies that may do as well
  stress.seed=1               of every random choice

Example: python -m backtests stress strategy=ema_cross
Example: python -m backtests stress strategy=bollinger_reversion stress.costs=[3] output=json

Exit codes: 0 clean, 1 caught, 2 bad input, 130 interrupted. docs/research.md says what the verdict looks at.
"""


def stress(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    settings, rest = taken(StressSettings, "stress", argv)
    return main("backtest", rest, lambda composed: check(composed, settings))


def check(composed: Composed, settings: StressSettings) -> int:
    """Stress one composed run. Answers the exit code."""
    config = for_checks(composed.config)
    market = market_of(composed.config)
    refuse_held_out(composed.config, market)
    headline("stress", config, market)
    world = world_of(market, composed.config.run.max_bars)
    with steps("stress", 7 + len(settings.costs) + settings.reshuffled) as step:
        null = _null(config, world, settings)
        step(RANDOM)
        rows, dealt = stressed(config, world, settings, step)
    notes = failures(rows, dealt)
    if getattr(config.venue, "free", False):
        notes.append(
            "the run has no costs, so twice of them is none: choose costs=default or those of a venue"
        )
    report = Report(
        "stress",
        tuple(findings(rows, dealt, null, settings)),
        {
            "stresses": [row.as_dict(rows[0]) for row in rows],
            "reshuffled": {"sharpes": sharpes_of(dealt).tolist()},
            "random_entries": {
                "own_sharpe": null.own,
                "median_sharpe": null.median,
                "percentile": null.percentile,
                "p_value": null.p_value,
                "trades": null.trades,
            },
            "settings": settings.model_dump(mode="json"),
        },
        tuple(notes),
    )
    from backtests.bias.picture import draw  # noqa: PLC0415 - matplotlib takes 0.4 s, and a wrong command has no picture

    title = f"{config.strategy.strategy_path.rpartition(':')[2]} under stress: {report.verdict}"
    picture = draw(rows, dealt, null, title, config.venue.currency) if config.run.plots else None
    return tell(report, composed, market, picture=picture, table=_table(rows, dealt))


def _null(config: RunConfig, world: World, settings: StressSettings) -> Null:
    """Raises what the run as it is configured raises."""
    seen = first_run(config, world)
    data = config.data
    if seen.record is None:  # only a run that failed has none, and that raised
        raise RuntimeError
    analysis = analyse(seen.record, zone=data.zone, days_per_year=data.days_per_year, until_ns=seen.until_ns)
    return random_entries(seen, analysis, settings.random_entries, settings.seed)


def _table(rows: list[Row], dealt: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Stress", no_wrap=True)
    for name in ("Sharpe", "Change", "Return", "Max drawdown", "Fills"):
        table.add_column(name, justify="right", no_wrap=True)
    base = rows[0]
    for row in rows:
        change = (
            None
            if row.name == BASE or row.sharpe is None or base.sharpe is None
            else row.sharpe - base.sharpe
        )
        table.add_row(row.name, *_cells(row, "" if change is None else f"{change:+.2f}"))
    known = [row for row in dealt if row.sharpe is not None]
    if known:
        sharpe, gain, loss, fills = (
            _median(known, name) for name in ("sharpe", "total_return", "max_drawdown", "fills")
        )
        told = "" if base.sharpe is None else f"{sharpe - base.sharpe:+.2f}"
        shown = ratio(sharpe), told, percent(gain, signed=True), percent(loss), f"{fills:.0f}"
        table.add_row(f"{RESHUFFLED}, in the middle", *shown)
    return table


def _cells(row: Row, change: str) -> list[str]:
    if row.error is not None:
        return ["no result", *[""] * 4]
    fills: Any = row.outcome.figures.get("fills")
    shown = (
        ratio(row.sharpe),
        change,
        percent(row.figure("total_return"), signed=True),
        percent(row.figure("max_drawdown")),
    )
    return [*shown, str(fills)]


def _median(rows: list[Row], name: str) -> float:
    values = [row.figure(name) for row in rows]
    return median(0.0 if value is None else value for value in values)
