"""`warmup` measures after how many bars a strategy has forgotten its start, and catches one that never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtests.warmup import warmup
from configs.edge import guarded
from tests.backtests.bias.driving import caught, checked, evidence, planted

EMA = "strategies.ema_cross:EmaCrossConfig"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["ema_cross", "bollinger_reversion"])
def test_the_strategies_that_ship_ask_for_all_the_history_they_need(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = checked(warmup, [f"strategy={name}"], capsys)
    assert (code, document["verdict"], caught(document)) == (0, "clean", [])
    assert (document["warmup_bars"], document["stated_bars"]) == (0, 250)
    assert len(document["starts"]) == 24


def test_a_length_that_is_stated_too_short_is_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*planted(tmp_path, "SlowlyForgetting"), "warmup.starts=6"]
    measured = checked(warmup, words, capsys)[1]["warmup_bars"]
    code, document = checked(warmup, [*words, f"warmup.bars={measured - 1}"], capsys)
    assert (code, document["warmup_bars"]) == (1, measured)
    assert f"only from bar {measured} on, stated are {measured - 1}" in evidence(document, "warm-up")
    assert checked(warmup, [*words, f"warmup.bars={measured}"], capsys)[0] == 0


def test_an_indicator_that_never_forgets_is_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = checked(warmup, [*planted(tmp_path, "Recursive"), "warmup.starts=10"], capsys)
    assert (code, document["warmup_bars"]) == (1, None)
    assert "do not come to decide like the whole run" in evidence(document, "warm-up")
    assert document["findings"][0]["first"]["what"].endswith(("not long", "not flat"))


def test_an_average_that_forgets_slowly_is_caught_until_enough_is_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*planted(tmp_path, "SlowlyForgetting"), "warmup.starts=8"]
    assert checked(warmup, words, capsys)[0] == 1
    assert checked(warmup, [*words, "warmup.bars=2500"], capsys)[0] == 0


def test_a_size_that_never_forgets_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*planted(tmp_path, "NeverForgettingSize", EMA), "warmup.starts=6"]
    code, document = checked(warmup, words, capsys)
    assert code == 1
    assert "the same share of equity" in evidence(document, "warm-up")


@pytest.mark.parametrize("name", ["Holder", "Mondays"])
def test_what_needs_no_history_needs_no_warm_up(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*planted(tmp_path, name), "warmup.starts=4", "run.max_bars=1000", "warmup.bars=0"]
    code, document = checked(warmup, words, capsys)
    assert (code, document["warmup_bars"]) == (0, 0)


def test_stops_of_the_past_do_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["strategy.stop_loss_pct=0.08", "warmup.starts=8"]
    assert checked(warmup, words, capsys)[0] == 0


def test_the_same_seed_finds_the_same_and_another_one_other_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["warmup.starts=4", "run.max_bars=1200"]
    first, again, other = (
        checked(warmup, [*words, f"warmup.seed={seed}"], capsys)[1]["starts"] for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_nothing_to_compare_is_not_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*planted(tmp_path, "Idle"), "warmup.starts=4", "run.max_bars=1000"]
    code, document = checked(warmup, words, capsys)
    assert (code, document["verdict"], caught(document)) == (1, "nothing", [])
    assert document["why"].startswith("it held nothing after any of the later starts")


def test_too_little_data_is_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    document = checked(warmup, ["run.max_bars=600"], capsys)[1]
    assert "give it more data or state less" in document["notes"][0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["warmup.bar=3"], "unknown key warmup.bar; did you mean warmup.bars?"),
        (["warmup.bars=-1"], "warmup.bars=-1: must be a whole number from 0 to 1000000"),
        (["warmup.tolerance=2"], "warmup.tolerance=2: must be a fraction from 0 to 1"),
        (["stress.seed=1"], "unknown key stress"),
    ],
)
def test_bad_input_costs_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: warmup(words)) == 2
    assert line in capsys.readouterr().err
