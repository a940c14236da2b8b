"""Lines of `risk.overrides` on the command line: one that cannot be meant costs one line, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import compose, load
from configs.strategy_names import NamedStrategy
from risk.lines import Override
from tests.configs.running import refusal, run

SINGLE = """
from nautilus_trader.trading import Strategy, StrategyConfig


class OneConfig(StrategyConfig):
    def __init__(self, instrument_id: object, bar_type: object, **_: object) -> None:
        pass


class One(Strategy):
    pass
"""
REFUSED = [
    # who is meant
    ("strategy:min,max_leverage:1", "[0].strategy=min: no such strategy in this run; did you mean Mine?"),
    ("strategy:Mine-002,max_leverage:1", "did you mean Mine-001? There are: strategy (Mine-001)"),
    ("strategy:zzz,max_leverage:1", "no such strategy in this run; there are: strategy (Mine-001)"),
    ("stratgy:mine,max_leverage:1", "unknown key risk.overrides[0].stratgy; did you mean risk.overrides[0].strat"),
    ("max_leverage:1", "risk.overrides[0]: names no strategy, venue or asset_class"),
    ("strategy:mine,venue:XNAS,max_leverage:1", "names both strategy and venue; write a line for each"),
    ("asset_class:equty,max_leverage:1", "[0].asset_class=equty: must be one of alternative, commodity, crypto"),
    # what is set
    ("strategy:mine,max_levrage:1", "unknown key risk.overrides[0].max_levrage; did you mean risk.overrides[0].max_l"),
    ("strategy:mine", "risk.overrides[0]: sets no limit"),
    ("strategy:mine,max_leverage:off", "risk.overrides[0].max_leverage=off: a line can only tighten"),
    ("strategy:mine,allow_short:true", "risk.overrides[0].allow_short=true: a line can only tighten"),
    ("strategy:mine,dry_run:false", "risk.overrides[0].dry_run=false: a line can only tighten"),
    ("strategy:mine,max_position_pct:5", "risk.overrides[0].max_position_pct=5: 5 is above 1, but this is a fra"),
    ("strategy:mine,max_orders_per_day:two", "risk.overrides[0].max_orders_per_day=two: 'two' is not a number"),
    ("strategy:mine,session_start:'09:30'", "session_start holds for the whole run and cannot stand in a line"),
    ("strategy:mine,on_trip:flatten", "on_trip holds for the whole run and cannot stand in a line; set risk.on_trip"),
    ("asset_class:fx,max_drawdown:1", "max_drawdown is a breaker, which watches a strategy or a venue"),
    ("venue:A,max_daily_loss_pct:0.2,max_drawdown_pct:0.1", "max_daily_loss_pct=0.2 is above max_drawdown_pct"),
    ("strategy:mine,trading_hours:XNSY", "risk.overrides[0].trading_hours=XNSY: "),
    # two lines
    ("venue:a,trading_hours:XNYS},{strategy:mine,trading_hours:XLON", "lines 0 and 1 may both hold for an order"),
    ("strategy:mine,trading_hours:XNYS},{strategy:strategy,trading_hours:XLON", "[1] are both about Mine-001"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "line"), REFUSED, ids=[given for given, _ in REFUSED])
def test_one_line_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], mine: list[str], given: str, line: str
) -> None:
    assert line in refusal(capsys, [*mine, f"risk.overrides=[{{{given}}}]"])


def test_what_is_no_list_of_lines_is_told_what_one_looks_like(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    for given in ("mine", "off", "null", "3"):
        assert "must be a list of lines, such as [{strategy: " in refusal(
            capsys, [*mine, f"risk.overrides={given}"]
        )
    assert "risk.overrides[0]=mine: must be a section" in refusal(capsys, [*mine, "risk.overrides=[mine]"])


def test_a_calendar_other_than_the_runs_is_refused(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    argv = [*mine, "risk.trading_hours=XNYS", "risk.overrides=[{asset_class:fx,trading_hours:XLON}]"]
    assert "but risk.trading_hours=XNYS holds for every order" in refusal(capsys, argv)


def test_a_run_is_told_apart_by_every_name_of_its_strategies(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    second = "+strategy@strategies.second=other"
    for name in ("strategy", "second", "mine", "Mine", "Mine-002", "MINE-001"):
        seen = run(capsys, [*mine, second, f"risk.overrides=[{{strategy:{name},max_leverage:1}}]"])
        assert seen.config.risk.overrides[0].target == ("strategy", name)
        assert load(seen.runs[0].text) == seen.runs[0]


def test_an_id_is_taken_on_trust_where_only_the_data_knows_how_many_there_are() -> None:
    several = NamedStrategy("strategy", "EmaCross", None, ())
    assert several.is_meant(Override.model_validate({"strategy": "ema_cross-007", "max_leverage": 1}))
    assert not several.is_meant(Override.model_validate({"strategy": "ema_cross-x", "max_leverage": 1}))


def test_one_strategy_for_each_symbol_has_an_id_for_each(
    capsys: pytest.CaptureFixture[str], mine: list[str], home: Path
) -> None:
    (home / "my_single.py").write_text(SINGLE)
    single = [
        "strategy.strategy_path=my_single:One",
        "strategy.config_path=my_single:OneConfig",
        "~strategy.fast",
    ]
    config = run(capsys, [*mine, *single, "risk.overrides=[{strategy:One-002,max_leverage:1}]"]).config
    assert [each.strategy_id for each in config.named_strategies] == ["One-001", "One-002"]
    assert "did you mean One-0" in refusal(
        capsys, [*mine, *single, "risk.overrides=[{strategy:One-003,max_leverage:1}]"]
    )


def test_lines_come_from_a_file_of_ones_own_too(tmp_path: Path) -> None:
    (tmp_path / "risk").mkdir()
    (tmp_path / "risk" / "mine.yaml").write_text(
        "defaults:\n  - default\n\noverrides:\n  - {asset_class: crypto, max_leverage: 0.5}\n"
    )
    (line,) = compose("backtest", ["risk=mine"], tmp_path).config.risk.overrides
    assert line.target == ("asset_class", "crypto")
