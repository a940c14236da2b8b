"""What can a simulator not do?

SimulatorError  2  the simulator cannot be started, or used, as asked
"""

from __future__ import annotations

from typing import ClassVar


class SimulatorError(Exception):
    """A simulator cannot do what it was asked. `str()` of it is one line; `exit_code` is the process's."""

    exit_code: ClassVar[int] = 2
