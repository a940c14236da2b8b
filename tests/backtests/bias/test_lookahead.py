"""`lookahead` catches strategies that see the future, by whichever way, and passes those that do not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.bias.labels import labels
from backtests.bias.peeking import cuts
from backtests.bias.seen import watch
from backtests.bias.settings import LookaheadSettings
from backtests.lookahead import lookahead
from backtests.trial import market_of
from configs.edge import guarded
from configs.load import compose
from tests.backtests.bias import planted as strategies
from tests.backtests.bias.driving import caught, checked, evidence, planted, small, walk_csv

pytestmark = pytest.mark.slow

DATA = "run.max_bars=300"
QUICK = ["lookahead.cuts=4", "lookahead.changes=1", "lookahead.histories=3", DATA]
NO_HISTORIES = ["lookahead.cuts=2", "lookahead.changes=1", "lookahead.histories=0", DATA]
EMA = "strategies.ema_cross:EmaCrossConfig"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    strategies.Rememberer.KNOWN.clear()


@pytest.mark.parametrize("name", ["ema_cross", "bollinger_reversion"])
def test_the_strategies_that_ship_see_no_future(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = checked(
        lookahead, [f"strategy={name}", "lookahead.cuts=4", "lookahead.histories=4"], capsys
    )
    assert (code, document["verdict"], caught(document)) == (0, "clean", [])
    assert document["decisions"] > 40
    assert abs(document["foreign_z"]) < 3
    assert abs(document["real_z"] - document["disguised_z"]) < 1


def test_two_instruments_see_no_future_either(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = checked(lookahead, [*QUICK, "instruments=[AAPL,MSFT]"], capsys)
    assert (code, caught(document)) == (0, [])
    assert "bar labels" in [each["check"] for each in document["findings"]]


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("PackageReader", "foreign history"),
        ("FileReader", "foreign history"),
        ("MemorySearcher", "future changed"),
        ("Rememberer", "repeated"),
        ("Dice", "repeated"),
    ],
)
def test_a_planted_fault_is_caught(
    name: str, check: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = market_of(compose("backtest").config).files[0]
    code, document = checked(lookahead, [*planted(tmp_path, name, file=file), *QUICK], capsys)
    assert (code, document["verdict"]) == (1, "caught")
    assert check in caught(document)
    assert "AAPL.XNAS at the market" in evidence(document, check)


def test_the_evidence_is_the_first_decision_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lookahead.cuts=10", "lookahead.changes=1", "lookahead.histories=0", DATA]
    code, document = checked(lookahead, [*planted(tmp_path, "MemorySearcher"), *words], capsys)
    assert (code, caught(document)) == (1, ["future removed", "future changed"])
    first = next(each["first"] for each in document["findings"] if each["check"] == "future removed")
    assert first["time"] <= first["cut"]
    assert first["full"] != first["other"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_look_one_bar_ahead_shows_at_a_single_decision(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next bar goes the other way, so every decision that rests on it is another one."""
    words = [*planted(tmp_path, "MemorySearcher"), *NO_HISTORIES, f"lookahead.seed={seed}"]
    assert "future changed" in caught(checked(lookahead, words, capsys)[1])


def test_looking_a_month_ahead_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["lookahead.cuts=2", "lookahead.changes=0", "lookahead.histories=2", "run.max_bars=1200"]
    code, document = checked(lookahead, [*planted(tmp_path, "SlowPackageReader"), *words], capsys)
    assert (code, document["foreign_same"]) == (1, 1)
    assert document["foreign_z"] > 4


def test_a_file_that_only_filters_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = planted(tmp_path, "FilteringReader", EMA)
    code, document = checked(lookahead, [*words, "lookahead.cuts=2", "lookahead.changes=0"], capsys)
    assert code == 1
    assert "foreign history" in caught(document)
    assert document["foreign_same"] < 0.5


def test_reading_the_files_of_the_run_is_caught_however_little_it_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = walk_csv(tmp_path / "MINE.csv")
    words = planted(tmp_path, "Normaliser", file=tmp_path / "MINE.csv")
    code, document = checked(lookahead, [*words, *data, "lookahead.cuts=2", "lookahead.histories=2"], capsys)
    assert code == 1
    assert "files opened" in caught(document)
    assert "MINE.csv" in evidence(document, "files opened")


def test_another_file_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = walk_csv(tmp_path / "MINE.csv")
    walk_csv(tmp_path / "other.csv", seed=2)
    words = planted(tmp_path, "Normaliser", file=tmp_path / "other.csv")
    code, document = checked(lookahead, [*words, *data, "lookahead.cuts=2", "lookahead.histories=2"], capsys)
    assert (code, caught(document)) == (0, [])
    assert any("other.csv" in note for note in document["notes"])


AT_IMPORT = """
import pandas as pd
from strategies.ema_cross import EmaCross, EmaCrossConfig
CLOSES = pd.read_csv({file!r})["close"]
class AtImport(EmaCross): pass
class AtImportConfig(EmaCrossConfig): pass
"""


def at_import(folder: Path, name: str, file: Path, *, beside: bool) -> list[str]:
    """Words that choose a strategy whose module, or one beside it that it imports, reads a file at import."""
    own = folder / "mine" / "strategy"
    own.mkdir(parents=True)
    code = AT_IMPORT.format(file=str(file))
    if beside:
        (folder / f"{name}_prices.py").write_text(code)
        code = f"from {name}_prices import AtImport, AtImportConfig\n"
    (folder / f"{name}.py").write_text(code)
    (own / f"{name}.yaml").write_text(
        f"strategy_path: {name}:AtImport\nconfig_path: {name}:AtImportConfig\nfast: 5\nslow: 20\nsize_pct: 0.1\n"
    )
    return [f"strategy={name}", "--config-dir", str(folder / "mine")]


@pytest.mark.parametrize("beside", [False, True])
def test_reading_the_files_of_the_run_at_import_is_caught(
    beside: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the module is imported already, as it is for the second check, and by another name of the file."""
    data = walk_csv(tmp_path / "MINE.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "MINE.csv")
    monkeypatch.syspath_prepend(tmp_path)
    words = at_import(tmp_path, f"reading_own_{beside}".lower(), tmp_path / "link.csv", beside=beside)
    for _ in range(2):
        code, document = checked(lookahead, [*words, *data, *NO_HISTORIES], capsys)
        assert (code, caught(document)) == (1, ["files opened"])
        assert "while it was imported it opened" in evidence(document, "files opened")
        assert "link.csv" in evidence(document, "files opened")


def test_reading_another_file_at_import_is_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = walk_csv(tmp_path / "MINE.csv")
    walk_csv(tmp_path / "other.csv", seed=2)
    monkeypatch.syspath_prepend(tmp_path)
    words = at_import(tmp_path, "reading_another", tmp_path / "other.csv", beside=False)
    code, document = checked(lookahead, [*words, *data, *NO_HISTORIES], capsys)
    assert (code, document["verdict"]) == (0, "clean")
    assert [note for note in document["notes"] if "other.csv" in note] == document["notes"]


@pytest.mark.parametrize("name", ["CentredReader", "CloseCentredReader", "CountingReader", "PriceReader"])
def test_what_is_looked_up_is_lost_under_other_dates_and_prices(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file read below Python and compared with the prices that it is fed: in foreign markets little of it is left."""
    file = market_of(compose("backtest").config).files[0]
    words = [*planted(tmp_path, name, file=file), "lookahead.cuts=2", "lookahead.changes=0"]
    code, document = checked(lookahead, [*words, "lookahead.histories=1", "run.max_bars=1200"], capsys)
    assert code == 1
    assert "disguised" in caught(document)
    assert document["real_z"] > 8
    assert abs(document["disguised_z"]) < 5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_honest_strategy_that_knows_much_is_a_note(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where prices bounce, the last move tells the next one: no date and no price has to be known for that."""
    data = walk_csv(tmp_path / "MINE.csv", seed=seed, bounce=0.03)
    words = [*planted(tmp_path, "Contrarian"), *data, "lookahead.cuts=2", "lookahead.histories=2"]
    code, document = checked(lookahead, words, capsys)
    assert (code, caught(document)) == (0, [])
    assert document["real_z"] > 6
    assert any("honest strategies hardly do" in note for note in document["notes"])


def test_nothing_to_compare_is_not_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*planted(tmp_path, "Idle"), *QUICK]
    code, document = checked(lookahead, words, capsys)
    assert (code, document["verdict"], caught(document)) == (1, "nothing", [])
    assert document["why"].startswith("it asked for no order before the last bar of the full run")
    assert lookahead(words) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "lookahead Idle: nothing to compare"
    assert said[1] == document["why"]


def test_a_strategy_that_asks_for_the_future_is_given_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = checked(lookahead, [*planted(tmp_path, "Asker"), *QUICK], capsys)
    assert (code, document["verdict"], document["decisions"]) == (1, "nothing", 0)


@pytest.mark.parametrize("name", ["Holder", "Mondays"])
def test_deciding_by_the_calendar_is_a_note(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = checked(lookahead, [*planted(tmp_path, name), *QUICK], capsys)
    assert (code, caught(document)) == (0, [])
    assert document["foreign_same"] == 1
    assert "by the calendar" in document["notes"][0]


def test_the_same_seed_finds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        checked(lookahead, [*QUICK[1:], "lookahead.cuts=3", "lookahead.seed=7"], capsys)[1] for _ in range(2)
    ]
    assert {**found[0], "folder": ""} == {**found[1], "folder": ""}


def test_the_folder_holds_what_was_printed(capsys: pytest.CaptureFixture[str]) -> None:
    document = checked(lookahead, [*NO_HISTORIES, "run.dir=here"], capsys)[1]
    assert json.loads(Path("here", "lookahead.json").read_text()) == document
    assert sorted(path.name for path in Path("here").glob("[!.]*")) == [
        "config.yaml",
        "lookahead.json",
        "versions.json",
    ]


def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert lookahead(NO_HISTORIES) == 0
    out = capsys.readouterr().out
    assert out.startswith("lookahead EmaCross: clean\n")
    assert "future removed" in out


def test_a_strategy_that_raises_ends_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: lookahead([*planted(tmp_path, "Broken"), *QUICK])) == 1
    assert "error: Broken-001 raised in on_bar: ZeroDivisionError: planted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lookahead.cut=3"], "unknown key lookahead.cut; did you mean lookahead.cuts?"),
        (["lookahead.cuts=1"], "lookahead.cuts=1: must be a whole number from 2 to 1000"),
        (["lookahead.cuts=many"], "lookahead.cuts=many: must be a whole number from 2 to 1000"),
        (["lookahead.seed=1", "lookahead.seed=2"], "lookahead.seed is given twice; give it once"),
        (["strategy=ema_crosss"], "did you mean ema_cross?"),
    ],
)
def test_bad_input_costs_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: lookahead(words)) == 2
    said = capsys.readouterr()
    assert line in said.err
    assert said.out == ""


def test_half_of_the_cuts_are_decisions() -> None:
    config, world = small(1500)
    full = watch(config, world)
    found = cuts(world, full, LookaheadSettings(cuts=8), np.random.default_rng(1))
    decided = {each[0] for each in full.decisions}
    assert found == sorted(set(found))
    assert sum(cut in decided for cut in found) >= 4
    assert found[-1] < world.end_ns


def test_days_labelled_with_their_start_are_caught() -> None:
    config, world = small()

    def to_midnight(_: int, table: pd.DataFrame) -> pd.DataFrame:
        local = pd.DatetimeIndex(table["ts"]).tz_localize("UTC").tz_convert(world.zone).normalize()
        return table.assign(ts=local.tz_convert("UTC").as_unit("ns").asi8)

    assert [each.caught for each in labels(config, world)] == [False]
    early = world.with_tables(to_midnight)
    assert [each.caught for each in labels(config, early)] == [True]
    assert "2000-03-01 00:00" in labels(config, early)[0].evidence


def test_an_instrument_whose_labels_are_a_bar_early_is_caught() -> None:
    config, world = small(1200, "instruments=[MSFT,IBM]")

    def early(number: int, table: pd.DataFrame) -> pd.DataFrame:
        return table.iloc[1:].assign(ts=table["ts"].to_numpy()[:-1]) if number == 0 else table

    assert not labels(config, world)[0].caught
    found = labels(config, world.with_tables(early))[0]
    assert found.caught
    assert "MSFT moves one bar before IBM" in found.evidence
