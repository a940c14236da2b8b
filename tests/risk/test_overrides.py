"""Lines of `risk.overrides`: whose orders are meant, and of all that match the tightest wins."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import AssetClass

from risk.limits import RiskConfig
from risk.lines import BREAKERS, KINDS, WHOLE_RUN, Override
from risk.overrides import Target, breaker_lines, effective, scoped_breakers, unmatched_venues

FIELDS = {name for name in RiskConfig.model_fields if name not in WHOLE_RUN}
SWITCHES = {"allow_short": False, "allow_self_crossing": False, "dry_run": True}
SWITCHES |= {"require_stop_loss": True, "require_approval": True}
FLOORS = {"min_cash_pct", "min_win_rate", "min_sharpe", "repeat_window_secs"}
WHOLE = {"max_open_positions", "max_new_positions_per_day", "max_orders_per_day", "max_orders_per_sec"}
WHOLE |= {"max_repeats", "max_consecutive_losses"}
ORDER = {"strategy_id": "EmaCross-001", "strategy_name": "strategy", "venue": "XNAS", "asset_class": "EQUITY"}
MATCHING: tuple[dict[str, str], ...] = (
    {"strategy": "ema_cross"},
    {"strategy": "strategy"},
    {"strategy": "EMACROSS-001"},
    {"venue": "xnas"},
    {"venue": "replay"},
    {"asset_class": "equity"},
)
OTHERS: tuple[dict[str, str], ...] = (
    {"strategy": "second"},
    {"strategy": "EmaCross-002"},
    {"venue": "XLON"},
    {"asset_class": "crypto"},
)


def limits_of(limits: RiskConfig, **changed: str) -> RiskConfig:
    """The limits of the one order that these tests ask about."""
    return effective(limits, **{**ORDER, "venue_name": "replay", **changed})


def allows(names: tuple[str, ...] | None, symbol: str) -> bool:
    """Whether an instrument of XNAS is in a list of symbols and ids."""
    return names is None or symbol in names or f"{symbol}.XNAS" in names


def no_looser(key: str, tight: Any, than: Any) -> bool:
    """Whether one value of a key lets through no more than another; None lets everything through."""
    if than is None:
        return True
    if key == "allowed_instruments":
        return all(allows(than, symbol) for symbol in ("AAPL", "MSFT", "IBM") if allows(tight, symbol))
    if tight is None:
        return False
    if key == "trading_hours" or key in SWITCHES:
        return bool(tight == than or tight == SWITCHES.get(key))
    return bool(tight >= than if key in FLOORS else tight <= than)


def value_of(key: str) -> st.SearchStrategy[Any]:
    if key in SWITCHES:
        return st.just(SWITCHES[key])
    if key == "trading_hours":
        return st.just("XNYS")
    if key == "allowed_instruments":
        return st.lists(st.sampled_from(["AAPL", "AAPL.XNAS", "MSFT", "MSFT.XLON", "IBM.XNAS"]), max_size=4)
    if key in WHOLE:
        return st.integers(1, 9)
    return st.decimals(Decimal("0.01"), Decimal(1), places=2)


def lines(targets: tuple[dict[str, str], ...]) -> st.SearchStrategy[dict[str, Any]]:
    def line(target: dict[str, str], keys: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        fit = [key for key in keys if not ("asset_class" in target and key in BREAKERS)] or ["max_leverage"]
        return st.fixed_dictionaries({**{kind: st.just(name) for kind, name in target.items()},
                                      **{key: value_of(key) for key in fit}})  # fmt: skip

    keys = st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=6, unique=True).filter(
        lambda found: not {"max_daily_loss_pct", "max_drawdown_pct"} <= set(found)
    )
    return st.tuples(st.sampled_from(targets), keys).flatmap(lambda both: line(*both))


BASES = st.sampled_from([
    RiskConfig(),
    RiskConfig(max_daily_loss_pct=None, max_drawdown_pct=None, max_leverage=None, max_orders_per_day=None),
    RiskConfig(allow_short=True, allow_self_crossing=True, min_cash_pct=Decimal("0.5"), trading_hours="XNYS"),
    RiskConfig(allowed_instruments=("AAPL", "IBM.XNAS"), dry_run=True, repeat_window_secs=Decimal(1)),
])  # fmt: skip


@given(BASES, st.lists(lines(MATCHING), max_size=5), st.lists(lines(OTHERS), max_size=3))
def test_no_key_is_ever_looser_than_the_run_or_any_line_that_matches(
    base: RiskConfig, matching: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    limits = RiskConfig.model_validate({**base.model_dump(), "overrides": [*matching, *others]})
    tight = limits_of(limits)
    meant = limits.overrides[: len(matching)]
    for key in FIELDS:
        bounds = [getattr(limits, key), *(line.keys.get(key) for line in meant)]
        value = getattr(tight, key)
        assert all(no_looser(key, value, bound) for bound in bounds), (key, value, bounds)
        if key != "allowed_instruments":
            assert value in bounds, "made up: neither the run nor a line that matches says so"
    assert all(getattr(tight, key) == getattr(limits, key) for key in WHOLE_RUN if key != "overrides")


@given(st.lists(lines(OTHERS), max_size=4))
def test_lines_about_others_change_nothing(others: list[dict[str, Any]]) -> None:
    limits = RiskConfig.model_validate({"overrides": others})
    assert limits_of(limits) == RiskConfig()


@given(
    st.lists(lines(MATCHING), max_size=4).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(found))
    )
)
def test_the_order_of_the_lines_does_not_matter(
    both: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    first, second = (limits_of(RiskConfig.model_validate({"overrides": found})) for found in both)
    names = ("AAPL", "MSFT", "IBM")
    allowed = [{name for name in names if allows(each.allowed_instruments, name)} for each in (first, second)]
    assert allowed[0] == allowed[1]
    without = {"allowed_instruments": None}
    assert first.model_copy(update=without) == second.model_copy(update=without)


@pytest.mark.parametrize("target", MATCHING, ids=str)
def test_every_name_of_an_order_matches_in_any_case(target: dict[str, str]) -> None:
    limits = RiskConfig.model_validate({"overrides": [{**target, "max_leverage": 0.5}]})
    assert limits_of(limits).max_leverage == Decimal("0.5")


@pytest.mark.parametrize("word", ["crypto", "Cryptocurrency", "CRYPTO"])
def test_crypto_is_short_for_the_engines_word(word: str) -> None:
    limits = RiskConfig.model_validate({"overrides": [{"asset_class": word, "max_leverage": 0.5}]})
    assert limits_of(limits, asset_class=AssetClass.CRYPTOCURRENCY.name).max_leverage == Decimal("0.5")
    assert limits_of(limits, asset_class=AssetClass.FX.name).max_leverage == Decimal(1)


@pytest.mark.parametrize(
    "name", [name for name in dir(AssetClass) if isinstance(getattr(AssetClass, name), AssetClass)]
)
def test_every_asset_class_of_the_engine_can_be_named(name: str) -> None:
    limits = RiskConfig.model_validate({"overrides": [{"asset_class": name.lower(), "max_leverage": 0.5}]})
    assert limits_of(limits, asset_class=name).max_leverage == Decimal("0.5")


def test_every_key_of_the_run_stands_in_a_line_or_is_said_to_hold_for_the_whole_run() -> None:
    assert set(Override.model_fields) - set(KINDS) == FIELDS
    assert set(WHOLE_RUN) <= set(RiskConfig.model_fields)
    assert next(reversed(RiskConfig.model_fields)) == "overrides"  # checked against the fields before it


def test_a_name_that_is_not_known_matches_nothing() -> None:
    target = Target(strategy_id="", strategy_name="", venue="", asset_class="")
    assert not any(target.matches(Override.model_validate({**each, "max_leverage": 1})) for each in MATCHING)


def test_limits_with_lines_come_back_the_same_from_their_own_dump() -> None:
    limits = RiskConfig.model_validate(
        {"overrides": [{"strategy": "a", "allow_short": False, "min_sharpe": -1}]}
    )
    assert RiskConfig.model_validate(limits.model_dump()) == limits
    assert limits.overrides[0].keys == {"allow_short": False, "min_sharpe": Decimal(-1)}


def test_instruments_are_those_that_every_list_names_by_symbol_or_by_id() -> None:
    limits = RiskConfig.model_validate({
        "allowed_instruments": ["AAPL.XNAS", "BRK.B", "IBM"],
        "overrides": [{"venue": "XNAS", "allowed_instruments": "AAPL, BRK, IBM.XNAS, MSFT"}],
    })  # fmt: skip
    assert limits_of(limits).allowed_instruments == ("AAPL.XNAS", "IBM.XNAS")


def test_a_calendar_may_be_given_where_the_run_has_none() -> None:
    lines = [
        {"asset_class": "equity", "trading_hours": "XNYS"},
        {"asset_class": "crypto", "trading_hours": "24/7"},
    ]
    limits = RiskConfig.model_validate({"overrides": lines})
    assert limits_of(limits).trading_hours == "XNYS"
    assert limits_of(limits, asset_class="FX").trading_hours is None


def test_two_calendars_that_meet_in_one_order_are_an_error() -> None:
    lines = [{"venue": "replay", "trading_hours": "XNYS"}, {"venue": "XNAS", "trading_hours": "XLON"}]
    limits = RiskConfig.model_validate({"overrides": lines})
    with pytest.raises(ValueError, match="trading_hours=XNYS and XLON both hold for an order"):
        limits_of(limits)


def test_lines_for_strategies_and_venues_make_breakers_of_their_own() -> None:
    given = [
        {"strategy": "ema_cross", "max_daily_loss_pct": 0.05, "max_leverage": 1},
        {"strategy": "EmaCross-001", "max_daily_loss_pct": 0.03, "min_win_rate": 0.3},
        {"venue": "replay", "max_drawdown": 500},
        {"venue": "XNAS", "allow_short": False},
    ]
    limits = RiskConfig.model_validate({"overrides": given})
    assert [line.target[1] for line in breaker_lines(limits)] == ["ema_cross", "EmaCross-001", "replay"]
    scopes = scoped_breakers(limits, {"EmaCross-001": "strategy", "Other-002": "second"}, ["XNAS"], "replay")
    assert {scope: {key: tight.value for key, tight in keys.items()} for scope, keys in scopes.items()} == {
        "strategy:EmaCross-001": {"max_daily_loss_pct": Decimal("0.03"), "min_win_rate": Decimal("0.3")},
        "venue:XNAS": {"max_drawdown": Decimal(500)},
    }


def test_lines_about_venues_that_are_not_there_are_found() -> None:
    lines = [{"venue": "XNSA", "max_leverage": 1}, {"venue": "xnas", "max_leverage": 1}]
    assert unmatched_venues(RiskConfig.model_validate({"overrides": lines}), ["replay", "XNAS"]) == (0,)
