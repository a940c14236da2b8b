"""Over 1,000 random markets with wrong prices in them no halt is false and none is missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.driving import Driven, drive
from tests.faults.oracle import Truth
from tests.faults.paths import Follows, FollowsOnQuotes, Path, path

pytestmark = pytest.mark.slow

PATHS = 1_000
STRATEGY = {"bars": Follows, "quotes": FollowsOnQuotes}
NEEDED = {"bars": 1, "quotes": 3}
TRUSTING: dict[str, Any] = {"untrusted_jump_pct": "off", "tick_confirmations": 1}


@dataclass
class Tally:
    """What came of many paths; seeds of those that went wrong."""

    paths: int = 0
    halted: int = 0
    required: int = 0
    wrong_prices: int = 0
    false: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.paths} paths with {self.wrong_prices} wrong prices: {self.halted} halts, {self.required} of them "
            f"due; false: {len(self.false)} {self.false[:5]}, missed: {len(self.missed)} {self.missed[:5]}"
        )


def run(made: Path, mode: str = "backtest", **risk: Any) -> Driven:
    """The path behind the real desk, in the real engine; risk settings on top of the path's own."""
    Follows.now = made
    return drive(
        mode, STRATEGY[made.kind], made.rows(), risk={**made.risk, **risk}, kind=made.kind, symbols=made.symbols,
        venue={"account_type": "margin", "leverage": 4},
    )  # fmt: skip


def judge(tally: Tally, seed: int, made: Path, driven: Driven) -> None:
    """Compare the first halt with what really happened."""
    truth = Truth(made, driven.record.fills, NEEDED[made.kind])
    halt = driven.record.trips[0]["ts"] if driven.record.trips else None
    deadline = truth.deadline()
    tally.paths += 1
    tally.wrong_prices += sum(each.wrong for each in made.told)
    tally.halted += halt is not None
    tally.required += deadline is not None
    if halt is not None and truth.is_false(halt):
        tally.false.append(seed)
    if deadline is not None and (halt is None or halt > deadline):
        tally.missed.append(seed)


def tallied(kind: str, seeds: range, **risk: Any) -> Tally:
    """What comes of the paths of these seeds."""
    tally = Tally()
    for seed in seeds:
        made = path(seed, kind)
        judge(tally, seed, made, run(made, **risk))
    print(f"{kind}, backtest: {tally}")  # noqa: T201 - the counts, for whoever runs pytest -rP
    return tally


@pytest.mark.parametrize("kind", ["bars", "quotes"])
def test_no_halt_is_false_and_none_is_missed(kind: str) -> None:
    tally = tallied(kind, range(PATHS))
    assert (tally.false, tally.missed) == ([], []), str(tally)
    assert tally.required > PATHS // 5, str(tally)
    assert tally.paths - tally.halted > PATHS // 5, str(tally)
    assert tally.wrong_prices > PATHS, str(tally)


@pytest.mark.parametrize("kind", ["bars", "quotes"])
def test_without_confirmation_the_same_markets_give_false_halts(kind: str) -> None:
    """The test above can fail: believing every price at once halts where nothing happened."""
    tally = tallied(kind, range(PATHS // 10), **TRUSTING)
    assert len(tally.false) > 10, str(tally)


@pytest.mark.parametrize("kind", ["bars", "quotes"])
def test_in_a_live_node_too(kind: str) -> None:
    """The same, and the very same trips as in a backtest: on eight paths that halt, and two that do not."""
    trips = {seed: run(path(seed, kind)).record.trips for seed in range(PATHS, PATHS + 40)}
    halting, calm = (
        [seed for seed, found in trips.items() if bool(found) is wanted] for wanted in (True, False)
    )
    seeds, tally = [*halting[:8], *calm[:2]], Tally()
    for seed in seeds:
        made = path(seed, kind)
        driven = run(made, "live")
        judge(tally, seed, made, driven)
        assert driven.record.trips == trips[seed], seed
    print(f"{kind}, live: {tally}")  # noqa: T201 - see `tallied`
    assert (tally.false, tally.missed, tally.halted) == ([], [], 8), str(tally)
