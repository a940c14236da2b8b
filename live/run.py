"""`python -m live run`: a strategy in a live node, on the venue the config chooses."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from adapters.clients import Wanted
from configs.load import Composed, main, resolve
from journal.errors import JournalError
from live._account_end import finish_account
from live._journal import RunJournal
from live._money import ask_a_person, refuse_carelessness
from live._node import LiveRun, run_node
from live._session import Session
from runs.errors import RunError
from runs.finish import Finished, finish, headline, keeping_errors, write_origin
from runs.folder import open_folder
from runs.logs import live_log
from runs.prepare import Prepared, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.clients import MarketVenue, VenueClients
    from configs.schema import RunConfig
    from risk.breaker import RiskState
    from runs.folder import RunFolder

OK, INTERRUPTED = 0, 130


def run(argv: Sequence[str]) -> int:
    """The verb: compose, validate, run, report. Answers the exit code."""
    return main("live", argv, trade)


def trade(composed: Composed) -> int:
    """One live run in its own run folder, reported on stdout."""
    config = composed.config
    refuse_carelessness(config)
    with ExitStack() as held:
        journal = RunJournal(composed)
        held.callback(journal.release)
        state = journal.state()
        factory: Any = resolve(config.venue.factory, "venue.factory", absent=config.venue.absent)
        ready, venue = _opened(config, factory, held)
        headline("live", ready)
        folder = held.enter_context(open_folder("live", config.run.name or config.venue.name, config.run.dir))
        write_origin(folder, composed, ready.market.version)
        with keeping_errors(ready, folder):
            result = _run(ready, venue, folder, journal, state)
        if venue.operator() is None and ready.market.at_hand:
            # A replay plays past data, so it is a trial: the same one as the backtest of the same config.
            trial = None if result.interrupted else "replay"
            finish(
                Finished(ready, result.record, result.until_ns, result.stopped, result.left, trial), folder
            )
        else:
            finish_account(ready, result, journal, folder, venue.count)
    return INTERRUPTED if result.interrupted else OK


def _opened(config: RunConfig, factory: Any, held: ExitStack) -> tuple[Prepared, VenueClients]:
    """The market of the run and its venue, whichever knows the other. Raises ConfigError without a person's word."""
    venue: VenueClients
    if not config.venue.brings_market:
        ready = prepare(config)
        venue = factory(config.venue, ready.market, config.run.max_bars)
        ask_a_person(config, None)
        return ready, venue
    known: MarketVenue = factory(config.venue, None, config.run.max_bars)
    held.callback(known.close)
    run = config.run
    ready = prepare(config, known.open(Wanted(config.symbols, config.bar, run.start, run.end, config.data)))
    ask_a_person(config, known.facts())
    return ready, known


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
