"""When is the node killed? At moments drawn at random, and at those that the broker or the journal announces."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.broker.control import Control

if TYPE_CHECKING:
    from soak.ear import Ear
    from soak.node import Node
    from soak.reading import Reading

PATIENCE_SECS = 8.0
"""For something to be killed at; when it does not come, the node is killed then."""
FALL = Decimal("0.8")
"""What prices are multiplied with to trip a breaker; a jump that counts as a doubtful print is larger."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a moment may look at."""

    node: Node
    ear: Ear
    reading: Reading
    control: Control
    dice: random.Random

    def after(self, most_secs: float, least_secs: float = 0.0) -> None:
        """Let the node run for a while, drawn at random."""
        self.node.pause(self.dice.uniform(least_secs, most_secs))

    def news(self, kind: str, more: int) -> None:
        """Wait for so much more of the broker's news."""
        until, wanted = time.monotonic() + PATIENCE_SECS, self.ear.count(kind) + more
        while self.node.code is None and time.monotonic() < until and not self.ear.wait(kind, wanted, 0.1):
            pass

    def trip(self) -> None:
        """Wait until a breaker went off."""
        until, before = time.monotonic() + PATIENCE_SECS, self.reading.tripped()
        while self.node.code is None and time.monotonic() < until and self.reading.tripped() <= before:
            time.sleep(0.001)

    def jump(self) -> None:
        """Let every price fall, or rise, at once."""
        times = self.dice.choice((FALL, 2 - FALL))
        for instrument, price in self.control.ask("market", do="resume")["prices"].items():
            moved = (Decimal(price) * times).quantize(CENT)
            self.control.ask("market", do="price", instrument=instrument, price=str(moved))


def starting(scene: Scene) -> None:
    """While it starts: opening the journal, asking the venue, building, reconciling."""
    scene.after(2.2, 0.1)


def at_random(scene: Scene) -> None:
    """At any moment after its first order."""
    scene.news("taken", 1)
    scene.after(2.5)


def sending(scene: Scene) -> None:
    """An order has just arrived at the broker: its answer is on the way, or not yet written."""
    scene.news("taken", scene.dice.randint(1, 12))
    scene.after(0.004)


def filling(scene: Scene) -> None:
    """A fill was just told: it is being booked, or waits to be written."""
    scene.news("fill", scene.dice.randint(1, 10))
    scene.after(0.06)


def stopping(scene: Scene) -> None:
    """While it winds down: cancels, answers, the last rows."""
    scene.news("taken", scene.dice.randint(2, 8))
    scene.node.interrupt()
    scene.after(0.6)


def jumping(scene: Scene) -> None:
    """Prices have just jumped so far that a breaker goes off: at about this moment."""
    scene.news("fill", scene.dice.randint(2, 8))
    scene.jump()
    scene.after(0.08)


def tripping(scene: Scene) -> None:
    """A breaker went off just now: the halt is on disk, cancels are being sent."""
    scene.trip()
    scene.after(0.05)


def flattening(scene: Scene) -> None:
    """A breaker went off, and what is held is being closed."""
    scene.trip()
    scene.news("order", scene.dice.randint(1, 4))
    scene.after(0.02)


Moment = Callable[[Scene], None]
ORDINARY: dict[Moment, int] = {starting: 2, at_random: 4, sending: 5, filling: 5, stopping: 2}
HALTING: dict[Moment, int] = {**ORDINARY, jumping: 6, tripping: 6, flattening: 4}
