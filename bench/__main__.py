"""`make bench`, or a part: python -m bench bars, quotes, decisions, breach, latency, alpaca, journal, sweep, large."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from statistics import median

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from bench.alpaca import shown as alpaca_table
from bench.journal import shown as journal_table
from bench.large import shown as large_table
from bench.memory import shown as memory_table
from bench.pairs import Pairing, kept, measured_speeds, speed_table
from bench.process import Measured, MeasurementError, Run, apart
from bench.servers import server_answers
from bench.sizes import (
    DENSITIES,
    OFTEN,
    TARGET_ALPACA_US,
    TARGET_BREACH_MS,
    TARGET_GROWTH,
    TARGET_LARGE_GROWTH,
    TARGET_LATENCY_US,
    TARGET_START_SECS,
    Sizes,
)
from bench.sweep import shown as sweep_table

ON_TRIP = ("cancel", "flatten")
MEMORY_PERIODS = (400, 1200)  # quotes: an order or so every two minutes


class Bench:
    """The parts of the bench; each makes its measurements and answers a table."""

    def __init__(self, sizes: Sizes, run: Run, progress: Progress) -> None:
        """`run` makes one measurement, `progress` shows how many are done."""
        self.sizes = sizes
        self._run = run
        self._progress = progress
        self._task: TaskID | None = None
        self._pairing = Pairing(self.run, sizes)

    def run(self, module: str, *arguments: str | float) -> Measured:
        """One measurement, counted."""
        answer = self._run(module, *arguments)
        self.done()
        return answer

    def done(self) -> None:
        """One more measurement is made."""
        if self._task is not None:
            self._progress.advance(self._task)
            self._progress.refresh()  # by hand: a thread that draws would disturb what is measured

    def table_of(self, part: str) -> Table:
        """Measure a part, with its progress shown."""
        self._task = self._progress.add_task(part, total=self._measurements(part))
        self._progress.refresh()
        try:
            return PARTS[part](self)
        finally:
            self._progress.remove_task(self._task)

    def bars(self) -> Table:
        """Bars a second beside the bare engine."""
        return speed_table("bars", measured_speeds(self._pairing, "bars"))

    def quotes(self) -> Table:
        """Quotes a second beside the bare engine."""
        return speed_table("quotes", measured_speeds(self._pairing, "quotes"))

    def decisions(self) -> Table:
        """Microseconds a decision, and an order from end to end."""
        table = Table(
            box=SIMPLE,
            title="Microseconds of one decision, everything on",
            caption="end to end: what Keel adds to the whole run, divided by its orders",
        )
        for column in ("", "decisions", "median", "99th percentile", "end to end"):
            table.add_column(column, justify="right" if column else "left")
        for kind in DENSITIES:
            timed, pairs = self._pairing.one("timed", kind, OFTEN), self._pairing.of(kind, OFTEN)
            for purpose in ("entries", "exits"):
                number, middle, late = timed[purpose]
                row = (f"{kind}, {purpose}", f"{number:,}", f"{middle:.1f}", f"{late:.1f}")
                table.add_row(*row, pairs.us_an_order() if purpose == "entries" else "")
        return table

    def breach(self) -> Table:
        """Milliseconds from the breach to the last cancel, in the live sandbox."""
        resting, nodes = self.sizes.resting, self.sizes.breaches
        table = Table(
            box=SIMPLE,
            title=f"From a breach of the drawdown limit to the last cancel of {resting} orders, live sandbox",
            caption=f"{nodes} nodes a row: median (worst) in ms; target: sent within {TARGET_BREACH_MS:,} ms",
        )
        for column in ("on_trip", "last cancel sent", "last order canceled", "target"):
            table.add_column(column, justify="right" if column != "on_trip" else "left")
        for on_trip in ON_TRIP:
            runs = [self.run("bench.breach", on_trip, resting) for _ in range(nodes)]
            sent, canceled = ([run[key] for run in runs] for key in ("sent_ms", "canceled_ms"))
            whole = all(run["working"] == run["canceled"] == resting for run in runs)
            spread = [f"{median(times):,.1f} ({max(times):,.1f})" for times in (sent, canceled)]
            verdict = kept(met=max(sent) < TARGET_BREACH_MS) if whole else "[red]not all canceled"
            table.add_row(on_trip, *spread, verdict)
        return table

    def latency(self) -> Table:
        """Microseconds from a bar that enters the gate to its order handed on, with and without a journal."""
        table = Table(
            box=SIMPLE,
            title="Microseconds from a bar to its order handed on, intent on disk before, live sandbox",
            caption="disk: bytes of the journal a million of its rows; an order here has five to seven",
        )
        for column in (
            "journal",
            "orders",
            "median",
            "99th percentile",
            "rows",
            "MB a million rows",
            "target",
        ):
            table.add_column(column, justify="right" if column != "journal" else "left")
        for kind in self._journals():
            got = self.run("bench.latency", kind, self.sizes.handed_on)
            size = f"{got['bytes'] / got['rows']:,.0f}" if got["bytes"] and got["rows"] else ""
            target = kept(met=got["median_us"] < TARGET_LATENCY_US) if kind == "sqlite" else ""
            times = (f"{got['median_us']:,.0f}", f"{got['late_us']:,.0f}")
            table.add_row(kind, f"{got['orders']:,}", *times, f"{got['rows']:,}", size, target)
        return table

    def journal(self) -> Table:
        """A commit of an intent, rows a second and bytes a row, on every kind of journal."""
        kinds = self._journals()[1:]
        sizes = self.sizes
        return journal_table(
            {kind: self.run("bench.journal", kind, sizes.commits, sizes.rows) for kind in kinds}
        )

    def alpaca(self) -> Table:
        """Microseconds from a bar to its order's request leaving, and from a fill to the strategy."""
        return alpaca_table(self.run("bench.alpaca", self.sizes.alpaca_orders), TARGET_ALPACA_US)

    def memory(self) -> Table:
        """Resident memory of a live node over a day and a night of quotes."""
        sizes = self.sizes
        got = self.run("bench.memory", sizes.hours, sizes.quotes_a_second, *MEMORY_PERIODS)
        return memory_table(got, TARGET_GROWTH)

    def sweep(self) -> Table:
        """Trials of a sweep on one process and on two, and a whole sweep."""
        sizes = self.sizes
        rounds = [
            (self.run("bench.sweep", sizes.sweep_trials, 1), self.run("bench.sweep", sizes.sweep_trials, 2))
            for _ in range(sizes.sweep_rounds)
        ]
        return sweep_table(rounds, self.run("bench.sweep:whole", sizes.sweep_whole, 2), sizes.sweep_whole)

    def large(self) -> Table:
        """Bars of many instruments in chunks, and those of several times as many days."""
        sizes = self.sizes
        short, long = (
            self.run("bench.large", sizes.large_number, days, sizes.large_chunk)
            for days in (sizes.large_days, sizes.large_days * sizes.large_times)
        )
        return large_table(short, long, TARGET_LARGE_GROWTH)

    def _journals(self) -> list[str]:
        return ["none", "sqlite", *(["postgres"] if server_answers() else [])]

    def start(self) -> Table:
        """Seconds from nothing to the first bar of the default run, and out again."""
        secs = [self._start() for _ in range(self.sizes.starts)]
        table = Table(box=SIMPLE, title="Cold start to the first bar of the default run, and out again")
        for column in ("median s", "worst s", f"target {TARGET_START_SECS:.0f} s"):
            table.add_column(column, justify="right")
        table.add_row(f"{median(secs):.2f}", f"{max(secs):.2f}", kept(met=median(secs) < TARGET_START_SECS))
        return table

    def _start(self) -> float:
        command = ["backtests", "run", "run.max_bars=1", "run.plots=false", "run.tearsheet=false"]
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            subprocess.run([sys.executable, "-m", *command], capture_output=True, check=True, cwd=folder)  # noqa: S603 - our own verb
            secs = time.perf_counter() - began
        self.done()
        return secs

    def _measurements(self, part: str) -> int:
        """How many a part makes, at most: pairs that another part asked for are not measured again."""
        sizes = self.sizes
        if part in DENSITIES:
            return 2 * sizes.pairs(part) * len(DENSITIES[part])
        if part == "decisions":
            return sum(1 + 2 * sizes.pairs(kind) for kind in DENSITIES)
        if part in ("latency", "journal"):
            return len(self._journals())
        if part in ("memory", "alpaca"):
            return 1
        if part == "sweep":
            return 2 * sizes.sweep_rounds + 1
        return {"breach": len(ON_TRIP) * sizes.breaches, "large": 2}.get(part, sizes.starts)


PARTS: dict[str, Callable[[Bench], Table]] = {
    "bars": Bench.bars,
    "quotes": Bench.quotes,
    "decisions": Bench.decisions,
    "breach": Bench.breach,
    "latency": Bench.latency,
    "alpaca": Bench.alpaca,
    "journal": Bench.journal,
    "memory": Bench.memory,
    "sweep": Bench.sweep,
    "large": Bench.large,
    "start": Bench.start,
}


def main(argv: Sequence[str], sizes: Sizes | None = None, run: Run = apart) -> int:
    """Measure and print the parts named, or all; 1 when a measurement fails, not when a target is missed."""
    parser = ArgumentParser(prog="python -m bench", description="Keel beside the bare engine.")
    parser.add_argument("part", nargs="?", choices=tuple(PARTS), help="one part; without it all of them")
    part = parser.parse_args(argv).part
    console = Console()
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        bench = Bench(sizes or Sizes(), run, progress)
        for name in [part] if part else PARTS:
            try:
                console.print(bench.table_of(name))
            except MeasurementError as error:
                console.print(f"[red]{name}: a measurement failed[/]\n{error}", highlight=False)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
