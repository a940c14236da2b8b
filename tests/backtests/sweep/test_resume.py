"""A sweep that was killed or interrupted goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

from backtests.search.log import LOG, read_rows
from tests.backtests.sweep.conftest import ODD, QUICK, Swept

pytestmark = pytest.mark.slow

type Run = Callable[..., Swept]
type Start = Callable[..., subprocess.Popen[str]]
GRID = ["strategy.fast=range(3,13)", "strategy.raises_at=6", *ODD]
SEARCH = [
    "strategy.fast=int(interval(3,12))", "strategy.slow=range(15,60,5)", *ODD,
    "sweep.search=optuna", "sweep.trials=12", "sweep.ahead=3", "sweep.prune=median",
]  # fmt: skip


def until(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    """Wait until so many trials are kept."""
    deadline = time.monotonic() + 120
    while not (folder / LOG).exists() or len(list(read_rows(folder / LOG))) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "workers"), [(GRID, 1), (GRID, 2), (SEARCH, 2)], ids=["one", "two", "optuna"]
)
def test_a_killed_sweep_goes_on_and_ends_as_if_it_had_not_been(
    run: Run, start: Start, words: list[str], workers: int
) -> None:
    whole = run(*words, name="whole")
    process = start(*words, "strategy.secs=0.8", f"sweep.workers={workers}", name="killed")
    killed = whole.folder.parent / "killed"
    until(process, killed, 4)
    process.kill()
    process.communicate()
    before = [row["number"] for row in read_rows(killed / LOG)]
    assert 4 <= len(before) < 10
    resumed = run(f"resume={killed}", "sweep.workers=1", name="killed")
    assert resumed.code == 0, resumed.err
    assert f"{len(before)} of them done" in resumed.err
    assert (killed / "trials.parquet").read_bytes() == (whole.folder / "trials.parquet").read_bytes()
    assert (
        resumed.said["trials_ledger"] == 2 * whole.said["trials_ledger"]
    )  # strategy.secs makes it another trial


def test_ctrl_c_ends_in_code_130_and_one_line_that_says_how_to_go_on(
    run: Run, start: Start, tmp_path: Path
) -> None:
    process = start(*GRID, "strategy.secs=0.8", "sweep.workers=2")
    until(process, tmp_path / "sweep", 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("interrupted after ")
    assert last.endswith(f"go on with: python -m backtests sweep resume={tmp_path / 'sweep'}")
    kept = len(parquet.read_table(tmp_path / "sweep" / "trials.parquet"))
    resumed = run(f"resume={tmp_path / 'sweep'}")
    assert f"{kept} of them done" in resumed.err
    assert resumed.said["trials"] == 10


def test_a_torn_end_of_the_log_costs_that_trial_only(run: Run) -> None:
    whole = run("strategy.fast=3,4,5", *QUICK)
    before, log = (whole.folder / "trials.parquet").read_bytes(), whole.folder / LOG
    content = log.read_bytes()
    for cut in (10, len(content) // 2, len(content) - 100, len(content) - 1):
        log.write_bytes(content[:cut])
        again = run(f"resume={whole.folder}")
        assert again.code == 0, again.err
        assert (whole.folder / "trials.parquet").read_bytes() == before


def test_a_torn_end_of_the_study_does_not_matter(run: Run) -> None:
    whole = run(*SEARCH)
    before, study, log = (
        (whole.folder / "trials.parquet").read_bytes(),
        whole.folder / "optuna.log",
        whole.folder / LOG,
    )
    lines, content = study.read_bytes().splitlines(keepends=True), log.read_bytes()
    for last in (1, len(lines) // 3, len(lines) // 2, len(lines) - 2):
        cut = b"".join(lines[:last]) + lines[last][:9]
        study.write_bytes(cut)
        log.write_bytes(content)
        again = run(f"resume={whole.folder}")
        assert again.code == 0, again.err
        assert (whole.folder / "trials.parquet").read_bytes() == before


def test_a_search_can_be_made_longer(run: Run) -> None:
    short = run(*SEARCH, name="short")
    longer = run(f"resume={short.folder}", "sweep.trials=16", name="short")
    assert longer.said["trials"] == 16
    whole = run(*[word for word in SEARCH if "trials" not in word], "sweep.trials=16", name="whole")
    assert (short.folder / "trials.parquet").read_bytes() == (whole.folder / "trials.parquet").read_bytes()


def test_only_what_cannot_change_the_trials_may_change(run: Run) -> None:
    whole = run("strategy.fast=3,4", *QUICK)
    for word in ("sweep.metric=cagr", "strategy.slow=40", "sweep.seed=3"):
        refused = run(f"resume={whole.folder}", word)
        assert refused.code == 2
        assert "a sweep goes on as it began" in refused.err
    versions = whole.folder / "versions.json"
    before = versions.read_text()
    for key, said in (
        ("data", "data of version"),
        ("strategy_code", "the strategy's code"),
        ("keel", "Keel"),
    ):
        versions.write_text(before.replace(f'"{key}": "', f'"{key}": "other'))
        refused = run(f"resume={whole.folder}")
        assert refused.code == 2
        assert f"ran with {said}" in refused.err
        assert "begin a new one" in refused.err
    versions.write_text(before)
    assert run(f"resume={whole.folder}").code == 0
    used = run("strategy.fast=3,4", *QUICK)
    assert used.code == 2
    assert "already holds" in used.err
