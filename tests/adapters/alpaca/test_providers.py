"""What the engine learns of what Alpaca trades."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import AssetClass, Cfd, CurrencyPair, Equity

from adapters.alpaca._api import AlpacaApi
from adapters.alpaca.providers import assets, instruments, pair_of, share_of, tick_of
from adapters.errors import AdapterError
from tests.adapters.alpaca.data_driving import Broker, api_of, broker

ROW: dict[str, Any] = {
    "symbol": "AAPL",
    "class": "us_equity",
    "fractionable": True,
    "margin_requirement_long": "60",
}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("alpaca"), "instruments=AAPL,BTC/USD") as running:
        yield running


def asked(one: Broker, *symbols: str, **how: Any) -> list[Any]:
    with api_of(one) as api:
        return asyncio.run(instruments(api, symbols, **how))


def test_a_share_keeps_four_decimals_and_is_ordered_in_cents(one: Broker) -> None:
    (share,) = asked(one, "AAPL")
    assert isinstance(share, Equity)
    assert str(share.id) == "AAPL.ALPACA"
    assert (share.price_precision, share.price_increment.as_decimal()) == (4, Decimal("0.01"))
    assert str(share.make_price(455.12341)) == "455.1200"
    assert share.margin_init > 0
    assert share.info["shortable"] is True
    assert share.info["fractionable"] is True


def test_a_share_below_a_dollar_is_ordered_in_hundredths_of_a_cent(one: Broker) -> None:
    one.ask("price", symbol="AAPL", price="0.53")
    (share,) = asked(one, "AAPL")
    assert share.price_increment.as_decimal() == Decimal("0.0001")
    one.ask("price", symbol="AAPL", price="455")
    assert [tick_of(Decimal(price)) for price in ("0.9999", "1", "455")] == [
        Decimal("0.0001"), Decimal("0.01"), Decimal("0.01"),
    ]  # fmt: skip


def test_where_the_engine_matches_every_price_lies_on_an_increment(one: Broker) -> None:
    (share,) = asked(one, "AAPL", simulated=True)
    assert share.price_increment.as_decimal() == Decimal("0.0001")


def test_fractions_of_a_share_have_nine_decimals_and_count_as_shares(one: Broker) -> None:
    (share,) = asked(one, "AAPL", fractional=True)
    assert isinstance(share, Cfd)
    assert (share.size_precision, share.asset_class) == (9, AssetClass.EQUITY)
    assert str(share.make_qty(1.123456789)) == "1.123456789"
    assert isinstance(share_of(ROW | {"fractionable": False}, fractional=True), Equity)


def test_crypto_is_a_pair_with_the_brokers_own_increments(one: Broker) -> None:
    pair, share = asked(one, "BTC/USD", "AAPL")
    assert isinstance(pair, CurrencyPair)
    assert isinstance(share, Equity)
    assert (str(pair.id), str(pair.base_currency.code), str(pair.quote_currency.code)) == (
        "BTC/USD.ALPACA", "BTC", "USD",
    )  # fmt: skip
    assert pair.min_quantity is not None
    assert pair.size_increment.as_decimal() <= pair.min_quantity.as_decimal()
    row = {
        "symbol": "PEPE/USD",
        "class": "crypto",
        "price_increment": 1e-09,
        "min_trade_increment": "0.5",
        "min_order_size": "1.2",
    }
    odd = pair_of(row)
    assert odd.min_quantity is not None
    assert (odd.price_precision, odd.size_precision, odd.min_quantity.as_decimal()) == (9, 1, Decimal("1.5"))


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("APPL", "instruments: Alpaca has no APPL; did you mean 'AAPL'?"),
        ("BTCUSD", "instruments: Alpaca has no BTCUSD; did you mean 'BTC/USD'?"),
        ("btc/usd", "instruments: Alpaca has no btc/usd; did you mean 'BTC/USD'?"),
        ("GONE", "instruments: GONE (Gone Industries Inc.) is not active at Alpaca; take another symbol"),
        (
            "AAPL261218C00200000",
            "instruments: AAPL261218C00200000 is an option; on Alpaca only shares and crypto can be traded",
        ),
    ],
)
def test_a_symbol_that_is_not_there_is_refused_with_the_close_match(
    one: Broker, symbol: str, said: str
) -> None:
    with pytest.raises(AdapterError) as refused:
        asked(one, "AAPL", symbol)
    assert str(refused.value).partition("(")[0].strip() == said.partition("(")[0].strip()


def test_a_broker_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    with broker(tmp_path, "instruments=AAPL") as gone:
        gone.process.kill()
        with pytest.raises(AdapterError, match="nobody answers there"):
            asked(gone, "AAPL")


def test_maintenance_margin_follows_the_broker() -> None:
    assert share_of(ROW).margin_maint == Decimal("0.6")
    assert share_of(ROW | {"margin_requirement_long": "100"}).margin_maint == 1
    assert share_of({"symbol": "X", "class": "us_equity"}).margin_maint == Decimal("0.5")


def test_the_list_of_assets_begins_with_what_can_be_traded(one: Broker) -> None:
    async def read(api: AlpacaApi) -> list[dict[str, Any]]:
        return [*await assets(api), *await assets(api, "crypto")]

    with api_of(one) as api:
        rows = asyncio.run(read(api))
    assert {"AAPL", "BTC/USD"} <= {row["symbol"] for row in rows}
    assert rows[0]["tradable"]
