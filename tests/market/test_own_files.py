"""Files of the user's own mean what the config says they mean."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nautilus_trader.model import CurrencyPair

from market import DataError, MarketData, open_market
from market.files import CsvFiles, ParquetFiles

type Write = Callable[[str, str], Path]
type Open = Callable[..., MarketData]

HEAD = "time,open,high,low,close,volume\n"


def _rows(*times: object) -> str:
    """Sound rows with these stamps."""
    return HEAD + "".join(
        f"{time},{100 + n}.00,{102 + n}.00,{99 + n}.00,{101 + n}.25,{1000 + n}\n"
        for n, time in enumerate(times)
    )


def _utc(market: MarketData, symbol: str | None = None) -> list[str]:
    stamps = market.frame(symbol or market.symbols[0])["ts"]
    return [f"{pd.Timestamp(ts):%Y-%m-%d %H:%M}" for ts in stamps]


@pytest.fixture
def read(catalog_dir: Path) -> Open:
    """Open a CSV as crypto in UTC (days without an exchange), START, unless told otherwise."""

    def _read(path: Path | str, bar: str = "1d", **settings: Any) -> MarketData:
        plain = {
            "label": "START",
            "instrument_class": "crypto",
            "symbols": ["BTCUSD"],
            "catalog_dir": catalog_dir,
        }
        return open_market(CsvFiles(path=str(path), **(plain | settings)), None, bar)

    return _read


class TestLabels:
    def test_a_bar_labelled_by_its_end_keeps_its_stamp(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows("2020-01-02T10:01:00Z", "2020-01-02T10:02:00Z"))
        assert _utc(read(file, "1m", label="END")) == ["2020-01-02 10:01", "2020-01-02 10:02"]

    def test_a_bar_labelled_by_its_start_ends_a_bar_later(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows("2020-01-02T10:00:00Z", "2020-01-02T10:15:00Z"))
        assert _utc(read(file, "15m")) == ["2020-01-02 10:15", "2020-01-02 10:30"]

    def test_a_dated_day_ends_at_the_next_midnight_without_an_exchange(
        self, write: Write, read: Open
    ) -> None:
        file = write("a.csv", _rows("2020-01-02", "2020-01-03"))
        assert _utc(read(file)) == ["2020-01-03 00:00", "2020-01-04 00:00"]

    def test_a_dated_day_is_23_hours_long_when_clocks_spring_forward(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows("2020-03-28", "2020-03-29"))
        assert _utc(read(file, zone="Europe/Berlin")) == ["2020-03-28 23:00", "2020-03-29 22:00"]

    def test_a_dated_day_of_a_share_ends_at_the_close_of_its_session(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows("2019-11-27", "2019-11-29", "2019-12-02"))
        market = read(file, instrument_class="equity")
        assert _utc(market) == [
            "2019-11-27 21:00",
            "2019-11-29 18:00",
            "2019-12-02 21:00",
        ]  # Friday is a half day
        assert market.doubts == ()

    def test_no_bar_runs_past_the_close_of_its_session(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows(*(f"2020-01-02 {hour}:30" for hour in (13, 14, 15))))
        assert _utc(read(file, "1h", instrument_class="equity"))[1:] == [
            "2020-01-02 20:30",
            "2020-01-02 21:00",
        ]


class TestTime:
    @pytest.mark.parametrize(
        ("text", "settings"),
        [
            ("2020-07-01T10:00:00Z", {}),
            ("2020-07-01T06:00:00-04:00", {}),
            ("2020-07-01 06:00", {"stamp_zone": "America/New_York"}),
            ("1593597600", {"time_unit": "s"}),
            ("1593597600.0", {"time_unit": "s"}),
            ("1593597600000", {"time_unit": "ms"}),
            ("1593597600000000000", {"time_unit": "ns"}),
            ("01/07/2020 10:00", {"time_format": "%d/%m/%Y %H:%M"}),
            ("20200701 1000", {"time_format": "%Y%m%d %H%M"}),
            ("01/07/2020 12:00 +0200", {"time_format": "%d/%m/%Y %H:%M %z"}),
        ],
    )
    def test_one_moment_in_many_spellings(
        self, text: str, settings: dict[str, Any], write: Write, read: Open
    ) -> None:
        assert _utc(read(write("a.csv", _rows(text)), "1h", label="END", **settings)) == ["2020-07-01 10:00"]

    def test_the_hour_that_comes_twice_is_told_apart_by_order(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows(*(f"2020-10-25 0{hour}:00" for hour in (1, 2, 2, 3))))
        stamps = _utc(read(file, "1h", label="END", stamp_zone="Europe/Berlin"))
        assert stamps == ["2020-10-24 23:00", "2020-10-25 00:00", "2020-10-25 01:00", "2020-10-25 02:00"]

    def test_a_file_that_runs_backwards_can_be_turned(self, write: Write, read: Open) -> None:
        file = write("a.csv", _rows("2020-01-03", "2020-01-02"))
        market = read(file, newest_first=True)
        assert _utc(market) == ["2020-01-03 00:00", "2020-01-04 00:00"]
        assert list(market.frame("BTCUSD")["close"]) == [102.25, 101.25]

    def test_a_parquet_may_hold_any_kind_of_time(self, tmp_path: Path, catalog_dir: Path, bars: Any) -> None:
        moments = pd.date_range("2020-01-02", periods=10, tz="UTC")
        kinds = {
            "aware": moments,
            "naive": moments.tz_localize(None),
            "date": moments.date,
            "text": moments.strftime("%Y-%m-%d"),
            "number": moments.as_unit("ms").asi8,
        }
        for name, times in kinds.items():
            frame = bars().drop(columns="ts").assign(time=times)
            frame.to_parquet(tmp_path / f"{name}.parquet")
            source = ParquetFiles(
                path=str(tmp_path / f"{name}.parquet"),
                label="END",
                instrument_class="crypto",
                symbols=["BTCUSD"],
                time_unit="ms" if name == "number" else None,
                catalog_dir=catalog_dir,
            )
            assert _utc(open_market(source))[:2] == ["2020-01-02 00:00", "2020-01-03 00:00"], name


class TestPlaces:
    def test_a_folder_gives_a_symbol_a_file(self, write: Write, read: Open) -> None:
        for name in ("ETHUSD", "BTCUSD"):
            file = write(f"prices/{name}.csv", _rows("2020-01-02", "2020-01-03"))
        write("prices/notes.txt", "hello")
        assert read(file.parent, symbols=[]).symbols == ("BTCUSD", "ETHUSD")

    def test_a_pattern_finds_symbols_in_folders(self, write: Write, read: Open, tmp_path: Path) -> None:
        for name in ("ETHUSD", "BTCUSD"):
            write(f"{name}/{name}_1m.csv", _rows("2020-01-02"))
        market = read(tmp_path / "{symbol}/{symbol}_1m.csv", symbols=[])
        assert market.symbols == ("BTCUSD", "ETHUSD")

    def test_a_single_file_is_called_by_its_name(self, write: Write, read: Open) -> None:
        assert read(write("ETHUSD.csv", _rows("2020-01-02")), symbols=[]).symbols == ("ETHUSD",)

    def test_a_column_can_hold_the_symbols(self, write: Write, read: Open) -> None:
        lines = _rows("2020-01-02", "2020-01-02", "2020-01-03").splitlines()
        named = [lines[0] + ",Name", *(f"{line},{name}" for line, name in zip(lines[1:], "ABA", strict=True))]
        file = write("all.csv", "\n".join(named))
        market = read(file, instrument_class="equity", columns={"symbol": "name"}, symbols=[])
        assert [len(market.frame(symbol)) for symbol in ("A", "B")] == [2, 1]

    def test_a_compressed_file_with_semicolons_and_other_names(self, tmp_path: Path, read: Open) -> None:
        text = _rows("2020-01-02").replace("time", "Date").replace("volume", "Vol").replace(",", ";")
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
        market = read(tmp_path / "a.csv.gz", delimiter=";", columns={"time": "date", "volume": "Vol"})
        assert list(market.frame("BTCUSD")["volume"]) == [1000.0]


class TestNumbers:
    def test_decimals_are_counted_in_the_file(self, write: Write, read: Open) -> None:
        file = write("a.csv", HEAD + "2020-01-02,1.1,1.12345,1.1,1.1,0.5\n")
        (instrument,) = read(file).instruments
        assert (instrument.price_precision, instrument.size_precision) == (5, 1)

    def test_configured_decimals_round_and_say_so(self, write: Write, read: Open) -> None:
        file = write("a.csv", HEAD + "2020-01-02,1.1,1.12345,1.1,1.1,5\n")
        market = read(file, price_precision=3)
        assert str(market.bars()[0].high) == "1.123"
        assert market.doubts == (
            "BTCUSD: high was rounded to 3 decimals in 1 row, row 2 (2020-01-02): high 1.12345",
        )

    def test_a_narrow_float_is_read_as_it_is_spelled(
        self, tmp_path: Path, catalog_dir: Path, bars: Any
    ) -> None:
        frame = bars().rename(columns={"ts": "time"})
        prices = ["open", "high", "low", "close"]
        frame[prices] = frame[prices].astype(np.float32)
        frame.to_parquet(tmp_path / "AAPL.parquet")
        source = ParquetFiles(
            path=str(tmp_path), label="END", time_unit="ns", calendar="24/7", catalog_dir=catalog_dir
        )
        market = open_market(source)
        assert market.instruments[0].price_precision == 2
        assert market.frame("AAPL")["close"].tolist() == bars()["close"].tolist()

    def test_rows_without_volume_get_the_configured_one(self, write: Write, read: Open) -> None:
        file = write("a.csv", "time,open,high,low,close\n2020-01-02,1,1,1,1\n")
        market = read(file, columns={"volume": None}, fill_size=2500)
        assert market.frame("BTCUSD")["volume"].tolist() == [2500.0]


class TestInstruments:
    @pytest.mark.parametrize(
        ("settings", "identity", "base", "quote"),
        [
            (
                {"instrument_class": "fx", "symbols": ["EURJPY"], "venue": "OANDA"},
                "EURJPY.OANDA",
                "EUR",
                "JPY",
            ),
            ({"instrument_class": "crypto", "symbols": ["BTC-USDT"]}, "BTC-USDT.SIM", "BTC", "USDT"),
            (
                {"instrument_class": "crypto", "symbols": ["SHIBUSDT"], "currency": "USDT"},
                "SHIBUSDT.SIM",
                "SHIB",
                "USDT",
            ),
            ({"instrument_class": "crypto", "symbols": ["BTC-PERP"]}, "BTC-PERP.SIM", "BTC", "USD"),
        ],
    )
    def test_a_pair_is_two_currencies(
        self, settings: dict[str, Any], identity: str, base: str, quote: str, write: Write, read: Open
    ) -> None:
        (pair,) = read(write("a.csv", _rows("2020-01-02")), **settings, multiplier=0.5).instruments
        assert isinstance(pair, CurrencyPair)
        assert str(pair.id) == identity
        assert (str(pair.base_currency), str(pair.quote_currency)) == (base, quote)
        assert str(pair.multiplier) == "0.5"
        assert pair.margin_init > 0

    def test_a_share_trades_whole(self, write: Write, read: Open) -> None:
        (share,) = read(
            write("BRK.B.csv", _rows("2020-01-02")), instrument_class="equity", symbols=[]
        ).instruments
        assert (str(share.id), share.size_precision) == ("BRK.B.SIM", 0)

    def test_class_decides_days_and_zone_where_the_config_is_silent(self) -> None:
        days = {
            name: CsvFiles(path="x", label="END", instrument_class=name, zone=None, days_per_year=None)
            for name in ("equity", "fx", "crypto")
        }
        assert [(one.zone, one.calendar, one.days_per_year) for one in days.values()] == [
            ("America/New_York", "XNYS", 252),
            ("UTC", "weekdays", 260),
            ("UTC", "24/7", 365),
        ]


class TestQuotes:
    def test_quotes_come_back_in_the_order_of_the_file(self, write: Write, read: Open) -> None:
        lines = "".join(f"2020-01-02T10:00:00Z,1.{n:05},1.2,{n + 1},1\n" for n in range(3000))
        file = write("EURUSD.csv", "time,bid,ask,bid_size,ask_size\n" + lines)
        market = read(file, kind="quotes", instrument_class="fx", symbols=[])
        assert [int(float(str(quote.bid_size))) for quote in market.quotes()] == list(range(1, 3001))
        assert len({quote.ts_event for quote in market.quotes()}) == 1
        assert market.frame("EURUSD")["bid_size"].tolist() == list(range(1, 3001))
        assert market.bar_types == ()
        with pytest.raises(DataError, match=r"quotes, not bars"):
            market.bars()
