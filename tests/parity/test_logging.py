"""What a strategy writes to the log changes nothing about its run, in either mode."""

from __future__ import annotations

import pytest
from nautilus_trader.model import Bar

from tests.driving import MODES, Scripted, bars, drive


class Complains(Scripted):
    """Logs an error at its third bar, and buys at its fifth."""

    def at_bar(self, n: int, _bar: Bar) -> None:
        if n == 3:
            self.log.error("nothing that matters")
        elif n == 5:
            self.buy(1)


@pytest.mark.parametrize("mode", MODES)
def test_an_error_that_a_strategy_logs_does_not_end_the_run(mode: str) -> None:
    done = drive(mode, Complains, bars([100.0] * 10))
    assert [gate.n for gate in done.strategies] == [10]
    assert len(done.record.fills) == 1
