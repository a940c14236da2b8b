"""`python -m live run`: a strategy in a live node, on the venue the config chooses."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from configs.errors import ConfigError
from configs.load import Composed, main, resolve
from live._node import LiveRun, run_node
from live._progress import Progress
from live._state import KEPT_MODES, StateError, StateFile
from runs.finish import Finished, finish, headline, keeping_errors, write_origin
from runs.folder import open_folder
from runs.prepare import Prepared, prepare
from runs.strategies import build_desk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adapters.clients import VenueClients
    from risk.breaker import RiskState
    from runs.record import Recorder

OK, INTERRUPTED = 0, 130


def run(argv: Sequence[str]) -> int:
    """The verb: compose, validate, run, report. Answers the exit code."""
    return main("live", argv, trade)


def trade(composed: Composed) -> int:
    """One live run in its own run folder, reported on stdout."""
    config = composed.config
    _refuse_limits_off(composed)
    with ExitStack() as held:
        store = (
            StateFile.of(config.venue.name, config.run.state_dir) if config.venue.mode in KEPT_MODES else None
        )
        state = None
        if store is not None:
            held.enter_context(store.lock())
            state = store.refuse_if_halted(config.venue.name)
        factory: Any = resolve(config.venue.factory, "venue.factory", absent=config.venue.absent)
        ready = prepare(config)
        headline("live", ready)
        folder = held.enter_context(open_folder("live", config.run.name or config.venue.name, config.run.dir))
        write_origin(folder, composed.text, ready.market.version)
        venue: VenueClients = factory(config.venue, ready.market, config.run.max_bars)
        with keeping_errors(ready, folder):
            result = _run(ready, venue, folder.path, store, state)
        finish(Finished(ready, result.record, result.until_ns, result.stopped, result.left), folder)
    return INTERRUPTED if result.interrupted else OK


def _refuse_limits_off(composed: Composed) -> None:
    """Real money trades with every limit on, unless the config says that it is meant. Raises ConfigError."""
    config = composed.config
    off = config.risk.switched_off
    if config.venue.mode == "live" and off and not config.risk.allow_off:
        raise ConfigError(
            f"risk.{off[0]}=off: venue {config.venue.name} trades real money; set the limit, or risk.allow_off=true "
            "beside it if trading without is meant"
        )


def _run(
    ready: Prepared, venue: VenueClients, folder: Path, store: StateFile | None, state: RiskState | None
) -> LiveRun:
    desk = build_desk(
        ready.config,
        ready.market,
        ready.recorder,
        state=state,
        event_time=venue.event_time,
        replays=venue.replays,
        assumes_approval=ready.config.venue.mode == "sandbox",
    )
    keep = Keeper(store, ready.recorder, desk.breakers.state) if store is not None else None
    if keep is not None:
        ready.recorder.on_trip = keep.tripped
    with Progress(desk, ready.recorder) as progress:

        def on_progress() -> None:
            progress.update()
            if keep is not None:
                keep.changed()

        try:
            return asyncio.run(
                run_node(
                    ready,
                    desk,
                    venue,
                    folder,
                    wall_clock_is_market_time=venue.event_time is None,
                    on_progress=on_progress,
                )
            )
        finally:
            if keep is not None:
                desk.note_equity()
                keep.changed()


class Keeper:
    """Writes the risk state of a paper or live account to disk whenever it changed."""

    def __init__(self, store: StateFile, recorder: Recorder, state: RiskState) -> None:
        """`state` is the desk's own, which changes in place."""
        self._store = store
        self._recorder = recorder
        self._state = state
        self._kept: dict[str, object] | None = None
        self._trips = 0

    def tripped(self) -> None:
        """Write a halt the moment it happens: a crash right after it must find it."""
        with suppress(
            StateError
        ):  # `changed` tries again at once and ends the run; orders are cancelled first
            self.changed()

    def changed(self) -> None:
        """Write when anything is new. Raises StateError when the disk refuses: a halt must not be forgotten."""
        row, trips = self._state.as_row(), self._recorder.trips[self._trips :]
        if row == self._kept and not trips:
            return
        self._store.write(self._state, *({"what": "trip", "reason": str(trip["reason"])} for trip in trips))
        self._trips += len(trips)
        self._kept = row
