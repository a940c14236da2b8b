"""A catalog is made once, is what was checked, and survives second processes, kills and damage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nautilus_trader.model import Bar, Price, Quantity
from nautilus_trader.persistence import ParquetDataCatalog

from market import DataError, MarketData, open_market
from market._parquet import read_frame, write_bars
from market.bar_length import BarLength
from market.files import ParquetFiles
from market.instruments import pair
from market.source import DataSource
from market.us_equities import UsEquities

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("counting_source.py")

type Make = Callable[..., DataSource]


@pytest.fixture
def make(catalog_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the test's own source, in this test's folders."""
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    cls: type[DataSource] = import_module("counting_source").CountingSource

    def _make(**settings: Any) -> DataSource:
        return cls(**({"catalog_dir": catalog_dir, "notes": tmp_path / "notes"} | settings))

    return _make


def _notes(tmp_path: Path) -> list[str]:
    notes = tmp_path / "notes"
    return notes.read_text().split("\n")[:-1] if notes.exists() else []


def _start(catalog_dir: Path, tmp_path: Path, secs: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(catalog_dir), str(tmp_path / "notes"), str(secs)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@given(
    rows=st.lists(st.tuples(st.integers(1, 10**13), st.integers(0, 10**13)), min_size=1, max_size=30),
    price_precision=st.integers(0, 9),
    size_precision=st.integers(0, 9),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_what_the_engine_reads(
    rows: list[tuple[int, int]],
    price_precision: int,
    size_precision: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("catalog")
    instrument = pair("BTCUSD", "X", ("BTC", "USD"), price_precision, size_precision)
    name = BarLength.parse("1m").bar_type(instrument.id)
    prices = np.array([ticks / 10**price_precision for ticks, _ in rows])
    sizes = np.array([lots / 10**size_precision for _, lots in rows])
    frame = pd.DataFrame({"ts": np.arange(1, len(rows) + 1), "volume": sizes})
    frame = frame.assign(open=prices, high=prices, low=prices, close=prices)
    file = write_bars(folder, frame, name, instrument)

    def bar(at: int, ticks: int, lots: int) -> Bar:
        price = Price.from_mantissa_exponent(ticks, -price_precision, price_precision)
        size = Quantity.from_mantissa_exponent(lots, -size_precision, size_precision)
        return Bar(name, price, price, price, price, size, at, at)

    expected = [bar(at, ticks, lots) for at, (ticks, lots) in enumerate(rows, 1)]
    assert ParquetDataCatalog(str(folder)).query_bars([str(name)]) == expected
    back = read_frame(folder / file, 0, 2**62)
    assert back["close"].tolist() == prices.tolist()
    assert back["volume"].tolist() == sizes.tolist()


class TestOnce:
    def test_the_second_time_nothing_is_read_or_written(
        self, make: Make, tmp_path: Path, catalog_dir: Path
    ) -> None:
        first = open_market(make())
        files = {file: file.stat().st_mtime_ns for file in catalog_dir.rglob("*") if file.is_file()}
        second = open_market(make())
        assert _notes(tmp_path) == ["A 1d", "B 1d", "C 1d"]
        assert {file: file.stat().st_mtime_ns for file in files} == files
        assert second.bars() == first.bars()
        assert second.version == first.version

    def test_a_symbol_can_be_added_later(self, make: Make, tmp_path: Path) -> None:
        open_market(make(), ["B"])
        market = open_market(make(), ["A", "B"])
        assert _notes(tmp_path) == ["B 1d", "A 1d"]
        assert [str(one.id) for one in market.instruments] == ["A.TEST", "B.TEST"]
        assert len(market.bars()) == 4000

    def test_another_bar_length_can_be_added_later(self, make: Make, tmp_path: Path) -> None:
        days, hours = open_market(make(), ["A"]), open_market(make(), ["A"], "1h")
        assert _notes(tmp_path) == ["A 1d", "A 1h"]
        assert days.catalog_path == hours.catalog_path
        assert days.end_ns > hours.end_ns

    def test_changed_raw_data_is_another_catalog_and_the_old_one_stays(self, make: Make) -> None:
        old, new = open_market(make(), ["A"]), open_market(make(seed=2), ["A"])
        assert old.version != new.version
        assert old.catalog_path != new.catalog_path
        assert old.bars() != new.bars()
        assert open_market(make(), ["A"]).bars() == old.bars()

    def test_bad_rows_beside_good_ones_add_nothing(self, make: Make, catalog_dir: Path) -> None:
        open_market(make(), ["A"])
        before = sorted(catalog_dir.rglob("*.parquet"))
        with pytest.raises(DataError, match="no symbol 'D'"):
            open_market(make(), ["B", "D"])
        assert sorted(catalog_dir.rglob("*.parquet")) == before


class TestProcesses:
    def test_two_that_start_at_once_share_the_work(
        self, make: Make, catalog_dir: Path, tmp_path: Path
    ) -> None:
        both = [_start(catalog_dir, tmp_path, 0.3) for _ in range(2)]
        said = [process.communicate(timeout=240)[0].splitlines()[-1] for process in both]
        assert said == [f"opened {make().version()} 6000"] * 2
        assert sorted(_notes(tmp_path)) == ["A 1d", "B 1d", "C 1d"]

    @pytest.mark.parametrize("after", [1, 2, 3])
    def test_one_that_is_killed_leaves_nothing_that_is_trusted(
        self, after: int, make: Make, catalog_dir: Path, tmp_path: Path
    ) -> None:
        process = _start(catalog_dir, tmp_path, 2.0)
        while len(_notes(tmp_path)) < after and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.communicate(timeout=240)
        assert process.returncode == -signal.SIGKILL
        assert not list(catalog_dir.glob("*/manifest.json"))
        market = open_market(make())
        assert len(market.bars()) == 6000
        assert not list(catalog_dir.glob(".*.tmp")), "what the killed one left is cleared away"

    def test_files_without_a_manifest_are_not_trusted(self, make: Make) -> None:
        """A kill between the last file moved and the manifest written."""
        market = open_market(make(), ["A"])
        (market.catalog_path / "manifest.json").unlink()
        market.files[0].rename(market.files[0].with_name("older.parquet"))
        assert len(open_market(make(), ["A"]).bars()) == 2000

    def test_a_kill_while_a_symbol_is_added_spares_the_others(self, make: Make) -> None:
        """Its file is in place, the manifest does not name it yet."""
        market = open_market(make(), ["A"])
        half = market.catalog_path / "data/bars/B.TEST-1-DAY-LAST-EXTERNAL/half.parquet"
        half.parent.mkdir()
        half.write_bytes(market.files[0].read_bytes()[:1000])
        both = open_market(make(), ["A", "B"])
        assert len(both.bars()) == 4000
        assert not half.exists()


class TestDamage:
    def test_a_file_cut_short_or_changed_or_gone_is_made_again(
        self, make: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        market = open_market(make(), ["A", "B"])
        whole = market.bars()
        spoilers: list[Callable[[Path], object]] = [
            lambda file: file.write_bytes(file.read_bytes()[:-100]),
            lambda file: file.write_bytes(file.read_bytes().replace(b"A.TEST", b"B.TEST")),
            lambda file: file.unlink(),
        ]
        for spoil in spoilers:
            caplog.clear()
            spoil(market.files[0])
            again = open_market(make(), ["A", "B"])
            assert again.bars() == whole
            assert "is damaged; preparing it again" in caplog.text

    def test_a_broken_instrument_is_made_again_for_all_its_bars(self, make: Make) -> None:
        market = open_market(make(), ["A"])
        open_market(make(), ["A"], "1h")
        (file,) = (market.catalog_path / "data" / "equity").rglob("*.parquet")
        file.write_bytes(b"")
        assert open_market(make(), ["A"]).bars() == market.bars()
        assert len(open_market(make(), ["A"], "1h").bars()) == 2000

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"layout": 1, "engine": "1.0"}'])
    def test_a_manifest_that_cannot_be_read_means_all_is_made_again(
        self, text: str, make: Make, tmp_path: Path
    ) -> None:
        market = open_market(make(), ["A"])
        (market.catalog_path / "manifest.json").write_text(text)
        assert open_market(make(), ["A"]).bars() == market.bars()
        assert len(_notes(tmp_path)) == 2

    def test_the_manifest_tells_what_the_catalog_was_made_from(self, make: Make) -> None:
        market = open_market(make(), ["A"])
        manifest = json.loads((market.catalog_path / "manifest.json").read_text())
        assert manifest["version"] == market.version
        assert manifest["raw_version"] == make().raw_version()
        assert manifest["source"]["source"] == "counting_source:CountingSource"
        assert manifest["entries"]["A 1d"]["rows"] == 2000

    def test_a_folder_that_cannot_be_written_is_one_line(self, make: Make, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(DataError) as caught:
            open_market(make(catalog_dir=tmp_path / "file" / "catalog"))
        assert "cannot be written (Not a directory); set data.catalog_dir to a folder that can" in str(
            caught.value
        )


class TestWindow:
    def test_the_end_is_not_traded_and_what_is_before_warms_up(self, catalog_dir: Path) -> None:
        source = UsEquities(catalog_dir=catalog_dir)
        whole = open_market(source).bars()
        market = open_market(source, start="2008-01-02", end="2008-01-04")
        assert [pd.Timestamp(bar.ts_event).isoformat() for bar in market.bars()] == [
            "2008-01-02T21:00:00",
            "2008-01-03T21:00:00",
        ]
        assert (market.start_ns, market.end_ns) == (market.bars()[0].ts_event, market.bars()[-1].ts_event)
        history = market.history()
        assert history + market.bars() == whole[: len(history) + 2]
        assert market.frame("AAPL")["ts"].tolist() == [bar.ts_event for bar in market.bars()]

    @pytest.mark.parametrize(
        "start",
        ["2008-01-02", date(2008, 1, 2), datetime(2008, 1, 2, 5, tzinfo=UTC), "2008-01-02T05:00:00+00:00"],
    )
    def test_a_date_is_midnight_in_the_zone_of_the_source(self, start: Any, catalog_dir: Path) -> None:
        market = open_market(UsEquities(catalog_dir=catalog_dir), start=start)
        assert pd.Timestamp(market.start_ns).isoformat() == "2008-01-02T21:00:00"

    @pytest.mark.parametrize(
        ("start", "end", "said"),
        [
            ("2013-06-01", None, "AAPL has no bars for start=2013-06-01; there are 2000-03-01 to 2013-03-01"),
            (None, "1999-01-01", "AAPL has no bars for end=1999-01-01; there are 2000-03-01 to 2013-03-01"),
            ("2010-05-01", "2010-05-03", "AAPL has no bars for start=2010-05-01 end=2010-05-03; there are"),
            ("2010-05-03", "2010-05-03", "the start must lie before the end"),
            ("May 2010", None, "start=May 2010: not a date; write it as in start=2010-01-31"),
            (None, "2010-02-30", "end=2010-02-30: not a date"),
        ],
    )
    def test_an_empty_window_is_one_line(
        self, start: str | None, end: str | None, said: str, catalog_dir: Path
    ) -> None:
        with pytest.raises(DataError) as caught:
            open_market(UsEquities(catalog_dir=catalog_dir), start=start, end=end)
        assert said in str(caught.value)

    def test_every_instrument_must_have_rows_in_the_window(self, catalog_dir: Path) -> None:
        with pytest.raises(DataError, match=r"GOOG has no bars for end=2004-01-01; there are 2004-08-19 to"):
            open_market(UsEquities(catalog_dir=catalog_dir), ["AAPL", "GOOG"], end="2004-01-01")

    @pytest.mark.parametrize("bar", ["", "d", "1", "0d", "1.5h", "7m", "60m", "24h", "1w", "-1d", "99999d"])
    def test_a_length_the_engine_does_not_know_is_one_line(self, bar: str, make: Make) -> None:
        with pytest.raises(DataError, match=f"^bar={bar}: "):
            open_market(make(), ["A"], bar)

    def test_a_symbol_named_twice_is_refused(self, make: Make) -> None:
        with pytest.raises(DataError, match="instruments names A twice"):
            open_market(make(), ["A", "B", "A"])


class TestOrder:
    def test_bars_of_one_moment_come_in_the_order_asked_for(self, make: Make) -> None:
        def order(market: MarketData) -> list[tuple[int, str]]:
            return [(bar.ts_event, str(bar.bar_type.instrument_id)) for bar in market.bars()]

        market = open_market(make(), ["C", "A", "B"])
        stamps = sorted({at for at, _ in order(market)})
        assert order(market) == [(at, f"{symbol}.TEST") for at in stamps for symbol in "CAB"]

    def test_an_unknown_symbol_of_a_run_gets_the_ones_there_are(self, make: Make) -> None:
        with pytest.raises(DataError, match="this run has no symbol 'X': there are: A"):
            open_market(make(), ["A"]).frame("X")


class TestDoubts:
    def test_doubts_are_told_every_time_and_can_be_forbidden(self, make: Make, tmp_path: Path) -> None:
        frame = make().frame("A", "1d").rename(columns={"ts": "time"})
        frame.loc[3:, ["open", "high", "low", "close"]] /= 2
        frame.to_parquet(tmp_path / "A.parquet")
        plain: dict[str, Any] = {"path": str(tmp_path), "label": "END", "time_unit": "ns", "calendar": "24/7"}
        for _ in range(2):
            market = open_market(ParquetFiles(**plain, catalog_dir=make().catalog_dir), ["A"])
            assert len(market.doubts) == 1
            assert "looks like an unadjusted 2:1 split" in market.doubts[0]
        with pytest.raises(DataError, match=r"2:1 split; correct the data or set data\.allow_doubts=true"):
            open_market(ParquetFiles(**plain, catalog_dir=make().catalog_dir, allow_doubts=False), ["A"])


def test_a_ready_catalog_costs_no_heavy_import(catalog_dir: Path) -> None:
    """Promise: the default run starts in seconds, so reading prepared data must not build it in passing."""
    open_market(UsEquities(catalog_dir=catalog_dir))
    program = (
        "import sys, pathlib\n"
        "from market import open_market\n"
        "from market.us_equities import UsEquities\n"
        "assert len(open_market(UsEquities(catalog_dir=pathlib.Path(sys.argv[1]))).bars()) == 3270\n"
        "heavy = {'pandas', 'bokeh_sampledata.stocks', 'exchange_calendars', 'rich', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(catalog_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_preparing_writes_nothing_to_stdout_and_no_bar_where_nobody_looks(
    catalog_dir: Path, tmp_path: Path
) -> None:
    process = subprocess.run(
        [sys.executable, str(PROGRAM), str(catalog_dir), str(tmp_path / "notes"), "0.5"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[0] for line in process.stdout.splitlines()] == ["ready", "opened"]
    assert process.stderr == ""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
def test_somebody_at_a_terminal_sees_long_work_on_stderr(catalog_dir: Path, tmp_path: Path) -> None:
    mine, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(catalog_dir), str(tmp_path / "notes"), "0.9"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    said, _ = process.communicate(timeout=240)
    os.close(theirs)
    shown = os.read(mine, 100_000).decode()
    os.close(mine)
    assert said.splitlines()[-1].startswith("opened")
    assert "preparing counting_source: reading" in shown
