"""How does a person halt trading from the monitor?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from live._about import JOURNAL_KEYS

MOST_SECS = 20.0
"""The verb waits three seconds for the node, and tries a signal where the journal is away."""


class HaltDialog(ModalScreen[str | None]):
    """Asks why. Enter with a reason halts, Escape does not."""

    CSS = """
    HaltDialog { align: center middle; background: black 60%; }
    #halt Input { background: black; border: solid white; margin: 1 0; }
    #halt { width: 70; max-width: 95%; height: auto; border: heavy red; padding: 1 2; background: black; color: white; }
    #halt Label { width: 100%; }
    #refused { color: red; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Do not halt")]

    def __init__(self, document: dict[str, Any]) -> None:
        """For the account that the document is about."""
        super().__init__()
        self._document = document

    def compose(self) -> ComposeResult:
        """The question and a line for the reason."""
        account = f"{self._document['mode']} {self._document['venue']}"
        with Vertical(id="halt"):
            yield Label(f"HALT {account}?", markup=False)
            yield Label(
                "New exposure is refused and what could add any is cancelled, until a person resumes. "
                "Protective orders and positions stay.",
                markup=False,
            )
            yield Input(placeholder="why? type a reason")
            yield Label("Enter halts, Escape goes back", id="refused", markup=False)

    def on_mount(self) -> None:
        """The cursor is in the line."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Halt, if there is a reason."""
        reason = event.value.strip()
        if reason:
            self.dismiss(reason)
        else:
            self.query_one("#refused", Label).update("a reason is needed: it is kept with your name")

    def action_cancel(self) -> None:
        """Go back."""
        self.dismiss(None)


def halt_now(given: Mapping[str, str], run: Mapping[str, Any], reason: str) -> tuple[bool, str]:
    """Do what `python -m live halt` does, as a process of its own: nothing that is wrong in this one stands in its way.

    Answers whether trading is halted, and what was said. given: the journal's keys; run: its id and venue.
    """
    journal = [f"{key}={given[key]}" for key in JOURNAL_KEYS if key in given]
    about = [f"run={run['run_id']}", f"venue={run['venue']}"]
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - this very program, with arguments that no shell reads
            [sys.executable, "-m", "live", "halt", f"reason={reason}", *about, *journal],
            capture_output=True,
            text=True,
            timeout=MOST_SECS,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"live halt could not be run: {error}"
    said = (
        done.stdout.strip() if done.returncode == 0 else done.stderr.strip()
    ) or f"exit code {done.returncode}"
    return done.returncode == 0, said
