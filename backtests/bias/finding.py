"""What did a check find, and how is it told: as a table, as JSON, and in the check's own folder?"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from configs.edge import say
from runs.finish import write_origin
from runs.folder import open_folder
from runs.trials.trial import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backtests.trial import Decision
    from configs.load import Composed
    from configs.schema import RunConfig
    from market.market_data import MarketData

CLEAN, CAUGHT, NOTHING = "clean", "caught", "nothing"
EXIT_CODES = {CLEAN: 0, CAUGHT: 1, NOTHING: 1}
_SHOWN = {CLEAN: ("clean", "green"), CAUGHT: ("caught", "red"), NOTHING: ("nothing to compare", "yellow")}
NANOS = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: how often, how often it was wrong, and the evidence, a sentence and `first`."""

    check: str
    caught: bool
    tried: int
    failed: int
    evidence: str
    first: dict[str, Any] | None = None


def passed(check: str, tried: int, evidence: str) -> Finding:
    """A finding that nothing is wrong."""
    return Finding(check, caught=False, tried=tried, failed=0, evidence=evidence)


@dataclass(frozen=True)
class Report:
    """What a verb found out.

    figures: what else its JSON holds; notes: worth knowing, but nothing wrong; nothing: why there was nothing to
    compare, one sentence, or None.
    """

    verb: str
    findings: tuple[Finding, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    nothing: str | None = None

    @property
    def verdict(self) -> str:
        """Caught when any finding is; else nothing where there was nothing to compare, else clean."""
        if any(each.caught for each in self.findings):
            return CAUGHT
        return CLEAN if self.nothing is None else NOTHING

    def as_dict(self, config: RunConfig, market: MarketData, folder: str) -> dict[str, Any]:
        """The JSON document; its keys are described in docs/research.md."""
        return {
            "check": self.verb,
            "verdict": self.verdict,
            "why": self.nothing if self.verdict == NOTHING else None,
            "strategies": [spec.strategy_path for spec in config.all_strategies.values()],
            "instruments": list(market.symbols),
            "bar": config.bar,
            "data_version": market.version,
            "code": code_of(config),
            "findings": [asdict(each) for each in self.findings],
            "notes": list(self.notes),
            **self.figures,
            "folder": folder,
        }


def tell(
    report: Report,
    composed: Composed,
    market: MarketData,
    *,
    picture: bytes | None = None,
    table: Table | None = None,
) -> int:
    """Write the folder of a check, print what it found on stdout as the config asks, answer the exit code.

    table: printed before the findings. Raises FolderError when the disk refuses.
    """
    config = composed.config
    with open_folder("checks", config.run.name or report.verb, config.run.dir) as folder:
        write_origin(folder, composed, market.version)
        document = report.as_dict(config, market, str(folder.path))
        folder.write(f"{report.verb}.json", json.dumps(document, indent=2) + "\n")
        if picture is not None:
            folder.write(f"{report.verb}.png", picture)
        files = folder.files()
    if config.output == "json":
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _show(report, config, table, f"{folder.path}: {', '.join(files)}")
    return EXIT_CODES[report.verdict]


def _show(report: Report, config: RunConfig, table: Table | None, written: str) -> None:
    console = Console()
    names = ", ".join(spec.strategy_path.rpartition(":")[2] for spec in config.all_strategies.values())
    shown, colour = _SHOWN[report.verdict]
    console.print(Text.assemble((f"{report.verb} {names}: ", "bold"), (shown, f"bold {colour}")))
    if report.verdict == NOTHING:
        console.print(Text(f"{report.nothing}"), soft_wrap=True)
    if table is not None:
        console.print(table)
    found = Table(box=None, pad_edge=False)
    for name in ("Check", "Verdict", "Failed", "Evidence"):
        found.add_column(name, no_wrap=name in ("Verdict", "Failed"), overflow="fold")
    for each in report.findings:
        verdict = Text(CAUGHT, style="red") if each.caught else Text(CLEAN, style="green")
        found.add_row(each.check, verdict, f"{each.failed} of {each.tried}", Text(each.evidence))
    console.print(found)
    for note in report.notes:
        console.print(Text(f"Note: {note}"))
    console.print(Text(f"Written to {written}", style="dim"), soft_wrap=True)


@contextmanager
def steps(verb: str, total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar on stderr with the time left, where a person watches; answers what to call after each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(verb, total=total)
        yield lambda what: bar.update(task, advance=1, description=f"{verb}: {what}")


def headline(verb: str, config: RunConfig, market: MarketData) -> None:
    """Say on stderr what is about to be checked."""
    names = ", ".join(spec.strategy_path.rpartition(":")[2] for spec in config.all_strategies.values())
    say(f"{verb}: {names} on {', '.join(market.symbols)} {config.bar}, venue {config.venue.name}")


def moment(ts: int, zone: str) -> str:
    """A stamp (UTC ns) as ISO 8601 in a zone, to the second."""
    return datetime.fromtimestamp(ts // NANOS, ZoneInfo(zone)).isoformat()


def day(ts: int, zone: str) -> str:
    """A stamp (UTC ns) as a date and a time in a zone, for people."""
    return f"{datetime.fromtimestamp(ts // NANOS, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def order_text(decision: Decision | None) -> str:
    """`BUY 100 AAPL.XNAS at the market, PASSED`; `nothing` where there is no decision."""
    if decision is None:
        return "nothing"
    _, _, instrument, side, quantity, price, verdict = decision
    return f"{side} {quantity} {instrument} {'at the market' if price is None else f'at {price}'}, {verdict}"


def order_dict(decision: Decision | None, zone: str) -> dict[str, Any] | None:
    """A decision by the names of its parts, its time as ISO 8601."""
    if decision is None:
        return None
    ts, strategy, instrument, side, quantity, price, verdict = decision
    return {
        "time": moment(ts, zone),
        "strategy": strategy,
        "instrument": instrument,
        "side": side,
        "quantity": quantity,
        "price": price,
        "verdict": verdict,
    }
