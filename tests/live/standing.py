"""Status documents of a real desk: made bar by bar by a strategy, as a node would make them once a second."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model import Bar

from configs.schema import RunConfig
from configs.validate import validated
from journal.writer import Lag
from live._status import NodeStatus, RunFacts
from risk.desk import RiskDesk
from tests.driving import OPEN, Driven, Scripted, drive

NOTHING_WAITS = Lag(0, 0.0)
AT = 1_704_300_000_000_000_000  # 2024-01-03 16:40 UTC
RUN = "20240103T164000-abc123"


def config_of(risk: dict[str, Any] | None = None) -> RunConfig:
    """The config that `drive` makes, for strategies of the class Watched."""
    return validated(
        {
            "strategy": {
                "strategy_path": "tests.live.standing:Watched",
                "config_path": "tests.driving:PlainConfig",
            },
            "instruments": ["AAPL"],
            "venue": {
                "config": "adapters.replay.config:ReplayVenueConfig",
                "factory": "adapters.replay.factories:ReplayVenue",
                "name": "replay",
                "mode": "sandbox",
            },
            "data": {"source": "market.us_equities:UsEquities"},
            "risk": {**OPEN, **(risk or {})},
        }
    )


class Watched(Scripted):
    """Does what its story says at each bar, and is looked at before and after, where the story wants that."""

    story: Story | None = None
    config_seen: RunConfig | None = None
    desk: RiskDesk  # the gate's that stands around this strategy

    def on_start(self) -> None:
        super().on_start()
        self.status = None
        if self.config_seen is not None:
            facts = RunFacts(RUN, RUN, AT, market_is_now=False)
            self.status = NodeStatus(self.desk, self.config_seen, facts)
        if self.story is not None and self.story.begin is not None:
            self.story.begin(self)

    def at_bar(self, n: int, _bar: Bar) -> None:
        self.look()
        if self.story is not None:
            self.story.script(self, n)
        self.look()

    def look(self) -> None:
        """Make a document, as text and back: it has to be plain values."""
        if self.status is not None and self.story is not None:
            document = self.status.document(AT, NOTHING_WAITS, None)
            self.story.documents.append(json.loads(json.dumps(document, allow_nan=False)))


@dataclass
class Story:
    """What a strategy does at its n-th bar (from 1) and at its start, and what was seen of it."""

    script: Callable[[Watched, int], None]
    begin: Callable[[Watched], None] | None = None
    documents: list[dict[str, Any]] = field(default_factory=list)
    driven: Driven | None = None

    @property
    def last(self) -> dict[str, Any]:
        """The newest document."""
        return self.documents[-1]

    @property
    def desk(self) -> RiskDesk:
        """The desk at the end."""
        assert self.driven is not None
        return self.driven.desk


def told(
    script: Callable[[Watched, int], None],
    rows: Sequence[Bar],
    *,
    risk: dict[str, Any] | None = None,
    begin: Callable[[Watched], None] | None = None,
    looked_at: bool = True,
    **market: Any,
) -> Story:
    """Run the script in a backtest and look at every bar, or not."""
    story = Story(script, begin)
    Watched.story, Watched.config_seen = story, config_of(risk) if looked_at else None
    try:
        story.driven = drive("backtest", Watched, rows, risk=risk, **market)
    finally:
        Watched.story, Watched.config_seen = None, None
    return story


def row_of(document: dict[str, Any], key: str, scope: str = "book") -> dict[str, Any]:
    """The row of one limit."""
    (found,) = [row for row in document["limits"] if (row["key"], row["scope"]) == (key, scope)]
    return dict(found)
