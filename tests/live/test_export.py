"""`live export`: files that hold exactly what the journal holds."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from journal.config import JournalConfig
from journal.database import open_journal
from journal.export import BATCH, TIMES
from live._kinds import KINDS
from live.export import HELP, export
from tests.journal.filled import HOUR, MONDAY, Desk, arguments, fill, journal_on

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The story, and how a verb finds it."""
    with journal_on(request.param, tmp_path_factory.mktemp("export")) as config:
        fill(config)
        yield arguments(config)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_all_kinds_become_a_file_each_with_its_header_even_when_empty(
    journal: list[str], tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "deep" / "out"
    assert export([*journal, f"to={folder}", f"format={kind}"]) == 0
    assert sorted(file.name for file in folder.iterdir()) == sorted(f"{name}.{kind}" for name in KINDS)
    for name, each in KINDS.items():
        expected = [new for column in each.table.columns for new in TIMES.get(column.name, (column.name,))]
        file = folder / f"{name}.{kind}"
        if kind == "csv":
            assert file.read_text(encoding="utf-8").splitlines()[0].split(",") == expected
        else:
            assert pq.read_schema(file).names == expected
    assert len((folder / "approvals.csv").read_text().splitlines()) == 1 if kind == "csv" else True


def test_csv_holds_exact_amounts_and_times_in_utc(journal: list[str], tmp_path: Path) -> None:
    assert export([*journal, f"to={tmp_path / 'out'}", "what=trades"]) == 0
    first = rows(tmp_path / "out" / "trades.csv")[0]
    expected = {
        "mode": "paper",
        "closed_at": "2026-11-02T16:00:00.000000005Z",
        "closed_ns": str(MONDAY + HOUR + 5),
        "quantity": "10",
        "entry_price": "100",
        "pnl": "98",
        "pnl_pct": "0.098",
        "commission": "2",
        "currency": "USD",
    }
    assert {key: first[key] for key in expected} == expected


def test_both_databases_and_both_formats_hold_the_same(journal: list[str], tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        assert export([*journal, f"to={tmp_path}", f"format={kind}"]) == 0
    for name in KINDS:
        table = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        text = rows(tmp_path / f"{name}.csv")
        assert len(table) == len(text)
        for one, other in zip(table, text, strict=True):
            for key, value in one.items():
                if isinstance(value, Decimal):
                    assert value == Decimal(other[key])
                elif isinstance(value, int) and not isinstance(value, bool):
                    assert str(value) == other[key]


def test_parquet_has_types_that_can_be_reckoned_with(journal: list[str], tmp_path: Path) -> None:
    assert export([*journal, f"to={tmp_path}", "format=parquet", "what=trades"]) == 0
    table = pq.read_table(tmp_path / "trades.parquet")
    assert table.schema.field("pnl").type == pa.decimal128(38, 16)
    assert table.schema.field("pnl_pct").type == pa.float64()
    assert table.schema.field("closed_at").type == pa.timestamp("ns", tz="UTC")
    assert table["closed_at"].cast(pa.int64()).to_pylist() == table["closed_ns"].to_pylist()
    assert sum(table["pnl"].to_pylist()) == Decimal(140)


def test_an_amount_too_fine_for_a_decimal_is_text_and_told(tmp_path: Path, capsys: Capture) -> None:
    fine = "0.00000000000000000123"
    config = JournalConfig(path=tmp_path / "j.db")
    with Desk(open_journal(config, create=True), config, "r", "r", "sandbox", "replay", MONDAY) as desk:
        desk.order(MONDAY, "SHIB.X", "BUY", "1000000", fine, fee="0")
    given = [*arguments(config), f"to={tmp_path / 'out'}", "format=parquet", "what=fills", "output=json"]
    assert export(given) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"][0]["text_columns"] == ["price", "decision_price"]
    table = pq.read_table(tmp_path / "out" / "fills.parquet")
    assert (table["price"].to_pylist(), table.schema.field("quantity").type) == (
        [fine],
        pa.decimal128(38, 16),
    )


def test_filters_and_periods_choose_rows(journal: list[str], tmp_path: Path, capsys: Capture) -> None:
    given = [*journal, f"to={tmp_path}", "symbol=AAPL", "since=2026-11-03", "until=2026-11-03", "output=json"]
    assert export(given) == 0
    told = json.loads(capsys.readouterr().out)
    counts = {file["what"]: file["rows"] for file in told["files"]}
    assert counts == {"trades": 1, "orders": 10, "fills": 2, "decisions": 2, "approvals": 0, "positions": 2}


def test_a_sandbox_is_its_newest_run(journal: list[str], tmp_path: Path) -> None:
    assert export([*journal, f"to={tmp_path}", "venue=replay", "what=trades"]) == 0
    assert [row["run_id"] for row in rows(tmp_path / "trades.csv")] == ["replay-2"]


def test_nothing_is_overwritten_and_nothing_half_done_is_left(
    journal: list[str], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "snapshots.csv").write_text("mine")
    assert export([*journal, f"to={tmp_path}"]) == 2
    said = f"error: to={tmp_path / 'snapshots.csv'}: is there already and is not overwritten; name another or"
    assert capsys.readouterr().err.startswith(said)
    assert [file.name for file in tmp_path.iterdir()] == ["snapshots.csv"]
    assert (tmp_path / "snapshots.csv").read_text() == "mine"


def test_more_rows_than_a_batch_are_all_there_in_their_order(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "j.db")
    count = BATCH + 500
    with Desk(open_journal(config, create=True), config, "r", "r", "sandbox", "replay", MONDAY) as desk:
        for number in range(count):
            desk.alert(MONDAY + number, "info", "TEST", str(number))
    for kind in ("csv", "parquet"):
        assert export([*arguments(config), f"to={tmp_path / 'out'}", "what=alerts", f"format={kind}"]) == 0
    assert [row["text"] for row in rows(tmp_path / "out" / "alerts.csv")] == [
        str(each) for each in range(count)
    ]
    assert pq.read_metadata(tmp_path / "out" / "alerts.parquet").num_rows == count


def test_rows_written_meanwhile_are_in_none_of_the_files(tmp_path: Path, capsys: Capture) -> None:
    """All files are of one moment, whatever a node writes while they are made."""
    config = JournalConfig(path=tmp_path / "j.db")
    fill(config)
    assert export([*arguments(config), f"to={tmp_path / 'out'}", "output=json"]) == 0
    counts = {file["what"]: file["rows"] for file in json.loads(capsys.readouterr().out)["files"]}
    assert counts["positions"] == counts["fills"] == 11


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "to: where to? name a folder, as in to=journal_2026"),
        (["to=x", "format=xlsx"], "format=xlsx: csv or parquet"),
        (["to=x", "what=everything"], "what=everything: there are none of these; one of trades, orders, "),
        (["to=x", "verdict=PASS", "kind=TRIP"], "verdict and kind: no kind of row has all of them"),
        (["to=x", "since=2026-13-01"], "since=2026-13-01: must be a day such as"),
        (["to=/proc/none"], "to=/proc/none: no folder can be made there ("),
    ],
)
def test_bad_input_is_one_line(journal: list[str], capsys: Capture, given: list[str], said: str) -> None:
    assert export([*journal, *given]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"error: {said}")


def test_a_file_where_the_folder_should_be_is_refused(
    journal: list[str], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "out").write_text("mine")
    assert export([*journal, f"to={tmp_path / 'out'}"]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err


def test_help_ends_with_an_example(capsys: Capture) -> None:
    assert export(["--help"]) == 0
    assert capsys.readouterr().out == HELP
    assert HELP.splitlines()[-1].startswith("Example: python -m live export ")
