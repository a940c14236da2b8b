"""Is the page of a finished run or sweep made again as it was, and is anything else refused in one line?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from backtests.report import report
from backtests.run import run
from backtests.sweep import sweep
from runs.page.reading import read_run
from tests.runs.pages import assert_drawn, embedded, needs_browser, own_part, section

pytestmark = pytest.mark.slow

SHORT = ["instruments=[AAPL]", "run.max_bars=400", "run.plots=false", "output=json"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `run`, with its page, and the sweep `sweep`."""
    folder = tmp_path_factory.mktemp("made")
    ledger = f"trials.path={folder / 'trials.db'}"
    assert run([*SHORT, ledger, f"run.dir={folder / 'run'}"]) == 0
    words = ["strategy.fast=5,10", "strategy.slow=30,60", "sweep.workers=1", *SHORT, ledger]
    assert sweep([*words, f"run.dir={folder / 'sweep'}"]) == 0
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and no `outputs` beside."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_the_page_of_a_run_is_made_again_as_it_was(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = place / "run" / "tearsheet.html"
    first = page.read_text()
    page.unlink()
    assert report([str(place / "run"), "output=json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": str(page), "kind": "run"}
    again = page.read_text()
    assert embedded(again, "charts") == embedded(first, "charts")
    assert own_part(again) == own_part(first)


def test_the_page_shows_what_summary_json_says(place: Path) -> None:
    page = (place / "run" / "tearsheet.html").read_text()
    summary = json.loads((place / "run" / "summary.json").read_text())
    assert embedded(page, "summary") == summary
    costs = section(page, "costs")
    assert f"Assumed: {summary['costs']['assumed']}." in costs
    assert f"All {float(summary['costs']['total']):,.2f} USD" in costs
    assert "1 of 1 trials" in section(page, "honesty")
    assert "strategy_path: strategies.ema_cross:EmaCross" in section(page, "config")


def test_a_run_whose_data_changed_is_drawn_without_prices(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place / "run" / "summary.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "data_version": "000000000000"}))
    assert report([str(place / "run")]) == 0
    assert "prices are left out: that run saw data 000000000000" in capsys.readouterr().err
    page = (place / "run" / "tearsheet.html").read_text()
    assert "Prices are left out" in section(page, "trades")


def test_the_page_of_a_sweep_has_its_trials_and_what_they_are_worth(place: Path, made: Path) -> None:
    page = place / "sweep" / "sweep.html"
    first = page.read_text()
    page.unlink()
    assert report([str(place / "sweep")]) == 0
    again = page.read_text()
    assert own_part(again).replace(str(place), str(made)) == own_part(first)
    said = json.loads((place / "sweep" / "summary.json").read_text())
    assert embedded(again, "summary")["pbo"] == said["pbo"]
    assert set(embedded(again, "charts")) == {"map", "parallel"}
    trials = section(again, "trials")
    best = said["best"]["point"]
    assert f"{said['best']['number']} {best['strategy.fast']} {best['strategy.slow']}" in trials
    assert "Deflated Sharpe" in section(again, "honesty")
    assert f"fast: {best['strategy.fast']}" in section(again, "config")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "report takes 1 run folder, not 0"),
        (["a", "b"], "report takes 1 run folder, not 2"),
        (["nowhere"], "nowhere: there is no such folder"),
        (["empty"], "empty holds no run (summary.json is missing)"),
        (["begun"], "begun holds an unfinished run"),
        (["broken"], "is not the summary of a run"),
        (["empty", "output=xml"], "output=xml: must be text or json"),
        (["bad_sweep"], "sweep.json cannot be read"),
    ],
)
def test_a_bad_folder_is_refused_in_one_line(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, files in {
        "empty": {},
        "begun": {"config.yaml": "bar: 1d"},
        "broken": {"config.yaml": "bar: 1d", "summary.json": "{}"},
        "bad_sweep": {"sweep.json": "[]"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    assert report(words) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_a_run_of_a_brokers_account_has_no_page(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "run" / "equity.parquet").unlink()
    assert report([str(place / "run")]) == 2
    assert "equity.parquet is missing" in capsys.readouterr().err


def test_a_run_comes_back_from_its_folder(place: Path) -> None:
    found = read_run(place / "run")
    assert len(found.seen.trades) == found.seen.summary.trades + found.seen.summary.open_trades
    assert len(found.seen.refusals) == found.seen.summary.refusals
    assert found.seen.equity[-1] == pytest.approx(float(found.seen.summary.final_equity), abs=0.02)


@needs_browser
def test_a_browser_draws_the_page_of_a_sweep(place: Path) -> None:
    page = place / "sweep" / "sweep.html"
    assert_drawn(page, len(embedded(page.read_text(), "charts")))
