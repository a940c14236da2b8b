"""A hold-out is closed to everybody, opens once, and remembers who looked."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backtests.api import backtest
from backtests.holdout import holdout
from backtests.run import run
from backtests.search.sources import Grid
from backtests.search.space import space_of
from backtests.sweep import sweep
from backtests.windows.guard import Guarded
from runs.trials import record, trials_of
from runs.trials.file import writing
from runs.trials.holdouts import HoldoutError, begin_opening, holdouts, in_force
from runs.trials.tables import META, STEPS, VERSION
from tests.backtests.walk.conftest import QUICK, Walked
from tests.runs.trials.making import ran

FAMILY = "strategies.ema_cross:EmaCross AAPL 1d"
BARE = ["run.plots=false", "run.tearsheet=false"]
type Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def do(
    ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Said:
    """A verb in this process with the ledger of this test: exit code and both streams."""
    monkeypatch.chdir(tmp_path)

    def done(verb: Callable[[list[str]], int], *words: str) -> tuple[int, str, str]:
        code = verb([*words, f"trials.path={ledger}"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return done


def declared(do: Said, start: str = "2012-01-01") -> dict[str, Any]:
    code, out, err = do(holdout, "declare", f"start={start}", "reason=the last check", "output=json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_days_held_out_are_refused_by_every_verb_and_days_before_are_not(
    do: Said, walk: Callable[..., Walked], ledger: Path
) -> None:
    assert declared(do)["state"] == "closed"
    for verb, words in ((run, BARE), (sweep, ["strategy.fast=5,6", *BARE])):
        code, out, err = do(verb, *words)
        assert (code, out) == (2, "")
        (line,) = [each for each in err.splitlines() if each.startswith("error: ")]
        assert f"{FAMILY}: days from 2012-01-01 on are held out (by {getpass.getuser()}" in line
        assert "add run.end=2012-01-01" in line
    refused = walk("strategy.fast=5,6")
    assert refused.code == 2
    assert "are held out" in refused.err
    with pytest.raises(HoldoutError):
        backtest([f"trials.path={ledger}"])
    assert do(run, "run.start=2011-06-01", "run.end=2012-01-01", *BARE)[0] == 0
    assert do(run, "run.max_bars=50", *BARE)[0] == 0
    assert walk(*QUICK, name="before").code == 0
    assert do(run, "instruments=[MSFT]", "run.start=2012-06-01", *BARE)[0] == 0, "another family"


def test_a_sweep_cannot_reach_held_out_days_by_one_of_its_points(do: Said) -> None:
    declared(do)
    code, _, err = do(sweep, "run.end=2003-01-01,2012-06-01", "run.start=2002-06-01", *BARE)
    assert code == 2
    assert "are held out" in err
    code, _, err = do(sweep, "strategy=bollinger_reversion,ema_cross", "run.start=2012-06-01", *BARE)
    assert code == 2


def test_an_interval_over_the_days_is_held_to_both_its_ends(do: Said) -> None:
    declared(do, "2001-01-02")
    search = ["sweep.search=optuna", "sweep.trials=3", *BARE]
    code, out, err = do(sweep, "run.max_bars=int(interval(200,400))", *search)
    assert (code, out) == (2, "")
    assert "days from 2001-01-02 on are held out" in err
    code, _, err = do(sweep, "run.max_bars=int(interval(100,200))", *search)
    assert code == 0, err


@pytest.mark.parametrize("leverage", ["-1,1", "-1,-2,-3,-4,1"])
def test_a_value_that_is_no_config_does_not_switch_the_check_off(
    do: Said, walk: Callable[..., Walked], leverage: str
) -> None:
    declared(do, "2001-01-02")
    words = [f"risk.max_leverage={leverage}", "run.end=2001-06-01"]
    code, out, err = do(sweep, *words, *BARE)
    assert (code, out) == (2, "")
    assert "are held out" in err
    refused = walk(*words, "walk.train=100", "walk.test=50")
    assert refused.code == 2
    assert "are held out" in refused.err


def test_no_point_on_held_out_days_is_handed_out_whatever_was_foreseen(do: Said, ledger: Path) -> None:
    declared(do, "2001-01-02")
    space = space_of(["run.max_bars=200,400", "risk.max_leverage=-1,1", f"trials.path={ledger}"])
    source = Guarded(Grid(space, {}, lambda _: None), space, lambda job: job.point)
    handed = [source.next() for _ in range(3)]
    assert [job.number for job in handed if job is not None] == [0, 1, 2], (
        "one that is no run is handed out too"
    )
    with pytest.raises(HoldoutError, match="are held out"):
        source.next()


@pytest.mark.slow
def test_trials_before_one_that_was_not_foreseen_are_counted(do: Said, ledger: Path) -> None:
    """The first 250 combinations beside `run.max_bars` are no run, more than are looked at before it begins."""
    declared(do, "2001-01-02")
    others = [
        "strategy.fast=range(5,10)",
        "strategy.slow=range(20,25)",
        "strategy.volatility_bars=range(60,65)",
    ]
    words = ["risk.max_leverage=-1,-2,1", *others, "run.max_bars=100,400", "sweep.workers=1"]
    code, out, err = do(sweep, *words, *BARE)
    assert (code, out) == (2, "")
    assert err.startswith("sweep: 750 trials")
    assert "are held out" in err.splitlines()[-1]
    assert len(trials_of(None, ledger)) == 1


def test_it_opens_once_and_remembers_who(do: Said, ledger: Path) -> None:
    assert "nothing is held out" in do(holdout, "open", "reason=early")[2]
    declared(do)
    assert "say why" in do(holdout, "open")[2]
    code, out, err = do(holdout, "open", "strategy.fast=7", "reason=before paper", "output=json", *BARE)
    assert code == 0, err
    said = json.loads(out)
    (look,) = said["openings"]
    assert (said["state"], look["by"], look["reason"]) == ("opened", getpass.getuser(), "before paper")
    assert (look["again"], look["until"]) == (False, "2013-03-01")
    assert look["config"]["strategy"]["params"]["fast"] == 7
    summary = json.loads((Path(look["folder"]) / "summary.json").read_text())
    assert summary["first_bar"].startswith("2012-01-03")
    assert {name: summary[name] for name in ("sharpe", "total_return")} == {
        name: look["result"][name] for name in ("sharpe", "total_return")
    }
    code, out, err = do(holdout, "open", "strategy.fast=8", "reason=one more", *BARE)
    assert (code, out) == (2, "")
    assert f"was opened by {getpass.getuser()} on {look['at'][:10]} (before paper); it opens once" in err
    assert do(run, *BARE)[0] == 2, "opened is not open to all"
    code, out, _ = do(
        holdout, "open", "strategy.fast=8", "reason=one more", "again=true", "output=json", *BARE
    )
    assert code == 0
    assert json.loads(out)["state"] == "spoiled"
    code, out, _ = do(holdout)
    assert "spoiled" in out
    assert [look.again for look in holdouts(ledger)[0].openings] == [False, True]


def test_a_look_is_written_down_before_it_is_taken(do: Said, ledger: Path) -> None:
    """A process that is killed while it looks leaves a look."""
    declared(do)
    held = in_force(FAMILY, ledger)
    assert held is not None
    from backtests.trial import market_of  # noqa: PLC0415 - one use
    from configs.load import compose  # noqa: PLC0415 - as above

    config = compose("backtest", ["run.start=2012-01-01"]).config
    begin_opening(held, config, market_of(config), reason="killed", again=False, path=ledger)
    assert do(holdout, "open", "reason=next", *BARE)[0] == 2
    assert "killed;" in do(holdout)[1]


def test_a_look_that_failed_showed_nothing_and_does_not_count(do: Said, ledger: Path, tmp_path: Path) -> None:
    declared(do)
    used = tmp_path / "used"
    used.mkdir()
    (used / "something").touch()
    assert do(holdout, "open", "reason=first", f"run.dir={used}", *BARE)[0] == 2
    assert holdouts(ledger)[0].state == "closed"
    assert do(holdout, "open", "reason=first", *BARE)[0] == 0
    assert holdouts(ledger)[0].state == "opened"


def test_another_may_be_set_aside_only_for_days_nobody_has_seen(do: Said) -> None:
    declared(do)
    assert "are held out already" in do(holdout, "declare", "start=2011-01-01")[2]
    assert do(holdout, "open", "reason=now", *BARE)[0] == 0
    code, _, err = do(holdout, "declare", "start=2012-06-01")
    assert code == 2
    assert "days to 2013-03-01 were seen" in err


def test_trials_that_saw_the_days_before_are_told(do: Said) -> None:
    assert do(run, "run.start=2012-06-01", *BARE)[0] == 0
    assert do(run, "run.start=2010-06-01", "run.end=2012-01-01", *BARE)[0] == 0
    assert declared(do)["seen"] == 1
    assert "1 trials counted before may have seen these days" in do(holdout)[1]


def test_a_share_is_of_session_days(do: Said) -> None:
    code, _, err = do(holdout, "declare", "share=0.2", "run.max_bars=100", "output=json")
    assert code == 0, err
    assert do(run, "run.max_bars=80", *BARE)[0] == 0
    assert do(run, "run.max_bars=81", *BARE)[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["opne"], "did you mean open?"),
        (["declare"], "give one of start=2010-01-01 and share=0.2"),
        (["declare", "start=2010-01-01", "share=0.2"], "give one of"),
        (["declare", "start=1990-01-01"], "the data has days from 2000-03-01"),
        (["declare", "start=soon"], "holdout.start=soon: must be a date"),
        (["declare", "share=2"], "holdout.share=2: must be a fraction"),
        (["open", "reason=x", "run.start=2012-01-01"], "run.start: holdout open runs on all"),
        (["open", "reason=x", "start=2012-01-01"], "are for holdout declare"),
        (["outptu=json"], "did you mean output?"),
    ],
)
def test_a_wrong_word_costs_one_line(do: Said, words: list[str], said: str) -> None:
    code, out, err = do(holdout, *words)
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]


def test_a_ledger_of_the_version_before_gets_the_tables(ledger: Path, do: Said) -> None:
    with writing(ledger):
        pass
    old = sqlite3.connect(ledger)
    wanted = dict(
        old.execute(
            "SELECT name, sql FROM sqlite_master WHERE name LIKE '%holdout%' OR name LIKE '%opening%'"
        )
    )
    for table in ("openings", "holdouts"):
        old.execute(f"DROP TABLE {table}")
    old.execute("PRAGMA user_version=1")
    old.commit()
    old.close()
    assert holdouts(ledger) == []
    assert record(ran(), ledger)
    new = sqlite3.connect(ledger)
    assert new.execute("PRAGMA user_version").fetchone() == (VERSION,)
    names = {row[0] for row in new.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    assert {table.name for table in META.sorted_tables} <= names
    for table in ("holdouts", "openings"):
        own = [row[1:4] for row in new.execute(f"PRAGMA table_info({table})")]
        fresh = sqlite3.connect(":memory:")
        for statement in wanted.values():
            if statement and "TABLE" in statement:
                fresh.execute(statement)
        assert own == [row[1:4] for row in fresh.execute(f"PRAGMA table_info({table})")], table
    assert set(STEPS) == set(range(2, VERSION + 1))
    assert declared(do)["family"] == FAMILY
