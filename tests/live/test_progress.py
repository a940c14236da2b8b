"""The line that tells how a node is doing."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from live import _progress
from live._progress import Progress


@dataclass
class Desk:
    """As much of a desk as the line shows."""

    breakers: Any = field(default_factory=lambda: SimpleNamespace(state=SimpleNamespace(state="ACTIVE")))
    book: Any = field(
        default_factory=lambda: SimpleNamespace(held=list, equity=lambda: 100_000, currency="USD")
    )

    def market_now(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("terminal", "for_machines", "shown"),
    [(False, False, True), (False, True, False), (True, True, True), (True, False, True)],
)
def test_a_line_on_how_it_goes_is_for_people(
    *, terminal: bool, for_machines: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_progress, "EVERY_SECS_PLAIN", 0.0)
    said = io.StringIO()
    console = Console(file=said, force_terminal=terminal, width=200)
    recorder = SimpleNamespace(sent=3, refused_count=1)
    with Progress(cast("Any", Desk()), cast("Any", recorder), console, for_machines=for_machines) as line:
        line.update()
    assert ("equity 100,000.00 USD  flat  orders 3  refusals 1  ACTIVE" in said.getvalue()) is shown
