"""What can be wrong with a configuration, and with which exit code does the process end?

ConfigError   2  a key, a value, a class path or a file that was given is not usable
"""

from __future__ import annotations

from typing import ClassVar


class ConfigError(Exception):
    """Input that cannot be used. `str()` of it is one line: field, value, what is allowed, what to do."""

    exit_code: ClassVar[int] = 2
