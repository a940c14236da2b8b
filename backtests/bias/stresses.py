"""What is left of a result when trading is a little dearer, later and less tidy than in the backtest?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.bias.altered import dealt_anew, labelled_late, with_gaps
from backtests.bias.finding import Finding
from backtests.trial import Outcome, run_trial
from market.bar_length import BarLength
from runs.wording import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtests.bias.random_entries import Null
    from backtests.bias.settings import StressSettings
    from backtests.bias.world import World
    from configs.schema import RunConfig

BASE, SLIPPAGE, DELAY, GAPS, LABELS = (
    "as configured",
    "a tick more slippage",
    "a bar later",
    "missing bars",
    "labels a bar late",
)
RESHUFFLED, RANDOM, EDGE = "reshuffled", "random entries", "edge"
_COSTS = (
    "maker_fee", "taker_fee", "fee_per_unit", "min_fee", "sale_fee", "sale_fee_per_unit", "sale_fee_per_unit_max",
    "spread_bps", "slippage_vol", "impact", "borrow_rate", "margin_rate", "max_fee_pct",
)  # fmt: skip
"""Keys of the venue that are multiplied; a rebate (below zero) stays."""
_BELOW_ONE = ("maker_fee", "taker_fee", "sale_fee", "max_fee_pct")
_MILLIS_A_NANO = 1_000_000
_A_SECOND = 1_000  # milliseconds that stand for a bar where the data is quotes


@dataclass(frozen=True)
class Row:
    """One stress and what came of it; error: why there is nothing."""

    name: str
    outcome: Outcome = field(repr=False)

    @property
    def error(self) -> str | None:
        """Why there are no figures."""
        return self.outcome.error

    def figure(self, name: str) -> float | None:
        """A figure of the summary, as a float; None where it is undefined."""
        value = self.outcome.figures.get(name)
        return None if value is None or isinstance(value, str) else float(value)

    @property
    def sharpe(self) -> float | None:
        """Sharpe ratio a year."""
        return self.figure("sharpe")

    def as_dict(self, base: Row) -> dict[str, Any]:
        """As JSON."""
        change = None if self.sharpe is None or base.sharpe is None else self.sharpe - base.sharpe
        return {
            "stress": self.name,
            "sharpe": self.sharpe,
            "sharpe_change": change,
            **{name: self.figure(name) for name in ("total_return", "max_drawdown")},
            "fills": self.outcome.figures.get("fills"),
            "error": self.error,
        }


def stressed(
    config: RunConfig, world: World, settings: StressSettings, step: Callable[[str], None]
) -> tuple[list[Row], list[Row]]:
    """The rows of all stresses, the run as it is configured first; and those of the reshuffled markets."""
    rng = np.random.default_rng([settings.seed, 1])
    plans: list[tuple[str, RunConfig, World]] = [
        (BASE, config, world),
        *((_times(factor), costlier(config, factor), world) for factor in settings.costs),
        (SLIPPAGE, with_venue(config, slippage_ticks=1), world),
        (DELAY, delayed(config, world), world),
        (GAPS, config, with_gaps(world, settings.missing_pct, rng)),
        (LABELS, config, labelled_late(world)),
    ]
    rows = []
    for name, changed, other in plans:
        if name == SLIPPAGE and config.venue.slippage_ticks:
            outcome = Outcome(
                error="the run has a tick of slippage already, which is the most that can be simulated"
            )
        else:
            outcome = run_trial(changed, other)
        rows.append(Row(name, outcome))
        step(name)
    dealt = []
    for _ in range(settings.reshuffled):
        dealt.append(Row(RESHUFFLED, run_trial(config, dealt_anew(world, settings.block, rng))))
        step(RESHUFFLED)
    return rows, dealt


def with_venue(config: RunConfig, **changes: Any) -> RunConfig:
    """The config with keys of its venue changed."""
    return config.model_copy(update={"venue": config.venue.model_copy(update=changes)})


def costlier(config: RunConfig, factor: float) -> RunConfig:
    """The config with every cost so many times as high: fees, levies, spread, slippage, impact, financing."""
    times = Decimal(repr(factor))
    venue = config.venue
    changes = {name: getattr(venue, name) * times for name in _COSTS if getattr(venue, name, Decimal(0)) > 0}
    for name in _BELOW_ONE:
        if name in changes:
            changes[name] = min(changes[name], Decimal("0.99"))
    return with_venue(config, **changes)


def delayed(config: RunConfig, world: World) -> RunConfig:
    """The config with orders that arrive a bar later: they fill at the next bar's price."""
    later = _A_SECOND
    if world.kind == "bars":
        later = BarLength.parse(config.bar).nanos // _MILLIS_A_NANO - 1
    return with_venue(config, latency_ms=config.venue.latency_ms + later)


def findings(rows: list[Row], dealt: list[Row], null: Null, settings: StressSettings) -> list[Finding]:
    """What the stated rules say of the rows."""
    base = rows[0]
    ruled = {EDGE: base, _times(settings.costs[0]): rows[1]} | {
        row.name: row for row in rows if row.name in (SLIPPAGE, DELAY, GAPS) and row.error is None
    }
    found = [_must_exceed(name, row, base, settings.min_sharpe) for name, row in ruled.items()]
    return [*found, _reshuffled(base, dealt), _random(null, settings)]


def failures(rows: list[Row], dealt: list[Row]) -> list[str]:
    """A note for each stress without figures, and for a run whose every order was refused."""
    notes = [f"{row.name}: {row.error}" for row in rows if row.error is not None]
    refused = rows[0].outcome.figures.get("refusals")
    if refused and not rows[0].outcome.figures.get("fills"):
        notes.append(
            f"nothing was filled: {refused} orders were refused, and python -m backtests run says by which limit"
        )
    wrong = [row for row in dealt if row.error is not None]
    return [
        *notes,
        *([f"{len(wrong)} of {len(dealt)} reshuffled markets: {wrong[0].error}"] if wrong else []),
    ]


def _times(factor: float) -> str:
    return f"costs x{factor:g}"


def _must_exceed(name: str, row: Row, base: Row, least: float) -> Finding:
    caught = row.sharpe is None or row.sharpe <= least
    text = f"Sharpe {ratio(row.sharpe)}"
    if row is not base:
        text += f" instead of {ratio(base.sharpe)}, return {percent(row.figure('total_return'), signed=True)}"
    text += f"; must be above {least:g}"
    return Finding(name, caught, 1, int(caught), text)


def _reshuffled(base: Row, dealt: list[Row]) -> Finding:
    sharpes = sharpes_of(dealt)
    if base.sharpe is None or not len(sharpes):
        return _nothing(RESHUFFLED, len(dealt))
    median, better = float(np.median(sharpes)), int((sharpes >= base.sharpe).sum())
    caught = median >= base.sharpe
    text = (
        f"Sharpe {ratio(median)} in the middle of {len(sharpes)} markets of the same returns in another order, "
        f"{ratio(base.sharpe)} in the real one: the order of returns gave it {'nothing' if caught else 'the rest'}"
    )
    return Finding(RESHUFFLED, caught, len(dealt), better, text)


def _random(null: Null, settings: StressSettings) -> Finding:
    drawn = len(null.sharpes)
    if null.p_value is None or null.percentile is None:
        return _nothing(RANDOM, settings.random_entries)
    caught = null.p_value > settings.max_p_value
    text = (
        f"better than {null.percentile:.0%} of {drawn:,} random strategies with its {null.trades} trades at other "
        f"times (middle Sharpe {ratio(null.median)}): p = {null.p_value:.3f}, must be at most {settings.max_p_value:g}"
    )
    return Finding(RANDOM, caught, drawn, int((null.sharpes >= (null.own or 0.0)).sum()), text)


def _nothing(check: str, tried: int) -> Finding:
    return Finding(
        check, caught=True, tried=tried, failed=tried, evidence="it held nothing that could be compared"
    )


def sharpes_of(rows: list[Row]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The Sharpe ratios there are: shape (n,)."""
    return np.array([row.sharpe for row in rows if row.sharpe is not None], np.float64)
