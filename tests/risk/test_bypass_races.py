"""Two strategies at once: who gets the last of a limit is the same in every run, and nobody gets more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.driving import MODES, Driven, bars, drive
from tests.risk.attacks import BUY, SELL, Attacker

both_modes = pytest.mark.parametrize("mode", MODES)
LIMIT = {"max_leverage": 0.1}
"""10,000 of 100,000: a hundred shares for all strategies together."""
REPEATS = 3
"""The engine hands a bar to its subscribers in a random order: once more is no proof."""


class Greedy(Attacker):
    """Buys 60 at once, and 30 more in the callback of the fill."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.market(BUY, 60))
        if n == 4:
            self.submit_order(self.market(BUY, 5))

    def on_order_filled(self, event: Any) -> None:
        if str(event.last_qty) == "60":
            self.submit_order(self.market(BUY, 30))
            self.submit_order(self.market(BUY, 10))


class GreedyToo(Greedy):
    pass


def taken(driven: Driven) -> list[tuple[str, int]]:
    return [(row["strategy"].partition("-")[0], int(row["quantity"])) for row in driven.record.fills]


@both_modes
@pytest.mark.parametrize("order", [[Greedy, GreedyToo], [GreedyToo, Greedy]], ids=["ab", "ba"])
def test_the_last_of_a_limit_goes_by_configured_order_in_every_run(
    mode: str, order: list[type[Attacker]]
) -> None:
    """60 of the first, then its 30 and 10 from the callback of the fill; nothing is left for the second."""
    seen = []
    for _ in range(REPEATS):
        driven = drive(mode, order, bars([100.0] * 6), risk=LIMIT)
        assert sum(row["quantity"] for row in driven.record.fills) == 100
        refused = [
            (row["strategy"].partition("-")[0], int(row["quantity"])) for row in driven.record.refusals
        ]
        seen.append((taken(driven), refused))
    first, second = (each.__name__ for each in order)
    assert (
        seen == [([(first, 60), (first, 30), (first, 10)], [(second, 60), (first, 5), (second, 5)])] * REPEATS
    )


class Shares(Attacker):
    """30 on its bar, 30 more as its fill comes in: both strategies have some by then."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.submit_order(self.market(BUY, 30))

    def on_order_filled(self, event: Any) -> None:
        if str(event.last_qty) == "30":
            self.submit_order(self.market(BUY, 25))


class SharesToo(Shares):
    pass


@both_modes
@pytest.mark.parametrize("order", [[Shares, SharesToo], [SharesToo, Shares]], ids=["ab", "ba"])
def test_what_is_sent_as_fills_come_in_goes_by_the_order_of_the_fills(
    mode: str, order: list[type[Attacker]]
) -> None:
    """30 and 30 are held or counted when the first fill comes in: 25 more pass, the second 25 do not."""
    for _ in range(REPEATS):
        driven = drive(mode, order, bars([100.0] * 5), risk=LIMIT)
        first, second = (each.__name__ for each in order)
        assert sorted(taken(driven)) == sorted([(first, 30), (second, 30), (first, 25)])
        assert [row["strategy"].partition("-")[0] for row in driven.record.refusals] == [second]


class Loses(Attacker):
    """Holds 100 of a falling price, and is flattened by a limit of its own."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 100))
            self.submit_order(self.resting(BUY, 1, 50))

    def on_order_event(self, event: Any) -> None:
        if type(event).__name__ in ("OrderPendingCancel", "OrderCanceled", "OrderFilled"):
            self.events.append(type(event).__name__)


class Interferes(Attacker):
    """Trades the same instrument, on both sides, whenever the other one is being flattened."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))
        if n >= 3:
            self.submit_order(self.market(SELL if n % 2 else BUY, 10))
            self.submit_order(self.resting(BUY, 5, 60))


@both_modes
@pytest.mark.parametrize("whole_book", [True, False], ids=["book", "strategy"])
def test_an_order_of_another_strategy_during_a_flattening(mode: str, whole_book: bool) -> None:
    """While the book is flattened nobody opens anything; one strategy's flattening leaves the other alone."""
    limits: dict[str, Any] = {"max_drawdown_pct": 0.01}
    risk = limits if whole_book else {"overrides": [{"strategy": "Loses-001", **limits}]}
    rows = bars([100.0, 100, 88, 88, 88, 88])
    driven = drive(
        mode, [Loses, Interferes], rows, risk={**risk, "on_trip": "flatten", "allow_self_crossing": True}
    )
    assert [trip["scope"] for trip in driven.record.trips] == ["book" if whole_book else "strategy:Loses-001"]
    held = {holding.strategy: holding.position for holding in driven.desk.book.held()}
    sold = [
        row["quantity"]
        for row in driven.record.fills
        if row["strategy"] == "Loses-001" and row["side"] == "SELL"
    ]
    assert "Loses-001" not in held
    assert sum(sold) == 100
    if whole_book:
        assert held == {}
        assert set(driven.limits) == {"HALTED"}
    else:
        assert driven.limits == []
        assert not driven.desk.breakers.halted
    assert [row["reason"] for row in driven.record.notices if row["kind"] == "ALARM"] == []


class Gossips(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.publish_message("now", 1)


class Hears(Attacker):
    def on_start(self) -> None:
        super().on_start()
        self.subscribe_topic("now", lambda _message: self.submit_order(self.market(BUY, 60)))


class HearsToo(Hears):
    pass


@both_modes
def test_a_message_that_two_strategies_race_for_fills_no_more_than_the_limit(mode: str) -> None:
    """Who of them hears it first is the engine's choice, and may differ from run to run (engine.md 1)."""
    driven = drive(mode, [Gossips, Hears, HearsToo], bars([100.0] * 5), risk=LIMIT)
    assert [row["quantity"] for row in driven.record.fills] == [60]
    assert driven.limits == ["MAX_LEVERAGE"]
