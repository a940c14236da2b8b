"""`python -m backtests rerun RUN_DIR`: the run that a run folder holds, once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backtests.run import backtest
from configs.edge import OK, guarded
from configs.errors import ConfigError
from configs.load import Composed, load
from runs.folder import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """python -m backtests rerun RUN_DIR [output=json]

Repeats the backtest that a run folder holds, in a new folder: the same config, on the data and the code that are there
now. With the same data, code and packages every figure is the same; versions.json of both folders tells what differs.
Nothing else of the config can be changed here: python -m backtests run takes overrides.

output=json       one JSON document: the summary; text for the table. Without it as the run itself was told

Example: python -m backtests rerun outputs/backtests/NAME
Example: python -m backtests rerun outputs/backtests/NAME output=json

Exit codes: 0 ok, 1 failed, 2 bad input, 130 interrupted.
"""
_OUTPUT = "output="


def rerun(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person asked to read
        return OK
    return guarded(lambda: backtest(_kept(argv)))


def _kept(argv: Sequence[str]) -> Composed:
    path, changes = _asked(argv)
    try:
        text = (path / CONFIG).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: no run is kept there ({CONFIG}: {error.strerror})") from error
    kept = load(text)
    run = kept.config.run.model_copy(update={"dir": None})
    return Composed(kept.config.model_copy(update={"run": run, **changes}), text)


def _asked(argv: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """The folder, and what is to differ from its config. Raises ConfigError."""
    outputs = [word.removeprefix(_OUTPUT) for word in argv if word.startswith(_OUTPUT)]
    words = [word.removeprefix("run_dir=") for word in argv if not word.startswith(_OUTPUT)]
    for word in words:
        if word.startswith("-") or ("=" in word and not Path(word).exists()):
            raise ConfigError(
                f"{word}: rerun takes a run folder and output=json, and repeats the run as it was; "
                "python -m backtests run takes overrides"
            )
    if len(words) != 1:
        raise ConfigError(
            f"rerun takes the folder of one earlier run, not {len(words)}: "
            "python -m backtests rerun outputs/backtests/NAME"
        )
    for output in outputs:
        if output not in ("text", "json"):
            raise ConfigError(f"{_OUTPUT}{output}: must be text or json")
    return Path(words[0]).expanduser(), {"output": outputs[-1]} if outputs else {}
