"""Drives `configs.load.main` with a task that keeps what it was given, and reads what the user would see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from configs.load import Composed, main
from configs.schema import RunConfig


@dataclass
class Seen:
    """Exit code, both streams, and the runs that reached the task."""

    code: int
    out: str
    err: str
    runs: list[Composed] = field(default_factory=list)

    @property
    def config(self) -> RunConfig:
        assert len(self.runs) == 1, self.err
        return self.runs[0].config


def run(capsys: pytest.CaptureFixture[str], argv: Sequence[str], verb: str = "backtest") -> Seen:
    """Compose and do nothing, as a user on the command line."""
    runs: list[Composed] = []

    def task(composed: Composed) -> int:
        runs.append(composed)
        return 0

    code = main(verb, argv, task)
    said = capsys.readouterr()
    return Seen(code, said.out, said.err, runs)


def refusal(capsys: pytest.CaptureFixture[str], argv: Sequence[str]) -> str:
    """The one line that a refused command line costs."""
    seen = run(capsys, argv)
    assert (seen.code, seen.out, seen.runs) == (2, "", []), seen
    assert seen.err.count("\n") == 1, seen.err
    assert seen.err.startswith("error: ")
    assert "HYDRA_FULL_ERROR" not in seen.err
    return seen.err.removeprefix("error: ").rstrip()
