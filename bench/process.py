"""One measurement is one process, so that none warms up another: how is it started, and what did it answer?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

Measured = dict[str, Any]
Run = Callable[..., Measured]
"""(module, arguments of its `measure`) -> its answer."""


class MeasurementError(Exception):
    """A measuring process failed; the message is what it said."""


def apart(module: str, *arguments: str | float) -> Measured:
    """`measure` of a module (or `module:name` another function) in a process of its own. Raises MeasurementError."""
    command = [sys.executable, "-m", "bench.process", module, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise MeasurementError(f"{' '.join(command)}\n{done.stderr}")
    answer: Measured = json.loads(done.stdout)
    return answer


def here(module: str, *arguments: str | float) -> Measured:
    """The same in this process."""
    path, _, name = module.partition(":")
    answer: Measured = getattr(import_module(path), name or "measure")(*arguments)
    return answer


if __name__ == "__main__":
    sys.stdout.write(json.dumps(here(sys.argv[1], *json.loads(sys.argv[2]))))
