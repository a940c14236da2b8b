"""How far is each limit of a running desk from being reached?

Only limits on a state have a value now: what is held, what was sent today, what was lost. Limits on a single order (its
size, its price, how often it is repeated) are compared with each order and are not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from live._status_rows import LimitRows
from live._status_text import known
from risk.numbers import ZERO
from risk.overrides import scoped_breakers
from risk.performance import sharpe_of
from risk.scopes import BOOK, is_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from configs.schema import RunConfig
    from risk.desk import RiskDesk
    from risk.limits import RiskConfig
    from risk.state import RiskState, ScopeState

Row = dict[str, Any]
Data = dict[str, Row]
ONE = Decimal(1)
LOSSES = ("max_daily_loss_pct", "max_daily_loss", "max_drawdown_pct", "max_drawdown")
TRADES = ("max_consecutive_losses", "min_win_rate", "min_sharpe")


@dataclass(frozen=True, slots=True)
class Standing:
    """Equity and worst-case gross exposure of the book now; None: not known.

    `highest`: equity now, or at a higher price that went by and that no breaker had to look at yet.
    """

    equity: Decimal | None
    gross: Decimal | None
    highest: Decimal | None

    def peak(self, state: RiskState) -> Decimal:
        """The highest equity so far."""
        return state.peak if self.highest is None else max(state.peak, self.highest)

    def drawdown_base(self, state: RiskState) -> Decimal:
        """What the fractions of a drawdown are of."""
        base = state.drawdown_base
        return base if self.highest is None else max(base, self.highest)

    def share(self, value: Decimal | None) -> Decimal | None:
        """The share of equity; None while that says nothing."""
        if value is None or self.equity is None or self.equity <= ZERO:
            return None
        return value / self.equity


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one scope: its value, what the day's loss and the drawdown count from, and what their fractions are of."""

    scope: str
    value: Decimal | None
    day: tuple[Decimal, Decimal]
    peak: tuple[Decimal, Decimal]


class LimitGauges:
    """Reads where the limits of one desk stand, on the engine's thread."""

    def __init__(self, desk: RiskDesk, config: RunConfig) -> None:
        """`config` tells which names the strategies have, so which lines of `risk.overrides` are about them."""
        self._desk = desk
        self._rows = LimitRows(desk.book.currency)
        self._venue_name = config.venue.name
        self._names = {each.strategy_id: each.name for each in config.named_strategies}
        self._carried = self._made_before()  # by strategies, in earlier runs: their ledgers begin at zero
        self._scoped: tuple[RiskConfig | None, Mapping[str, Mapping[str, Any]]] = (None, {})

    def rows(self, standing: Standing, data: Data) -> list[Row]:
        """One row a limit that is on, those of the book first.

        `now` and `left` are in the limit's unit, `used` is a fraction of it: 1 and more is reached. `at_least`: the
        value must not go below the limit. `of`: whose value it is, where a limit is on each of several. `at`: the
        value at which a breaker trips.
        """
        limits, state = self._desk.limits, self._desk.breakers.state
        book = Losses(
            BOOK,
            standing.equity,
            (state.day_start, state.daily_base),
            (standing.peak(state), standing.drawdown_base(state)),
        )
        rows = [
            *self._exposure(limits, standing),
            *self._each(limits, standing),
            *self._counts(limits, data),
            *self._losses({key: getattr(limits, key) for key in LOSSES}, book),
            *self._trades({key: getattr(limits, key) for key in TRADES}, BOOK, state),
        ]
        results = self.results()
        for scope, keys in self._scopes().items():
            kept = state.scopes.get(scope)
            if kept is not None:
                rows += self._scope(scope, keys, kept, results.get(scope))
        return rows

    def results(self) -> dict[str, Decimal]:
        """Scope -> a strategy's result over all runs, or a venue account's equity, where breakers watch them."""
        try:
            values = self._desk.readings.now()
        except LookupError:
            return {}
        return {scope: value + self._carried.get(scope, ZERO) for scope, value in values.items()}

    def _made_before(self) -> dict[str, Decimal]:
        try:
            values = self._desk.readings.now()
        except LookupError:
            values = {}
        kept = self._desk.breakers.state.scopes
        return {
            scope: kept[scope].equity - values.get(scope, ZERO)
            for scope in self._desk.readings.names
            if is_result(scope) and scope in kept
        }

    # -- exposure -----------------------------------------------------------------------------------------------------

    def _exposure(self, limits: RiskConfig, standing: Standing) -> Iterator[Row]:
        gross = standing.gross
        if limits.max_leverage is not None:
            yield self._rows.row("max_leverage", standing.share(gross), limits.max_leverage)
        if limits.max_gross_notional is not None:
            yield self._rows.row("max_gross_notional", gross, limits.max_gross_notional)
        if limits.min_cash_pct is not None:
            used = standing.share(gross)
            yield self._rows.floor(
                "min_cash_pct", None if used is None else ONE - used, limits.min_cash_pct, top=ONE
            )

    def _each(self, limits: RiskConfig, standing: Standing) -> Iterator[Row]:
        """Limits on every instrument and every strategy: the one that is nearest to its own."""
        positions, strategies = self._held_exposure(), self._strategy_exposure()
        for key, found in (
            ("max_position_pct", positions),
            ("max_position_notional", positions),
            ("max_strategy_pct", strategies),
            ("max_strategy_notional", strategies),
        ):
            nearest: tuple[Decimal, str, Decimal | None, Decimal] | None = None  # used up, of, now, limit
            for of, own, value in found:
                limit = getattr(own, key)
                if limit is not None:
                    now = standing.share(value) if key.endswith("_pct") else value
                    used = -ONE if now is None else now / limit if limit > ZERO else ONE
                    if nearest is None or used > nearest[0]:
                        nearest = used, of, now, limit
            own_limit = getattr(limits, key)
            if nearest is not None:
                yield self._rows.row(key, nearest[2], nearest[3], of=nearest[1])
            elif own_limit is not None:
                yield self._rows.row(key, ZERO, own_limit)

    def _held_exposure(self) -> list[tuple[str, RiskConfig, Decimal | None]]:
        """(instrument, limits, worst-case exposure) of whatever is held or worked by a strategy."""
        book, values = self._desk.book, dict[str, Decimal | None]()
        found = []
        for holding in book.holdings.values():
            if not holding.is_open():
                continue
            of = holding.instrument
            if of.instrument not in values:
                values[of.instrument] = known(lambda of=of: book.exposure_of(of))  # type: ignore[misc]  # mypy #4226
            found.append(
                (of.instrument, self._desk.limits_of(holding.strategy, of.instrument), values[of.instrument])
            )
        return found

    def _strategy_exposure(self) -> list[tuple[str, RiskConfig, Decimal | None]]:
        desk, found = self._desk, []
        for holding in desk.book.holdings.values():
            if holding.is_open():
                name = holding.strategy
                limits = desk.limits_of(name, holding.instrument.instrument)
                if limits.max_strategy_pct is not None or limits.max_strategy_notional is not None:
                    found.append((name, limits, known(lambda name=name: desk.book.gross_of(name))))  # type: ignore[misc]  # as above
        return found

    # -- counts -------------------------------------------------------------------------------------------------------

    def _counts(self, limits: RiskConfig, data: Data) -> Iterator[Row]:
        state, book = self._desk.breakers.state, self._desk.book
        for key, now in (
            ("max_open_positions", book.open_count()),
            ("max_new_positions_per_day", state.new_positions_today),
            ("max_orders_per_day", state.orders_today),
        ):
            limit = getattr(limits, key)
            if limit is not None:
                yield self._rows.row(key, Decimal(now), Decimal(limit))
        if limits.max_price_age_secs is not None:
            ages = [
                (each["age_secs"], name)
                for name, each in data.items()
                if each["age_secs"] is not None and self._desk.prices.watches[name].held
            ]
            age, of = max(ages, default=(None, None))
            now_age = ZERO if age is None else Decimal(str(age))
            yield self._rows.row("max_price_age_secs", now_age, limits.max_price_age_secs, of=of)

    # -- breakers -----------------------------------------------------------------------------------------------------

    def _scopes(self) -> Mapping[str, Mapping[str, Any]]:
        """Scope -> key -> the tightest value that a line of the overrides gives it, worked out once a set of limits."""
        limits = self._desk.limits
        if self._scoped[0] is not limits:
            names = {gate.known_as: self._names.get(gate.known_as, "") for gate in self._desk.gates}
            venues = [each.venue for each in self._desk.book.instruments.values() if each.venue]
            found = scoped_breakers(limits, names, venues, self._venue_name) if limits.overrides else {}
            self._scoped = (
                limits,
                {scope: {key: tight.value for key, tight in keys.items()} for scope, keys in found.items()},
            )
        return self._scoped[1]

    def _scope(
        self, scope: str, keys: Mapping[str, Any], kept: ScopeState, value: Decimal | None
    ) -> Iterator[Row]:
        if kept.begun:
            now = kept.equity if value is None else value
            losses = Losses(
                scope,
                now,
                (kept.day_start, kept.daily_base),
                (
                    max(kept.peak, now),
                    kept.drawdown_base if is_result(scope) else max(kept.drawdown_base, now),
                ),
            )
            yield from self._losses(keys, losses)
        yield from self._trades(keys, scope, kept)

    def _losses(self, keys: Mapping[str, Any], of: Losses) -> Iterator[Row]:
        """Daily loss and drawdown, as risk/levels.py measures them."""
        for pct, money, (start, base) in (
            ("max_daily_loss_pct", "max_daily_loss", of.day),
            ("max_drawdown_pct", "max_drawdown", of.peak),
        ):
            share, most = keys.get(pct), keys.get(money)
            whole = start if is_result(of.scope) else base
            if share is not None:
                lost = None if of.value is None or base <= ZERO else max(ZERO, whole - of.value) / base
                yield self._rows.row(pct, lost, share, scope=of.scope, at=whole - share * max(base, ZERO))
            if most is not None:
                lost = None if of.value is None else max(ZERO, start - of.value)
                yield self._rows.row(money, lost, most, scope=of.scope, at=start - most)

    def _trades(self, keys: Mapping[str, Any], scope: str, kept: ScopeState) -> Iterator[Row]:
        """How the last closed trades went; a rate of fewer trades than are judged is not told."""
        most, win_rate, sharpe = (keys.get(key) for key in TRADES)
        window, count = kept.trades, self._desk.limits.performance_trades
        last = window.trades[-count:] if len(window.trades) >= count else []
        if most is not None:
            yield self._rows.row("max_consecutive_losses", Decimal(window.streak), Decimal(most), scope=scope)
        if win_rate is not None:
            won = Decimal(sum(1 for pnl, _ in last if pnl > ZERO)) / len(last) if last else None
            yield self._rows.floor("min_win_rate", won, win_rate, scope=scope, top=ONE)
        if sharpe is not None:
            ratio = sharpe_of(last) if last else None
            told = None if ratio is None or not isfinite(ratio) else Decimal(str(round(ratio, 4)))
            yield self._rows.floor("min_sharpe", told, sharpe, scope=scope)
