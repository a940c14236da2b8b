"""How does an error end a process: which line does the user read, which exit code does a script see?

Errors that Keel raises on purpose carry an integer `exit_code` (errors.py of configs, market and runs) and
cost one line on stderr. Anything else is a fault of Keel's: its traceback is printed above that line.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable

OK = 0
FAILED = 1
INTERRUPTED = 130


def guarded(work: Callable[[], int]) -> int:
    """Do the work and answer its exit code; say in one line on stderr why it could not be done."""
    try:
        code = work()
        sys.stdout.flush()  # while a reader that left can still be told from a fault
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the process edge: every error becomes a line and a code here
        return FAILED if isinstance(error, BrokenPipeError) and _reader_gone() else told(error)
    return code


def told(error: Exception) -> int:
    """Say what went wrong in one line on stderr and answer the exit code of it."""
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        say(f"error: {one_line(error)}")
        return code
    _print_traceback(error)
    said = f"{type(error).__name__}: {one_line(error)}"
    say(f"bug: {said}; this is a fault in Keel, please report it with the lines above")
    return FAILED


def say(line: str) -> None:
    """Print one line on stderr; stdout belongs to results."""
    sys.stderr.write(f"{line}\n")


def one_line(error: object) -> str:
    """The text of an error with every line break and run of spaces made one space."""
    return " ".join(str(error).split())


def _print_traceback(error: Exception) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a bug pays for loading it
    from rich.traceback import Traceback  # noqa: PLC0415 - as above

    # Local variables stay out of it: they may hold credentials.
    traceback = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=False)
    Console(stderr=True).print(traceback)


def _reader_gone() -> bool:
    """Whether whoever read stdout has closed it (`| head`); then the rest goes nowhere, so that exit is quiet."""
    try:
        stdout = sys.stdout.fileno()
    except OSError:  # not a file, so nobody reads it from outside
        return False
    poll = select.poll()
    poll.register(stdout, 0)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)
    return True
