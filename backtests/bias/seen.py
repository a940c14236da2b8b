"""What did a strategy decide in one run, order by order, and what did it hold after each bar?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests._engine import run_backtest
from backtests.trial import PASSED, Decision, failed
from runs.prepare import Prepared
from runs.record import Recorder

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from backtests.bias.world import World
    from configs.schema import RunConfig
    from runs.prices import FloatArray, IntArray
    from runs.record import RunRecord

_CHANGES = {"OrderCanceled": "CANCELED", "OrderUpdated": "CHANGED"}
"""What else is a decision: event -> the verdict it is told with."""
_LIMITS = ("max_", "min_", "price_collar", "warn_at", "untrusted_jump")
"""How the keys of `risk` begin that refuse an order or halt a run."""


@dataclass(frozen=True)
class Seen:
    """One run: every order asked for, cancelled and changed, in order, and its record. error: why it ended early."""

    decisions: tuple[Decision, ...] = ()
    record: RunRecord | None = None
    until_ns: int = 0
    error: str | None = None
    exit_code: int = 0

    def until(self, ts: int) -> tuple[Decision, ...]:
        """The decisions up to a stamp (UTC ns), that included."""
        return tuple(each for each in self.decisions if each[0] <= ts)


class _Watch(Recorder):
    """A recorder that keeps decisions as well."""

    def __init__(self) -> None:
        """An empty record."""
        super().__init__()
        self.decisions: list[Decision] = []
        self._asked: dict[str, Decision] = {}

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed the gate."""
        self._decided(ts, order, PASSED)
        super().approved(ts, order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order or a change of one was refused."""
        self._decided(ts, order, reason.partition(":")[0])
        super().refused(ts, order, reason)

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""
        verdict, asked = _CHANGES.get(type(event).__name__), self._asked.get(str(event.client_order_id))
        if verdict is not None and asked is not None:
            _, strategy, instrument, side, quantity, price, _ = asked
            if verdict == "CHANGED":
                quantity = str(event.quantity)
                price = next(
                    (str(each) for each in (event.price, event.trigger_price) if each is not None), price
                )
            self.decisions.append((ts, strategy, instrument, side, quantity, price, verdict))
        super().event(ts, event)

    def _decided(self, ts: int, order: OrderInitialized, verdict: str) -> None:
        price = order.trigger_price if order.price is None else order.price
        ids = (str(order.strategy_id), str(order.instrument_id))
        what = (order.order_side.name, str(order.quantity), None if price is None else str(price))
        made = (ts, *ids, *what, verdict)
        self._asked[str(order.client_order_id)] = made
        self.decisions.append(made)


def watch(config: RunConfig, world: World) -> Seen:
    """Run one backtest over a world in memory; what goes wrong is told in `error`. KeyboardInterrupt passes."""
    try:
        return first_run(config, world)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the edge of a run: another's code ran, and Rust's panics are no Exception
        outcome = failed(error)
        return Seen(error=outcome.error, exit_code=outcome.exit_code)


def first_run(config: RunConfig, world: World) -> Seen:
    """Run one backtest over a world in memory. Raises what `run_backtest` raises."""
    recorder = _Watch()
    done = run_backtest(config, None, Prepared(config, world, recorder))
    return Seen(tuple(recorder.decisions), done.record, done.until_ns)


def quantities(seen: Seen, stamps: IntArray, instrument: str) -> FloatArray:
    """The net quantity held of an instrument after each stamp, from the fills. stamps, result: shape (n,)."""
    fills = (
        [] if seen.record is None else [row for row in seen.record.fills if row["instrument"] == instrument]
    )
    signed = [float(row["quantity"]) * (1 if row["side"] == "BUY" else -1) for row in fills]
    sums = np.concatenate([[0.0], np.round(np.cumsum(signed), 9)])
    held: FloatArray = sums[
        np.searchsorted(np.array([row["ts"] for row in fills], np.int64), stamps, side="right")
    ]
    return held


def for_checks(config: RunConfig) -> RunConfig:
    """The config of every run of a check: the whole world, whatever the clock on the wall says."""
    run = config.run.model_copy(update={"max_bars": None, "max_minutes": None})
    return config.model_copy(update={"run": run})


def without_limits(config: RunConfig) -> RunConfig:
    """The config with every limit and breaker off, so that only the strategy itself decides; exits and stops stay."""
    risk = config.risk
    off = [key for key in type(risk).model_fields if key.startswith(_LIMITS) and key != "max_holding_mins"]
    return config.model_copy(update={"risk": risk.model_copy(update={**dict.fromkeys(off), "overrides": ()})})
