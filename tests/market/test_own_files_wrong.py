"""Whatever is wrong with a user's file ends in one line that names file, row, column and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from market import DataError, open_market
from market.files import CsvFiles, ParquetFiles

HEAD = "time,open,high,low,close,volume\n"
GOOD = "2020-01-02,100,102,99,101,1000\n"
NEXT = "2020-01-03,101,103,100,102,1000\n"
MANY = "".join(
    f"2020-01-{day:02},{100 + day},{102 + day},{99 + day},{101 + day},100{day}\n" for day in range(2, 12)
)

CRYPTO: dict[str, Any] = {"label": "START", "instrument_class": "crypto", "symbols": ["BTCUSD"]}

WRONG_ROWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a word for a price": (
        HEAD + GOOD + "2020-01-03,101,abc,100,102,5\n",
        {},
        r"a\.csv row 3, column high: 'abc'.*remove",
    ),
    "too few cells": (
        HEAD + GOOD + "2020-01-03,101\n",
        {},
        r"a\.csv row 3: .*Expected 6 columns, got 2.*remove",
    ),
    "an empty price": (
        HEAD + GOOD + "2020-01-03,101,,100,102,5\n",
        {},
        r"high is empty.*row 3 \(2020-01-03\)",
    ),
    "no rows": (HEAD, {}, r"a\.csv: holds no rows of BTCUSD"),
    "nothing at all": ("", {}, r"a\.csv: not a CSV file with a header"),
    "binary": ("\0\0\0", {}, r"a\.csv: not a CSV file with a header"),
    "another name": (
        HEAD.replace("close", "closing") + GOOD,
        {},
        r"no column 'close' for close; it has .*columns\.close=closing\?",
    ),
    "no volume": (
        "time,open,high,low,close\n2020-01-02,1,1,1,1\n",
        {},
        r"no column 'volume'.*to null, with data\.fill_size",
    ),
    "a column twice": (
        "time,open,high,low,close,close,volume\n2020-01-02,100,102,99,101,500,1000\n",
        {},
        r"a\.csv: the header names the column 'close' \(close\) more than once; rename one",
    ),
    "a column twice, spelled otherwise": (
        "time,open,high,low,Close, CLOSE,volume\n2020-01-02,100,102,99,101,500,1000\n",
        {},
        r"a\.csv: the header names the column 'close' \(close\) more than once",
    ),
    "semicolons": (
        HEAD.replace(",", ";") + GOOD.replace(",", ";"),
        {},
        r"divided by ';': set data\.delimiter",
    ),
    "high and low swapped": (
        "time,open,low,high,close,volume\n" + MANY,
        {},
        r"high is below low in 10 rows.*columns high and low swapped",
    ),
    "close and volume swapped": (
        "time,open,high,low,volume,close\n" + MANY,
        {},
        r"columns close and volume swapped",
    ),
    "open and high swapped": (
        "time,high,open,low,close,volume\n" + MANY,
        {},
        r"columns open and high swapped",
    ),
    "one bar upside down": (
        HEAD + MANY + "2020-01-12,112,100,114,113,5\n",
        {},
        r"high is below low in 1 row, row 12 \(2020-01-12\): high 100, low 114$",
    ),
    "the same day twice": (HEAD + GOOD + GOOD, {}, r"the same stamp twice in 1 row, row 3 \(2020-01-02\)"),
    "backwards": (
        HEAD + NEXT + GOOD + "2020-01-01,1,1,1,1,1\n",
        {},
        r"newest first\? set data\.newest_first=true",
    ),
    "one row out of order": (HEAD + MANY + GOOD, {}, r"stamps run backwards in 1 row, row 12.*sort by time"),
    "a price of zero": (
        HEAD + GOOD + "2020-01-03,101,103,0,102,5\n",
        {},
        r"low is zero or negative in 1 row, row 3",
    ),
    "negative volume": (HEAD + "2020-01-03,101,103,100,102,-5\n", {}, r"volume is negative in 1 row, row 2"),
    "price below a tick": (
        HEAD + "2020-01-02,0.001,0.001,0.001,0.001,5\n",
        {"price_precision": 2},
        r"becomes zero at 2 decimals",
    ),
    "no date": (
        HEAD + GOOD + "yesterday,1,1,1,1,1\n",
        {},
        r"a\.csv row 3: time 'yesterday' is no ISO 8601.*time_format",
    ),
    "another format": (
        HEAD + GOOD,
        {"time_format": "%d/%m/%Y"},
        r"row 2: time '2020-01-02' does not fit data\.time_format=%d/%m/%Y",
    ),
    "an empty time": (HEAD + ",1,1,1,1,1\n", {}, r"row 2: time '' is no time"),
    "a number without unit": (HEAD + "1593597600000,1,1,1,1,1\n", {}, r"set data\.time_unit \(ms\?\)"),
    "the wrong unit": (
        HEAD + "1593597600000,1,1,1,1,1\n",
        {"time_unit": "s"},
        r"did you mean data\.time_unit=ms\?",
    ),
    "text with a unit": (HEAD + GOOD, {"time_unit": "s"}, r"'2020-01-02' is not a number of s since 1970"),
    "offsets here and there": (
        HEAD + "2020-01-02T00:00Z,1,1,1,1,1\n2020-01-03T00:00,1,1,1,1,1\n",
        {},
        r"row 3.*has no offset",
    ),
    "an hour that does not exist": (
        HEAD + "2020-03-08 02:30,1,1,1,1,1\n",
        {"stamp_zone": "America/New_York"},
        r"clocks change",
    ),
    "before 1970": (HEAD + "1960-01-02,1,1,1,1,1\n", {}, r"before 1970"),
    "the year 3000": (HEAD + "3000-01-02,1,1,1,1,1\n", {}, r"is no likely time"),
    "an unknown calendar": (
        HEAD + GOOD,
        {"calendar": "XNYC"},
        r"calendar 'XNYC' is not known: did you mean 'XNYS'\?",
    ),
    "no pair": (HEAD + GOOD, {"symbols": ["BITCOIN"]}, r"cannot tell the two currencies of 'BITCOIN' apart"),
    "no symbol": (HEAD + GOOD, {"symbols": ["BTC/USD"]}, r"'BTC/USD' cannot be a symbol"),
}


def _error(source: CsvFiles | ParquetFiles, bar: str = "1d", symbols: list[str] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        open_market(source, symbols, bar)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_wrong_rows_are_one_clear_line(case: str, write: Callable[..., Path], catalog_dir: Path) -> None:
    text, settings, said = WRONG_ROWS[case]
    source = CsvFiles(path=str(write("a.csv", text)), catalog_dir=catalog_dir, **(CRYPTO | settings))
    assert re.search(said, _error(source)), _error(source)


def test_nothing_is_left_of_a_catalog_that_could_not_be_made(
    write: Callable[..., Path], catalog_dir: Path
) -> None:
    _error(CsvFiles(path=str(write("a.csv", HEAD + "x")), catalog_dir=catalog_dir, **CRYPTO))
    assert [entry.name for entry in catalog_dir.rglob("*") if entry.suffix in {".parquet", ".json"}] == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("prices/ETHUSD.cvs", r"no such file or folder in .*: did you mean 'ETHUSD\.csv'\?"),
        ("nowhere/ETHUSD.csv", r"nor is there a folder"),
        ("empty", r"holds no \.csv file \(nothing\)"),
        ("others", r"holds no \.csv file \(1 \.parquet\)"),
        ("prices/{symbol}_1m.csv", r"no file fits this pattern"),
    ],
)
def test_a_path_that_leads_nowhere(
    path: str, said: str, write: Callable[..., Path], catalog_dir: Path
) -> None:
    folder = write("prices/ETHUSD.csv", HEAD + GOOD).parent.parent
    (folder / "empty").mkdir()
    write("others/ETHUSD.parquet", "")
    source = CsvFiles(path=str(folder / path), catalog_dir=catalog_dir, **(CRYPTO | {"symbols": []}))
    assert re.search(said, _error(source)), _error(source)


def test_a_symbol_that_is_in_no_file(write: Callable[..., Path], catalog_dir: Path) -> None:
    folder = write("prices/ETHUSD.csv", HEAD + GOOD).parent
    write("prices/BTCUSD.csv", HEAD + GOOD)
    source = CsvFiles(path=str(folder), catalog_dir=catalog_dir, **(CRYPTO | {"symbols": []}))
    assert "no symbol 'ETHUSDT': did you mean 'ETHUSD'?" in _error(source, symbols=["ETHUSDT"])


def test_a_single_file_can_be_given_the_symbol_asked_for(
    write: Callable[..., Path], catalog_dir: Path
) -> None:
    file = write("export.csv", HEAD + GOOD)
    source = CsvFiles(path=str(file), catalog_dir=catalog_dir, **(CRYPTO | {"symbols": []}))
    assert "set data.symbols=[BTCUSD] if that is what it holds" in _error(source, symbols=["BTCUSD"])


@pytest.mark.parametrize("bar", ["1d", "1h", "1m", "30s"])
def test_a_bar_length_the_file_does_not_hold(bar: str, write: Callable[..., Path], catalog_dir: Path) -> None:
    stamps = pd.date_range("2020-01-02", periods=50, freq="5min")
    text = HEAD + "".join(f"{stamp},100,102,99,101,1000\n" for stamp in stamps)
    source = CsvFiles(path=str(write("a.csv", text)), catalog_dir=catalog_dir, **(CRYPTO | {"label": "END"}))
    assert f"bar={bar}, but the rows are 5m apart" in _error(source, bar)


def test_a_file_that_is_no_parquet(tmp_path: Path, catalog_dir: Path) -> None:
    (tmp_path / "AAPL.parquet").write_text("time,open")
    source = ParquetFiles(path=str(tmp_path / "AAPL.parquet"), label="END", catalog_dir=catalog_dir)
    assert "AAPL.parquet: not a readable Parquet file" in _error(source)


def test_a_parquet_column_of_words(tmp_path: Path, catalog_dir: Path) -> None:
    frame = pd.DataFrame(
        {"time": ["2020-01-02"], "open": ["x"], "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1}
    )
    frame.to_parquet(tmp_path / "AAPL.parquet")
    source = ParquetFiles(path=str(tmp_path), label="START", catalog_dir=catalog_dir)
    assert "AAPL.parquet, column open: holds" in _error(source)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"path": None}, "path"),
        ({"label": "MIDDLE"}, "label"),
        (
            {"zone": "Amerika/New_York"},
            "unknown time zone 'Amerika/New_York': did you mean 'America/New_York'?",
        ),
        ({"stamp_zone": "Mars"}, "unknown time zone 'Mars'"),
        ({"currency": "DOLLAR"}, "currency 'DOLLAR' is not known"),
        ({"columns": {"opne": "o"}}, "opne"),
        ({"columns": {"volume": None}}, "columns.volume is null: set fill_size"),
        ({"size_precision": 2}, "a share trades whole"),
        ({"multiplier": 2}, "a share trades whole"),
        ({"multiplier": True}, "True is not a number"),
        ({"multiplier": float("nan")}, "nan is not a number"),
        ({"multiplier": "two"}, "'two' is not a number"),
        ({"fill_size": -1}, "fill_size"),
        ({"price_precision": 20}, "price_precision"),
        ({"venue": "my venue"}, "venue"),
        ({"delimiter": ",,"}, "delimiter"),
        ({"allow_doubts": "perhaps"}, "allow_doubts"),
        ({"days_per_year": 400}, "days_per_year"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvFiles(**({"path": "x.csv", "label": "START"} | settings))
    assert said in str(caught.value)


def test_a_file_whose_name_is_no_symbol_says_how_to_give_one(tmp_path: Path) -> None:
    file = tmp_path / "we ird.name-é.csv"
    file.write_text(HEAD + GOOD + NEXT)
    error = _error(CsvFiles(label="END", path=str(file)))
    assert "'we ird.name-é' cannot be a symbol" in error
    assert "data.symbols=[AAPL]" in error
    assert open_market(CsvFiles(label="END", path=str(file), symbols=("AAPL",)), None, "1d").symbols == (
        "AAPL",
    )


def test_a_column_twice_that_is_not_read_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "AAPL.csv"
    file.write_text("note,note," + HEAD + "a,b," + GOOD + "a,b," + NEXT)
    assert len(open_market(CsvFiles(label="END", path=str(file)), None, "1d").bars()) == 2
