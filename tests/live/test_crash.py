"""A node that is killed loses nothing: the short version of `make soak`, which kills it two hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak.__main__ import main, shares
from soak.scenarios import SCENARIOS
from soak.trial import Trial

pytestmark = pytest.mark.slow

SHORT = ("two strategies on one instrument", "trips that flatten", "faults, two strategies")


@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_or_sent_twice_by_a_node_that_is_killed(name: str, tmp_path: Path) -> None:
    (scenario,) = [each for each in SCENARIOS if each.name == name]
    figures = Trial(scenario, tmp_path, seed=7).run(3)
    assert figures.problems == []
    assert figures.kills == 3
    assert figures.orders > 0


def test_the_kills_are_shared_out_whole() -> None:
    for kills in (len(SCENARIOS), 41, 200):
        found = shares(kills, SCENARIOS)
        assert sum(found) == kills
        assert min(found) >= 1


@pytest.mark.parametrize(
    ("argument", "said"),
    [("kills=0", "kills=0"), ("only=nothing", "no such scenario"), ("x=1", "unknown key x")],
)
def test_bad_input_costs_one_line(argument: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument]) == 2
    assert said in capsys.readouterr().err
