"""Which orders of a list does Alpaca take as one: a bracket, an OTO, an OCO?

The broker then looks after the exits by itself, also while no node runs. What it cannot do as one is refused as a
whole: an entry without the exits that belong to it would be a position without protection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.alpaca._names import WireName
from adapters.alpaca._parsing import Row, is_crypto
from adapters.alpaca.orders import (
    EXTENDED_HOURS,
    LASTING,
    body_of,
    limit_of,
    parent_of,
    text_of,
    ties_of,
    trigger_of,
)

STOPS = ("STOP_MARKET", "STOP_LIMIT")
MOST_EXITS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Orders that are sent as one; the head is the entry, or the take-profit of a pair."""

    head: Any
    target: Any | None
    """The take-profit; of a pair it is the head itself."""
    stop: Any | None

    @property
    def order_class(self) -> str:
        """Alpaca's word for it."""
        if self.head is self.target:
            return "oco"
        return "oto" if self.target is None or self.stop is None else "bracket"

    @property
    def name(self) -> WireName:
        """What the head is called at Alpaca: with the names of the exits, which Alpaca names itself."""
        target = None if self.target is None or self.target is self.head else str(self.target.client_order_id)
        return WireName(
            str(self.head.client_order_id),
            target,
            None if self.stop is None else str(self.stop.client_order_id),
        )

    @property
    def members(self) -> list[Any]:
        """All of its orders, the head first."""
        return [self.head, *(each for each in (self.target, self.stop) if each not in (None, self.head))]

    def body(self) -> Row:
        """The request. Raises NotSentError for names that are too long together."""
        body = body_of(self.head, self.name) | {"order_class": self.order_class}
        if self.target is not None and (price := limit_of(self.target)) is not None:
            body["take_profit"] = {"limit_price": text_of(price)}
            if self.target is self.head:
                del body["limit_price"]
        if self.stop is not None and (trigger := trigger_of(self.stop)) is not None:
            body["stop_loss"] = {"stop_price": text_of(trigger)}
            if (price := limit_of(self.stop)) is not None:
                body["stop_loss"]["limit_price"] = text_of(price)
        return body


@dataclass(frozen=True, slots=True)
class Sorted:
    """A list, taken apart. `refused`: name -> why, for every order that cannot be sent."""

    groups: Sequence[Group]
    singles: Sequence[Any]
    refused: Mapping[str, str]


def sort(orders: Sequence[Any]) -> Sorted:
    """What belongs together in a list."""
    listed = {str(each.client_order_id): each for each in orders}
    children: dict[str, list[Any]] = {}
    heads = []
    for order in orders:
        parent = parent_of(order)
        if parent in listed:
            children.setdefault(str(parent), []).append(order)
        else:
            heads.append(order)
    groups: list[Group] = []
    singles: list[Any] = []
    refused: dict[str, str] = {}
    paired: set[str] = set()
    for head in heads:
        name = str(head.client_order_id)
        exits = children.get(name, [])
        partners = (
            [] if exits else [listed[each] for each in ties_of(head) if each in listed and each != name]
        )
        if name in paired:
            continue
        if not exits and not partners:
            singles.append(head)
            continue
        together = [head, *exits, *partners]
        paired.update(str(each.client_order_id) for each in together)
        found = _group(head, exits) if exits else _pair(head, partners)
        if isinstance(found, Group):
            groups.append(found)
        else:
            refused.update({str(each.client_order_id): found for each in together})
    known = {str(o.client_order_id) for o in (*singles, *(m for g in groups for m in g.members))}
    left = [name for name in listed if name not in known and name not in refused]
    refused.update(dict.fromkeys(left, "LIST: Alpaca takes entries with their exits, not exits of exits"))
    return Sorted(groups, singles, refused)


def tied_alone(order: Any, filled: Callable[[str], bool]) -> str | None:
    """Why an order cannot be sent by itself; `filled(name)` tells whether an order has been filled."""
    parent = parent_of(order)
    if ties_of(order):
        return "LINKED: an order that is linked with others has to come in one list with them"
    if parent is not None and not filled(parent):
        return f"LINKED: {parent} has not been filled; send it and its exits in one list"
    return None


def _group(entry: Any, exits: Sequence[Any]) -> Group | str:
    if len(exits) > MOST_EXITS:
        return f"LIST: Alpaca takes an entry with a take-profit and a stop-loss, not with {len(exits)} exits"
    roles = _roles(exits)
    if isinstance(roles, str):
        return roles
    group = Group(entry, *roles)
    return _misfit(entry, exits) or _crossed(group, buys=entry.side.name == "BUY") or group


def _pair(first: Any, others: Sequence[Any]) -> Group | str:
    if len(others) != 1:
        return f"LIST: Alpaca links two exits with each other, not {len(others) + 1}"
    roles = _roles([first, others[0]])
    if isinstance(roles, str):
        return roles
    target, stop = roles
    if first.side != others[0].side:
        return "OCO: both exits have to be on one side"
    group = Group(target, target, stop)
    return _misfit(first, others, same_side=True) or _crossed(group, buys=first.side.name == "SELL") or group


def _roles(exits: Sequence[Any]) -> tuple[Any | None, Any | None] | str:
    """The take-profit and the stop-loss."""
    target = next((each for each in exits if each.order_type.name == "LIMIT"), None)
    stop = next((each for each in exits if each.order_type.name in STOPS), None)
    if len(exits) != (target is not None) + (stop is not None):
        kinds = ", ".join(each.order_type.name for each in exits)
        return f"LIST: exits at Alpaca are one LIMIT and one {' or '.join(STOPS)}, not {kinds}"
    return target, stop


def _misfit(head: Any, others: Sequence[Any], *, same_side: bool = False) -> str | None:
    """What keeps orders from being sent as one."""
    tif, quantity = head.time_in_force.name, head.quantity.as_decimal()
    if is_crypto(str(head.instrument_id)):
        return "LIST: Alpaca takes no linked orders in crypto"
    if tif not in LASTING:
        return f"TIME_IN_FORCE: linked orders are DAY or GTC at Alpaca, not {tif}"
    if head.is_quote_quantity or quantity % 1:
        return "FRACTIONAL: linked orders take whole shares"
    if any(EXTENDED_HOURS in (each.tags or ()) for each in (head, *others)):
        return "EXTENDED_HOURS: linked orders trade in the session only"
    found = (_unlike(head, other, same_side=same_side) for other in others)
    return next((each for each in found if each is not None), None)


def _unlike(head: Any, other: Any, *, same_side: bool) -> str | None:
    if other.instrument_id != head.instrument_id or (other.side == head.side) is not same_side:
        return "LIST: exits are in the instrument of their entry, on the other side"
    if other.quantity.as_decimal() != head.quantity.as_decimal():
        return "LIST: exits at Alpaca have the quantity of their entry"
    if other.time_in_force != head.time_in_force:
        return (
            f"TIME_IN_FORCE: exits at Alpaca live as long as their entry; it is {head.time_in_force.name} and "
            f"{other.client_order_id} is {other.time_in_force.name}"
        )
    return None


def _crossed(group: Group, *, buys: bool) -> str | None:
    if group.target is None or group.stop is None:
        return None
    target, stop = limit_of(group.target) or Decimal(0), trigger_of(group.stop) or Decimal(0)
    if (target > stop) is buys:
        return None
    return (
        f"LIST: the take-profit ({text_of(target)}) is on the wrong side of the stop-loss ({text_of(stop)})"
    )
