"""`stress` does to a run what it says, and its verdict follows the stated rules."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from backtests.bias import stresses
from backtests.bias.random_entries import Null, random_entries
from backtests.bias.seen import first_run
from backtests.bias.settings import StressSettings
from backtests.bias.stresses import Row, findings
from backtests.bias.world import World
from backtests.stress import stress
from backtests.trial import Outcome
from configs.edge import guarded
from configs.schema import RunConfig
from runs.analysis import Analysis, analyse
from tests.backtests.bias.driving import caught, checked, evidence, planted, small

QUICK = ["stress.reshuffled=4", "stress.random_entries=200"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def analysed(config: RunConfig, world: World) -> tuple[Analysis, Null]:
    seen = first_run(config, world)
    assert seen.record is not None
    analysis = analyse(seen.record, zone=world.zone, days_per_year=252, until_ns=seen.until_ns)
    return analysis, random_entries(seen, analysis, 200, 1)


def rows(**sharpes: float | None) -> list[Row]:
    """The rows of a run with these Sharpe ratios; those left out have 1."""
    names = {
        "base": stresses.BASE,
        "costs": "costs x2",
        "slippage": stresses.SLIPPAGE,
        "delay": stresses.DELAY,
        "gaps": stresses.GAPS,
    }
    return [Row(name, Outcome(figures={"sharpe": sharpes.get(key, 1.0)})) for key, name in names.items()]


def null(p_value: float | None = 0.01) -> Null:
    return Null(1.0, np.zeros(99), p_value, 7)


def test_what_the_shipped_default_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    """Its profit survives costs and delay, and a good part of random strategies has as much: that is the verdict."""
    code, document = checked(stress, [*QUICK, "run.dir=here"], capsys)
    assert (code, caught(document)) == (1, ["random entries"])
    assert [row["stress"] for row in document["stresses"]] == [
        "as configured",
        "costs x2",
        "costs x5",
        "a tick more slippage",
        "a bar later",
        "missing bars",
        "labels a bar late",
    ]
    assert all(row["sharpe"] > 0.5 and row["error"] is None for row in document["stresses"])
    assert 0.1 < document["random_entries"]["p_value"] < 0.5
    assert len(document["reshuffled"]["sharpes"]) == 4
    assert Path("here", "stress.png").read_bytes().startswith(PNG)
    assert json.loads(Path("here", "stress.json").read_text()) == document


def test_a_strategy_that_foresees_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it cheats is not this check's question: its profit is no accident and survives."""
    words = [*planted(tmp_path, "Foreseer"), *QUICK, "run.max_bars=600", "stress.reshuffled=1"]
    code, document = checked(stress, [word for word in words if word != QUICK[0]], capsys)
    assert (code, caught(document)) == (0, [])
    assert document["random_entries"]["p_value"] == pytest.approx(1 / 201)


def test_a_strategy_that_never_trades_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*planted(tmp_path, "Idle"), "run.max_bars=300", "stress.reshuffled=1", "run.plots=false"]
    code, document = checked(stress, words, capsys)
    assert code == 1
    assert {"edge", "random entries", "reshuffled"} <= set(caught(document))
    assert evidence(document, "random entries") == "it held nothing that could be compared"


def test_a_run_whose_orders_are_all_refused_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["risk.max_order_notional=1", "run.max_bars=300", "stress.reshuffled=1", "run.plots=false"]
    document = checked(stress, words, capsys)[1]
    assert any("orders were refused" in note for note in document["notes"])


def test_buying_and_holding_is_no_better_than_chance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*planted(tmp_path, "Holder"), "run.max_bars=300", "stress.reshuffled=1"]
    document = checked(stress, words, capsys)[1]
    assert document["random_entries"]["p_value"] > 0.4
    assert "random entries" in caught(document)


def test_a_person_reads_two_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert stress([*QUICK, "run.max_bars=600", "run.plots=false"]) in (0, 1)
    out = capsys.readouterr().out
    assert out.startswith("stress EmaCross: ")
    assert "reshuffled, in the middle" in out
    assert "random entries" in out


def test_the_same_seed_finds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*QUICK, "run.max_bars=500", "stress.seed=3"]
    found = [checked(stress, words, capsys)[1] for _ in range(2)]
    assert {**found[0], "folder": ""} == {**found[1], "folder": ""}


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"base": -0.1}, "edge"),
        ({"base": None}, "edge"),
        ({"costs": 0.0}, "costs x2"),
        ({"slippage": -1.0}, "a tick more slippage"),
        ({"delay": None}, "a bar later"),
        ({"gaps": -0.2}, "missing bars"),
    ],
)
def test_each_rule_catches_by_itself(changed: dict[str, float | None], check: str) -> None:
    worse = [Row("reshuffled", Outcome(figures={"sharpe": -1.0}))]
    settings = StressSettings()
    assert [each.check for each in findings(rows(), worse, null(), settings) if each.caught] == []
    found = [each.check for each in findings(rows(**changed), worse, null(), settings) if each.caught]
    assert check in found
    assert len(found) == 1 + (changed.get("base", 1.0) is None)


def test_a_market_without_the_order_of_returns_must_be_worse() -> None:
    better = [Row("reshuffled", Outcome(figures={"sharpe": 1.0}))]
    found = [each.check for each in findings(rows(), better, null(), StressSettings()) if each.caught]
    assert found == ["reshuffled"]


@pytest.mark.parametrize(("p_value", "wrong"), [(0.1, False), (0.11, True), (None, True)])
def test_the_p_value_must_not_exceed_the_stated(p_value: float | None, wrong: bool) -> None:
    worse = [Row("reshuffled", Outcome(figures={"sharpe": -1.0}))]
    assert findings(rows(), worse, null(p_value), StressSettings())[-1].caught is wrong


def test_twice_the_costs_are_twice_the_fees() -> None:
    config, world = small(800)
    fees = [float(analysed(each, world)[0].fees) for each in (config, stresses.costlier(config, 2.0))]
    assert fees[1] == pytest.approx(2 * fees[0], rel=0.01)


def test_every_cost_of_a_preset_is_multiplied() -> None:
    config = small(10, "costs=ib")[0]
    dearer = stresses.costlier(config, 3.0).venue
    assert dearer.fee_per_unit == 3 * config.venue.fee_per_unit > 0
    assert dearer.spread_bps == 3 * config.venue.spread_bps > 0
    assert dearer.margin_rate == 3 * config.venue.margin_rate > 0
    assert dearer.latency_ms == config.venue.latency_ms


def test_a_rebate_is_not_multiplied() -> None:
    config = small(10, "venue.maker_fee=-0.0001")[0]
    assert stresses.costlier(config, 5.0).venue.maker_fee == Decimal("-0.0001")


@pytest.mark.parametrize("latency", [0, 200])
def test_a_bar_later_is_one_bar_later(latency: int) -> None:
    """Where orders take their time already they fill at the next bar: now at the one after it, but over a weekend."""
    config, world = small(600, f"venue.latency_ms={latency}")
    stamps = list(world.stamps)
    fills = []
    for each in (config, stresses.delayed(config, world)):
        record = first_run(each, world).record
        assert record is not None
        fills.append([stamps.index(fill["ts"]) for fill in record.fills])
    later = [after - before for before, after in zip(*fills, strict=True)]
    assert len(later) > 3
    assert np.median(later) == 1
    assert set(later) <= ({1} if latency == 0 else {0, 1})


def test_a_second_tick_of_slippage_cannot_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*QUICK, "venue.slippage_ticks=1", "run.max_bars=300", "run.plots=false"]
    document = checked(stress, words, capsys)[1]
    assert "a tick more slippage" not in [each["check"] for each in document["findings"]]
    assert "the most that can be simulated" in document["notes"][0]


def test_random_strategies_have_the_run_s_trades_at_other_times() -> None:
    """As many of them, and the p-value counts those that did as well."""
    config, world = small(1500)
    analysis, found = analysed(config, world)
    assert found.trades == len(analysis.trades)
    assert found.own is not None
    assert float(np.std(found.sharpes)) > 0.1
    assert found.p_value == (1 + int((found.sharpes >= found.own).sum())) / 201


def test_the_run_s_own_value_agrees_with_the_engine_s() -> None:
    """Valued by share times return the run has nearly the Sharpe ratio that its equity has."""
    from backtests.trial import run_trial  # noqa: PLC0415 - one use

    config, world = small(3000)
    _, found = analysed(config, world)
    engine = run_trial(config, world).figures["sharpe"]
    assert isinstance(engine, float)
    assert found.own == pytest.approx(engine, abs=0.02)


def test_without_an_edge_p_values_are_spread_evenly() -> None:
    """A random strategy among its like is better than a share of them that may be anything."""
    from backtests.bias.random_entries import _placed  # noqa: PLC0415 - its rule, not its caller

    rng = np.random.default_rng(1)
    spells = [np.full(3, 0.5), np.full(1, -0.2)]
    first = [int(np.flatnonzero(_placed(spells, 8, rng) > 0)[0]) for _ in range(4000)]
    counts = np.bincount(first, minlength=6)
    # 3 + 1 bars in 8 leave 4 free: 2 orders x C(6, 2) = 30 arrangements, all as likely
    expected = np.array([5, 5, 5, 5, 5, 5]) * 4000 / 30
    assert np.abs(counts - expected).max() < 4 * np.sqrt(expected.max())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["stress.cost=2"], "unknown key stress.cost; did you mean stress.costs?"),
        (["stress.costs=[1]"], "stress.costs=[1]: must be numbers above 1, such as [2,5]"),
        (["stress.costs=2,x"], "must be numbers above 1"),
        (["stress.max_p_value=0"], "stress.max_p_value=0: must be a fraction between 0 and 1"),
        (["stress.missing_pct=1"], "stress.missing_pct=1: must be a fraction between 0 and 1"),
        (["stress.seed=[1"], "cannot read stress.seed=[1"),
    ],
)
def test_bad_input_costs_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: stress(words)) == 2
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
