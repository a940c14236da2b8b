"""Where in a strategy's own code was an error raised?"""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

_KEEL = Path(__file__).parents[1]
_ENGINES_SIDE = ("adapters", "backtests", "configs", "journal", "live", "market", "risk", "runs")
_ELSEWHERE = tuple(
    f"{folder}{os.sep}"
    for folder in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(str(_KEEL / package) for package in _ENGINES_SIDE),
    )
)
"""What is not the author's: Python, what is installed, and Keel but for the strategies that ship."""


def place_of(error: BaseException) -> str:
    """` at file.py:12`, the innermost line of a traceback that is the author's; nothing where none is."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    own = next((each for each in frames if _is_own(each.filename)), None)
    return "" if own is None else f" at {Path(own.filename).name}:{own.lineno}"


def _is_own(file: str) -> bool:
    return not file.startswith(("<", *_ELSEWHERE))
