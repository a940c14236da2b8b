"""The account without a node: told truly or not at all, and closed without opening anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.alpaca.keys import REHEARSAL, Keys
from adapters.alpaca.operator import AlpacaOperator
from adapters.errors import AdapterError
from tests.adapters.alpaca.driving import AAPL, HASTY_SECS, Broker, config_of, operator

pytestmark = pytest.mark.slow


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path)
    one.start()
    one.price(100)
    yield one
    if one.process is not None:
        one.kill()


def use(broker: Broker, work: Callable[[AlpacaOperator], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with operator(broker) as one:
            await work(one)

    asyncio.run(main())


def test_a_position_is_closed_by_one_order_and_never_turned_round(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        with pytest.raises(AdapterError, match="holds 0"):
            await one.close_position(str(AAPL), Decimal(5), "flat-1")
        await one._sent(*one._asked(), BUY)  # noqa: SLF001 - somebody has to open a position
        with pytest.raises(AdapterError, match="holds 5"):
            await one.close_position(str(AAPL), Decimal(-5), "flat-2")
        with pytest.raises(AdapterError, match="holds 5"):
            await one.close_position(str(AAPL), Decimal(6), "flat-3")
        await one.close_position(str(AAPL), Decimal(5), "flat-4")
        assert (await one.snapshot(0)).positions == ()
        order = await one.order("flat-4")
        assert order is not None
        assert (order.status, order.side) == ("FILLED", "SELL")

    use(broker, work)
    assert set(broker.received) == {"open", "flat-4"}


BUY = {
    "symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "5", "client_order_id": "open",
}  # fmt: skip


def test_a_close_whose_answer_is_lost_is_asked_for_and_not_sent_again(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        await one._sent(*one._asked(), BUY)  # noqa: SLF001 - somebody has to open a position
        api = one._asked()[0]  # noqa: SLF001 - the answer that does not come is not waited for
        patient, api.answer_secs = api.answer_secs, HASTY_SECS
        broker.fault("hang", on="submit")
        with pytest.raises(AdapterError, match="no answer"):
            await one.close_position(str(AAPL), Decimal(5), "flat")
        api.answer_secs = patient
        assert (await one.snapshot(0)).positions == ()
        order = await one.order("flat")
        assert order is not None
        assert order.status == "FILLED"

    use(broker, work)


def test_a_cancel_of_an_order_that_has_ended_is_no_error(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        resting = BUY | {"type": "limit", "limit_price": "90", "client_order_id": "rest"}
        await one._sent(*one._asked(), resting)  # noqa: SLF001 - somebody has to send it
        found = await one.order("rest")
        assert found is not None
        assert found.is_open
        for _ in range(2):
            await one.cancel(found.venue_order_id)
        ended = await one.order("rest")
        assert ended is not None
        assert ended.status == "CANCELED"

    use(broker, work)


@pytest.mark.parametrize("on", ["orders", "account", "positions", "clock", "activities"])
def test_what_cannot_be_told_raises_instead_of_being_guessed(broker: Broker, on: str) -> None:
    async def work(one: AlpacaOperator) -> None:
        broker.fault("status", status=500, on=on, times=99)
        with pytest.raises(AdapterError, match="reading the account failed: 500"):
            await one.snapshot(0)

    use(broker, work)


def test_an_order_is_absent_only_when_the_broker_says_so(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        assert await one.order("never") is None
        for on in ("order_by_client_id", "orders"):
            broker.fault("status", status=500, on=on, times=1)
            with pytest.raises(AdapterError, match="asking for never failed"):
                await one.order("never")
        broker.kill()
        with pytest.raises(AdapterError, match="nobody answers"):
            await one.order("never")

    use(broker, work)


def test_an_account_that_moves_while_it_is_read_is_read_again(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        broker.fault("delay", secs=0.2, on="positions", times=1)
        reading = asyncio.ensure_future(one.snapshot(0))
        await asyncio.sleep(0.1)
        await one._sent(*one._asked(), BUY)  # noqa: SLF001 - somebody has to move it
        told = await reading
        held = sum((each.quantity for each in told.positions), Decimal(0))
        filled = sum((each.filled for each in told.orders), Decimal(0))
        assert held == filled
        assert told.balance == 100_000

    use(broker, work)


def test_what_came_without_an_order_is_listed(broker: Broker) -> None:
    async def work(one: AlpacaOperator) -> None:
        broker.ask("activity", type="INT", net_amount="-1.25")
        assert [(each.kind, each.amount) for each in await one.flows(0)] == [("interest", Decimal("-1.25"))]

    use(broker, work)


def test_wrong_keys_are_one_line_without_the_keys(broker: Broker) -> None:
    async def main() -> None:
        one = AlpacaOperator(config_of(broker.url), Keys(REHEARSAL.key, "not-the-secret"))
        with pytest.raises(AdapterError, match="401") as caught:
            await one.open()
        assert "not-the-secret" not in str(caught.value)
        await one.close()

    asyncio.run(main())
