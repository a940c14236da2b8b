"""What is worked out anew when a state moved is what a fresh look at that state says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from risk.levels import DAILY_LOSS, DRAWDOWN, Levels
from risk.limits import RiskConfig
from risk.state import ScopeState, TradingState
from tests.driving import OPEN

AMOUNTS = st.decimals(-50, 150, places=2)
BASES = st.none() | AMOUNTS
STEPS: dict[str, st.SearchStrategy[Any]] = {
    "peak": AMOUNTS,
    "day_start": AMOUNTS,
    "peak_base": BASES,
    "day_base": BASES,
    "state": st.sampled_from(list(TradingState)),
    "breaker": st.sampled_from([None, DAILY_LOSS, DRAWDOWN, "OPERATOR"]),
    "warned": st.sampled_from([(), (DAILY_LOSS,), (DRAWDOWN,), (DAILY_LOSS, DRAWDOWN)]),
}
LIMITS = st.fixed_dictionaries(
    {
        "max_drawdown_pct": st.sampled_from(["off", "0.2"]),
        "max_drawdown": st.sampled_from(["off", "15"]),
        "max_daily_loss_pct": st.sampled_from(["off", "0.1"]),
        "max_daily_loss": st.sampled_from(["off", "12.5"]),
        "warn_at_pct": st.sampled_from(["off", "0.75"]),
        "latch_daily_loss": st.booleans(),
    }
)


@given(
    LIMITS,
    st.booleans(),
    st.lists(
        st.sampled_from(list(STEPS)).flatmap(lambda name: st.tuples(st.just(name), STEPS[name])), max_size=12
    ),
)
def test_levels_follow_every_change_of_their_state(
    given_limits: dict[str, Any], is_result: bool, steps: list[tuple[str, Any]]
) -> None:
    limits, state = RiskConfig(**{**OPEN, **given_limits}), ScopeState()
    kept = Levels(limits, state, is_result=is_result)
    for name, value in steps:
        setattr(state, name, value)
        kept.renew()
        fresh = Levels(limits, state, is_result=is_result).all()
        reached = [level.floor if level.soft is None else level.soft for level in fresh]
        untold = [
            level.floor if level.breaker in state.warned else first
            for level, first in zip(fresh, reached, strict=True)
        ]
        assert (kept.top, kept.low) == (max(reached, default=None), max(untold, default=None))
        assert kept.all() == fresh
