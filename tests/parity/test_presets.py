"""Every preset, and lines of overrides, give the same run in a backtest and in the live sandbox."""

from __future__ import annotations

import pytest

from tests.parity.test_parity import assert_same, both

PRESETS = ["conservative", "aggressive", "crypto", "first_month_live", "live_default", "off_for_research"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_the_same_in_both_modes(preset: str) -> None:
    past, present = both([f"risk={preset}", "run.max_bars=1200"])
    assert_same(past, present)
    plain = [[row["kind"] for row in record.notices] for record in (past, present)]
    assert plain[0] == plain[1]


def test_exits_targets_and_scoped_breakers_are_the_same_in_both_modes() -> None:
    risk = [
        "risk.default_stop_loss_pct=0.04", "risk.take_profit_pct=0.08", "risk.max_holding_mins=40000",
        "risk.order_timeout_mins=3000", "risk.max_repeats=2", "risk.repeat_window_secs=86400",
        "risk.overrides=[{strategy: ema_cross, max_drawdown_pct: 0.02}, {asset_class: equity, max_order_pct: 0.09}]",
    ]  # fmt: skip
    past, present = both([*risk, "run.max_bars=2000", "risk.max_position_pct=0.2"])
    assert_same(past, present)
    assert past.fills
