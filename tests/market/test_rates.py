"""Foreign currencies get the rates that are in force, known no earlier than their stamp, or the run does not begin."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import Bar, BarType, Currency, Price, Quantity, QuoteTick

from market import open_market
from market.conversion import with_rates
from market.errors import SourceError
from market.files import CsvFiles
from market.fx_daily import FxDaily
from market.market_data import MarketData
from market.rates import Rates, RateSeries, exact_rate, settlement_currency
from market.source import DataSource
from market.us_equities import UsEquities
from tests.parity.inverse import inverse_market

type Write = Callable[[str, str], Path]

YEN = BarType.from_str("EURJPY.ECB-1-DAY-LAST-EXTERNAL")


def converted(
    source: DataSource, symbols: list[str], account: str, bar: str = "1d", **window: str
) -> MarketData:
    return with_rates(open_market(source, symbols, bar, **window), source, account, bar)


def series(rates: dict[int, str], currency: str = "JPY") -> RateSeries:
    return RateSeries(
        currency,
        np.array(list(rates), np.int64),
        tuple(exact_rate(Decimal(rate)) for rate in rates.values()),
        "test",
    )


def bar(ts: int) -> Bar:
    price = Price(160.0, 3)
    return Bar(YEN, price, price, price, price, Quantity(1, 0), ts, ts)


def test_a_run_in_its_own_currency_needs_nothing_and_stays_as_it_is(catalog_dir: Path) -> None:
    source = FxDaily(catalog_dir=catalog_dir)
    market = open_market(source, ["EURUSD"])
    assert with_rates(market, source, "USD", "1d") is market
    assert market.rates.told(market.updates()) == market.updates()


def test_crosses_are_converted_at_fixings_of_the_same_source(catalog_dir: Path) -> None:
    market = converted(
        FxDaily(catalog_dir=catalog_dir), ["EURGBP", "EURJPY"], "USD", start="2015-01-05", end="2015-02-01"
    )
    assert {code: each.origin for code, each in market.rates.series.items()} == {
        "GBP": "GBPUSD.ECB",
        "JPY": "USDJPY.ECB",
    }
    dollars, yen = FxDaily().frame("EURUSD", "1d"), FxDaily().frame("EURJPY", "1d")
    at = int(market.start_ns)
    exact = dollars.set_index("ts")["close"][at] / yen.set_index("ts")["close"][at]
    assert float(market.rates.at("JPY", at) or 0) == pytest.approx(exact, rel=1e-5)


def test_a_pair_of_the_run_comes_before_one_beside_it(catalog_dir: Path) -> None:
    market = converted(FxDaily(catalog_dir=catalog_dir), ["EURJPY", "USDJPY"], "USD", start="2015-01-05")
    closes = market.frame("USDJPY")
    last = Decimal(str(closes["close"].iloc[-1]))
    assert market.rates.at("JPY", int(closes["ts"].iloc[-1])) == exact_rate(1 / last)
    assert market.version.count("+") == 0


def test_a_rate_of_before_the_window_is_told_with_its_first_stamp(catalog_dir: Path) -> None:
    """The fixing of 2015-01-05 is made in Frankfurt hours before New York closes."""
    source = UsEquities(catalog_dir=catalog_dir, rates="fx_daily")
    market = converted(source, ["AAPL"], "EUR", start="2012-01-03", end="2012-01-10")
    told = market.rates.told(market.updates())
    first, second = told[:2]
    assert isinstance(first, QuoteTick)
    assert isinstance(second, Bar)
    assert str(first.instrument_id) == "USD/EUR.XNAS"
    assert first.ts_event == second.ts_event == market.start_ns
    assert (
        first.bid_price.as_decimal()
        == first.ask_price.as_decimal()
        == market.rates.at("USD", market.start_ns)
    )
    assert market.rates.at("USD", market.start_ns) == market.rates.at(
        "USD", market.start_ns - 3_600_000_000_000
    )
    assert market.version.endswith(f"+fx_daily-{FxDaily().version()}")


@given(st.sets(st.integers(1, 40), min_size=1), st.sets(st.integers(1, 40), min_size=1))
def test_at_every_update_exactly_the_rate_in_force_has_been_told(stamps: set[int], known: set[int]) -> None:
    given_rates = {ts: f"0.{ts:02}" for ts in sorted(known)}
    rates = Rates("USD", "ECB", {"JPY": series(given_rates)})
    heard: Decimal | None = None
    told = rates.told([bar(ts) for ts in sorted(stamps)])
    assert [update.ts_init for update in told] == sorted(update.ts_init for update in told)
    for update in told:
        if isinstance(update, QuoteTick):
            heard = update.bid_price.as_decimal()
        else:
            assert heard == rates.at("JPY", update.ts_event)


def test_rates_of_a_pair_the_wrong_way_round_are_rounded_once_to_sixteen_digits() -> None:
    assert exact_rate(1 / Decimal(3)) == Decimal("0.3333333333333333")
    assert exact_rate(2 / Decimal(3)) == Decimal("0.6666666666666667")
    with pytest.raises(SourceError, match="too small"):
        exact_rate(Decimal("1e-17"))


def test_before_its_first_stamp_nobody_knows_a_rate() -> None:
    rates = Rates("USD", "ECB", {"JPY": series({5: "0.01"})})
    assert (rates.at("JPY", 4), rates.at("JPY", 5), rates.at("USD", 0)) == (None, Decimal("0.01"), Decimal(1))
    assert series({5: "0.01"}).scaled_at(np.array([4, 5, 6])).tolist() == [0, 10**14, 10**14]


class TestFiles:
    """Two shares of the user's own, one in euros."""

    @pytest.fixture
    def own(self, write: Write, catalog_dir: Path) -> Callable[..., DataSource]:
        rows = "time,open,high,low,close,volume\n" + "".join(
            f"2024-01-{day:02}T21:00Z,10,10,10,10,1000\n" for day in range(2, 9)
        )
        folder = write("data/SAP.csv", rows).parent
        write("data/AAPL.csv", rows)

        def make(**settings: Any) -> DataSource:
            currency = {"SAP": "EUR", "AAPL": "USD"}
            plain = {"label": "END", "calendar": "24/7", "currency": currency, "catalog_dir": catalog_dir}
            return CsvFiles(path=str(folder), **(plain | settings))

        return make

    def test_each_symbol_has_the_currency_the_config_gives_it(self, own: Callable[..., DataSource]) -> None:
        market = converted(own(rates="fx_daily"), ["SAP", "AAPL"], "USD")
        assert [one.quote_currency.code for one in market.instruments] == ["EUR", "USD"]
        assert list(market.rates.series) == ["EUR"]
        assert market.rates.at("EUR", market.end_ns) == Decimal("1.0946")

    def test_a_symbol_that_the_mapping_forgets_is_asked_for(self, own: Callable[..., DataSource]) -> None:
        with pytest.raises(SourceError, match=r"data\.currency says nothing about 'AAPL', only about SAP"):
            converted(own(currency={"SAP": "EUR"}), ["SAP", "AAPL"], "USD")

    def test_a_currency_nobody_knows_is_refused(self, own: Callable[..., DataSource]) -> None:
        with pytest.raises(ValueError, match="'EURO' is not known"):
            own(currency={"SAP": "EURO"})

    def test_a_number_is_a_rate_that_stays(self, own: Callable[..., DataSource]) -> None:
        market = converted(own(rates={"EUR": 1.25}), ["SAP"], "USD")
        assert market.rates.at("EUR", market.start_ns) == Decimal("1.25")
        assert len(market.rates.told(market.updates())) == len(market.updates()) + 1

    def test_a_share_called_like_a_pair_gives_no_rate(
        self, own: Callable[..., DataSource], write: Write
    ) -> None:
        """A file EURUSD.csv of shares is no pair: only what is one gives rates."""
        write("data/EURUSD.csv", "time,open,high,low,close,volume\n2024-01-02T21:00Z,1.1,1.1,1.1,1.1,1\n")
        source = own(currency={"SAP": "EUR", "EURUSD": "USD"})
        with pytest.raises(SourceError, match="no rate between them"):
            converted(source, ["SAP"], "USD")

    @pytest.mark.parametrize("rates", ["ecb", 1.1, {"EUR": "ecb"}, {"EUR": 0}, {"EUR": None}])
    def test_a_choice_of_rates_that_is_none_is_refused(
        self, own: Callable[..., DataSource], rates: object
    ) -> None:
        with pytest.raises(ValueError, match="must be fx_daily, or for each currency"):
            own(rates=rates)

    def test_without_a_rate_one_line_says_every_way_out(self, own: Callable[..., DataSource]) -> None:
        with pytest.raises(SourceError) as caught:
            converted(own(), ["SAP", "AAPL"], "USD")
        said = str(caught.value)
        assert "\n" not in said
        for way_out in ("data.rates=fx_daily", "data.rates={EUR: RATE}", "EURUSD", "venue.currency=EUR"):
            assert way_out in said

    def test_a_currency_the_central_bank_does_not_fix_is_refused(
        self, own: Callable[..., DataSource]
    ) -> None:
        with pytest.raises(
            SourceError, match=r"data\.rates=fx_daily has no rate of USDT in USD, only of AUD, "
        ):
            converted(own(currency="USDT", rates="fx_daily"), ["SAP"], "USD")

    def test_rates_that_end_before_the_data_are_refused(
        self, own: Callable[..., DataSource], write: Write
    ) -> None:
        rows = "time,open,high,low,close,volume\n2026-03-02T21:00Z,10,10,10,10,1\n2026-03-03T21:00Z,10,10,10,10,1\n"
        write("data/LATE.csv", rows)
        with pytest.raises(
            SourceError, match=r"EURUSD\.ECB\) end on 2025-12-31, the data of the run on 2026-03-03"
        ):
            converted(own(currency="EUR", rates="fx_daily"), ["LATE"], "USD")


class TestPairs:
    """Files of currency pairs."""

    @pytest.fixture
    def own(self, write: Write, catalog_dir: Path) -> DataSource:
        prices = {"EURGBP": "0.85", "EURUSD": "1.10", "USDJPY": "150", "CHFJPY": "170"}
        for symbol, price in prices.items():
            first = 4 if symbol == "EURUSD" else 2
            rows = [
                f"2024-01-{day:02}T21:00Z,{price},{price},{price},{price},1000" for day in range(first, 9)
            ]
            folder = write(
                f"pairs/{symbol}.csv", "\n".join(["time,open,high,low,close,volume", *rows]) + "\n"
            ).parent
        return CsvFiles(path=str(folder), label="END", instrument_class="fx", catalog_dir=catalog_dir)

    def test_two_pairs_of_the_run_make_a_rate_through_a_third_currency(self, own: DataSource) -> None:
        market = converted(own, ["EURGBP", "EURUSD"], "USD")
        assert market.rates.at("GBP", market.end_ns) == exact_rate(
            exact_rate(1 / Decimal("0.85")) * Decimal("1.10")
        )
        assert any("no rate of GBP in USD before 2024-01-04" in doubt for doubt in market.doubts)

    def test_a_pair_in_the_same_folder_is_used_though_it_is_not_traded(self, own: DataSource) -> None:
        market = converted(own, ["CHFJPY"], "USD")
        assert market.rates.series["JPY"].origin == "USDJPY.SIM"
        assert market.rates.at("JPY", market.end_ns) == exact_rate(1 / Decimal(150))
        assert [str(one.id) for one in market.instruments] == ["CHFJPY.SIM"]


def test_an_inverse_contract_settles_in_its_coin() -> None:
    (contract,) = inverse_market([40000.0]).instruments
    assert settlement_currency(contract) == "BTC"
    (pair,) = Rates("USD", "SIM", {"BTC": series({1: "40000"}, "BTC")}).pairs.values()
    assert (str(pair.id), pair.price_precision) == ("BTC/USD.SIM", 16)
    assert pair.quote_currency == Currency.from_str("USD")
