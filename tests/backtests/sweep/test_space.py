"""Which points a command line makes, and which it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtests.search.settings import METRICS, score, settings_of, taken
from backtests.search.space import Space, first_run, space_of
from configs.errors import ConfigError
from configs.launcher import Launcher, launcher_of


def points(*words: str) -> list[dict[str, object]]:
    space = space_of([*words])
    return [dict(space.grid(number)) for number in range(space.size)]


def test_a_grid_has_every_combination_and_the_last_key_changes_first() -> None:
    assert points("strategy.fast=5,10", "strategy.slow=range(30,70,20)") == [
        {"strategy.fast": 5, "strategy.slow": 30},
        {"strategy.fast": 5, "strategy.slow": 50},
        {"strategy.fast": 10, "strategy.slow": 30},
        {"strategy.fast": 10, "strategy.slow": 50},
    ]


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("strategy.size_pct=choice(0.1,0.2)", [0.1, 0.2]),
        ("instruments=[AAPL],[MSFT,AAPL]", [["AAPL"], ["MSFT", "AAPL"]]),
        ("risk.max_leverage=off,1.5", ["off", 1.5]),
        ("risk.allow_short=true,false", [True, False]),
        ("run.start=2005-01-01,2006-01-01", ["2005-01-01", "2006-01-01"]),
        ("run.name='a b','c,d'", ["a b", "c,d"]),
        ("risk.overrides=[{venue: replay, max_leverage: 1}],[]", [[{"venue": "replay", "max_leverage": 1}], []]),
        ("++strategy.fast=5,7", [5, 7]),
    ],
)  # fmt: skip
def test_values_are_those_that_hydra_reads(word: str, values: list[object]) -> None:
    assert [next(iter(point.values())) for point in points(word)] == values


def test_swept_groups_choose_whole_sections_and_other_keys_change_what_is_in_them() -> None:
    space = space_of(
        [
            "strategy=ema_cross,bollinger_reversion",
            "risk=default,aggressive",
            "bar=1d",
            "strategy.size_pct=0.05,0.06",
        ]
    )
    assert space.size == 8
    config = space.config(space.grid(7))
    assert config.strategy.strategy_path.endswith(":BollingerReversion")
    assert str(config.strategy.params["size_pct"]) == "0.06"
    assert config.risk != space.config(space.grid(0)).risk


def test_a_second_strategy_can_be_swept_too() -> None:
    space = space_of(["+strategy@strategies.second=ema_cross,bollinger_reversion", "instruments=[AAPL]"])
    assert space.keys == ("strategies.second",)
    assert [list(space.config(space.grid(number)).strategies) for number in (0, 1)] == [
        ["second"],
        ["second"],
    ]


def test_values_that_a_yaml_works_out_follow_the_swept_key(tmp_path: Path) -> None:
    folder = tmp_path / "strategy"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "strategy_path: strategies.ema_cross:EmaCross\nconfig_path: strategies.ema_cross:EmaCrossConfig\n"
        "fast: ???\nslow: ${.volatility_bars}\nvolatility_bars: 70\n"
    )
    space = space_of(
        [
            "--config-dir",
            str(tmp_path),
            "strategy=mine",
            "strategy.fast=5,6",
            "strategy.volatility_bars=80,90",
        ]
    )
    config = space.config(space.grid(3))
    assert (config.strategy.params["fast"], config.strategy.params["slow"]) == (6, 90)
    assert space.document(space.grid(3))["strategy"]["slow"] == 90


def test_a_space_comes_back_from_its_json() -> None:
    space = space_of(
        [
            "strategy=ema_cross,bollinger_reversion",
            "instruments=[AAPL],[MSFT]",
            "strategy.size_pct=interval(0.1,1)",
        ]
    )
    assert Space.from_json(space.to_json()) == space


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["strategy.fast=5"], "nothing to sweep: give a key several values"),
        (["strategy.fast=5,6", "strategy.fast=7,8"], "strategy.fast is swept twice"),
        (["strategy.fast=range(5,5)"], "this range has no values"),
        (["strategy.fast=interval(1"], "cannot read"),
        (["strategy.fats=5,6"], "unknown key strategy.fats; did you mean strategy.fast?"),
        (["strategy=ema_crosss,ema_cross"], "did you mean ema_cross?"),
        (["strategy.fast=shuffle(1,2)"], "shuffle"),
        (["risk.max_leverage=-1,-2"], "risk.max_leverage=-1"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_one_line(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        first_run(space_of(words))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("sweep.serach=optuna", "unknown key sweep.serach; did you mean sweep.search?"),
        ("sweep.search=tpe", "sweep.search=tpe: must be grid or optuna"),
        ("sweep.metric=sharp", "did you mean sharpe?"),
        ("sweep.metric=5", "sweep.metric=5: must be one of sharpe"),
        ("sweep.direction=up", "must be maximize or minimize"),
        ("sweep.trials=0", "sweep.trials=0: must be a whole number of at least 1"),
        ("sweep.trials=1.5", "must be a whole number of at least 1"),
        ("sweep.sampler=grid", "must be tpe or random"),
        ("sweep.seed=-1", "must be a whole number of at least 0"),
        ("sweep.ahead=0", "must be a whole number of at least 1"),
        ("sweep.prune=hard", "must be off or median"),
        ("sweep.workers=0", "must be a whole number of at least 1, or auto"),
        ("sweep.heat=[a]", "two swept keys"),
        ("sweep.seed={", "cannot read sweep.seed={"),
    ],
)
def test_a_setting_that_is_none_is_refused_with_what_is_allowed(word: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings_of(taken([word])[0])
    assert told in str(error.value)


def test_settings_are_read_as_they_are_written() -> None:
    given, rest = taken(
        ["sweep.search=optuna", "strategy.fast=1,2", "sweep.prune=off", "sweep.heat=[a,b]", "sweep.workers=3"]
    )
    settings = settings_of(given)
    assert rest == ["strategy.fast=1,2"]
    assert (settings.search, settings.prune, settings.heat, settings.workers) == (
        "optuna",
        "off",
        ("a", "b"),
        3,
    )
    with pytest.raises(ConfigError, match=r"sweep\.seed is given twice"):
        taken(["sweep.seed=1", "sweep.seed=2"])


def test_every_metric_is_a_figure_and_knows_which_way_is_better() -> None:
    figures = {"cagr": 0.1, "max_drawdown": 0.2, "sharpe": 1.5}
    assert score(figures, "sharpe") == 1.5
    assert score(figures, "calmar") == 0.5
    assert score({**figures, "max_drawdown": 0.0}, "calmar") is None
    assert score(figures, "sortino") is None
    assert settings_of({"metric": "max_drawdown"}).maximize is False
    assert settings_of({"metric": "max_drawdown", "direction": "maximize"}).maximize is True
    assert set(METRICS.values()) == {"maximize", "minimize"}


def test_a_launcher_is_read_before_hydra_sees_it() -> None:
    words, launcher = launcher_of(
        [
            "a=1",
            "hydra/launcher=ray",
            "hydra.launcher.workers=3",
            "hydra.launcher.runtime_env={working_dir: .}",
        ]
    )
    assert words == ["a=1"]
    assert launcher == Launcher(name="ray", workers=3, runtime_env={"working_dir": "."})
    assert launcher_of(["hydra/launcher=joblib"])[1].workers == "auto"
    assert launcher_of(["hydra/launcher=basic"])[1] == Launcher()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hydra/launcher=rya"], "hydra/launcher=rya: no such option; did you mean ray? There are: basic, joblib, ray"),
        (["hydra/launcher=joblib", "hydra.launcher.workrs=2"], "did you mean hydra.launcher.workers?"),
        (["hydra/launcher=joblib", "hydra.launcher.address=auto"], "unknown key hydra.launcher.address"),
        (["hydra/launcher=joblib", "hydra.launcher.workers=0"], "hydra.launcher.workers=0: must be a whole number"),
        (["hydra/launcher=ray", "hydra.launcher.address=5"], "must be the address of a Ray cluster"),
        (["hydra/launcher=ray", "hydra.launcher.runtime_env=5"], "must be a section"),
        (["hydra/launcher=ray", "hydra.launcher.address={"], "cannot read hydra.launcher.address={"),
    ],
)  # fmt: skip
def test_a_launcher_that_is_none_is_refused(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        launcher_of(words)
    assert told in str(error.value)
