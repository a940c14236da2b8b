"""What did a fill in crypto cost, when Alpaca takes its fee out of the coins that were bought?

No trade update says so, but each says what is held after it: what is less than before and bought is the fee. Of fills
that were asked for, the positions say it. Without it the engine would hold more coins than the account, and no order
that closes the position would be taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal

from adapters.account import VenueFill, VenueFlow, VenuePosition
from adapters.alpaca._parsing import ZERO, Row, amount, is_crypto

MOST = Decimal("0.01")
"""Of what was bought; Alpaca takes 0.25% at most. More is no fee: something else happened in between."""
MOST_KEPT = 10_000
"""Fills whose fees are remembered: they may be told again."""
SMALLEST = Decimal("1E-8")
"""What the engine can write of a coin; rounded up, so that the engine never holds more than the account."""


class Coins:
    """What is held of each pair, as the broker told last, and what it took of it."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._held: dict[str, Decimal] = {}
        self._taken: dict[str, Decimal] = {}
        self._known = False  # whether the broker has said what is held
        self._fees: dict[str, Decimal] = {}  # trade id of a fill that was seen -> its fee in coins, as told
        self._over: dict[
            str, Decimal
        ] = {}  # instrument -> coins that were told as fees beyond what was taken

    def unseen(self, fills: Iterable[VenueFill]) -> bool:
        """Whether among fills that were asked for is a buy whose fee nobody has looked for."""
        return self._known and any(each.side == "BUY" for each in self._new(fills))

    def learned(
        self, fills: Sequence[VenueFill], positions: Iterable[VenuePosition] | None, *, all_told: bool = False
    ) -> tuple[VenueFill, ...]:
        """Fills that were asked for, with the fees that the positions show; positions None: they were not asked for.

        `all_told`: positions and fills are of one moment, and no new fill is missing. Fills from before
        the positions were told for the first time have no fee here: what the engine begins with lacks it already.
        """
        held = None if positions is None else {each.instrument: each.quantity for each in positions}
        new: dict[str, list[VenueFill]] = {}
        for fill in self._new(fills):
            new.setdefault(fill.instrument, []).append(fill)
        for instrument, its_fills in new.items():
            self._learn(instrument, its_fills, held)
        if held is not None and (all_told or not self._known):
            self._held = {name: quantity for name, quantity in held.items() if is_crypto(name)}
            self._known = True
        while len(self._fees) > MOST_KEPT:
            del self._fees[next(iter(self._fees))]
        return tuple(self._with_fee(fill) for fill in fills)

    def charged(self, fill: VenueFill, update: Row) -> VenueFill:
        """The fill with the fee that the update shows."""
        now = amount(update.get("position_qty"))
        if not is_crypto(fill.instrument):
            return fill
        if now is None:
            self._learn(fill.instrument, [fill], None)
            return fill
        before, self._held[fill.instrument] = self._held.get(fill.instrument, ZERO), now
        fee = before + fill.quantity - now
        if fill.side != "BUY" or not ZERO < fee <= fill.quantity * MOST:
            self._fees[fill.trade_id] = ZERO
            return fill
        self._taken[fill.instrument] = self._taken.get(fill.instrument, ZERO) + fee
        self._fees[fill.trade_id] = self._rounded(fill.instrument, fee)
        return self._with_fee(fill)

    def explained(self, flow: VenueFlow) -> VenueFlow:
        """A fee's activity without its coins, where a fill has told them already."""
        taken = self._taken.get(flow.instrument or "", ZERO)
        if flow.kind != "fee" or flow.quantity is None or -flow.quantity > taken:
            return flow
        self._taken[str(flow.instrument)] = taken + flow.quantity
        return replace(flow, quantity=None)

    def _new(self, fills: Iterable[VenueFill]) -> list[VenueFill]:
        return [each for each in fills if is_crypto(each.instrument) and each.trade_id not in self._fees]

    def _learn(
        self, instrument: str, fills: Sequence[VenueFill], positions: Mapping[str, Decimal] | None
    ) -> None:
        """Share what is missing among the buys; what is no fee is left to whoever tells more."""
        bought = sum((each.quantity for each in fills if each.side == "BUY"), ZERO)
        sold = sum((each.quantity for each in fills if each.side != "BUY"), ZERO)
        expected = self._held.get(instrument, ZERO) + bought - sold
        lacks = ZERO if positions is None else max(ZERO, expected - positions.get(instrument, ZERO))
        fee = lacks if self._known and lacks <= bought * MOST else ZERO
        self._held[instrument] = expected - lacks
        self._taken[instrument] = self._taken.get(instrument, ZERO) + fee
        for each in fills:
            own = fee * each.quantity / bought if fee and each.side == "BUY" else ZERO
            self._fees[each.trade_id] = self._rounded(instrument, own)

    def _rounded(self, instrument: str, fee: Decimal) -> Decimal:
        """The fee as the engine can write it; all of them together are never less than taken, nor a step more."""
        exact = fee - self._over.get(instrument, ZERO)
        told = max(ZERO, exact).quantize(SMALLEST, ROUND_UP)
        self._over[instrument] = told - exact
        return told

    def _with_fee(self, fill: VenueFill) -> VenueFill:
        fee = self._fees.get(fill.trade_id)
        if not fee:
            return fill
        return replace(fill, commission=fee, currency=fill.instrument.partition("/")[0])
