"""What can a venue not do?

AdapterError  2  the venue cannot be used as configured
"""

from __future__ import annotations

from typing import ClassVar


class AdapterError(Exception):
    """A venue cannot be used as configured. `str()` of it is one line for the user; `exit_code` is the process's."""

    exit_code: ClassVar[int] = 2
