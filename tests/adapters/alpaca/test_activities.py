"""Activities that no order explains are told once each, however long a node runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from adapters.account import VenueFlow
from adapters.alpaca._account import ACTIVITIES_PAGE
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.activities import LOCAL_EVERY_SECS, FlowWatch
from adapters.alpaca.keys import REHEARSAL
from tests.adapters.alpaca.driving import Broker, config_of

MANY = ACTIVITIES_PAGE + 20
EIGHT_DAYS_SECS = 8 * 86_400
LOOKS = 4


async def _until(condition: Callable[[], bool], secs: float = 60) -> None:
    async with asyncio.timeout(secs):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def test_each_activity_is_told_once_and_those_of_long_ago_are_not_asked_for_any_more(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    told: list[VenueFlow] = []

    def looks() -> int:
        return int(broker.audit()["requests"]["activities"])

    async def watched() -> None:
        api = AlpacaApi(config_of(broker.url), REHEARSAL)
        watch = FlowWatch(api, told.append)
        await watch.open()
        try:
            for _ in range(MANY):
                broker.ask("activity", type="FEE", net_amount="-0.01")
            await _until(lambda: len(told) == MANY)
            broker.ask("clock", secs=EIGHT_DAYS_SECS)
            broker.ask("activity", type="INT", net_amount="0.05")
            await _until(lambda: len(told) == MANY + 1)
            before, began = looks(), time.monotonic()
            await _until(lambda: looks() - before >= LOOKS)
            most = (time.monotonic() - began) / LOCAL_EVERY_SECS + 1
            assert most >= LOOKS, "a look takes more than one page"
        finally:
            await watch.close()
            api.close()

    try:
        asyncio.run(watched())
    finally:
        broker.kill()
    assert len({each.id for each in told}) == MANY + 1


def test_what_comes_while_the_first_look_fails_is_told_and_what_was_before_is_not(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    told: list[VenueFlow] = []

    async def watched() -> None:
        api = AlpacaApi(config_of(broker.url), REHEARSAL)
        broker.ask("activity", type="CSD", net_amount="1")
        broker.ask("clock", secs=3600)
        broker.fault("status", status=500, on="activities", times=1)
        watch = FlowWatch(api, told.append)
        await watch.open()
        try:
            broker.ask("activity", type="CSD", net_amount="5000")
            await _until(lambda: bool(told))
            await asyncio.sleep(1.5)
        finally:
            await watch.close()
            api.close()

    try:
        asyncio.run(watched())
    finally:
        broker.kill()
    assert [each.amount for each in told] == [5000]
