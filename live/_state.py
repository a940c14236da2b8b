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
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from risk.breaker import BOOK, RiskState, resumed
from runs.errors import HaltedError, RunError

KEPT_MODES = ("paper", "live")
ALL = "all"


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

    def write(self, state: RiskState, *events: dict[str, str] | None) -> None:
        """Keep a state; `events` are added to the file's history. Raises StateError when the disk refuses."""
        document = self._document() or {"history": []}
        history = [*document.get("history", []), *filter(None, events)]
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
            unfinished = (
                "; positions may still be open: it was closing them when it ended" if state.flattening else ""
            )
            raise HaltedError(
                f"venue={venue} is halted: {state.reason}{unfinished}; look into it, then: "
                f'python -m live resume venue={venue} reason="..."'
            )
        return state

    def resume(self, reason: str, scope: str | None = None) -> tuple[RiskState, RiskState]:
        """Lift the halt of one scope, or of `all`, for a reason; answers the state before and after.

        No scope means the only one that is halted. Raises StateError when there is nothing to lift, or when it is not
        said which of several halts is meant.
        """
        with self.lock():
            before = self.read()
            if before is None:
                raise StateError(
                    f"nothing is kept at {self.path}: this account was never traded, or is another one"
                )
            lifted = self._to_lift(before, scope)
            after = resumed(before, None if scope == ALL else lifted[0])
            self.write(after, *(_event("resume", reason, name, before, after) for name in lifted))
        return before, after

    def _to_lift(self, state: RiskState, scope: str | None) -> list[str]:
        """The scopes that a person means to lift; all of them are halted."""
        halted = [name for name in (BOOK, *state.scopes) if state.of(name).halted]
        if not halted:
            raise StateError(
                f"this account is not halted ({self.path} says {state.state}): there is nothing to lift"
            )
        if scope == ALL:
            return halted
        if scope is None and len(halted) > 1:
            raise StateError(
                f"scope: {len(halted)} scopes are halted ({', '.join(halted)}): say which, as in scope={halted[0]}, "
                "or scope=all"
            )
        if scope is not None and scope not in halted:
            close = get_close_matches(scope, halted, n=1, cutoff=0.5)
            raise StateError(
                f"scope={scope} is not halted; halted is {', '.join(halted)}"
                + (f": did you mean {close[0]}?" if close else "")
            )
        return [scope or halted[0]]

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


def _event(what: str, reason: str, scope: str, before: RiskState, after: RiskState) -> dict[str, str]:
    old, new = before.of(scope), after.of(scope)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": what,
        "who": getpass.getuser(),
        "reason": reason,
        "scope": scope,
        "halted_for": str(old.reason),
        "peak_before": str(old.peak),
        "peak_after": str(new.peak),
        "day_start_before": str(old.day_start),
        "day_start_after": str(new.day_start),
    }
