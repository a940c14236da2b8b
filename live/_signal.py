"""How is a node halted when the journal cannot be written or read?

The hold on an account is signed with its process. SIGUSR1 makes that process halt; it shows that it heard by touching
the signature, which needs neither the journal nor room on a disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from journal.config import JournalConfig
from journal.hold import signature

SIGNAL = signal.SIGUSR1
HEARD_SECS = 3.0
POLL_SECS = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds an account."""

    pid: int
    scope: str
    signature: Path


def holders(config: JournalConfig, venue: str | None, run: str | None = None) -> list[Holder]:
    """The nodes that trade with this journal now, as far as their accounts may be meant by a venue's or run's name.

    A sandbox's account goes by its run, so its venue is not known here.
    """
    found = list(_running(config))
    named = [each for each in found if each.scope == run]
    there = [each for each in found if venue is not None and each.scope.endswith(f":{venue}")]
    return named or there or [each for each in found if venue is None or ":" not in each.scope]


def halt(holder: Holder) -> bool:
    """Signal a node to halt; answers whether it showed in time that it did."""
    before = _touched(holder.signature)
    try:
        os.kill(holder.pid, SIGNAL)
    except OSError:
        return False
    deadline = time.monotonic() + HEARD_SECS
    while time.monotonic() < deadline:
        if _touched(holder.signature) != before:
            return True
        time.sleep(POLL_SECS)
    return False


def heard(path: Path) -> None:
    """The node's side: show that the signal was obeyed. Never raises."""
    with suppress(OSError):
        os.utime(path)


def _running(config: JournalConfig) -> Iterator[Holder]:
    own = signature(config, "x")
    ending = own.name.removeprefix("x")
    for path in sorted(own.parent.glob(f"*{ending}")):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            holder = Holder(int(kept["pid"]), str(kept["scope"]), path)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if _listens(holder.pid):
            yield holder


def _listens(pid: int) -> bool:
    """Whether a process catches the signal: one that does not would be killed by it, and is no node."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return _is_node(pid)
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) & 1 << (SIGNAL - 1))


def _is_node(pid: int) -> bool:
    """Where there is no /proc: whether the process was started as a node."""
    if Path("/proc/self").exists():
        return False
    try:
        said = subprocess.run(  # noqa: S603 - a number
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True, text=True, check=False, timeout=5,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return " live run" in said.stdout


def _touched(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
