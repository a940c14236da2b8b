"""How do the configured strategies become engine objects behind one risk desk?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import StrategyId

from configs.asked import asked_limits
from configs.parameters import accepted
from market.rates import settlement_currency
from risk.breaker import ScopeLimits
from risk.desk import RiskDesk
from risk.gate import RiskGate, gated
from risk.hours import TradingHours
from risk.overrides import scoped_breakers, unmatched_venues
from runs.errors import RunError
from runs.places import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from nautilus_trader.model import Bar, BarType

    from configs.schema import RunConfig, StrategySpec
    from market.catalog import MarketData
    from market.rates import Rates
    from risk.breaker import RiskState
    from risk.desk import Witness
    from risk.intents import Intents
    from risk.limits import RiskConfig


class InstrumentError(RunError):
    """An instrument of the run cannot be traded on this venue's account."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class _Planned:
    """One strategy object to be: its spec, the symbols it trades, and how its config class wants them."""

    name: str
    spec: StrategySpec
    symbols: tuple[str, ...]
    single: bool


def build_desk(  # noqa: PLR0913 - what a desk needs to know of the run
    config: RunConfig,
    market: MarketData,
    witness: Witness,
    *,
    state: RiskState | None = None,
    event_time: Callable[[RiskGate, Any, int], int] | None = None,
    replays: bool = False,
    fills_inside: bool | None = None,
    assumes_approval: bool = True,
    intents: Intents | None = None,
    cash: Decimal | None = None,
    limits: RiskConfig | None = None,
) -> RiskDesk:
    """The desk of a run, with its instruments; `cash` is what the venue says the account has.

    fills_inside: whether the engine's own sandbox fills orders; None: where `event_time` is given. limits: those in
    force, where a person made them tighter than the config's own. Raises InstrumentError for one that its account
    cannot hold.
    """
    planned, limits = _plan(config, market), asked_limits(config) if limits is None else limits
    names = {_id_of(each, number): each.name for number, each in enumerate(planned, start=1)}
    venues = [str(instrument.id.venue) for instrument in market.instruments]
    unknown = unmatched_venues(limits, [config.venue.name, *venues])
    if unknown:
        raise InstrumentError(
            f"risk.overrides: line {unknown[0]} names venue {limits.overrides[unknown[0]].venue}, which this run "
            f"does not trade on; it has {', '.join(dict.fromkeys([config.venue.name, *venues]))}"
        )
    scopes = scoped_breakers(limits, names, venues, config.venue.name)
    desk = RiskDesk(
        limits,
        starting_cash=config.venue.starting_cash if cash is None else cash,
        currency=config.venue.currency,
        zone=market.zone,
        witness=witness,
        state=state,
        event_time=event_time,
        replays=replays,
        history=_history(market),
        fills_inside=fills_inside,
        takes_turns=len(planned) > 1,
        on_error=config.run.on_strategy_error,
        scopes=[
            ScopeLimits.only(scope, limits, **{key: tight.value for key, tight in keys.items()})
            for scope, keys in scopes.items()
        ],
        names=names,
        assumes_approval=assumes_approval,
        venue_name=config.venue.name,
        intents=intents,
    )
    for instrument in market.instruments:
        _check_instrument(instrument, config, market.rates)
        desk.add_instrument(instrument)
    for currency, pair in market.rates.pairs.items():
        desk.prices.add_rate(pair.id, currency, turned_over=False)
    _ask_for_limits(desk, names)
    return desk


def _history(market: MarketData) -> Callable[[BarType], list[Bar]] | None:
    """Bar type -> the bars from before the run; None where the venue has them, which is asked then."""
    return market.past if market.at_hand else None


def _ask_for_limits(desk: RiskDesk, strategies: Iterable[str]) -> None:
    """Work out the limits of every order this run can send. Raises InstrumentError where lines contradict."""
    try:
        for strategy in strategies:
            for instrument in desk.prices.watches:
                desk.hours_of(desk.limits_of(strategy, instrument)).load()
        if desk.limits.session_calendar is not None:
            TradingHours.of(desk.limits.session_calendar).load()
    except ValueError as error:
        raise InstrumentError(str(error)) from error


def build_strategies(
    config: RunConfig, market: MarketData, desk: RiskDesk, *, unique_ids: bool = False
) -> list[RiskGate]:
    """Every configured strategy behind the desk's gate, in configured order.

    Ids are NAME-001, NAME-002 ...: the number is the strategy's place in the run, which the engine wants unique. A
    config class that takes one `instrument_id` gets one strategy an instrument, one with `instrument_ids` all of them.
    unique_ids: no client order id is ever used twice on the account, whatever the clock does between two runs.
    """
    ids = dict(zip(_symbols(market), market.instruments, strict=True))
    kinds = dict(zip(_symbols(market), market.bar_types, strict=True)) if market.kind == "bars" else {}
    for number, planned in enumerate(_plan(config, market), start=1):
        strategy_class, config_class = planned.spec.classes()
        instruments = [ids[symbol].id for symbol in planned.symbols]
        bar_types = [kinds[symbol] for symbol in planned.symbols if symbol in kinds]
        wanted = accepted(config_class)
        offered: dict[str, Any] = {
            "instrument_ids": instruments,
            "bar_types": bar_types,
            "instrument_id": instruments[0],
            **({"bar_type": bar_types[0]} if bar_types else {}),
        }
        given = {key: value for key, value in offered.items() if key in wanted}
        name = _id_of(planned, number)
        try:
            own = config_class(
                **planned.spec.params, **given, strategy_id=StrategyId(name), **_ids(unique=unique_ids)
            )
            gate = gated(strategy_class, desk)(own)
        except (TypeError, ValueError) as error:
            raise InstrumentError(f"strategy {planned.spec.strategy_path}: {error}") from error
        except Exception as error:
            said = f"it cannot be made: {type(error).__name__}: {error}{place_of(error)}"
            raise InstrumentError(f"strategy {planned.spec.strategy_path}: {said}") from error
        desk.gates.append(gate)
    return desk.gates


def _ids(*, unique: bool) -> dict[str, Any]:
    return {"use_uuid_client_order_ids": True} if unique else {}


def traders(config: RunConfig, market: MarketData) -> dict[str, list[str]]:
    """Instrument id -> the ids of the strategies that trade it, in configured order."""
    ids = dict(zip(_symbols(market), market.instruments, strict=True))
    found: dict[str, list[str]] = {}
    for number, planned in enumerate(_plan(config, market), start=1):
        for symbol in planned.symbols:
            found.setdefault(str(ids[symbol].id), []).append(_id_of(planned, number))
    return found


def claims(config: RunConfig, market: MarketData) -> dict[str, list[Any]]:
    """Strategy id -> the instruments that it alone trades: it gets the orders back that the venue has of them.

    The engine lets nobody claim what two trade.
    """
    found: dict[str, list[Any]] = {}
    trading = traders(config, market)
    for instrument in market.instruments:
        each = trading.get(str(instrument.id), [])
        if len(each) == 1:
            found.setdefault(each[0], []).append(instrument.id)
    return found


def _plan(config: RunConfig, market: MarketData) -> list[_Planned]:
    plan = []
    for name, spec in config.all_strategies.items():
        symbols = spec.instruments or _symbols(market)
        wanted = accepted(spec.classes()[1])
        single = "instrument_id" in wanted and "instrument_ids" not in wanted
        groups = [(symbol,) for symbol in symbols] if single else [tuple(symbols)]
        plan += [_Planned(name, spec, group, single) for group in groups]
    return plan


def _id_of(planned: _Planned, number: int) -> str:
    return f"{planned.spec.classes()[0].__name__}-{number:03d}"


def _symbols(market: MarketData) -> tuple[str, ...]:
    return tuple(str(instrument.raw_symbol) for instrument in market.instruments)


def _check_instrument(instrument: Any, config: RunConfig, rates: Rates) -> None:
    settled_in, account = settlement_currency(instrument), config.venue.currency
    if settled_in != account and settled_in not in rates.series:
        raise InstrumentError(
            f"instruments: {instrument.id} settles in {settled_in}, the account is in {account}, and the run has no "
            f"rate between them: set data.rates (docs/data.md), or venue.currency={settled_in}"
        )
    if config.venue.account_type == "margin" and instrument.margin_init <= 0:
        raise InstrumentError(
            f"instruments: {instrument.id} has no initial margin, so the engine would let a margin account buy without "
            "end; set margin_init in its data source, or venue.account_type=cash"
        )
