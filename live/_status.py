"""How is a node, in plain values that another process can read?

`NodeStatus` looks at a desk on the node's own loop, once a second, and changes nothing there: the risk state, equity,
limits, positions and orders are what they were. What cannot be known, such as equity without a price, is None.

The document: amounts are exact text, ratios fractions, counts whole numbers, times ISO 8601 in UTC, ages seconds.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from configs.edge import say
from live._status_holdings import Holdings
from live._status_limits import LimitGauges, Standing
from live._status_text import amount, fraction, iso, known
from risk.breaker import TradingState
from risk.numbers import ZERO
from risk.watch import exact_price

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from journal.writer import Lag
    from market.catalog import MarketData
    from risk.desk import RiskDesk
    from runs.record import Recorder

Document = dict[str, Any]
VERSION = 1
"""Of the document; it changes when a key changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What stays the same for as long as a run lasts; `started_ns` is wall time."""

    run_id: str
    scope: str
    started_ns: int
    market_is_now: bool
    """Whether market time is the clock's on the wall; a replay has its own."""
    account: str | None = None
    """The broker's own number of the account, where it tells one."""


class NodeStatus:
    """Makes the status document of one running node. Its rule: it never raises for what is merely not known."""

    def __init__(
        self,
        desk: RiskDesk,
        config: RunConfig,
        facts: RunFacts,
        *,
        market: MarketData | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """To be made before the node runs: results of strategies count from what the desk remembers now.

        `market` tells how far a replay is, `recorder` how many orders were sent and refused.
        """
        self._desk = desk
        self._config = config
        self._facts = facts
        self._market = market
        self._recorder = recorder
        self._holdings = Holdings(desk)
        self._limits = LimitGauges(desk, config)
        self._failed = False

    def document(self, at_ns: int, lag: Lag, problem: str | None) -> Document:
        """The document as of a wall-clock stamp (UTC ns). Only on the node's loop, never inside a strategy's handler.

        lag and problem: the journal writer's. An error in here is told once and leaves most of the document empty: that
        nobody can be told how a node is must not stop it.
        """
        base = self._base(at_ns, lag, problem)
        try:
            return base | self._full(at_ns)
        except Exception as error:  # noqa: BLE001 - see above
            if not self._failed:
                self._failed = True
                say(traceback.format_exc())
            state = self._desk.breakers.state
            doubt = f"the node cannot tell all of its status: {type(error).__name__}: {error}"
            return base | {"state": str(state.state), "reason": state.reason, "doubts": [doubt]}

    def _base(self, at_ns: int, lag: Lag, problem: str | None) -> Document:
        facts = self._facts
        return {
            "version": VERSION,
            "run_id": facts.run_id,
            "scope": facts.scope,
            "mode": self._config.venue.mode,
            "venue": self._config.venue.name,
            "account": facts.account,
            "pid": os.getpid(),
            "at": iso(at_ns),
            "started": iso(facts.started_ns),
            "market_is_now": facts.market_is_now,
            "currency": self._desk.book.currency,
            "journal": {"rows": lag.rows, "secs": round(lag.secs, 3), "problem": problem},
        }

    def _full(self, at_ns: int) -> Document:
        desk = self._desk
        desk.prices.mark_held()
        now = at_ns if self._facts.market_is_now else desk.market_now()
        equity, gross = known(desk.book.equity), known(desk.book.gross)
        standing = Standing(equity, gross, self._highest(equity))
        data = self._holdings.data(now)
        return {
            "market_time": iso(now) if now else None,
            **self._state(now),
            **self._money(standing),
            "limits": self._limits.rows(standing, data),
            "positions": self._holdings.positions(data),
            "working": self._holdings.working(now),
            "held": self._holdings.held(now, data),
            "unknown": self._holdings.unknown(now),
            "frozen": [{"instrument": each, "why": why} for each, why in sorted(desk.doubts.frozen.items())],
            "data": list(data.values()),
            "strategies": self._strategies(),
            "progress": self._progress(now),
        }

    # -- the parts ----------------------------------------------------------------------------------------------------

    def _state(self, now: int) -> Document:
        """Whether new exposure is possible, and if not, why."""
        desk, state = self._desk, self._desk.breakers.state
        doubts = list(self._doubts(now))
        why = state.reason
        if why is None and state.state is TradingState.REDUCING:
            why = (
                f"the newest price of {', '.join(desk.prices.suspects())} jumped and no second one agrees yet"
            )
        return {
            "state": str(state.state),
            "reason": why,
            "breaker": state.breaker,
            "halted_scopes": [
                {"scope": scope, "reason": state.scopes[scope].reason} for scope in state.halted_scopes
            ],
            "flattening": desk.flattener.active or state.flattening,
            "stopping": desk.stopping,
            "doubts": doubts,
        }

    def _doubts(self, now: int) -> list[str]:
        """Everything but a halt that keeps new exposure from being opened, in sentences."""
        desk = self._desk
        found = [f"{each} has no trusted price, so equity is not known" for each in desk.book.unpriced()]
        found += [
            f"no rate of {currency} in {desk.book.currency} yet, so equity is not known"
            for currency in sorted(self._unrated())
        ]
        if desk.decisions.broker is not None:
            said = desk.decisions.broker.refuses(now)
            found += [] if said is None else [said]
        if desk.stopping:
            found.append("the run is being stopped")
        return found

    def _unrated(self) -> list[str]:
        book = self._desk.book
        return [
            each for each, worth in book.ledger.worths().items() if worth and book.rates.get(each) is None
        ]

    def _money(self, standing: Standing) -> Document:
        desk, equity = self._desk, standing.equity
        state, book = desk.breakers.state, desk.book
        exposure, base = known(self._exposure), standing.drawdown_base(state)
        day_pnl = lost = of_day = None
        if state.begun and equity is not None:
            day_pnl, of_day = equity - state.day_start, equity - state.daily_base
            lost = max(ZERO, base - equity)
        return {
            "equity": amount(equity),
            "cash": amount(known(lambda: book.cash)),
            "exposure": amount(exposure),
            "gross": amount(standing.gross),
            "leverage": fraction(exposure, equity),
            "day": state.day,
            "day_ends": iso(state.day_ends) if state.day_ends else None,
            "day_start": amount(state.day_start) if state.begun else None,
            "day_pnl": amount(day_pnl),
            "day_pnl_pct": fraction(of_day, state.daily_base),
            "peak": amount(standing.peak(state)) if state.begun else None,
            "drawdown": fraction(lost, base),
        }

    def _exposure(self) -> Decimal:
        """What is held, long and short added up, at the marks. Raises LookupError without a price or a rate."""
        book, nets = self._desk.book, dict[str, Decimal]()
        for holding in book.held():
            if holding.instrument.mark is None:
                raise LookupError(holding.instrument.instrument)
            name = holding.instrument.instrument
            nets[name] = nets.get(name, ZERO) + holding.position
        of = book.instruments
        return sum(
            (book.in_base(abs(net * of[name].unit), of[name].currency) for name, net in nets.items()), ZERO
        )

    def _highest(self, equity: Decimal | None) -> Decimal | None:
        """Equity, or what it was at a higher price that nobody had to look at yet (risk/prices.py)."""
        watch = self._desk.pulse.sole
        if equity is None or watch.top_update is None:
            return equity
        of = watch.instrument
        step = of.value_at(exact_price(watch.top_update, long=not watch.sells)) - of.unit
        return max(equity, equity + sum((holding.position for holding in of.holdings), ZERO) * step)

    def _strategies(self) -> list[Document]:
        desk = self._desk
        results = self._limits.results()
        rows = []
        for gate in desk.gates:
            name = gate.known_as
            kept = desk.breakers.state.scopes.get(f"strategy:{name}")
            rows.append(
                {
                    "strategy": name,
                    "state": str(gate.state()).rpartition(".")[2],
                    "retired": gate.retired,
                    "halted": kept.reason if kept is not None and kept.halted else None,
                    "positions": sum(1 for holding in desk.book.held() if holding.strategy == name),
                    "working": sum(1 for order in desk.book.orders.values() if order.strategy == name),
                    "result": amount(results.get(f"strategy:{name}")),
                }
            )
        return rows

    def _progress(self, now: int) -> Mapping[str, Any]:
        recorder, market, state = self._recorder, self._market, self._desk.breakers.state
        share = None
        if market is not None and not self._facts.market_is_now and market.end_ns > market.start_ns:
            share = round(min(1.0, max(0.0, (now - market.start_ns) / (market.end_ns - market.start_ns))), 4)
        return {
            "share": share,
            "sent": None if recorder is None else recorder.sent,
            "refused": None if recorder is None else recorder.refused_count,
            "trips": None if recorder is None else len(recorder.trips),
            "errors": len(self._desk.error_places),
            "orders_today": state.orders_today,
            "new_positions_today": state.new_positions_today,
        }
