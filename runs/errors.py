"""What can go wrong with a run, and with which exit code does it end?

RunError              1  a run or its report failed
├── StrategyError     1  a strategy raised; the run was stopped
├── NotReplayableRunError 2  a strategy needs what this replay cannot give
├── HaltedError       3  trading is halted until a person resumes it
├── LedgerError       2  the ledger of trials cannot be used (runs/trials/file.py)
├── HoldoutError      2  days that are held out would be looked at (runs/trials/holdouts.py)
└── FolderError       2  the run folder cannot be used as asked
"""

from __future__ import annotations

from typing import ClassVar


class RunError(Exception):
    """A run or its report failed. `str()` of it is one line for the user; `exit_code` is the process's."""

    exit_code: ClassVar[int] = 1


class StrategyError(RunError):
    """A strategy raised in one of its callbacks; the original error is the `__cause__`."""


class NotReplayableRunError(RunError):
    """A strategy needs timers or engine-made bars, which a replay at this speed cannot give."""

    exit_code: ClassVar[int] = 2


class HaltedError(RunError):
    """Trading is halted by a breaker or a person, and stays so until `resume`."""

    exit_code: ClassVar[int] = 3


class FolderError(RunError):
    """The run folder is in use, holds another run, or cannot be written."""

    exit_code: ClassVar[int] = 2
