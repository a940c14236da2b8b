"""Whatever the moment a run ends at, the next one knows the halt, the peak, and whether positions were being closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from risk.breaker import RiskState
from runs.errors import HaltedError
from tests.faults.kept import KeptAccount
from tests.faults.running import run_from
from tests.faults.scenes import DAY, HOLDS, KINDS, MODES, SECOND, T0, market

pytestmark = pytest.mark.slow

everywhere = pytest.mark.parametrize("mode", MODES)
on_both = pytest.mark.parametrize("kind", KINDS)
FLATTENS = {"max_drawdown_pct": 0.1, "on_trip": "flatten"}


def kept(folder: Path, state: RiskState) -> KeptAccount:
    """The state as a paper account's journal keeps it."""
    store = KeptAccount(folder)
    store.write(state)
    return store


@everywhere
@on_both
def test_a_restart_inside_a_breach_is_refused_and_after_a_resume_counts_from_there(
    mode: str, kind: str, tmp_path: Path
) -> None:
    """Halted at 85,000.

    The next run is refused, however often it is tried. A person resumes: 10% are counted from the 85,000 that were
    shown, so an account that has 78,000 left is halted at its first price, before any order.
    """
    desk, _ = run_from(
        mode, HOLDS[kind], market(kind, [100, 100, 100, 85, 85, 85]), kind, {"max_drawdown_pct": 0.1}
    )
    assert desk.breakers.halted
    store = kept(tmp_path, desk.breakers.state)
    for _ in range(2):
        with pytest.raises(HaltedError, match="is halted: DRAWDOWN"):
            store.refuse_if_halted()
    before, after = store.resume("looked at it")
    assert (before.peak, after.peak, after.state) == (desk.breakers.state.peak, before.equity, "ACTIVE")
    resumed = store.refuse_if_halted()
    for cash, halted in (
        (78_000, False),
        (76_000, True),
    ):  # 10% below is 76,500; on quotes, at the bid, 76,482
        desk, recorder = run_from(
            mode, HOLDS[kind], market(kind, [70] * 4, start=T0 + 9 * DAY), kind, {"max_drawdown_pct": 0.1},
            state=resumed, cash=cash,
        )  # fmt: skip
        assert desk.breakers.halted is halted
        if halted:
            assert [(trip["ts"], trip["reference"]) for trip in recorder.trips] == [
                (T0 + 9 * DAY, after.peak)
            ]
            assert recorder.fills == []


@everywhere
@on_both
def test_a_restart_before_a_breach_goes_on_from_the_peak(mode: str, kind: str, tmp_path: Path) -> None:
    """The first run made a peak of 120,000 and ended at 111,000 (-7.5%), not halted.

    The next begins with 100,000, which is 16.7% below: a restart inside a breach. It is halted at its first price,
    before any order.
    """
    first = market(kind, [100, 100, 120, 120, 120, 111, 111, 111])
    desk, recorder = run_from(mode, HOLDS[kind], first, kind, {"max_drawdown_pct": 0.1})
    assert recorder.trips == []
    store = kept(tmp_path, desk.breakers.state)
    state = store.refuse_if_halted()
    again = market(kind, [100] * 8, start=T0 + 9 * DAY)
    _, recorder = run_from(mode, HOLDS[kind], again, kind, {"max_drawdown_pct": 0.1}, state=state)
    (trip,) = recorder.trips
    assert (trip["breaker"], trip["reference"]) == ("DRAWDOWN", desk.breakers.state.peak)
    assert trip["ts"] == T0 + 9 * DAY
    assert {refusal["limit"] for refusal in recorder.refusals} == {"HALTED"}
    assert recorder.fills == []


@everywhere
def test_a_restart_within_the_day_keeps_its_start_and_its_orders(mode: str, tmp_path: Path) -> None:
    """2% a day: 1% was lost before the restart; a second one after it trips, and five orders are five of the six."""
    limits = {"max_daily_loss_pct": 0.02, "max_orders_per_day": 6}
    desk, recorder = run_from(
        mode, HOLDS["quotes"], market("quotes", [100, 100, 99.5, 99, 99, 99]), "quotes", limits
    )
    assert recorder.trips == []
    state = kept(tmp_path, desk.breakers.state).read()
    assert state.orders_today == 5
    assert state.day_start == 100_000
    again = market("quotes", [100, 100, 99.5, 98.8, 98.7, 98.6], start=T0 + 60 * SECOND)
    desk, recorder = run_from(mode, HOLDS["quotes"], again, "quotes", limits, state=state, cash=99_000)
    (trip,) = recorder.trips
    assert (trip["breaker"], trip["reference"]) == ("DAILY_LOSS", 100_000)
    assert trip["ts"] == T0 + 65 * SECOND
    assert recorder.refusals[0]["limit"] == "MAX_ORDERS_PER_DAY"


# -- a crash between the trip and the end of flattening ----------------------------------------------------------------


@everywhere
@on_both
def test_a_crash_between_trip_and_flatten_is_known_to_the_next_run(
    mode: str, kind: str, tmp_path: Path
) -> None:
    """The state is written in the middle of the trip, before anything is closed: it is what is left after a kill.

    It says halted, and that positions were to be closed; the next run is refused and says so.
    """
    stores: list[KeptAccount] = []
    rows = market(kind, [100, 100, 100, 85, 85, 85, 85])
    desk, recorder = run_from(
        mode, HOLDS[kind], rows, kind, FLATTENS, on_trip=lambda state: stores.append(kept(tmp_path, state))
    )
    (store,) = stores
    state = store.read()
    assert (state.state, state.flattening) == ("HALTED", True)
    with pytest.raises(HaltedError, match=r"is halted: DRAWDOWN.*positions may still be open"):
        store.refuse_if_halted()
    assert recorder.notices[-1]["kind"] == "FLAT"
    assert not desk.breakers.state.flattening  # done: a restart after this is not told so
    with pytest.raises(HaltedError) as done:
        kept(tmp_path, desk.breakers.state).refuse_if_halted()
    assert "positions" not in str(done.value)


@everywhere
@on_both
def test_flattening_goes_on_where_a_run_may_start_again(mode: str, kind: str) -> None:
    """A daily halt ended with its day while its positions were still being closed, and the run ended too.

    The next one may start: it tells a person, closes what it holds, and says that it is flat.
    """
    state = RiskState.from_row(
        {
            "state": "ACTIVE", "breaker": None, "reason": None, "peak": "100000", "day": "2024-01-02",
            "day_start": "100000", "equity": "95000", "orders_today": 0, "flattening": True, "begun": True,
        }
    )  # fmt: skip
    desk, recorder = run_from(mode, HOLDS[kind], market(kind, [100] * 5), kind, FLATTENS, state=state)
    told: list[dict[str, Any]] = recorder.notices
    assert [notice["kind"] for notice in told[:3]] == ["ALARM", "FLATTEN", "FLAT"]
    assert told[0]["reason"] == "the run before this one ended before it was flat: look at the positions"
    assert not desk.breakers.state.flattening
