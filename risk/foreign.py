"""What of orders and positions that no strategy of this run sent or opened, as the venue tells them?

EXTERNAL owns what nobody here owns: it counts for every limit of the account, and no strategy trades it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from risk.desk import RiskDesk

EXTERNAL = "EXTERNAL"


def fill(  # noqa: PLR0913 - the fields of one fill
    desk: RiskDesk,
    *,
    strategy: str,
    instrument: str,
    client_order_id: str,
    trade_id: str,
    signed_quantity: Decimal,
    price: Decimal,
    commission: Decimal,
    currency: str,
    ts: int,
) -> bool:
    """Book a fill that reached no strategy's handler. Answers False for one that is known, or not of this run."""
    if instrument not in desk.book.instruments:
        return False
    desk.prices.read_peak()
    holding = desk.book.filled(
        strategy=strategy,
        instrument=instrument,
        client_order_id=client_order_id,
        trade_id=trade_id,
        signed_quantity=signed_quantity,
        price=price,
        commission=commission,
        commission_currency=currency,
        ts=ts,
    )
    if holding is None:
        return False
    desk.traded(holding, price)
    return True
