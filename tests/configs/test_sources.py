"""Which file, or the command line, set each key of the risk settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import Composed, main

DEFAULT, LIVE, FIRST = (
    f"configs/risk/{name}.yaml" for name in ("default", "live_default", "first_month_live")
)


def sources(argv: list[str]) -> list[dict[str, str]]:
    """Of every job, what set each key."""
    found: list[dict[str, str]] = []

    def task(composed: Composed) -> int:
        found.append(dict(composed.sources))
        return 0

    assert main("backtest", argv, task, with_sources=True) == 0
    return found


def test_the_last_file_that_names_a_key_has_set_it() -> None:
    (found,) = sources(["risk=first_month_live"])
    assert found["max_leverage"] == DEFAULT
    assert found["max_drawdown_pct"] == LIVE
    assert found["max_position_pct"] == FIRST
    assert found["approval_timeout_mins"] == FIRST  # the same value as in default: still said here last


@pytest.mark.parametrize(
    "written",
    ["risk.max_leverage=2", "++risk.max_leverage=2", "risk={max_leverage: 2}"],
)
def test_the_command_line_comes_after_every_file(written: str) -> None:
    (found,) = sources(["risk=crypto", written])
    assert {key for key, source in found.items() if source == "command line"} == {"max_leverage"}


def test_what_the_command_line_takes_out_is_set_by_nobody() -> None:
    (found,) = sources(["~risk.max_leverage"])
    assert "max_leverage" not in found
    assert found["max_position_pct"] == DEFAULT


def test_files_of_ones_own_and_experiments_are_told_by_their_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for group, text in (
        ("risk", "max_leverage: 0.5\n"),
        (
            "experiment",
            "# @package _global_\ndefaults:\n  - override /risk: own\n\nrisk:\n  max_open_positions: 4\n",
        ),
    ):
        (tmp_path / "my" / group).mkdir(parents=True)
        (tmp_path / "my" / group / "own.yaml").write_text(text)
    (found,) = sources(["--config-dir=my", "experiment=own", "risk.max_order_pct=0.5"])
    assert found == {
        "max_leverage": "my/risk/own.yaml",
        "max_open_positions": "my/experiment/own.yaml",
        "max_order_pct": "command line",
    }


def test_each_run_of_several_has_its_own() -> None:
    one, other = sources(["-m", "risk=default,crypto"])
    assert (one["max_position_pct"], other["max_position_pct"]) == (DEFAULT, "configs/risk/crypto.yaml")


def test_a_run_that_is_not_asked_is_not_told() -> None:
    assert main("backtest", [], lambda composed: 1 if composed.sources else 0) == 0
