"""Does a comparison say in what two runs differ, and that they do not where they do not?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backtests.compare import compare
from backtests.run import run
from backtests.versus.difference import Figure, changed
from live.run import run as live_run
from tests.runs.pages import embedded, own_part, section, traces

SHORT = ["instruments=[AAPL]", "run.max_bars=400", "run.plots=false", "run.tearsheet=false", "output=json"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs `a`, `b` with another strategy and limit, and `live`, the replay of `a`."""
    folder = tmp_path_factory.mktemp("made")
    ledger = f"trials.path={folder / 'trials.db'}"
    assert run([*SHORT, ledger, f"run.dir={folder / 'a'}"]) == 0
    assert (
        run([*SHORT, ledger, "strategy.fast=10", "risk.max_drawdown_pct=0.3", f"run.dir={folder / 'b'}"]) == 0
    )
    journal = f"journal.path={folder / 'journal.db'}"
    assert live_run([*SHORT, ledger, journal, f"run.dir={folder / 'live'}"]) == 0
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return made


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_keys_that_differ_are_told_with_both_values(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare([str(place / "a"), str(place / "b"), "output=json"]) == 0
    told = said(capsys)
    assert {each["key"]: (each["a"], each["b"]) for each in told["config"]} == {
        "strategy.fast": (20, 10),
        "risk.max_drawdown_pct": (0.2, 0.3),
    }
    one, other = (json.loads((place / name / "summary.json").read_text()) for name in "ab")
    figures = told["figures"]
    assert (figures["sharpe"]["a"], figures["sharpe"]["b"]) == (one["sharpe"], other["sharpe"])
    assert figures["sharpe"]["difference"] == pytest.approx(other["sharpe"] - one["sharpe"])
    assert figures["final_equity"]["a"] == one["final_equity"]
    assert "Equity: the curves differ." in told["notes"]
    page = Path(told["page"]).read_text()
    assert "strategy.fast 20 10" in section(page, "config")
    assert {"A", "B"} <= {name[:1] for name in traces(page, "equity")}
    assert embedded(page, "summary") == told
    assert "http://" not in own_part(page)


def test_a_backtest_beside_its_replay_is_the_same_to_the_cent(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare([str(place / "a"), str(place / "live"), "output=json"]) == 0
    told = said(capsys)
    assert "Equity: the same at every bar, to the cent." in told["notes"]
    moved = {name for name, each in told["figures"].items() if float(each["difference"] or 0)}
    assert moved <= {"trials_ledger", "deflated_sharpe"}  # what else was tried between the two
    assert {each["key"].partition(".")[0] for each in told["config"]} <= {
        "journal",
        "live",
        "log",
        "run",
        "trials",
    }


def test_the_table_shows_both_and_the_difference(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare([str(place / "a"), str(place / "b")]) == 0
    out = capsys.readouterr().out
    line = next(line.split() for line in out.splitlines() if line.strip().startswith("starting equity"))
    assert line == ["starting", "equity", "100,000.00", "100,000.00", "0"]
    assert "strategy.fast" in out
    assert "outputs/compares/" in out


def test_other_data_and_other_code_are_said_clearly(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in (place / "a").iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    for name, key, value in (("summary", "data_version", "ffff"), ("versions", "git_commit", "f" * 40)):
        file = other / f"{name}.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    assert compare([str(place / "a"), str(other), "output=json"]) == 0
    notes = " ".join(said(capsys)["notes"])
    assert "B ffff: some of the difference may be the data's." in notes
    assert "B at ffffffffffff" in notes
    assert "may be the code's" in notes


def test_what_is_no_run_is_refused_in_one_line(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "swept").mkdir()
    (tmp_path / "swept" / "sweep.json").write_text("{}")
    for words, why in (
        ([str(place / "a")], "compare takes 2 run folders, not 1"),
        ([str(place / "a"), "nowhere"], "nowhere: there is no such folder"),
        ([str(place / "a"), "swept"], "swept holds a sweep"),
        ([str(place / "a"), str(place / "b"), f"run.dir={place / 'a'}"], "already holds a finished run"),
    ):
        assert compare(words) == 2
        shown = capsys.readouterr().err
        assert why in shown
        assert shown.count("\n") == 1


def test_changed_keys_have_their_place_and_absence() -> None:
    found = changed(
        {"a": {"b": 1, "c": [1]}, "d": 1, "e": {}}, {"a": {"b": 1.0, "c": [2]}, "d": True, "f": None}
    )
    assert [(each.key, each.a, each.b, each.is_in) for each in found] == [
        ("a.c", [1], [2], (True, True)),
        ("d", 1, True, (True, True)),
        ("e", {}, None, (True, False)),
        ("f", None, None, (False, True)),
    ]


def test_a_figure_that_one_run_has_not_has_no_difference() -> None:
    assert Figure("sharpe", None, 1.0).difference is None
    assert Figure("halted", a=True, b=False).difference is None
