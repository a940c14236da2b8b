"""How is the page of a sweep made again from its folder, after it ended or while it is interrupted?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from backtests.search.log import LOG, TrialLog
from backtests.search.page import page_of
from backtests.search.result import Result, pbo_note, ranked
from backtests.search.settings import settings_of
from backtests.search.space import Space
from configs.errors import ConfigError
from runs.folder import SUMMARY, reopened_folder
from runs.page.config_text import read_json

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = "sweep.json"


def page_again(path: Path) -> str:
    """The page of the sweep in a folder; what of it is luck stays as it was told when the sweep ended.

    Raises ConfigError where the folder holds no trial with a score, FolderError while the sweep runs.
    """
    try:
        kept = json.loads((path / SWEEP).read_bytes())
        settings, space = settings_of(kept["settings"]), Space.from_json(json.dumps(kept["space"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path / SWEEP} cannot be read: {error}") from error
    if not (path / LOG).is_file():
        raise ConfigError(f"{path}: no trial is kept there ({LOG} is missing)")
    with reopened_folder(path) as folder, TrialLog(folder, space) as log:
        trials = [log.trials[number] for number in sorted(log.trials)]
    said = read_json(path / SUMMARY) or {}
    measured = pbo_note(settings) is None  # earlier versions measured it whatever the choice was by
    result = Result(
        trials=tuple(trials),
        ranked=ranked(trials, settings),
        trials_ledger=said.get("trials_ledger"),
        deflated_sharpe=said.get("deflated_sharpe"),
        pbo=said.get("pbo") if measured else None,
        pbo_trials=(said.get("pbo_trials") or 0) if measured else 0,
    )
    if result.best is None:
        raise ConfigError(
            f"{path}: no trial of that sweep has a {settings.metric}, so there is nothing to draw"
        )
    return page_of(result, space, settings, path)
