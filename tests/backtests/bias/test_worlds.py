"""Changed markets are what they say: the past stays, bars stay sane, nothing real is left where nothing may be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.bias.altered import (
    CHANGES,
    changed_after,
    cut_short,
    dealt_anew,
    labelled_late,
    with_gaps,
)
from backtests.bias.disguise import FACTORS, back_ns, disguised
from backtests.bias.foreign import knowledge
from backtests.bias.seen import Seen, first_run
from backtests.bias.world import World, middle, world_of
from backtests.trial import market_of, run_trial
from configs.load import compose
from market.held import HeldMarket
from runs.record import RunRecord
from tests.backtests.bias.driving import small


@pytest.fixture(scope="module")
def world() -> World:
    return small(400, "instruments=[AAPL,MSFT]")[1]


def quoted() -> World:
    market = market_of(compose("backtest").config)
    stamps = np.arange(60, dtype=np.int64) * 10**9 + 10**18
    rng = np.random.default_rng(1)
    bid = np.round(10 + np.cumsum(rng.normal(0, 0.01, 60)), 4)
    table = pd.DataFrame(
        {"ts": stamps, "bid": bid, "ask": bid + 0.0002, "bid_size": 100.0, "ask_size": 200.0}
    )
    plain = world_of(market)
    from dataclasses import replace  # noqa: PLC0415 - one use

    return replace(
        plain, kind="quotes", bar_types=(), tables=(table,), start_ns=int(stamps[0]), end_ns=int(stamps[-1])
    )


def sane(world: World) -> bool:
    for table in world.tables:
        top, bottom = table[["open", "close"]].max(axis=1), table[["open", "close"]].min(axis=1)
        if not ((table["high"] >= top).all() and (table["low"] <= bottom).all() and (table["low"] > 0).all()):
            return False
        if not table["ts"].is_monotonic_increasing:
            return False
    return True


def test_a_world_is_its_market() -> None:
    config = compose("backtest", ["instruments=[AAPL,GOOG]", "run.start=2005-01-01"]).config
    market = market_of(config)
    assert isinstance(market, HeldMarket)
    world = world_of(market)
    assert world.updates() == market.updates()
    assert world.history() == market.history()
    for symbol in market.symbols:
        pd.testing.assert_frame_equal(
            world.frame(symbol).reset_index(drop=True), market.frame(symbol).reset_index(drop=True)
        )
    assert run_trial(config, world).decisions == run_trial(config, market).decisions


def test_a_world_ends_where_the_run_would() -> None:
    config = compose("backtest", ["run.max_bars=123"]).config
    assert len(world_of(market_of(config), 123).updates()) == 123


@settings(max_examples=25)
@given(cut=st.integers(0, 399), change=st.sampled_from(CHANGES), seed=st.integers(0, 9))
def test_only_what_is_after_the_cut_changes(world: World, cut: int, change: str, seed: int) -> None:
    stamp = int(world.stamps[min(cut, len(world.stamps) - 1)])
    other = changed_after(world, stamp, change, np.random.default_rng(seed))  # type: ignore[arg-type]
    assert sane(other)
    for mine, theirs in zip(world.tables, other.tables, strict=True):
        past = mine["ts"] <= stamp
        pd.testing.assert_frame_equal(mine[past], theirs[past])
        assert (mine["ts"] == theirs["ts"]).all()
        after = mine["close"][~past], theirs["close"][~past]
        assert len(after[0]) == 0 or (after[0] != after[1]).mean() > 0.9


@settings(max_examples=25)
@given(cut=st.integers(0, 399))
def test_a_market_cut_short_has_one_row_more_in_which_nothing_happens(world: World, cut: int) -> None:
    stamp = int(world.stamps[min(cut, len(world.stamps) - 1)])
    short = cut_short(world, stamp)
    for mine, theirs in zip(world.tables, short.tables, strict=True):
        known = int((mine["ts"] <= stamp).sum())
        pd.testing.assert_frame_equal(mine.iloc[:known], theirs.iloc[:known])
        assert len(theirs) == min(known + 1, len(mine)) if known else len(theirs) == 0
        if known and len(theirs) > known:
            assert set(theirs[["open", "high", "low", "close"]].iloc[-1]) == {mine["close"].iloc[known - 1]}


@settings(max_examples=25)
@given(block=st.integers(1, 150), seed=st.integers(0, 99))
def test_a_market_dealt_anew_has_the_same_moves_at_other_places(world: World, block: int, seed: int) -> None:
    other = dealt_anew(world, block, np.random.default_rng(seed))
    assert sane(other)
    for mine, theirs in zip(world.tables, other.tables, strict=True):
        before, after = np.diff(np.log(middle(world, mine))), np.diff(np.log(middle(other, theirs)))
        assert np.allclose(np.sort(before), np.sort(after), atol=2e-4)
        assert (mine["volume"].to_numpy()[1:] == theirs["volume"].to_numpy()[1:]).mean() < 0.05


def test_gaps_are_as_many_as_asked_and_never_at_the_ends(world: World) -> None:
    thin = with_gaps(world, 0.2, np.random.default_rng(1))
    for mine, theirs in zip(world.tables, thin.tables, strict=True):
        inside = mine["ts"].between(world.start_ns, world.end_ns)
        lost = set(mine["ts"]) - set(theirs["ts"])
        assert 0.1 < len(lost) / inside.sum() < 0.3
        assert not lost & {world.start_ns, world.end_ns}


def test_late_labels_are_those_of_the_next_row(world: World) -> None:
    late = labelled_late(world)
    for mine, theirs in zip(world.tables, late.tables, strict=True):
        assert (theirs["ts"].to_numpy() == mine["ts"].to_numpy()[1:]).all()
        assert (theirs["close"].to_numpy() == mine["close"].to_numpy()[:-1]).all()


@pytest.mark.parametrize("number", range(len(FACTORS)))
def test_a_disguise_keeps_weekdays_and_moves(world: World, number: int) -> None:
    other = disguised(world, number)
    assert sane(other)
    assert other.start_ns + back_ns(number) > world.start_ns
    for mine, theirs in zip(world.tables, other.tables, strict=True):
        assert (mine["ts"] - theirs["ts"] == back_ns(number)).all()
        assert back_ns(number) % (7 * 86_400 * 10**9) == 0
        ratio = theirs["close"] / mine["close"]
        assert np.allclose(ratio, FACTORS[number], rtol=1e-2)


def test_quotes_are_changed_alike() -> None:
    world = quoted()
    assert len(world.updates()) == 60
    cut = int(world.stamps[30])
    for other in (
        changed_after(world, cut, "flipped", np.random.default_rng(1)),
        changed_after(world, cut, "shuffled", np.random.default_rng(1)),
        dealt_anew(world, 5, np.random.default_rng(1)),
    ):
        assert (other.tables[0]["ask"] >= other.tables[0]["bid"]).all()
        assert not np.allclose(other.tables[0]["bid"].to_numpy()[31:], world.tables[0]["bid"].to_numpy()[31:])
    assert len(cut_short(world, cut).tables[0]) == 32


def test_knowledge_of_the_real_market_is_counted_in_standard_errors() -> None:
    """Sides drawn by chance know nothing, sides of the next day's rise nearly everything."""
    config, world = small(1500)
    record = first_run(config, world).record
    assert record is not None
    stamps = world.tables[0]["ts"].to_numpy()[:1500]
    closes = world.tables[0]["close"].to_numpy()[:1500]
    rises = np.append(np.diff(closes) > 0, False)
    found = [
        knowledge(world, [held(record, stamps, np.random.default_rng(seed).random(1500) < 0.5)])
        for seed in range(40)
    ]
    chance = np.array([each for each in found if each is not None])
    assert len(chance) == 40
    assert abs(chance.mean()) < 0.6
    assert 0.6 < chance.std() < 1.4
    knowing = knowledge(world, [held(record, stamps, rises)])
    assert knowing is not None
    assert knowing > 15
    assert knowledge(world, [Seen()]) is None


def held(record: RunRecord, stamps: np.ndarray, long: np.ndarray) -> Seen:
    """A run that holds one share after each bar where `long` says so."""
    from dataclasses import replace  # noqa: PLC0415 - as above
    from decimal import Decimal  # noqa: PLC0415 - as above

    steps = np.diff(np.append(0, long.astype(int)))
    fills = [
        {
            "ts": int(ts),
            "instrument": "AAPL.XNAS",
            "side": "BUY" if step > 0 else "SELL",
            "quantity": Decimal(1),
        }
        for ts, step in zip(stamps, steps, strict=True)
        if step
    ]
    return Seen(record=replace(record, fills=fills))
