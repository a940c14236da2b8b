"""What is this account, is it the one that the venue means, and may it trade?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.account import AccountFacts
from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.config import AlpacaVenueConfig
from adapters.errors import AdapterError
from adapters.outcomes import RequestError

PAPER_NUMBER = "PA"
"""Account numbers of paper accounts begin with it; those of real money never do."""
ACTIVE = "ACTIVE"
FLAGS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
OTHER = {"paper": "venue=alpaca", "live": "venue=alpaca_paper"}

Row = Mapping[str, Any]


async def read_account(config: AlpacaVenueConfig, api: AlpacaApi) -> AccountFacts:
    """The account. Raises AdapterError, one line, when it cannot be read or is of another environment."""
    try:
        row = await api.call(api.trading.get_account)
    except RequestError as error:
        raise AdapterError(f"venue={config.name}: the account cannot be read: {error}") from None
    facts = facts_of(row)
    refuse_other_account(config, facts)
    return facts


def facts_of(row: Row) -> AccountFacts:
    """The broker's row of an account in plain values."""
    return AccountFacts(
        number=str(row["account_number"]),
        currency=str(row.get("currency") or "USD"),
        equity=_amount(row, "equity"),
        cash=_amount(row, "cash"),
        buying_power=_amount(row, "buying_power"),
        trading_blocked=bool(row.get("trading_blocked")),
        blocked=tuple(_blocked(row)),
        multiplier=_amount(row, "multiplier", "1"),
        shorting=bool(row.get("shorting_enabled")),
    )


def refuse_other_account(config: AlpacaVenueConfig, facts: AccountFacts) -> None:
    """Raise AdapterError where the account is paper and the venue real money, or the other way round.

    Keys tell by their first letters, tokens do not: the account's own number is the last word on it.
    """
    is_paper = facts.number.startswith(PAPER_NUMBER)
    if config.mode in OTHER and is_paper is not (config.mode == "paper"):
        raise AdapterError(
            f"venue={config.name} is {config.mode}, but account {facts.number} is "
            f"{'a paper account' if is_paper else 'one of real money'}; {OTHER[config.mode]} is for it"
        )
    if config.currency != facts.currency:
        raise AdapterError(
            f"venue.currency={config.currency}: account {facts.number} is in {facts.currency}; set venue.currency="
            f"{facts.currency}"
        )


def refuse_blocked(config: AlpacaVenueConfig, facts: AccountFacts) -> None:
    """Raise AdapterError for an account that the broker lets send no order."""
    if facts.blocked:
        raise AdapterError(
            f"venue={config.name}: account {facts.number} may not trade: {', '.join(facts.blocked)}; the broker's "
            "page says why"
        )


def _blocked(row: Row) -> list[str]:
    status = str(row.get("status") or "unknown").rpartition(".")[2].upper()
    return [flag for flag in FLAGS if row.get(flag)] + ([] if status == ACTIVE else [f"status {status}"])


def _amount(row: Row, key: str, default: str = "0") -> Decimal:
    value = row.get(key)
    return Decimal(str(default if value is None else value))
