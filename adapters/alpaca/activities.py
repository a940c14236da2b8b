"""What moved money or shares in the account that no order explains? Dividends, fees, interest, transfers, splits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from nautilus_trader.common import Logger

from adapters.account import VenueFlow
from adapters.alpaca._account import activities
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca._parsing import CURRENCY, Row, amount, amount_or_zero, instrument_of, iso, nanos

SECOND = 1_000_000_000
EVERY_SECS, LOCAL_EVERY_SECS = 30.0, 1.0
MARGIN_NS = 2 * 86_400_000_000_000
"""Activities are filtered by the time at which Alpaca made them, which may be long after they took effect."""
AGAIN_NS = 7 * 86_400_000_000_000
"""So long an activity is asked for again, in case it is corrected; without an end a long run asks for thousands."""
KINDS = {
    "CSD": "transfer", "CSW": "transfer", "ACATC": "transfer", "JNLC": "transfer", "JNL": "transfer", "OCT": "transfer",
    "ACATS": "transfer", "JNLS": "transfer", "FOPT": "transfer",
    "FEE": "fee", "CFEE": "fee", "DIVFEE": "fee", "PTC": "fee", "PTR": "fee",
    "INT": "interest", "INTNRA": "interest", "INTTW": "interest",
    "DIV": "dividend", "CGD": "dividend",
    "SPLIT": "split", "SPIN": "spin-off", "MA": "merger", "NC": "name change", "REORG": "reorganisation",
    "REO": "reorganisation",
}  # fmt: skip
SHARES = ("split", "spin-off", "merger", "name change", "reorganisation")


def flow_of(row: Row) -> VenueFlow:
    """An activity that is not a trade. Its amount is what came (above zero) or went."""
    code = str(row["activity_type"])
    kind = KINDS.get(code) or ("dividend" if code.startswith("DIV") else code)
    symbol, quantity = row.get("symbol"), amount(row.get("qty"))
    shares = kind in SHARES or code in ("ACATS", "JNLS", "FOPT", "OCT", "CFEE")
    return VenueFlow(
        id=str(row["id"]),
        kind=kind,
        amount=amount_or_zero(row.get("net_amount")),
        currency=str(row.get("currency") or CURRENCY),
        instrument=None if not symbol else _instrument(row),
        quantity=quantity if shares else None,
        status=str(row.get("status") or "executed"),
        text=str(row.get("description") or code),
        ts=nanos(str(row.get("created_at") or row.get("date"))),
    )


def _instrument(row: Row) -> str:
    kind = "crypto" if row["activity_type"] == "CFEE" or "/" in str(row["symbol"]) else "us_equity"
    return instrument_of({"asset_class": kind, **row})


async def flows(api: AlpacaApi, since_ns: int) -> list[VenueFlow]:
    """All activities since then that are not trades, oldest first. Raises RequestError."""
    rows = await activities(api, {"category": "non_trade_activity", "after": iso(since_ns)})
    return [flow_of(row) for row in rows]


class FlowWatch:
    """Tells each activity once, from `open` on."""

    def __init__(self, api: AlpacaApi, on_flow: Callable[[VenueFlow], None]) -> None:
        """Asks nothing before `open`."""
        self._api, self._on_flow = api, on_flow
        self._every_secs = LOCAL_EVERY_SECS if api.endpoints.local else EVERY_SECS
        self._since: int | None = None
        self._opened = 0.0  # the monotonic clock at `open`
        self._seen: set[tuple[str, str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._log = Logger("Activities-ALPACA")

    async def open(self) -> None:
        """What was before is known; watch what comes. Raises nothing: what cannot be asked now is asked later."""
        self._opened = time.monotonic()
        await self._look(opening=True)
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_secs)
            await self._look()

    async def _look(self, *, opening: bool = False) -> None:
        """What the first look finds is known; if that comes late, what was made since `open` is news all the same."""
        try:
            if self._since is None:
                clock = await self._api.call(self._api.trading.get_clock)
                opened = nanos(clock["timestamp"]) - int((time.monotonic() - self._opened) * SECOND)
                since = opened - MARGIN_NS
                found = await flows(self._api, since)
                if not opening:
                    self._tell([each for each in found if each.ts > opened])
                self._keep(found, since)
            else:
                found = await flows(self._api, self._since)
                self._tell(found)
                self._keep(found, self._since)
        except Exception as error:  # noqa: BLE001 - no answer is no answer, whatever the reason
            self._log.warning(f"Alpaca does not tell account activities: {type(error).__name__}: {error}")

    def _tell(self, found: list[VenueFlow]) -> None:
        for flow in found:
            if (flow.id, flow.status) not in self._seen:
                self._seen.add((flow.id, flow.status))
                self._on_flow(flow)

    def _keep(self, found: list[VenueFlow], since: int) -> None:
        """Only what will be asked for again has to be remembered."""
        self._seen = {(each.id, each.status) for each in found}
        self._since = max([since, *(each.ts - AGAIN_NS for each in found)])
