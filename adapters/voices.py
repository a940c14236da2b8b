"""In which form is the engine told of an order: as events of an order it sent, or as reports of one it did not?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import Currency, TradeId, VenueOrderId

from adapters.account import VenueFill, VenueOrder
from adapters.reports import Reporter, liquidity_of, money_of, price_of, quantity_of
from adapters.tracking import Tracked

if TYPE_CHECKING:
    from nautilus_trader.live.clients import ExecutionClient


class EventVoice:
    """Events of an order that this node sent."""

    def __init__(self, client: ExecutionClient, order: Any, instrument: Any) -> None:
        """`order` is the engine's own."""
        self._client = client
        self._order = order
        self._instrument = instrument

    def live(self, tracked: Tracked, ts: int) -> None:
        """Accepted."""
        self._client.generate_order_accepted(self._order, VenueOrderId(str(tracked.venue_order_id)), ts)

    def filled(self, _tracked: Tracked, fill: VenueFill) -> None:
        """Filled, in part or whole."""
        self._client.generate_order_filled(
            self._order,
            VenueOrderId(fill.venue_order_id),
            None,
            TradeId(fill.trade_id),
            quantity_of(fill.quantity, self._instrument),
            price_of(fill.price, self._instrument),
            Currency.from_str(fill.currency),
            money_of(fill.commission, fill.currency),
            liquidity_of(fill.liquidity),
            fill.ts,
        )

    def changed(self, _tracked: Tracked, news: VenueOrder) -> None:
        """Updated."""
        self._client.generate_order_updated(
            self._order,
            VenueOrderId(news.venue_order_id),
            quantity_of(news.quantity, self._instrument),
            None if news.price is None else price_of(news.price, self._instrument),
            None if news.trigger_price is None else price_of(news.trigger_price, self._instrument),
            None,
            news.ts,
        )

    def ended(self, _tracked: Tracked, news: VenueOrder) -> None:
        """Cancelled or expired; an order that was live is never rejected any more."""
        tell = (
            self._client.generate_order_expired
            if news.status == "EXPIRED"
            else self._client.generate_order_canceled
        )
        tell(self._order, VenueOrderId(news.venue_order_id), news.ts)

    def rejected(self, reason: str, ts: int) -> None:
        """Rejected."""
        self._client.generate_order_rejected(self._order, reason, ts, due_post_only=False)


class ReportVoice:
    """Reports of an order that this node did not send: of its former life, or of somebody else's.

    Fills always come with a status: a status alone would make the engine invent a fill.
    """

    def __init__(self, client: ExecutionClient, reporter: Reporter, instrument: Any) -> None:
        """`instrument` None: the node does not know it, so the engine cannot be told."""
        self._client = client
        self._reporter = reporter
        self._instrument = instrument

    def live(self, tracked: Tracked, _ts: int) -> None:
        """It is there."""
        if tracked.last is not None:
            self._report(self._standing(tracked, tracked.last, "ACCEPTED"), None)

    def filled(self, tracked: Tracked, fill: VenueFill) -> None:
        """A fill, with where the order stands after it; one that came late is in the engine's position already."""
        late = tracked.filled <= tracked.before
        if tracked.last is not None and self._instrument is not None and not late:
            named = replace(fill, client_order_id=tracked.client_order_id)
            report = self._reporter.fill(named, self._instrument, self._client.clock.timestamp_ns())
            self._report(self._standing(tracked, tracked.last, "FILLED"), [report])

    def changed(self, tracked: Tracked, news: VenueOrder) -> None:
        """Where it stands."""
        self._report(self._standing(tracked, news, news.status), None)

    def ended(self, tracked: Tracked, news: VenueOrder) -> None:
        """How it ended."""
        self._report(self._standing(tracked, news, news.status), None)

    def rejected(self, reason: str, ts: int) -> None:
        """The engine never heard of it, and need not."""

    @staticmethod
    def _standing(tracked: Tracked, news: VenueOrder, status: str) -> VenueOrder:
        """The order as far as its fills were told."""
        if status in ("FILLED", "PARTIALLY_FILLED", "ACCEPTED", "PENDING"):
            status = (
                "FILLED"
                if tracked.filled >= news.quantity
                else "PARTIALLY_FILLED"
                if tracked.filled
                else "ACCEPTED"
            )
        rest = tracked.rest(news, tracked.filled)
        if status == "PARTIALLY_FILLED" and not rest.filled:
            status = "ACCEPTED"
        return replace(rest, client_order_id=tracked.client_order_id, status=status)

    def _report(self, order: VenueOrder, fills: list[Any] | None) -> None:
        if self._instrument is not None:
            now = self._client.clock.timestamp_ns()
            self._client._handle_report(self._reporter.order(order, self._instrument, now), fills)  # noqa: SLF001 - the engine's way for adapters to report
