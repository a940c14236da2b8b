"""What was kept of a sweep or a walk-forward that is to go on, and can it?"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from configs.edge import one_line
from configs.errors import ConfigError
from runs.folder import VERSIONS
from runs.trials.trial import code_of
from runs.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from configs.schema import RunConfig
    from market.market_data import MarketData

OUTPUTS = ("text", "json")
ORIGIN = {
    "data": "data of version", "strategy_code": "the strategy's code of version", "keel": "Keel",
    "nautilus_trader": "nautilus_trader", "numpy": "numpy", "pandas": "pandas",
}  # fmt: skip
"""Which versions decide a trial's result -> their name for people."""
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""What reading a file ends in that a kill or an editor left torn, empty or with other keys."""


@contextmanager
def reading_kept(path: Path, name: str, what: str) -> Iterator[dict[str, Any]]:
    """The document in a file of a folder; whatever goes wrong with its use in the block is a ConfigError, in one line.

    what: sweep or walk-forward.
    """
    file = path / name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: no {what} is kept there ({name}: {error.strerror})") from error
    try:
        yield json.loads(content)
    except _DAMAGED as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else one_line(error)
        raise ConfigError(f"{file}: damaged, so this {what} cannot go on: {why}; begin a new one") from error


def output_of(words: Sequence[str], kept: str) -> str:
    """What `output=` says on a command line, otherwise what was kept. Raises ConfigError for what is neither."""
    given = next((word.partition("=")[2] for word in words if word.startswith("output=")), kept)
    if given not in OUTPUTS:
        raise ConfigError(f"output={given}: must be {' or '.join(OUTPUTS)}")
    return given


def refuse_other_origin(path: Path, what: str, config: RunConfig, market: MarketData) -> None:
    """Raise ConfigError where what is kept in a folder came of other data, strategies or packages than these."""
    now = versions(market.version, code_of(config))
    with reading_kept(path, VERSIONS, what) as before:
        other = [key for key in ORIGIN if before[key] != now[key]]
    if other:
        was, there = before[other[0]], now[other[0]]
        raise ConfigError(
            f"resume={path}: that {what} ran with {ORIGIN[other[0]]} {was}, now there is {there}; begin a new one"
        )
