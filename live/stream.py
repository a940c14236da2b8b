"""`python -m live stream`: what happens on an account, as it happens?"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from live._inspecting import composed_with, inspecting

if TYPE_CHECKING:
    from adapters.inspection import Inspector, Seen
    from configs.load import Composed

USAGE = """python -m live stream [venue=NAME] [run.max_minutes=N] [output=json]

Watches the orders, fills and account events (dividends, fees, transfers, splits) of an account, whoever caused them, a
line each; output=json makes that one JSON object a line. Ctrl-C ends it. Nothing is sent.

Example: python -m live stream venue=alpaca_paper run.max_minutes=0.5
"""
OK, INTERRUPTED = 0, 130
NANOS = 1_000_000_000


def stream(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return composed_with(argv, (), USAGE, lambda composed, _: _stream(composed))


def _stream(composed: Composed) -> int:
    config = composed.config
    minutes = config.run.max_minutes
    with inspecting(config) as inspector:
        return asyncio.run(
            _watched(inspector, None if minutes is None else minutes * 60, as_json=config.output == "json")
        )


async def _watched(inspector: Inspector, secs: float | None, *, as_json: bool) -> int:
    watching = asyncio.ensure_future(_tell_all(inspector, as_json=as_json))
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        watching.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(watching, secs)
    except asyncio.CancelledError:
        if not caught:
            raise
    return INTERRUPTED if signal.SIGINT in caught else OK


async def _tell_all(inspector: Inspector, *, as_json: bool) -> None:
    async with aclosing(inspector.watch()) as events:
        async for seen in events:
            sys.stdout.write((_json(seen) if as_json else _line(seen)) + "\n")
            sys.stdout.flush()


def _json(seen: Seen) -> str:
    return json.dumps({"ts": _when(seen.ts), "kind": seen.kind, "text": seen.text, **seen.values})


def _line(seen: Seen) -> str:
    return f"{_when(seen.ts)}  {seen.kind:<8}{seen.text}"


def _when(ts: int) -> str:
    return datetime.fromtimestamp(ts // NANOS, UTC).isoformat().replace("+00:00", "Z")
