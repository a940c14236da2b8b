"""What a report says of costs: the assumptions in words, and what they took."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adapters.costs import Costs
from adapters.errors import AdapterError
from backtests.api import backtest
from configs.errors import ConfigError
from configs.load import compose
from market.instruments import equity, pair
from runs.costs import assumed, of_another_class

DEFAULT = "5 bp of each fill; no slippage; orders arrive at once; borrowing free"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, DEFAULT),
        (
            {"maker_fee": "0.0015", "taker_fee": "0.0025"},
            "15 bp of a resting fill, 25 bp of any other; no slippage;",
        ),
        ({"maker_fee": 0, "taker_fee": 0}, "FREE OF COSTS; no fee; no slippage;"),
        (
            {"maker_fee": "-0.0001", "taker_fee": 0},
            "FREE OF COSTS; -1 bp of a resting fill, 0 bp of any other;",
        ),
        (
            {
                "maker_fee": 0,
                "taker_fee": 0,
                "fee_per_unit": "0.0035",
                "min_fee": "0.35",
                "max_fee_pct": "0.01",
            },
            "0.0035 a unit, at least 0.35 an order, at most 1% of it;",
        ),
        (
            {"spread_bps": 2, "slippage_ticks": 1},
            "5 bp of each fill; a spread of 2 bp; one tick of slippage;",
        ),
        ({"latency_ms": 250}, "5 bp of each fill; no slippage; orders arrive after 250 ms;"),
        ({"borrow_rate": "0.003"}, "at once; borrowing 0.3% a year; borrowing cash free"),
        ({"fill_probability": 0.25}, "at once; a limit order that is touched fills with 25%; borrowing free"),
    ],
)
def test_assumptions_are_said_in_one_line(changed: dict[str, Any], said: str) -> None:
    assert said in assumed(Costs.model_validate(changed), quoted=False)


def test_data_with_bid_and_ask_has_its_own_spread_and_is_never_free() -> None:
    costs = Costs.model_validate({"maker_fee": 0, "taker_fee": 0, "spread_bps": 2})
    assert assumed(costs, quoted=True).startswith("no fee; bid and ask of the data;")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "venue.margin_rate=9.25",
            r"9\.25 is above 1, but this is a fraction a year: .* \(did you mean 0\.0925\?\)",
        ),
        ("venue.borrow_rate=3", r"\(did you mean 0\.03\?\)"),
        ("venue.spread_bps=20000", r"must be at most 2,000: it is in basis points"),
        ("venue.slippage_vol=100", r"must be at most 10: it multiplies the volatility of a day"),
        ("venue.impact=1000", r"must be at most 10: it multiplies the volatility of a day"),
        ("venue.costs_for=[stocks]", r"must be one of equity, fx, crypto"),
    ],
)
def test_costs_that_nobody_has_are_refused(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compose("backtest", [override])


SHARE = equity("AAPL", "XNAS", "USD", 2)
CURRENCIES = pair("EURUSD", "ECB", ("EUR", "USD"), 5, 0)
COINS = pair("BTC-USD", "SIM", ("BTC", "USD"), 2, 4)


@pytest.mark.parametrize(
    ("preset", "fits"),
    [
        *((name, SHARE) for name in ("alpaca", "ib", "ib_fixed", "tradier")),
        ("oanda", CURRENCIES),
        *((name, COINS) for name in ("alpaca_crypto", "binance_spot", "bybit", "kraken")),
    ],
)
def test_a_preset_is_doubted_for_instruments_of_another_class_only(preset: str, fits: Any) -> None:
    costs = compose("backtest", [f"costs={preset}"]).config.venue
    assert of_another_class(costs, [fits]) is None
    others: list[Any] = [each for each in (SHARE, CURRENCIES, COINS) if each is not fits]
    for other in others:
        doubt = of_another_class(costs, [fits, other])
        assert doubt is not None
        assert doubt.startswith(f"costs={preset} is for {costs.costs_for[0]}, not for {other.id} (")


def test_costs_of_no_preset_are_for_anything() -> None:
    for overrides in ([], ["costs=default"], ["costs=none"]):
        costs = compose("backtest", overrides).config.venue
        assert of_another_class(costs, [SHARE, CURRENCIES, COINS]) is None


def test_a_default_run_is_never_free_of_costs() -> None:
    for verb in ("backtest", "live"):
        assert not compose(verb, []).config.venue.free
    assert compose("backtest", ["costs=none"]).config.venue.free


def test_a_preset_is_laid_over_whatever_venue_is_chosen() -> None:
    venue = compose("backtest", ["venue=alpaca_paper", "costs=kraken", "venue.spread_bps=7"]).config.venue
    assert (venue.costs, venue.taker_fee, int(venue.spread_bps), venue.latency_ms) == (
        "kraken",
        Decimal("0.004"),
        7,
        0,
    )


# -- bars of bid and ask, read as quotes ---------------------------------------------------------------------------


@pytest.fixture
def bid_and_ask(tmp_path: Path) -> list[str]:
    """Overrides that trade on a Parquet file of daily bars with a bid and an ask."""
    days = pd.date_range("2024-01-02 16:00", periods=12, freq="D", tz="UTC")
    frame = pd.DataFrame({"time": days, "bid_close": 99.0, "ask_close": 101.0, "close": 100.0})
    frame.to_parquet(tmp_path / "MINE.parquet")
    return [
        "data=parquet",
        f"data.path={tmp_path / 'MINE.parquet'}",
        f"data.catalog_dir={tmp_path / 'catalog'}",
        "data.kind=quotes",
        "data.columns.bid=bid_close",
        "data.columns.ask=ask_close",
        "data.columns.bid_size=null",
        "data.columns.ask_size=null",
        "data.fill_size=1000",
        "instruments=[MINE]",
        "risk=off_for_research",
    ]


def test_bars_of_bid_and_ask_can_be_traded_on_as_quotes(bid_and_ask: list[str], tmp_path: Path) -> None:
    own = tmp_path / "strategy"
    own.mkdir()
    (own / "quoting.yaml").write_text(
        "# python -m backtests run strategy=quoting\n"
        "strategy_path: tests.parity.quoting:Quoting\n"
        "config_path: tests.parity.quoting:QuotingConfig\n"
        "every: 10\n"
    )
    overrides = [*bid_and_ask, "strategy=quoting", "costs=oanda", "venue.spread_bps=50"]
    result = backtest(overrides, tmp_path)
    assert float(result.record.fills[0]["price"]) == 101
    assert result.summary.costs is not None
    assert result.summary.costs.assumed.startswith("no fee; bid and ask of the data;")
    assert not result.summary.costs.free
    assert result.summary.capacity is None
    with pytest.raises(AdapterError, match=r"venue.impact=1: needs bars with a volume, this data is quotes"):
        backtest([*overrides, "venue.impact=1"], tmp_path)
