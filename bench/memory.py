"""Does a live node's memory stay where it is over 24 hours of market time, orders, journal and status included?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from rich.box import SIMPLE
from rich.table import Table

from adapters.replay.factories import ReplayVenue
from bench import everything_on
from bench.made import CONFIGS, SYMBOLS, made
from bench.pairs import kept
from bench.workload import STRATEGY
from configs.load import compose
from live._journal import RunJournal
from live._node import run_node
from live._session import Session
from runs.folder import open_folder
from runs.logs import live_log
from runs.prepare import Prepared
from runs.record import Recorder

if TYPE_CHECKING:
    from market.market_data import MarketData
    from risk.desk import RiskDesk

HOUR_SECS = 3_600
MIB = 1024 * 1024
STATM = Path("/proc/self/statm")


class Hours:
    """The resident memory at the end of each hour of open market, in MiB."""

    def __init__(self, turn: Callable[[], None], now: Callable[[], int], ends: Sequence[int]) -> None:
        """`turn` is due as often; `now` is market time, `ends` the stamps at which an hour is over."""
        self._turn, self._now, self._ends = turn, now, ends
        self.mib: list[float] = []

    def turn(self) -> None:
        """Look whether an hour has passed."""
        self._turn()
        if len(self.mib) < len(self._ends) and self._now() >= self._ends[len(self.mib)]:
            self.mib.append(resident())


def resident() -> float:
    """The process's resident memory, MiB."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def measure(hours: int, quotes_a_second: int, fast: int, slow: int) -> dict[str, Any]:
    """One live node that trades through `hours` of open market as fast as it can; MiB at the end of each hour."""
    name, chosen = STRATEGY["quotes"]
    an_hour = HOUR_SECS * quotes_a_second
    data = made("quotes", hours * an_hour, a_second=quotes_a_second)
    ends = [data.rows[hour * an_hour - 1].ts_event for hour in range(1, hours + 1)]
    with TemporaryDirectory() as root:
        composed = compose(
            "live",
            [
                *chosen, f"strategy.fast={fast}", f"strategy.slow={slow}", "bar=1m", "venue.maker_fee=0",
                "venue.taker_fee=0", f"journal.path={root}/journal.db", f"run.dir={root}/run", "log.level=info",
                *everything_on.overrides(name, SYMBOLS),
            ],
            CONFIGS,
        )  # fmt: skip
        config = composed.config
        ready = Prepared(config, cast("MarketData", data), Recorder())
        venue = ReplayVenue(cast("Any", config.venue), cast("Any", data))
        journal = RunJournal(composed)
        with open_folder("live", "memory", config.run.dir) as folder, live_log(config, folder.path) as log:
            folder.write("versions.json", "{}")
            session = Session(ready, venue, folder, journal, log)
            desk = session.begin(None)
            watch = Hours(session.turn, desk.market_now, ends)
            try:
                with session.running():
                    asyncio.run(_run(ready, desk, venue, folder.path, watch))
                if len(watch.mib) < hours:
                    watch.mib.append(resident())
                session.end("end of the bench")
            finally:
                journal.close("end of the bench")
                journal.release()
    return {
        "mib": watch.mib,
        "orders": ready.recorder.sent,
        "updates": len(data.rows),
        "rows": journal.writer.written,
    }


async def _run(ready: Prepared, desk: RiskDesk, venue: ReplayVenue, folder: Path, watch: Hours) -> None:
    await run_node(ready, desk, venue, folder, wall_clock_is_market_time=False, on_progress=watch.turn)


def shown(got: dict[str, Any], most: float) -> Table:
    """The hours as a table, and whether the last one keeps within `most` of the first."""
    mib = got["mib"]
    growth = mib[-1] / mib[0] - 1
    table = Table(
        box=SIMPLE,
        title=f"Memory of a live node over {len(mib)} hours of market, {got['updates']:,} quotes",
        caption=f"{got['orders']:,} orders, {got['rows']:,} rows of the journal; target: within {most:.0%}",
    )
    for column in ("after 1 h, MiB", "half way", "at the end", "growth", "target"):
        table.add_column(column, justify="right")
    cells = (f"{mib[at]:,.1f}" for at in (0, len(mib) // 2, -1))
    table.add_row(*cells, f"{growth:+.1%}", kept(met=growth <= most))
    return table
