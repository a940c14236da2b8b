"""While no updates come the account is looked at again and again, also after a look that failed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.alpaca._account_feed import AccountFeed, Hearers
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.keys import REHEARSAL
from tests.adapters.alpaca.driving import config_of

pytestmark = pytest.mark.slow


def test_a_look_that_fails_is_not_the_last() -> None:
    looks: list[int] = []
    second = asyncio.Event()

    def nothing(*_: Any) -> None: ...

    async def look() -> None:
        looks.append(len(looks))
        if len(looks) > 1:
            second.set()
        raise ValueError("by the test")

    async def work() -> None:
        api = AlpacaApi(config_of("http://127.0.0.1:9"), REHEARSAL)  # nobody is there
        feed = AccountFeed(api, Hearers(update=nothing, gap=nothing, look=look, account=look))
        await feed.open()
        try:
            await asyncio.wait_for(second.wait(), 60)
        finally:
            await feed.close()
            api.close()

    asyncio.run(work())
