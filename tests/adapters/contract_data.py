"""Cases of market data: all groups of the data specification, most of them driven by the engine's DataTester."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from nautilus_trader.model import BookType

from tests.adapters.contract import WAIT_SECS, Running, Site, case, node
from tests.adapters.contract_hand import Hand

TESTER = "nautilus_testkit"
"""What the engine's log calls the DataTester."""
HOUR = 3_600_000_000_000


async def _until_heard(at: Running, words: str, give: Callable[[], None] | None = None) -> str:
    """Wait until the DataTester says it got something; `give` lets it come, again and again."""
    deadline = time.monotonic() + WAIT_SECS
    while time.monotonic() < deadline:
        if give is not None:
            give()
        await asyncio.sleep(0.05)
        found = [line for line in at.said(TESTER) if words in line]
        if found:
            return found[-1]
    raise AssertionError((words, at.said()[-20:]))


# -- instruments ------------------------------------------------------------------------------------------------------


@case("TC-D01", data={"request_instruments": True})
async def all_instruments_of_the_run_are_told_on_request(at: Running) -> None:
    await _until_heard(at, str(at.site.instrument))
    found = at.cache.instruments(at.site.instrument.venue)
    assert [each.id for each in found] == [at.site.instrument]


@case("TC-D02", data={"subscribe_instrument": True})
async def an_instrument_that_is_subscribed_to_is_told(at: Running) -> None:
    await _until_heard(at, str(at.site.instrument))
    assert at.cache.instrument(at.site.instrument).id == at.site.instrument


@case("TC-D03")
async def one_instrument_is_loaded_with_its_rules(at: Running) -> None:
    found = at.cache.instrument(at.site.instrument)
    assert found.price_increment.as_decimal() == at.site.tick
    assert found.size_increment.as_decimal() == 1
    assert found.quote_currency.code == "USD"
    assert found.lot_size.as_decimal() == 1


# -- books ------------------------------------------------------------------------------------------------------------


@case("TC-D10", data={"subscribe_book_deltas": True})
async def changes_of_the_book_stream(at: Running) -> None:
    await _until_heard(at, "OrderBookDeltas")


@case("TC-D11", data={"subscribe_book_at_interval": True})
async def the_book_is_told_at_an_interval(at: Running) -> None:
    await _until_heard(at, "OrderBook")


@case("TC-D12", ask=lambda hand: hand.subscribe_book_depth(hand.traded, BookType.L2_MBP))
async def the_best_ten_of_the_book_stream(at: Running) -> None:
    await at.until(lambda: at.hand.depths, "depths")


@case("TC-D13", data={"request_book_snapshot": True})
async def the_book_is_told_on_request(at: Running) -> None:
    await _until_heard(at, "OrderBook")


@case("TC-D14", data={"subscribe_book_deltas": True, "manage_book": True})
async def a_book_is_built_from_its_changes(at: Running) -> None:
    await _until_heard(at, "OrderBook")


def _past_deltas(hand: Hand) -> None:
    hand.request_book_deltas(hand.traded)


@case("TC-D15", ask=_past_deltas)
async def past_changes_of_the_book_are_told_on_request(at: Running) -> None:
    await at.until(lambda: at.hand.past, "past deltas")


# -- quotes, trades, bars ----------------------------------------------------------------------------------------------


@case("TC-D20", data={"subscribe_quotes": True})
async def quotes_stream(at: Running) -> None:
    await _until_heard(at, "QuoteTick {", lambda: at.site.price("100.5", "100.49", "100.51"))

    def last() -> tuple[Decimal, Decimal]:  # the first that is heard may be one of before
        quote = at.cache.quote(at.site.instrument)
        return quote.bid_price.as_decimal(), quote.ask_price.as_decimal()

    await at.until(lambda: last() == (Decimal("100.49"), Decimal("100.51")), "the newest quote")
    quote = at.cache.quote(at.site.instrument)
    assert 0 < quote.ts_event <= quote.ts_init


@case("TC-D30", data={"subscribe_trades": True})
async def trades_stream(at: Running) -> None:
    await _until_heard(at, "TradeTick {", lambda: at.site.price("100.5", "100.49", "100.51"))

    def last() -> Decimal:
        price: Decimal = at.cache.trade(at.site.instrument).price.as_decimal()
        return price

    await at.until(lambda: last() == Decimal("100.5"), "the newest trade")
    trade = at.cache.trade(at.site.instrument)
    assert trade.size.as_decimal() > 0


@case("TC-D40", data={"subscribe_bars": True})
async def bars_stream(at: Running) -> None:
    await _until_heard(at, "Bar {", lambda: at.site.bar("100.5"))
    bar = at.cache.bar(at.site.bar_type)
    assert bar.close.as_decimal() == Decimal("100.5")
    assert bar.low <= bar.open <= bar.high
    assert bar.ts_event % 60_000_000_000 == 0  # stamped with its end


async def _past(at: Running, what: str, ask: Callable[[int, int], Any]) -> list[Any]:
    """Ask for the past of the simulator's own clock; answers what came."""
    now = at.hand.quotes[-1].ts_event
    ask(now - HOUR, now)
    await at.until(lambda: at.hand.past, what)
    (rows,) = at.hand.past
    assert rows
    stamps = [each.ts_event for each in rows]
    assert stamps == sorted(stamps)
    assert now - HOUR <= stamps[0] <= stamps[-1] <= now
    return list(rows)


@case("TC-D21")
async def past_quotes_are_told_on_request(at: Running) -> None:
    ask = at.hand.request_quotes
    rows = await _past(
        at, "quotes", lambda start, end: ask(at.site.instrument, start=_time(start), end=_time(end))
    )
    assert all(each.bid_price <= each.ask_price for each in rows)


@case("TC-D31")
async def past_trades_are_told_on_request(at: Running) -> None:
    ask = at.hand.request_trades
    rows = await _past(
        at, "trades", lambda start, end: ask(at.site.instrument, start=_time(start), end=_time(end))
    )
    assert all(each.price.as_decimal() > 0 and each.size.as_decimal() > 0 for each in rows)


@case("TC-D41")
async def past_bars_are_told_on_request(at: Running) -> None:
    for price in ("100.1", "100.2", "100.3"):
        at.site.bar(price)
    await at.settle(0.1)
    ask = at.hand.request_bars
    rows = await _past(
        at, "bars", lambda start, end: ask(at.site.bar_type, start=_time(start), end=_time(end))
    )
    assert all(each.low <= each.open <= each.high and each.low <= each.close <= each.high for each in rows)


def _time(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp / 1e9, UTC)


# -- derivatives and options ------------------------------------------------------------------------------------------


@case("TC-D50", data={"subscribe_mark_prices": True})
async def mark_prices_stream(at: Running) -> None:
    await _until_heard(at, "MarkPriceUpdate")


@case("TC-D51", data={"subscribe_index_prices": True})
async def index_prices_stream(at: Running) -> None:
    await _until_heard(at, "IndexPriceUpdate")


@case("TC-D52", data={"subscribe_funding_rates": True})
async def funding_rates_stream(at: Running) -> None:
    await _until_heard(at, "FundingRateUpdate")


@case("TC-D53", data={"request_funding_rates": True})
async def past_funding_rates_are_told_on_request(at: Running) -> None:
    await _until_heard(at, "FundingRateUpdate")


@case("TC-D62", data={"subscribe_option_greeks": True})
async def the_greeks_of_an_option_stream(at: Running) -> None:
    await _until_heard(at, "OptionGreeks")


# -- status, life -----------------------------------------------------------------------------------------------------


@case("TC-D60", data={"subscribe_instrument_status": True})
async def a_halt_and_its_end_are_told(at: Running) -> None:
    await _until_heard(at, "InstrumentStatus {", at.site.halt)

    def halts() -> list[str]:  # the first that is told may be how it stood before
        return [each for each in at.said() if "InstrumentStatus {" in each and "HALT" in each.upper()]

    (line, *_) = await at.until(halts, "a halt is told")
    assert str(at.site.instrument) in line


@case("TC-D61", data={"subscribe_instrument_close": True})
async def the_close_of_a_day_is_told(at: Running) -> None:
    await _until_heard(at, "InstrumentClose", at.site.after_close)


@case(
    "TC-D70",
    data={
        "subscribe_quotes": True,
        "subscribe_trades": True,
        "subscribe_bars": True,
        "can_unsubscribe": True,
    },
)
async def the_tester_unsubscribes_at_the_end(at: Running) -> None:
    await _until_heard(at, "QuoteTick {", lambda: at.site.price("100.5", "100.49", "100.51"))
    await at.stop()
    await at.until(lambda: at.site.listeners() == 0, "streams are closed")
    assert not [line for line in at.said(TESTER) if "rror" in line]


OURS = {"keel_test": 1}


def _stream_with_parameters(hand: Hand) -> None:
    hand.subscribe_trades(hand.traded, params=OURS)


@case("TC-D71", ask=_stream_with_parameters)
async def a_stream_takes_parameters_that_only_the_venue_knows(at: Running) -> None:
    await at.until(lambda: at.hand.trades, "trades")


def _past_with_parameters(hand: Hand) -> None:
    hand.request_trades(hand.traded, params=OURS)


@case("TC-D72", ask=_past_with_parameters)
async def a_request_takes_parameters_that_only_the_venue_knows(at: Running) -> None:
    await at.until(lambda: at.hand.past, "the past")


def unsubscribe(site: Site) -> None:
    """TC-D70 again: what a strategy wants no more does not come, while the node goes on."""
    site.clean()

    async def work() -> None:
        async with node(site) as at:
            at.hand.unsubscribe_quotes(site.instrument)
            deadline = time.monotonic() + WAIT_SECS
            while await _still_heard(at):
                assert time.monotonic() < deadline, "quotes go on"
            heard = len(at.hand.quotes)
            for price in ("101", "102"):
                site.price(price)
            await at.settle(0.3)
            assert len(at.hand.quotes) == heard

    asyncio.run(work())


async def _still_heard(at: Running) -> bool:
    heard = len(at.hand.quotes)
    at.site.price("100.5")
    await at.settle(0.3)
    return len(at.hand.quotes) > heard
