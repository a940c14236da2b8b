"""`python -m live run`: a strategy in a live node, on the venue the config chooses."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from configs.errors import ConfigError
from configs.load import Composed, main, resolve
from journal.errors import JournalError
from live._account_end import finish_account
from live._journal import RunJournal
from live._node import LiveRun, run_node
from live._session import Session
from runs.errors import RunError
from runs.finish import Finished, finish, headline, keeping_errors, write_origin
from runs.folder import open_folder
from runs.logs import live_log
from runs.prepare import Prepared, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.clients import VenueClients
    from risk.breaker import RiskState
    from runs.folder import RunFolder

OK, INTERRUPTED = 0, 130


def run(argv: Sequence[str]) -> int:
    """The verb: compose, validate, run, report. Answers the exit code."""
    return main("live", argv, trade)


def trade(composed: Composed) -> int:
    """One live run in its own run folder, reported on stdout."""
    config = composed.config
    _refuse_limits_off(composed)
    with ExitStack() as held:
        journal = RunJournal(composed)
        held.callback(journal.release)
        state = journal.state()
        factory: Any = resolve(config.venue.factory, "venue.factory", absent=config.venue.absent)
        ready = prepare(config)
        headline("live", ready)
        folder = held.enter_context(open_folder("live", config.run.name or config.venue.name, config.run.dir))
        write_origin(folder, composed.text, ready.market.version)
        venue: VenueClients = factory(config.venue, ready.market, config.run.max_bars)
        with keeping_errors(ready, folder):
            result = _run(ready, venue, folder, journal, state)
        if venue.operator() is None:
            finish(Finished(ready, result.record, result.until_ns, result.stopped, result.left), folder)
        else:
            finish_account(ready, result, journal, folder)
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
    ready: Prepared,
    venue: VenueClients,
    folder: RunFolder,
    journal: RunJournal,
    state: RiskState | None,
) -> LiveRun:
    with live_log(ready.config, folder.path, journal.run_id) as log:
        session = Session(ready, venue, folder, journal, log)
        why = "it failed"
        try:
            desk = session.begin(state)
            with session.running():
                result = asyncio.run(
                    run_node(
                        ready,
                        desk,
                        venue,
                        folder.path,
                        wall_clock_is_market_time=venue.event_time is None,
                        on_progress=session.turn,
                        starting_equity=None if session.answer is None else session.answer.equity,
                    )
                )
            why = result.stopped
            session.end(why)
            log.ended(why)
        except BaseException:
            with suppress(RunError, JournalError):  # what ended the run is what a person has to read
                journal.close(why)
            raise
        journal.close(why)
    return result
