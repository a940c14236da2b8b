"""The pictures of a sweep: whatever was swept, the best stands out, and the page needs no network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtests.search.page import page_of
from backtests.search.panels import chosen, lines, scores, sheet_of
from backtests.search.pictures import figure_of, headline
from backtests.search.result import Result, ranked
from backtests.search.settings import SweepSettings, settings_of
from backtests.search.space import Space
from backtests.search.work import Trial
from backtests.trial import Outcome
from configs.load import Axis

AXES = {
    "one": [Axis("strategy.fast", (5, 10, 20))],
    "two": [Axis("strategy.fast", (5, 10, 20)), Axis("strategy.slow", (30, 60))],
    "three": [Axis("strategy.fast", (5, 10)), Axis("strategy.slow", (30, 60)), Axis("risk.max_leverage", ("off", 1.5))],
    "groups": [Axis("strategy", ("ema_cross", "bollinger"), group=True), Axis("instruments", (["AAPL"], ["MSFT"]))],
    "search": [Axis("strategy.fast", low=2.0, high=50.0), Axis("strategy.slow", low=60.0, high=200.0)],
    "alike": [Axis("strategy.fast", (5,)), Axis("strategy.slow", (30,))],
}  # fmt: skip


def swept(axes: list[Axis], settings: SweepSettings) -> tuple[Result, Space]:
    space = Space(tuple(axes), {"[]": "{}"})
    draw = np.random.default_rng(1)
    if space.interval is None:
        points: list[Any] = [space.grid(number) for number in range(space.size)]
    else:
        points = [
            {axis.key: draw.uniform(axis.low or 0.0, axis.high or 1.0) for axis in axes} for _ in range(80)
        ]
    trials = [
        Trial(number, point, "done", Outcome(figures={}), float(draw.normal()))
        for number, point in enumerate(points)
    ]
    return Result(tuple(trials), ranked(trials, settings), 9, 0.9, 0.2, len(trials)), space


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize("metric", ["sharpe", "max_drawdown"])
def test_every_kind_of_sweep_has_its_pictures(name: str, metric: str) -> None:
    settings = settings_of({"metric": metric})
    result, space = swept(AXES[name], settings)
    figure = figure_of(result, space, settings)
    figure.canvas.draw()
    assert figure.get_suptitle() == headline(result, settings)
    html = page_of(result, space, settings)
    assert "Plotly.newPlot" in html
    assert '<script src="http' not in html
    assert headline(result, settings) in html
    assert headline(result, settings).startswith(f"Sweep of {len(result.trials):,} trials: best ")
    assert "with a probability of 90.0% its true Sharpe ratio is above" in html
    assert "of the time" not in html.partition("<script>/**")[0]


def test_the_heat_map_shows_the_best_over_the_other_keys() -> None:
    settings = settings_of({})
    result, space = swept(AXES["three"], settings)
    found, score = lines(result, space), scores(result)
    plane = chosen(found, settings)
    assert [line.key for line in plane] == ["strategy.fast", "strategy.slow"]
    sheet = sheet_of(found, plane, score)
    assert sheet is not None
    assert sheet.over == ("risk.max_leverage",)
    for column, fast in enumerate((5, 10)):
        for row, slow in enumerate((30, 60)):
            own = [
                trial.score
                for trial in result.trials
                if (trial.point["strategy.fast"], trial.point["strategy.slow"]) == (fast, slow)
            ]
            assert sheet.score[row, column] == max(filter(None, own))


def test_a_user_chooses_the_keys_of_the_heat_map() -> None:
    settings = settings_of({"heat": ["strategy.slow", "risk.max_leverage"]})
    result, space = swept(AXES["three"], settings)
    assert [line.key for line in chosen(lines(result, space), settings)] == [
        "strategy.slow",
        "risk.max_leverage",
    ]
