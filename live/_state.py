"""Where is a halt kept so that no restart clears it?

One small JSON file an account until the journal takes over: written whole, synced to disk, and never guessed at. Paper
and live accounts have their own; sandbox runs start fresh and keep nothing here.
"""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from risk.breaker import RiskState, resumed
from runs.errors import HaltedError, RunError

KEPT_MODES = ("paper", "live")


class StateError(RunError):
    """The state file cannot be read or written, or another node uses the account: nobody knows whether it is halted."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class StateFile:
    """The risk state of one venue account."""

    path: Path

    @classmethod
    def of(cls, venue: str, folder: Path | None) -> StateFile:
        """The file of `venue`, in `folder` or in the user's own state folder."""
        return cls((folder or user_state_path("keel")) / f"{venue}.json")

    def read(self) -> RiskState | None:
        """The state that was kept, None when there is none. Raises StateError when it cannot be understood."""
        document = self._document()
        if document is None:
            return None
        try:
            return RiskState.from_row(document["state"])
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise StateError(
                f"{self.path} is damaged ({type(error).__name__}), so nobody knows whether this account is halted; "
                "put it right or move it away, then start again"
            ) from error

    def write(self, state: RiskState, event: dict[str, str] | None = None) -> None:
        """Keep a state; `event` is added to the file's history. Raises StateError when the disk refuses."""
        document = self._document() or {"history": []}
        history = [*document.get("history", []), *([event] if event else [])]
        text = json.dumps({"state": state.as_row(), "history": history}, indent=2)
        part = self.path.with_suffix(".part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            raise StateError(
                f"{self.path} cannot be written ({error.strerror}); a halt would be forgotten"
            ) from error

    def lock(self) -> FileLock:
        """Held by the one node that may trade this account. Raises StateError when another holds it."""
        lock = FileLock(self.path.with_suffix(".lock"), timeout=0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            raise StateError(f"another node trades this account ({self.path}); stop it first") from None
        except OSError as error:
            raise StateError(
                f"{self.path} cannot be used ({error.strerror}); name a folder: run.state_dir=..."
            ) from error
        return lock

    def refuse_if_halted(self, venue: str) -> RiskState | None:
        """The kept state. Raises HaltedError when it is a halt."""
        state = self.read()
        if state is not None and state.state == "HALTED":
            raise HaltedError(
                f"venue={venue} is halted: {state.reason}; look into it, then: "
                f'python -m live resume venue={venue} reason="..."'
            )
        return state

    def resume(self, reason: str) -> tuple[RiskState, RiskState]:
        """Lift a halt for a reason; answers the state before and after. Raises StateError when there is none."""
        with self.lock():
            before = self.read()
            if before is None:
                raise StateError(
                    f"nothing is kept at {self.path}: this account was never traded, or is another one"
                )
            if before.state != "HALTED":
                raise StateError(
                    f"this account is not halted ({self.path} says {before.state}): there is nothing to lift"
                )
            after = resumed(before)
            self.write(after, _event("resume", reason, before, after))
        return before, after

    def _document(self) -> dict[str, Any] | None:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StateError(
                f"{self.path} cannot be read, so nobody knows whether this account is halted; "
                "put it right or move it away, then start again"
            ) from error
        if not isinstance(document, dict):
            raise StateError(f"{self.path} is damaged: it holds no state; put it right or move it away")
        return document


def _event(what: str, reason: str, before: RiskState, after: RiskState) -> dict[str, str]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": what,
        "who": getpass.getuser(),
        "reason": reason,
        "peak_before": str(before.peak),
        "peak_after": str(after.peak),
    }
