"""A peak that is read late is the same peak: trips, peaks and equity are those of reading every price."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.driving import Driven, Scripted, bars, drive

SEEDS = range(60)
BARS = 150


class InAndOut(Scripted):
    """Enters, adds, sells a part and leaves, over and over."""

    def at_bar(self, n: int, _bar: Any) -> None:
        step = n % 40
        if step in (2, 15):
            self.buy(300)
        elif step == 25:
            self.sell(200)
        elif step == 36:
            self.close_all_positions(self.iid)


class AskedBetween(InAndOut):
    """The same; somebody asks for the peak between two prices, as a node's clock does once a second."""

    def at_bar(self, n: int, bar: Any) -> None:
        super().at_bar(n, bar)
        if n == 30:
            gate: Any = self
            gate.desk.prices.read_peak()


def path(seed: int) -> list[float]:
    rng, price, closes = random.Random(seed), 100.0, []  # noqa: S311 - a seeded path
    drift, noise = rng.choice([0.0005, 0.002, 0.004]), rng.choice([0.0005, 0.003, 0.01])
    for _ in range(BARS):
        shock = rng.choice([0.0] * 40 + [-0.03, -0.06])
        price = max(5.0, round(price * (1 + drift + rng.gauss(0, noise) + shock), 2))
        closes.append(price)
    return closes


def run(seed: int, monkeypatch: pytest.MonkeyPatch, step: float) -> Driven:
    monkeypatch.setattr("risk.prices.PEAK_STEP", step)
    line = {"strategy": "InAndOut", "max_drawdown_pct": 0.02, "max_daily_loss": 1_200}
    risk: dict[str, Any] = {"max_drawdown_pct": 0.04, "max_daily_loss_pct": 0.03, "warn_at_pct": 0.8}
    if seed % 2:
        risk["overrides"] = [line, {"venue": "replay", "max_drawdown_pct": 0.03}]
    return drive("backtest", InAndOut, bars(path(seed)), risk=risk)


@pytest.mark.parametrize("chunk", range(4))
def test_peaks_read_late_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tripped = 0
    for seed in SEEDS[chunk::4]:
        each, late = run(seed, monkeypatch, 0.0), run(seed, monkeypatch, 0.01)
        assert late.record.trips == each.record.trips, seed
        assert late.recorder.notices == each.recorder.notices, seed
        assert late.desk.breakers.state.peak == each.desk.breakers.state.peak, seed
        assert late.record.final_equity == each.record.final_equity, seed
        tripped += bool(late.record.trips)
    assert tripped  # the paths are such that something happens


def test_a_peak_that_is_asked_for_between_two_prices_hides_no_later_one() -> None:
    closes = [100 + n * 0.01 + (0.3 if n == 31 else 0) for n in range(36)]
    peaks = []
    for strategy in (InAndOut, AskedBetween):
        rows = bars(closes, step=60_000_000_000)
        peaks.append(
            drive("backtest", strategy, rows, risk={"max_drawdown_pct": 0.2}).desk.breakers.state.peak
        )
    assert peaks[0] == peaks[1]


def test_a_rising_market_is_read_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for step in (0.0, 0.01):
        readings: list[int] = []
        with pytest.MonkeyPatch.context() as inner:
            from risk.prices import Prices  # noqa: PLC0415 - wrapped for this test

            original = Prices.reading

            def counted(
                self: Prices, ts: int, *more: Any, original: Any = original, seen: Any = readings
            ) -> None:
                seen.append(ts)
                original(self, ts, *more)

            inner.setattr(Prices, "reading", counted)
            monkeypatch.setattr("risk.prices.PEAK_STEP", step)
            closes = [100 + n * 0.01 for n in range(300)]
            rows = bars(closes, step=60_000_000_000)
            drive("backtest", InAndOut, rows, risk={"max_drawdown_pct": 0.2})
        counts.append(len(readings))
    assert counts[1] < counts[0] / 3
