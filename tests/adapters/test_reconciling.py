"""A look at the account takes in what it can, whatever else goes wrong, and the next one comes all the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.account import VenueOrder, VenueSnapshot
from adapters.execution import Patience
from adapters.reconciling import Reconciling

QUICK = Patience(answer_secs=60.0, first_wait_secs=0.01, longest_wait_secs=0.01, reconcile_secs=0.01)


def order(name: str) -> VenueOrder:
    return VenueOrder(
        name, f"at-{name}", "AAPL.ALPACA", "BUY", "LIMIT", Decimal(1), Decimal(0), None, Decimal(90), None, "GTC",
        "ACCEPTED", reduce_only=False, ts=1,
    )  # fmt: skip


@dataclass
class Client:
    """What a client is to `Reconciling`: it answers snapshots, and cannot take in the order called "bad"."""

    patience: Patience = QUICK
    ready: bool = True
    logged: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    looks: int = 0

    @property
    def log(self) -> Client:
        return self

    book = log

    def __iter__(self) -> Any:
        return iter(())

    def exception(self, line: str) -> None:
        self.logged.append(line)

    warning = exception

    def bundle(self, order: VenueOrder, _fills: Any) -> None:
        if order.name == "bad":
            raise ValueError("it cannot be taken in")
        self.taken.append(order.name)

    def account_news(self, _account: Any) -> None: ...

    async def snapshot(self, _since: int) -> VenueSnapshot:
        self.looks += 1
        orders = (order("bad"), order("good"))
        return VenueSnapshot("PA1", "USD", Decimal(1), None, None, orders, (), (), 5)


class Failing(Reconciling):
    """Its looks raise what nobody thought of."""

    times = 0

    async def catch_up(self) -> None:
        self.times += 1
        raise ValueError("by the test")


def test_an_order_that_cannot_be_taken_in_keeps_no_other_from_it() -> None:
    there: Any = Client()
    one = Reconciling(there)
    asyncio.run(asyncio.wait_for(one.catch_up(), 60))
    assert (there.taken, there.looks, one.seen_ns) == (["good"], 1, 5)
    assert there.logged == ["order bad of the account cannot be taken in"]


def test_a_look_that_fails_is_not_the_last() -> None:
    there: Any = Client()
    one = Failing(there)

    async def work() -> None:
        looking = asyncio.ensure_future(one.look_now_and_then())
        async with asyncio.timeout(60):
            while one.times < 3:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        assert looking.cancelled()

    asyncio.run(work())
    assert len(there.logged) >= 3
