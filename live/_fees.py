"""What did the broker charge after the trades: fees that stand on no fill?

A node writes each as an event, in the sentence of adapters.account.VenueFlow. They are profit or loss, and of no trade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Any

from live._amounts import EXACT_DIGITS

ACCOUNT_FLOW = "ACCOUNT_FLOW"
FEE = re.compile(r"fee(?: of \S+)?: (?P<amount>-?[\d,]+(?:\.\d+)?) (?P<currency>\w+)[, ]")


def later_fees(events: Iterable[Mapping[str, Any]], currency: str) -> Decimal:
    """What they cost together, above zero, by risk events: those in the account's currency, to the cent."""
    found = (FEE.match(row["reason"]) for row in events if row["kind"] == ACCOUNT_FLOW)
    with localcontext(prec=EXACT_DIGITS):
        paid = (
            Decimal(each["amount"].replace(",", ""))
            for each in found
            if each is not None and each["currency"] == currency
        )
        return -sum(paid, Decimal(0)) + Decimal(0)
