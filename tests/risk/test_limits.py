"""Each limit at, just under and just over its value; the config that sets them; the worst case they look at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from risk.checks import CHECKS, Proposal, active, first_broken
from risk.limits import RiskConfig
from tests.driving import MODES, OPEN, Scripted, bars, drive

KEPT: dict[str, Any] = {
    "instrument": "AAPL.XNAS", "notional": Decimal(1_000), "position_after": Decimal(10), "shorts": False,
    "exposure_after": Decimal(1_000), "gross_after": Decimal(1_000), "open_after": 1, "orders_today": 0,
    "orders_this_sec": 0, "equity": Decimal(100_000), "currency": "USD",
}  # fmt: skip
CENT = Decimal("0.01")
# (field, limit, what the proposal says at the limit, one step more, refusal code, what else is so)
AT_THE_LIMIT: list[tuple[str, Any, dict[str, Any], Any, str, dict[str, Any]]] = [
    ("max_leverage", "1.5", {"gross_after": Decimal(150_000)}, CENT, "MAX_LEVERAGE", {}),
    ("max_gross_notional", "8000", {"gross_after": Decimal(8_000)}, CENT, "MAX_GROSS_NOTIONAL", {}),
    ("max_position_pct", "0.1", {"exposure_after": Decimal(10_000)}, CENT, "MAX_POSITION", {}),
    ("max_position_notional", "9000", {"exposure_after": Decimal(9_000)}, CENT, "MAX_POSITION_NOTIONAL", {}),
    ("max_strategy_pct", "0.3", {"strategy_gross_after": Decimal(30_000)}, CENT, "MAX_STRATEGY", {}),
    ("max_strategy_notional", "7000", {"strategy_gross_after": Decimal(7_000)}, CENT, "MAX_STRATEGY_NOTIONAL", {}),
    ("max_open_positions", 3, {"open_after": 3}, 1, "MAX_OPEN_POSITIONS", {}),
    ("max_new_positions_per_day", 2, {"new_today": 1}, 1, "MAX_NEW_POSITIONS", {"opens": True}),
    ("min_cash_pct", "0.25", {"gross_after": Decimal(75_000)}, CENT, "MIN_CASH", {}),
    ("max_order_pct", "0.05", {"notional": Decimal(5_000)}, CENT, "MAX_ORDER", {}),
    ("max_order_notional", "7000", {"notional": Decimal(7_000)}, CENT, "MAX_ORDER_NOTIONAL", {}),
    ("max_orders_per_day", 5, {"orders_today": 4}, 1, "MAX_ORDERS_PER_DAY", {}),
    ("max_orders_per_sec", 5, {"orders_this_sec": 4}, 1, "MAX_ORDERS_PER_SEC", {}),
    ("price_collar_pct", "0.05", {"limit": Decimal(105)}, CENT, "PRICE_COLLAR", {"reference": Decimal(100)}),
    ("price_collar_pct", "0.05", {"trigger": Decimal(95)}, -CENT, "PRICE_COLLAR", {"reference": Decimal(100)}),
    (
        "max_slippage_pct", "0.01", {"far_side": Decimal(101)}, CENT, "MAX_SLIPPAGE",
        {"reference": Decimal(100), "at_market": True},
    ),
    ("max_price_age_secs", "60", {"price_age_secs": Decimal(60)}, CENT, "STALE_PRICE", {}),
    ("max_repeats", 3, {"repeats": 2}, 1, "REPEATED_ORDER", {"quantity": Decimal(5)}),
]  # fmt: skip
SWITCHES = {"SHORT_SELLING", "NOT_ALLOWED", "MARKET_CLOSED", "SELF_CROSSING", "NO_STOP_LOSS"}


def limits(**given_limits: Any) -> RiskConfig:
    return RiskConfig(**{**OPEN, **given_limits})


@pytest.mark.parametrize(
    ("field", "value", "at", "step", "code", "beside"),
    AT_THE_LIMIT,
    ids=[f"{row[0]}-{next(iter(row[2]))}" for row in AT_THE_LIMIT],
)
def test_a_limit_is_kept_up_to_its_value(
    field: str, value: Any, at: dict[str, Any], step: Any, code: str, beside: dict[str, Any]
) -> None:
    config = limits(**{field: value})
    (name, there), *_ = at.items()

    def asked(amount: Any) -> str | None:
        return first_broken(Proposal(**{**KEPT, **beside, name: amount}), config)

    assert asked(there - step) is None
    assert asked(there) is None
    broken = asked(there + step)
    assert broken is not None
    assert broken.startswith(f"{code}: ")
    assert "\n" not in broken
    assert first_broken(Proposal(**{**KEPT, **beside, name: there + step}), limits(**{field: "off"})) is None


def test_every_check_has_a_case_at_its_limit() -> None:
    assert {code for code, _, _ in CHECKS} == {row[4] for row in AT_THE_LIMIT} | SWITCHES


def test_every_check_names_a_field_that_switches_it() -> None:
    for _, field, _ in CHECKS:
        assert field in RiskConfig.model_fields
    nothing = limits(allow_self_crossing=True)
    assert active(nothing) == ()


@pytest.mark.parametrize(
    ("on", "proposal", "told"),
    [
        ({"allowed_instruments": ["MSFT"]}, {}, "NOT_ALLOWED: AAPL.XNAS is not on the list; allowed_instruments: MSFT"),
        ({"trading_hours": "XNYS"}, {"closed": "XNYS is closed"}, "MARKET_CLOSED: XNYS is closed"),
        (
            {"allow_self_crossing": False}, {"crosses": Decimal("99.5")},
            "SELF_CROSSING: AAPL.XNAS buy would meet this account's own order at 99.5",
        ),
        (
            {"require_stop_loss": True}, {},
            "NO_STOP_LOSS: AAPL.XNAS entry without a stop; send both in one list, or set default_stop_loss_pct",
        ),
    ],
)  # fmt: skip
def test_a_switch_refuses_and_its_opposite_does_not(
    on: dict[str, Any], proposal: dict[str, Any], told: str
) -> None:
    asked = Proposal(**{**KEPT, **proposal})
    assert first_broken(asked, limits(**on)) == told
    assert first_broken(asked, limits(allow_self_crossing=True)) is None


def test_what_satisfies_a_switch_passes() -> None:
    assert first_broken(Proposal(**KEPT), limits(allowed_instruments="AAPL, MSFT")) is None
    assert first_broken(Proposal(**KEPT), limits(allowed_instruments=["AAPL.XNAS"])) is None
    assert first_broken(Proposal(**KEPT), limits(trading_hours="XNYS")) is None
    assert first_broken(Proposal(**{**KEPT, "has_stop": True}), limits(require_stop_loss=True)) is None
    attached = limits(require_stop_loss=True, default_stop_loss_pct="0.05")
    assert first_broken(Proposal(**KEPT), attached) is None


def test_an_unknown_or_foreign_price_age_is_too_old() -> None:
    fresh = limits(max_price_age_secs=60)
    unknown = first_broken(Proposal(**KEPT), fresh)
    assert unknown is not None
    assert "is unknown" in unknown
    held = Proposal(**{**KEPT, "price_age_secs": Decimal(1), "oldest": ("MSFT.XNAS", Decimal(61))})
    stale = first_broken(held, fresh)
    assert stale is not None
    assert stale.startswith("STALE_PRICE: age of the price of MSFT.XNAS, which is held, is 61 s; limit 60 s")


AMOUNTS = {
    "max_leverage": ("gross_after", "1"),
    "max_position_pct": ("exposure_after", "0.2"), "max_order_pct": ("notional", "0.2"),
    "max_strategy_pct": ("strategy_gross_after", "0.2"), "max_gross_notional": ("gross_after", "20000"),
    "max_position_notional": ("exposure_after", "20000"), "max_order_notional": ("notional", "20000"),
    "max_strategy_notional": ("strategy_gross_after", "20000"),
}  # fmt: skip


@given(
    field=st.sampled_from(sorted(AMOUNTS)),
    amount=st.decimals(0, 1_000_000, places=2),
    equity=st.decimals(1, 1_000_000, places=2),
    more=st.decimals(0, 1_000, places=2),
)
def test_an_amount_is_refused_exactly_when_it_is_above_its_limit_and_more_is_never_better(
    field: str, amount: Decimal, equity: Decimal, more: Decimal
) -> None:
    name, value = AMOUNTS[field]
    config = limits(**{field: value}, allow_self_crossing=True)
    bound = Decimal(value) * (equity if field == "max_leverage" or field.endswith("_pct") else 1)

    def refused(size: Decimal) -> bool:
        return first_broken(Proposal(**{**KEPT, name: size, "equity": equity}), config) is not None

    assert refused(amount) == (amount > bound)
    assert refused(amount + more) or not refused(amount)


@given(st.decimals("0.01", 1_000, places=2), st.decimals("0.01", 1_000, places=2), st.booleans())
def test_a_price_is_refused_exactly_outside_its_collar(
    price: Decimal, reference: Decimal, is_trigger: bool
) -> None:
    order = Proposal(**{**KEPT, "trigger" if is_trigger else "limit": price, "reference": reference})
    broken = first_broken(order, limits(price_collar_pct="0.1", allow_self_crossing=True))
    assert (broken is not None) == (not reference * Decimal("0.9") <= price <= reference * Decimal("1.1"))


COUNTS = {
    "max_orders_per_day": "orders_today", "max_orders_per_sec": "orders_this_sec", "max_repeats": "repeats",
}  # fmt: skip


@given(st.integers(0, 20), st.integers(1, 10), st.sampled_from(sorted(COUNTS)))
def test_a_count_is_refused_exactly_above_its_limit(before: int, limit: int, field: str) -> None:
    config = limits(**{field: limit}, allow_self_crossing=True)
    broken = first_broken(Proposal(**{**KEPT, COUNTS[field]: before}), config)
    assert (broken is not None) == (before + 1 > limit)


def test_short_selling_is_off_unless_allowed() -> None:
    short = Proposal(**{**KEPT, "shorts": True, "position_after": Decimal(-10)})
    assert first_broken(short, limits(allow_short=True)) is None
    assert (
        first_broken(short, limits(allow_short=False))
        == "SHORT_SELLING: AAPL.XNAS would be -10; short selling is off"
    )


def test_without_equity_nothing_new_passes() -> None:
    broken = first_broken(Proposal(**{**KEPT, "equity": Decimal(0)}), limits())
    assert broken is not None
    assert broken.startswith("NO_EQUITY")


def test_a_refusal_shows_its_arithmetic() -> None:
    order = Proposal(**{**KEPT, "exposure_after": Decimal(14_210), "equity": Decimal(50_000)})
    assert first_broken(order, limits(max_position_pct="0.1")) == (
        "MAX_POSITION: AAPL.XNAS would be 14,210.00 USD, 28.4% of equity 50,000.00 USD; limit 10.0%"
    )


@given(
    exposure=st.decimals(0, 1_000_000, places=2),
    equity=st.decimals(1, 1_000_000, places=2),
    share=st.decimals("0.01", 1, places=2),
)
def test_position_share_is_refused_exactly_when_it_is_above(
    exposure: Decimal, equity: Decimal, share: Decimal
) -> None:
    order = Proposal(**{**KEPT, "exposure_after": exposure, "equity": equity})
    assert (first_broken(order, limits(max_position_pct=share)) is not None) == (exposure > share * equity)


@pytest.mark.parametrize(
    ("given_limits", "told"),
    [
        ({"max_leverage": -1}, "greater than 0"),
        ({"max_leverage": "two"}, "'two' is not a number; give a number, or off"),
        ({"max_leverage": True}, "not a number"),
        ({"max_leverage": float("nan")}, "not a finite number"),
        ({"max_position_pct": 5}, "0.05 is 5%"),
        ({"max_position_pct": 0}, "greater than 0"),
        ({"max_orders_per_day": 2.5}, "not a whole number"),
        ({"max_daily_loss_pct": 0.3, "max_drawdown_pct": 0.2}, "could never trip"),
        ({"session_zone": "Mars/Base"}, "not a time zone"),
        ({"session_start": "25:00"}, "pattern"),
        ({"max_levrage": 1}, "Extra inputs"),
        ({"on_trip": "explode"}, "cancel"),
    ],
)
def test_a_wrong_config_names_what_is_wrong(given_limits: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RiskConfig(**given_limits)


@pytest.mark.parametrize("off", ["off", "OFF", False, None, "none"])
def test_off_switches_a_limit_off(off: Any) -> None:
    config = RiskConfig(max_leverage=off)
    assert config.max_leverage is None
    assert config.switched_off == ("max_leverage",)


def test_numbers_stay_what_was_written() -> None:
    assert RiskConfig(max_leverage=1.1).max_leverage == Decimal("1.1")


class Buys(Scripted):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.limit(_buy(), 50, 99.0)
        if n == 3:
            self.buy(51)
        if n == 4:
            self.buy(50)
        if n == 5:
            self.sell(60)
        if n == 6:
            self.sell(100)
        if n == 7:
            self.sell(50)


def _buy() -> Any:
    from nautilus_trader.model import OrderSide  # noqa: PLC0415 - one use

    return OrderSide.BUY


@pytest.mark.parametrize("mode", MODES)
def test_working_orders_count_as_filled_and_reductions_pass(mode: str) -> None:
    """100 shares at 100 are the limit: 50 rest, so 51 more is refused, 50 more passes; exits pass, a flip does not."""
    driven = drive(
        mode, Buys, bars([100.0] * 9), risk={"max_position_notional": 10_000, "allow_short": False}
    )
    assert driven.limits == ["MAX_POSITION_NOTIONAL", "SHORT_SELLING", "SHORT_SELLING"]
    assert [(fill["side"], fill["quantity"]) for fill in driven.record.fills] == [("BUY", 50), ("SELL", 50)]


@pytest.mark.parametrize("mode", MODES)
def test_dry_run_records_and_sends_nothing(mode: str) -> None:
    driven = drive(mode, Buys, bars([100.0] * 9), risk={"dry_run": True})
    assert set(driven.limits) == {"DRY_RUN"}
    assert driven.record.orders == []


class BuysEachBar(Scripted):
    def at_bar(self, _n: int, _bar: Any) -> None:
        for _ in range(3):
            self.buy(1)


@pytest.mark.parametrize("mode", MODES)
def test_orders_a_day_and_a_second_are_counted_in_market_time(mode: str) -> None:
    driven = drive(mode, BuysEachBar, bars([100.0] * 4), risk={"max_orders_per_day": 2})
    assert driven.limits == ["MAX_ORDERS_PER_DAY"] * 4
    driven = drive(mode, BuysEachBar, bars([100.0] * 4), risk={"max_orders_per_sec": 1})
    assert driven.limits == ["MAX_ORDERS_PER_SEC"] * 8


class BuysBeforeAnyPrice(Scripted):
    def on_start(self) -> None:
        super().on_start()
        self.buy(1)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_price_nothing_is_sent(mode: str) -> None:
    assert drive(mode, BuysBeforeAnyPrice, bars([100.0] * 3)).limits == ["NO_PRICE"]


class OpensEach(Scripted):
    def at_bar(self, n: int, bar: Any) -> None:
        if n <= 3:
            order = self.order_factory.market(bar.bar_type.instrument_id, _buy(), _one())
            self.submit_order(order)


def _one() -> Any:
    from nautilus_trader.model import Quantity  # noqa: PLC0415 - one use

    return Quantity(1, 0)


@pytest.mark.parametrize("mode", MODES)
def test_open_positions_are_counted_by_instrument(mode: str) -> None:
    rows = sorted(
        [*bars([100.0] * 3), *bars([50.0] * 3, "MSFT"), *bars([70.0] * 3, "IBM")], key=lambda b: b.ts_init
    )
    symbols = ("AAPL", "MSFT", "IBM")
    driven = drive(mode, OpensEach, rows, risk={"max_open_positions": 2}, symbols=symbols)
    assert driven.limits == ["MAX_OPEN_POSITIONS"]
    assert driven.record.refusals[0]["instrument"] == "IBM.XNAS"
