"""Random orders under random faults, in whole live runs: in the end journal, cache, our book and Alpaca's agree.

`KEEL_RANDOM_SEQUENCES=1000` plays the long form: twenty runs of fifty sequences, each with a seed of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.adapters.alpaca.contract_site import AlpacaSite
from tests.adapters.contract_random import Play
from tests.live.alpaca_here import keys

pytestmark = pytest.mark.slow

SEQUENCES = int(os.environ.get("KEEL_RANDOM_SEQUENCES", "20"))
A_RUN = 5 if SEQUENCES < 50 else 50
"""Sequences of one run: what is compared after each grows with its journal."""

STOPPED = ("replaced", "orphaned", "canceled")
"""What becomes of a take-profit whose stop fills: at Alpaca the stop replaces it."""


@pytest.mark.timeout(240 + 60 * A_RUN)
@pytest.mark.parametrize("seed", range(1, 1 + SEQUENCES // A_RUN))
def test_all_books_agree_after_random_orders_under_random_faults(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []

    def printed() -> str:
        told.append("".join(capfd.readouterr()))
        return "".join(told)

    for name, value in keys().items():
        monkeypatch.setenv(name, value)
    site = AlpacaSite(tmp_path, arguments=[f"stopped_target={STOPPED[seed % len(STOPPED)]}"])
    try:
        play = Play(site, tmp_path, seed, A_RUN, printed)
        play.run()
    finally:
        site.kill()
    assert play.figures["sequences"] == A_RUN
    print(f"seed {seed}: {dict(sorted(play.figures.items()))}")  # noqa: T201 - pytest -s shows it
