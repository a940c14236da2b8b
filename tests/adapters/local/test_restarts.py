"""A node that starts again finds its account as it is, and the operator reads and closes it without a node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from nautilus_trader.model import OrderSide, StrategyId

from adapters.account import Operator
from adapters.errors import AdapterError
from adapters.local.config import LocalVenueConfig
from adapters.local.operator import LocalOperator
from tests.adapters.commanding import SLOW_SECS
from tests.adapters.local.driving import AAPL, HASTY_SECS, Broker, broker, node


def test_a_new_node_finds_positions_and_orders_and_hears_of_their_fills(tmp_path: Path) -> None:
    async def main(one: Broker) -> None:
        async with node(one) as first:
            first.strategy.buy(10)
            rests = first.strategy.limit(95, 5)
            other = first.strategy.limit(90, 7)
            await first.until(lambda: first.strategy.status(other) == "ACCEPTED")
        async with node(one, price=None) as again:
            assert again.strategy.position == 10
            assert again.strategy.status(rests) == "ACCEPTED"
            assert {order.client_order_id for order in again.notes.orders} >= {rests, other}
            one.price(95)
            await again.until(lambda: again.strategy.status(rests) == "FILLED")
            assert [fill.trade_id for fill in again.notes.fills] == ["T-1", "T-2"]
            order = again.order(rests)
            assert [str(each) for each in order.trade_ids] == ["T-2"]
            assert order.strategy_id == StrategyId("EXTERNAL")
            again.strategy.cancel(other)
            await again.until(lambda: again.strategy.status(other) == "CANCELED")
            assert again.strategy.position == 15
            sold = again.strategy.buy(15, side=OrderSide.SELL, reduce_only=True)
            await again.until(lambda: again.strategy.status(sold) == "FILLED")
            assert again.strategy.position == 0
            assert set(one.received.values()) == {1}

    with broker(tmp_path) as one:
        asyncio.run(main(one))


def test_fills_in_parts_before_and_after_a_restart_are_each_told_once(tmp_path: Path) -> None:
    async def main(one: Broker) -> None:
        async with node(one) as first:
            rests = first.strategy.limit(95, 100)
            await first.until(lambda: first.strategy.status(rests) == "ACCEPTED")
            one.price(95)
            await first.until(lambda: first.strategy.status(rests) == "PARTIALLY_FILLED")
        one.price(95)  # while no node runs
        async with node(one, price=None) as again:
            assert again.strategy.position == 75
            one.ask("market", do="partial", share=None)
            one.price(95)
            await again.until(lambda: again.strategy.status(rests) == "FILLED")
            order = again.order(rests)
            assert [str(each) for each in order.trade_ids] == ["T-3"]  # the rest of it is in the position
            assert again.strategy.position == 100

    with broker(tmp_path, "partial=0.5") as one:
        asyncio.run(main(one))


def test_an_order_of_somebody_else_is_told_to_the_gatekeeper_and_counted(tmp_path: Path) -> None:
    async def main(one: Broker) -> None:
        async with node(one) as running:
            one.ask("submit", instrument=str(AAPL), side="BUY", type="MARKET", quantity="4")
            await running.until(lambda: running.strategy.position == 4)
            assert [fill.trade_id for fill in running.notes.fills] == ["T-1"]
            assert running.notes.fills[0].client_order_id is None

    with broker(tmp_path) as one:
        asyncio.run(main(one))


def operate(one: Broker, work: Callable[[LocalOperator], Awaitable[None]]) -> None:
    config = LocalVenueConfig(
        name="local_paper", config="a:B", factory="a:C", port=one.port, answer_secs=SLOW_SECS
    )

    async def main() -> None:
        operator = LocalOperator(config)
        await operator.open()
        try:
            await work(operator)
        finally:
            await operator.close()

    asyncio.run(main())


def _submit(one: Broker, name: str, **more: str) -> str:
    fields = {"instrument": str(AAPL), "side": "BUY", "type": "MARKET", "quantity": "4", **more}
    found: str = one.ask("submit", client_order_id=name, **fields)["order"]["venue_order_id"]
    return found


def test_the_operator_reads_the_account_and_closes_it(tmp_path: Path) -> None:
    async def work(operator: LocalOperator) -> None:
        protocol: Operator = operator
        account = await protocol.snapshot(0)
        assert (account.currency, account.cash, account.equity) == ("USD", Decimal(99_600), Decimal(100_000))
        assert account.balance == Decimal(100_000)
        assert [(order.client_order_id, order.status) for order in account.orders] == [
            ("A", "FILLED"),
            ("B", "ACCEPTED"),
        ]
        assert [(fill.trade_id, fill.price) for fill in account.fills] == [("T-1", Decimal(100))]
        (position,) = account.positions
        assert position.instrument == str(AAPL)
        assert [position.quantity, position.average_price] == [4, 100]
        later = await operator.snapshot(account.ts)
        assert [order.client_order_id for order in later.orders] == ["B"]
        assert await operator.order("NEVER") is None
        found = await operator.order("A")
        assert found is not None
        assert found.status == "FILLED"
        await operator.cancel("L-2")
        await operator.cancel("L-2")  # it has ended: no error
        await operator.close_position(str(AAPL), Decimal(4), "FLAT-1")
        assert (await operator.snapshot(0)).positions == ()
        with pytest.raises(AdapterError, match="cancel failed: there is no such order"):
            await operator.cancel("L-99")
        with pytest.raises(AdapterError, match="reduce-only"):
            await operator.close_position(str(AAPL), Decimal(4), "FLAT-2")

    with broker(tmp_path) as one:
        _submit(one, "A")
        _submit(one, "B", type="LIMIT", price="90")
        operate(one, work)


def test_the_operator_never_guesses(tmp_path: Path) -> None:
    async def work(operator: LocalOperator) -> None:
        wire = operator._wire  # noqa: SLF001 - nobody else knows when it has noticed
        one.fault(on="order", drop_answer=1)
        wire._answer_secs = HASTY_SECS  # noqa: SLF001 - the answer that does not come is not waited for
        with pytest.raises(AdapterError, match="no answer to order within"):
            await operator.order("A")
        one.kill()
        async with asyncio.timeout(60):
            while wire.ready:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        with pytest.raises(AdapterError, match="venue=local_paper: snapshot failed: not connected"):
            await operator.snapshot(0)

    with broker(tmp_path) as one:
        operate(one, work)
        with pytest.raises(
            AdapterError, match=r"no broker answers on .*; start it: python -m simulators broker"
        ):
            operate(one, work)
