"""When may an order be sent, when may it fill, and when has it run out of time?"""

from __future__ import annotations

from simulators.alpaca.assets import Asset
from simulators.alpaca.calendar import CLOSED, REGULAR, Calendar
from simulators.alpaca.orders import Order
from simulators.alpaca.refusal import unprocessable
from simulators.alpaca.tickets import Ticket
from simulators.alpaca.wire import MINUTE

DAY = 1440 * MINUTE
GTC_DAYS = 90
BEFORE_OPEN, BEFORE_CLOSE, AFTER_CLOSE = 2 * MINUTE, 10 * MINUTE, 180 * MINUTE
"""Orders for the auctions end so long before them, and begin again so long after the close."""


def is_tradable(order: Order, calendar: Calendar, now: int) -> bool:
    """Whether its kind of order may fill at this time of day."""
    if order.is_crypto:
        return True
    phase = calendar.phase(now)
    return phase == REGULAR or (phase != CLOSED and order.extended_hours)


def expiry(order: Order, calendar: Calendar) -> int:
    """When it runs out, in UTC nanoseconds."""
    if order.time_in_force == "gtc":
        return order.created_at + GTC_DAYS * DAY
    if order.is_crypto:
        return order.created_at + DAY
    session = calendar.current(order.created_at)
    if not order.extended_hours and order.created_at >= session.close:
        session = calendar.current(session.last + 1)
    return session.last if order.extended_hours else session.close


def check(ticket: Ticket, asset: Asset, calendar: Calendar, now: int) -> None:
    """Raises RefusedError 422 for orders of the auctions, and those that cannot wait, at the wrong time."""
    if asset.is_crypto:
        return
    session = calendar.current(now)
    reopens = session.close + AFTER_CLOSE
    if ticket.time_in_force == "opg" and session.open - BEFORE_OPEN <= now < reopens:
        raise unprocessable("market-on-open orders are accepted after 7:00pm and before 9:28am ET only")
    if ticket.time_in_force == "cls" and session.close - BEFORE_CLOSE <= now < reopens:
        raise unprocessable("market-on-close orders are accepted after 7:00pm and before 3:50pm ET only")
    if ticket.time_in_force in ("ioc", "fok") and session.phase(now) != REGULAR:
        raise unprocessable(f"{ticket.time_in_force} orders are accepted in regular market hours only")
