"""A clock that goes back, and days of 23 and 25 hours, neither halt an account nor let one off."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.driving import Scripted, drive
from tests.faults.scenes import (
    HELD,
    HOLDS,
    HOUR,
    KINDS,
    MINUTE,
    MODES,
    SECOND,
    STEP,
    T0,
    OnQuotes,
    bar,
    kinds_of,
    market,
    quote,
)

pytestmark = pytest.mark.slow

everywhere = pytest.mark.parametrize("mode", MODES)
on_both = pytest.mark.parametrize("kind", KINDS)


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def set_back(kind: str, prices: list[float], back: int, start: int = T0) -> list[Any]:
    """Updates that arrive a minute apart; from number `back` on their stamps tell an hour before."""
    rows, before = [], prices[0]
    for number, price in enumerate(prices):
        arrives = start + number * MINUTE
        told = arrives - HOUR if number >= back else arrives
        made = bar(before, price, told, ts_init=arrives) if kind == "bars" else _quote(price, told, arrives)
        rows.append(made)
        before = price
    return rows


def _quote(price: float, told: int, arrives: int) -> Any:
    made = quote(price, told)
    return type(made)(
        made.instrument_id, made.bid_price, made.ask_price, made.bid_size, made.ask_size, told, arrives
    )


@everywhere
@on_both
def test_a_clock_that_goes_back_an_hour_halts_nobody_and_begins_no_day_twice(mode: str, kind: str) -> None:
    """The stamps go back from 09:40 to 08:40 and on from there.

    Nothing trips, the day keeps its start, its orders stay counted (those from before are among the twelve that may
    be sent), and market time does not go back.
    """
    driven = drive(
        mode, HOLDS[kind], set_back(kind, [100] * 20, back=10), kind=kind,
        risk={"max_daily_loss_pct": 0.05, "max_drawdown_pct": 0.1, "max_orders_per_day": 12},
    )  # fmt: skip
    state = driven.desk.breakers.state
    assert driven.record.trips == []
    assert (state.day, state.orders_today) == ("2024-01-02", 12)
    assert state.day_start == 100_000
    assert driven.limits == ["MAX_ORDERS_PER_DAY"] * 7
    assert driven.desk.market_now() >= T0 + 9 * MINUTE


@everywhere
@on_both
def test_over_midnight_a_clock_that_goes_back_begins_no_day_twice(mode: str, kind: str) -> None:
    """It goes back over midnight, into the day before, which began at 100,000.

    The new day began at 98,500: 2% of loss is at 96,530 and stays there, it is neither at 98,000 again nor does a
    third day begin.
    """
    midnight = stamp("2024-01-03T00:00:00-05:00")
    first = market(kind, [100, 100, 98.5], start=midnight - 3 * MINUTE, step=MINUTE)
    falls = [98.5, 98.5, 97.5, 97.4, 97.3, 96.6, 96.5, 96.4, 96.3, 96.2, 96.1]
    driven = drive(
        mode, HOLDS[kind], first + set_back(kind, falls, back=2, start=midnight + MINUTE), kind=kind,
        risk={"max_daily_loss_pct": 0.02},
    )  # fmt: skip
    state = driven.desk.breakers.state
    assert state.day == "2024-01-03"
    assert abs(state.day_start - 98_500) <= HELD * Decimal("0.02")
    (trip,) = driven.record.trips
    assert (trip["breaker"], trip["reference"]) == ("DAILY_LOSS", state.day_start)
    assert Decimal(96250) < trip["equity"] <= Decimal(96530)


@everywhere
@on_both
def test_a_real_loss_trips_while_the_clock_is_back(mode: str, kind: str) -> None:
    """The fall comes after the stamps went back, and is closed at once: nothing waits for the clock."""
    rows = set_back(kind, [100] * 8 + [85, 84.9, 84.8, 84.7, 84.6], back=6)
    driven = drive(mode, HOLDS[kind], rows, kind=kind, risk={"max_drawdown_pct": 0.1, "on_trip": "flatten"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["DRAWDOWN"]
    assert driven.record.trips[0]["ts"] >= T0 + 5 * MINUTE
    assert kinds_of(driven)[-1] == "FLAT"
    assert driven.desk.book.is_flat()


# -- days of 23 and 25 hours -------------------------------------------------------------------------------------------


class BuysAtOnce(Scripted):
    def at_bar(self, n: int, _update: Any) -> None:
        if n == 1:
            self.buy(HELD)


class BuysAtOnceOnQuotes(OnQuotes, BuysAtOnce):
    pass


BUYS: dict[str, type[Scripted]] = {"bars": BuysAtOnce, "quotes": BuysAtOnceOnQuotes}
LONG = ("2024-11-03T00:00:00-04:00", 25)
SHORT = ("2024-03-10T00:00:00-05:00", 23)


@everywhere
@on_both
@pytest.mark.parametrize(("begins", "hours"), [LONG, SHORT])
@pytest.mark.parametrize("where", ["inside", "across"])
def test_a_loss_counts_within_its_day_however_many_hours_that_has(
    mode: str, kind: str, begins: str, hours: int, where: str
) -> None:
    """The day of the change has 25 (or 23) hours.

    1.5% is lost in its first hours, and 1% more either in its last hour, which trips at 2%, or in the first hour of
    the next day, which does not: that day starts from 98,500.
    """
    midnight = stamp(begins)
    ends = midnight + hours * HOUR
    second = ends - HOUR + MINUTE if where == "inside" else ends
    rows = [
        *market(kind, [100, 100, 98.5, 98.5, 98.5], start=midnight, step=MINUTE),
        *market(kind, [97.5, 97.49, 97.48], start=second, step=MINUTE, gaps=True),
    ]
    driven = drive(mode, BUYS[kind], rows, kind=kind, risk={"max_daily_loss_pct": 0.02})
    if where == "inside":
        late = 0 if kind == "bars" else 2
        assert [(trip["breaker"], trip["ts"]) for trip in driven.record.trips] == [
            ("DAILY_LOSS", second + late * MINUTE)
        ]
        assert driven.record.trips[0]["reference"] == 100_000
    else:
        assert driven.record.trips == []
        assert abs(driven.desk.breakers.state.day_start - 98_500) <= 20
    assert driven.desk.breakers.next_roll == ends + (0 if where == "inside" else 24 * HOUR)


class OneAnHour(Scripted):
    """Asks for one share an update."""

    def at_bar(self, _n: int, _update: Any) -> None:
        self.buy(1)


class OneAnHourOnQuotes(OnQuotes, OneAnHour):
    pass


@everywhere
@on_both
@pytest.mark.parametrize(("begins", "hours"), [LONG, SHORT])
def test_orders_are_counted_anew_when_the_day_ends_and_not_before(
    mode: str, kind: str, begins: str, hours: int
) -> None:
    """An order an hour, ten a day: from the 11th on they are refused until the day is over, after 25 (23) hours."""
    midnight = stamp(begins)
    rows = market(kind, [100] * (hours + 3), start=midnight, step=HOUR)
    asks = {"bars": OneAnHour, "quotes": OneAnHourOnQuotes}[kind]
    driven = drive(mode, asks, rows, kind=kind, risk={"max_orders_per_day": 10})
    refused = [(refusal["ts"] - midnight) // HOUR for refusal in driven.record.refusals]
    assert refused == list(range(10, hours))


@everywhere
@pytest.mark.parametrize(("begins", "hours"), [LONG, SHORT])
def test_a_daily_halt_ends_with_its_day_however_many_hours_that_has(
    mode: str, begins: str, hours: int
) -> None:
    """Halted in the third hour; new exposure is refused for the rest of a day of 25 (23) hours, and passes after it."""
    midnight = stamp(begins)
    rows = market("quotes", [100, 100, 95, *[94.9, 94.8] * hours], start=midnight, step=HOUR)[: hours + 3]
    driven = drive(mode, HOLDS["quotes"], rows, kind="quotes", risk={"max_daily_loss_pct": 0.02})
    (trip,) = driven.record.trips
    assert trip["ts"] == midnight + 4 * HOUR
    assert [(r["ts"] - midnight) // HOUR for r in driven.record.refusals] == list(range(4, hours))
    assert "HALT_ENDED" in kinds_of(driven)
    assert not driven.record.halted


def test_the_steps_between_updates_are_days_and_seconds() -> None:
    assert STEP["bars"] == 24 * HOUR
    assert STEP["quotes"] == SECOND
