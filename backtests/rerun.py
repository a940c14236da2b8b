"""`python -m backtests rerun RUN_DIR`: the run that a run folder holds, once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backtests.run import backtest
from configs.edge import guarded
from configs.errors import ConfigError
from configs.load import Composed, load
from runs.folder import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence


def rerun(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: backtest(_kept(argv)))


def _kept(argv: Sequence[str]) -> Composed:
    if len(argv) != 1:
        raise ConfigError(
            "rerun takes the folder of one earlier run: python -m backtests rerun outputs/backtests/NAME"
        )
    path = Path(argv[0].removeprefix("run_dir="))
    try:
        text = (path / CONFIG).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: no run is kept there ({CONFIG}: {error.strerror})") from error
    kept = load(text)
    config = kept.config.model_copy(update={"run": kept.config.run.model_copy(update={"dir": None})})
    return Composed(config, text)
