"""What every risk preset says, that it holds together, and that research settings stay away from accounts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import configs
from configs.load import compose
from configs.units import UNITS
from risk.limits import RiskConfig
from tests.configs.running import refusal

FOLDER = Path(configs.__file__).parent / "risk"
PRESETS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
WANTED: dict[str, dict[str, object]] = {
    "default": {
        "max_position_pct": "0.1", "max_leverage": "1", "max_daily_loss_pct": "0.02", "max_drawdown_pct": "0.2",
        "max_orders_per_day": 100,
    },
    "live_default": {
        "max_position_pct": "0.1", "max_daily_loss_pct": "0.02", "max_drawdown_pct": "0.05",
        "max_orders_per_day": 100, "latch_daily_loss": True, "on_trip": "flatten",
    },
    "conservative": {
        "max_position_pct": "0.05", "max_daily_loss_pct": "0.02", "max_drawdown_pct": "0.1", "min_cash_pct": "0.25",
        "require_stop_loss": True, "default_stop_loss_pct": "0.08", "max_open_positions": 10,
        "max_new_positions_per_day": 3, "max_slippage_pct": "0.005", "order_timeout_mins": "60",
    },
    "aggressive": {
        "max_position_pct": "0.3", "max_leverage": "2", "max_open_positions": 3, "max_daily_loss_pct": "0.1",
        "max_drawdown_pct": "0.5",
    },
    "crypto": {
        "max_position_pct": "0.2", "max_daily_loss_pct": "0.08", "max_drawdown_pct": "0.4", "max_leverage": "1",
        "default_stop_loss_pct": "0.02", "take_profit_pct": "0.05",
    },
    "first_month_live": {
        "max_position_pct": "0.02", "min_cash_pct": "0.75", "max_open_positions": 2, "require_approval": True,
        "approval_timeout_mins": "30", "require_stop_loss": True, "order_timeout_mins": "30",
        "latch_daily_loss": True, "on_trip": "flatten", "max_drawdown_pct": "0.05",
    },
    "off_for_research": {"research_only": True, "allow_off": True, "allow_short": True, "require_stop_loss": False},
}  # fmt: skip
LIMITS = [name for name in RiskConfig.model_fields if name.startswith(("max_", "min_"))]
BREAKERS = ("max_daily_loss_pct", "max_drawdown_pct", "max_consecutive_losses", "min_win_rate", "min_sharpe")


def preset(name: str) -> RiskConfig:
    return compose("live", [f"risk={name}"]).config.risk


def test_every_preset_is_told_of_here() -> None:
    assert sorted(WANTED) == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_its_description_promises(name: str) -> None:
    limits = preset(name)
    for key, value in WANTED[name].items():
        wanted = Decimal(value) if isinstance(value, str) and value[0].isdigit() else value
        assert getattr(limits, key) == wanted, key


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_made_of_default_and_what_it_changes(name: str) -> None:
    """A key that default.yaml lacks would not show up in `--cfg job`; one repeated as it is says nothing new."""
    text = (FOLDER / f"{name}.yaml").read_text()
    own = {line.partition(":")[0] for line in text.splitlines() if line and line[0].isalpha()} - {"defaults"}
    if name == "default":
        assert own == set(RiskConfig.model_fields)
        assert preset(name) == RiskConfig()
    else:
        assert "defaults:\n  - " in text
        assert own <= set(RiskConfig.model_fields)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "off_for_research"])
def test_every_preset_but_that_for_research_may_trade_real_money(name: str) -> None:
    limits = preset(name)
    assert limits.switched_off == ()
    assert not limits.research_only
    assert not limits.allow_off


def test_the_first_month_has_every_breaker_and_every_guard_of_an_order_on() -> None:
    limits = preset("first_month_live")
    guards = (*BREAKERS, "warn_at_pct", "default_stop_loss_pct", "price_collar_pct", "max_price_age_secs")
    assert [key for key in guards if getattr(limits, key) is None] == []


def test_research_has_every_limit_and_breaker_off() -> None:
    limits = preset("off_for_research")
    others = ("price_collar_pct", "trading_hours", "allowed_instruments", "untrusted_jump_pct", "warn_at_pct")
    assert [key for key in (*LIMITS, *others) if getattr(limits, key) is not None] == []
    assert [key for key in ("dry_run", "require_stop_loss", "require_approval") if getattr(limits, key)] == []


@pytest.mark.parametrize("verb", ["backtest", "live"])
def test_a_paper_account_refuses_settings_for_research(
    capsys: pytest.CaptureFixture[str], verb: str, mine: list[str]
) -> None:
    line = refusal(capsys, [*mine, "venue=mine", "risk=off_for_research"])
    assert line.startswith(
        "risk.research_only=true: venue mine is paper, where every limit counts; choose another"
    )
    assert compose(verb, ["risk=off_for_research"]).config.risk.research_only


@pytest.mark.parametrize("mode", ["paper", "live", "rehearsal"])
def test_so_does_every_account_that_is_not_a_simulation(
    capsys: pytest.CaptureFixture[str], mine: list[str], mode: str
) -> None:
    argv = [*mine, "venue=mine", f"venue.mode={mode}", "risk.research_only=true"]
    assert f"venue mine is {mode}" in refusal(capsys, argv)


def test_every_key_has_its_unit_told_in_order() -> None:
    assert tuple(UNITS) == tuple(RiskConfig.model_fields)
