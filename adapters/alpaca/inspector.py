"""Is all well with an Alpaca account: keys, account, clock, market, prices, streams, and an order that is cancelled?"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.account import AccountFacts
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._facts import facts_of, refuse_other_account
from adapters.alpaca._probe import probe_data, probe_trades
from adapters.alpaca._test_order import place_and_cancel
from adapters.alpaca.calendar import read_clock
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.alpaca.keys import Keys
from adapters.alpaca.prices import newest_prices
from adapters.alpaca.providers import CRYPTO, assets, instruments
from adapters.errors import AdapterError
from adapters.inspection import Finding, Listed, Seen, Sized
from adapters.outcomes import RequestError

SKEW_SECS, MOST_SKEW_SECS = 1.0, 10.0
"""Clocks further apart than the first are worth a warning; further than the second are wrong."""
NANOS = 1_000_000_000
TRAITS = ("fractionable", "shortable", "marginable", "easy_to_borrow")
Check = Callable[[], Awaitable[Finding]]


class _Stopped(Exception):  # noqa: N818 - not an error: nothing further can be checked
    """The rest of the checks would only repeat what this one found."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.found)
        self.finding = finding


@dataclass(slots=True)
class AlpacaInspector:
    """adapters.inspection.Inspector for Alpaca."""

    config: AlpacaVenueConfig
    keys: Keys
    symbols: tuple[str, ...]
    facts: AccountFacts | None = None
    sized: list[Sized] = field(default_factory=list)
    is_open: bool | None = None

    async def check(self, *, order: bool | None) -> AsyncIterator[Finding]:
        """Every check, one finding each; an account that cannot be reached ends them."""
        api = AlpacaApi(self.config, self.keys)
        checks: list[tuple[str, Check]] = [
            ("keys", lambda: self._keys(api)),
            ("account", lambda: self._account(api)),
            ("permissions", lambda: self._permissions(api)),
            ("clock", lambda: self._clock(api)),
            ("symbols", lambda: self._symbols(api)),
            ("prices", lambda: self._prices(api)),
            ("order stream", lambda: self._order_stream(api)),
            ("data stream", lambda: self._data_stream(api)),
            ("test order", lambda: self._test_order(api, order=order)),
        ]
        try:
            for name, check in checks:
                try:
                    yield await check()
                except _Stopped as stopped:
                    yield stopped.finding
                    return
                except (AdapterError, RequestError) as error:
                    yield Finding(name, "failed", str(error))
                except Exception as error:  # noqa: BLE001 - a check that breaks has not found that all is well
                    yield Finding(name, "failed", api.cleaned(f"{type(error).__name__}: {error}"))
        finally:
            api.close()

    async def assets(self, kind: str | None) -> list[Listed]:
        """Everything that can be traded, of one class or of all. Raises AdapterError."""
        api = AlpacaApi(self.config, self.keys)
        try:
            rows = await assets(api, kind)
        except RequestError as error:
            raise AdapterError(f"venue={self.config.name}: the assets cannot be read: {error}") from None
        finally:
            api.close()
        return [_listed(row) for row in rows]

    async def watch(self) -> AsyncGenerator[Seen]:
        """Events of orders and of the account, for as long as it is read. Raises AdapterError."""
        from adapters.alpaca._watch import watch  # noqa: PLC0415 - only `live stream` needs it

        async for seen in watch(self.config, self.keys):
            yield seen

    # -- the checks

    async def _keys(self, api: AlpacaApi) -> Finding:
        began = time.monotonic()
        try:
            self._row = await api.call(api.trading.get_account)
        except RequestError as error:
            raise _Stopped(Finding("keys", "failed", str(error), _fix_of(error, self.config))) from None
        took = time.monotonic() - began
        self.facts = facts_of(self._row)
        return Finding("keys", "ok", f"{self.keys.kind}, accepted in {took * 1000:.0f} ms")

    async def _account(self, _api: AlpacaApi) -> Finding:
        facts = self._known()
        try:
            refuse_other_account(self.config, facts)
        except AdapterError as error:
            raise _Stopped(Finding("account", "failed", str(error))) from None
        told = f"{facts.number}, equity {facts.equity:,.2f} {facts.currency}"
        if facts.blocked:
            return Finding(
                "account", "failed", f"{told}; {', '.join(facts.blocked)}", "see the broker's page"
            )
        return Finding("account", "ok", f"{told}, trading_blocked false")

    async def _permissions(self, _api: AlpacaApi) -> Finding:
        facts, lacking = self._known(), []
        crypto = str(self._row.get("crypto_status") or "").rpartition(".")[2].upper()
        if any("/" in symbol for symbol in self.symbols) and crypto not in ("ACTIVE", ""):
            lacking.append(f"crypto is {crypto}: apply for it on the broker's page")
        if self._row.get("trade_suspended_by_user"):
            lacking.append("trading is suspended by its owner")
        may = [f"{facts.multiplier.normalize():f} times its equity"]
        may.append("short selling" if facts.shorting else "no short selling")
        if lacking:
            return Finding("permissions", "failed", "; ".join(lacking), "or leave these instruments out")
        return Finding("permissions", "ok", ", ".join(may))

    async def _clock(self, api: AlpacaApi) -> Finding:
        before = time.time_ns()
        clock = await read_clock(api)
        after = time.time_ns()
        self.is_open = clock.is_open
        hours = "the market is open" if clock.is_open else "the market is closed"
        if self.config.tells_time:
            return Finding("clock", "ok", f"{hours}; market time of a local Alpaca")
        skew = abs(clock.now_ns - (before + after) // 2) / NANOS
        told = f"{hours}; this machine's clock is {skew:.1f} s off the broker's"
        if skew > MOST_SKEW_SECS:
            return Finding("clock", "failed", told, "set the clock (NTP)")
        return Finding("clock", "warning" if skew > SKEW_SECS else "ok", told)

    async def _symbols(self, api: AlpacaApi) -> Finding:
        found = await instruments(api, self.symbols, fractional=self.config.fractional)
        self.sized = [
            Sized(
                str(one.raw_symbol),
                None,
                one.size_increment.as_decimal(),
                (one.min_quantity or one.size_increment).as_decimal(),
            )
            for one in found
        ]
        traits = [f"{one.raw_symbol} ({_traits(one.info or {})})" for one in found]
        return Finding("symbols", "ok", ", ".join(traits))

    async def _prices(self, api: AlpacaApi) -> Finding:
        prices = await newest_prices(api, self.symbols, self.config.feed)
        for each in self.sized:
            each.price = prices.get(each.symbol)
        missing = [symbol for symbol in self.symbols if symbol not in prices]
        told = ", ".join(f"{symbol} {price.normalize():f}" for symbol, price in prices.items())
        if missing:
            told = f"no price of {', '.join(missing)}" + (f"; {told}" if told else "")
            return Finding("prices", "warning", told, "another venue.feed, or wait for the session")
        return Finding("prices", "ok", f"{self.config.feed}: {told}")

    async def _order_stream(self, api: AlpacaApi) -> Finding:
        if self.config.mode == "sandbox":
            return Finding("order stream", "skipped", "a sandbox sends no order")
        began = time.monotonic()
        await probe_trades(api)
        return Finding("order stream", "ok", f"listens, {(time.monotonic() - began) * 1000:.0f} ms")

    async def _data_stream(self, api: AlpacaApi) -> Finding:
        began = time.monotonic()
        shares = [symbol for symbol in self.symbols if "/" not in symbol]
        pairs = [symbol for symbol in self.symbols if "/" in symbol]
        if shares:
            await probe_data(api, api.endpoints.stock_stream, shares)
        if pairs:
            await probe_data(api, api.endpoints.crypto_stream, pairs)
        which = " and ".join([self.config.feed] * bool(shares) + ["crypto"] * bool(pairs))
        return Finding("data stream", "ok", f"{which} subscribed, {(time.monotonic() - began) * 1000:.0f} ms")

    async def _test_order(self, api: AlpacaApi, *, order: bool | None) -> Finding:
        if self.config.mode == "sandbox":
            return Finding("test order", "skipped", "a sandbox sends no order")
        if order is False:
            return Finding("test order", "skipped", "order=false")
        if order is None and self.config.mode == "live":
            return Finding("test order", "skipped", "real money: only when asked", "order=true")
        size = next((each for each in self.sized if each.price is not None), None)
        if size is None:
            return Finding("test order", "skipped", "no price to stay far away from")
        return Finding("test order", "ok", await place_and_cancel(api, size))

    def _known(self) -> AccountFacts:
        if self.facts is None:
            raise AdapterError("the account is not known")
        return self.facts

    _row: dict[str, Any] = field(default_factory=dict)


def _fix_of(error: Exception, config: AlpacaVenueConfig) -> str | None:
    status = getattr(error, "status", None)
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        return f"look at {config.credentials.key_variable}, in the environment and in .env"
    if status == 403:  # noqa: PLR2004 - as above
        return "the keys are known, but not allowed here"
    return "is the network up, and Alpaca?" if status is None else None


def _traits(row: dict[str, Any]) -> str:
    told = [trait for trait in TRAITS[:2] if row.get(trait)]
    return ", ".join(told) or (
        "around the clock" if row.get("class") == CRYPTO else "whole shares, long only"
    )


def _listed(row: dict[str, Any]) -> Listed:
    least = row.get("min_order_size")
    return Listed(
        symbol=str(row["symbol"]),
        name=str(row.get("name") or ""),
        kind=str(row.get("class") or ""),
        exchange=str(row.get("exchange") or ""),
        tradable=bool(row.get("tradable")),
        traits=tuple(trait for trait in TRAITS if row.get(trait)),
        least=None if least is None else Decimal(str(least)),
    )
