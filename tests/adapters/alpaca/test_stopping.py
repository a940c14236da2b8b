"""A node stops in time whatever its looks at the account are waiting for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.adapters.alpaca.driving import Broker, Node, drive

pytestmark = pytest.mark.slow

MOST_SECS = 20.0
LOOKS = 3


def test_a_look_that_timed_out_and_is_tried_again_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    asked: list[float] = []

    async def work(broker: Broker, node: Node) -> None:
        def looks() -> int:
            return int(broker.audit()["requests"]["account"])

        node.hasten()
        broker.fault("hang", on="account", times=1000)
        before = looks()
        broker.ask("drop_streams", which="trading")
        await node.until(lambda: looks() >= before + LOOKS)
        asked.append(time.monotonic())

    drive(tmp_path, work)
    assert time.monotonic() - asked[0] < MOST_SECS
