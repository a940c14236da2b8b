"""`python -m backtests data fetch`: download past bars, so that backtests can run on them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from configs.closest import closest
from configs.errors import ConfigError
from configs.load import Composed, main
from market.bar_length import BarLength
from market.catalog import open_market
from market.downloads import Downloads
from runs.verbs import HELP, key_values

if TYPE_CHECKING:
    from adapters.alpaca.fetch import Fetched, Steps
    from market.market_data import MarketData

USAGE = """python -m backtests data fetch source=alpaca symbols=AAPL,SPY start=2024-01-01 [KEY=VALUE] ...

Downloads past bars and prepares them for backtests. A download that was stopped goes on where it was; what is there
is not asked for again. Needs the keys of an Alpaca account, which a free one has too.

  source      alpaca
  symbols     US shares such as AAPL,SPY, or crypto such as BTC/USD; not both at a time
  start, end  the first day, and the day after the last one (end: as late as there is anything)
  timeframe   1min, 15min, 1hour, 1day ... (1min): whatever is longer than a minute is built from minutes, except days
  feed        iex (free), sip or otc (iex)
  adjustment  raw, split, dividend or all (all)
  folder      where downloads are kept (the user's data folder)
  venue       whose keys and endpoints (alpaca_sandbox, which takes keys of both kinds); venue.KEY=... sets its keys
  output      json: one document on stdout

Example: python -m backtests data fetch source=alpaca symbols=AAPL,SPY start=2024-01-01 end=2024-07-01 timeframe=1min
Then:    python -m backtests run data=alpaca instruments=[AAPL,SPY] bar=15m
"""
KEYS = (
    "source", "symbols", "start", "end", "timeframe", "feed", "adjustment", "folder", "venue", "output"
)  # fmt: skip
OK = 0
UNITS = {"min": "m", "m": "m", "minute": "m", "hour": "h", "h": "h", "day": "d", "d": "d"}
LATE = timedelta(minutes=16)
"""Newer prices of all exchanges cost a subscription."""


@dataclass(frozen=True)
class Wanted:
    """A checked command line."""

    source: Downloads
    symbols: tuple[str, ...]
    bar: str
    start: date
    end: date | None
    as_json: bool


def data(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    if not argv or any(word in HELP for word in argv):
        print(USAGE, end="")  # noqa: T201 - what a person asked to read
        return OK
    if argv[0] != "fetch":
        near = closest(argv[0], ("fetch",))
        raise ConfigError(f"data {argv[0]}: " + (f"did you mean {near}?" if near else "there is data fetch"))
    own = [word for word in argv[1:] if not word.startswith("venue.")]
    wanted = wanted_of(key_values("data fetch", own, KEYS))
    venue = next((word for word in own if word.startswith("venue=")), "venue=alpaca_sandbox")
    overrides = [venue, *(word for word in argv[1:] if word.startswith("venue."))]
    if wanted.source.asset_class == "equity":
        overrides.append(f"venue.feed={wanted.source.feed}")
    return main("live", overrides, lambda composed: fetch(composed, wanted))


def wanted_of(given: dict[str, str]) -> Wanted:
    """What a command line asks for. Raises ConfigError."""
    if given.get("source") != "alpaca":
        raise ConfigError(f"source={given.get('source', '')}: must be alpaca, as in source=alpaca")
    symbols = tuple(
        dict.fromkeys(word.strip() for word in given.get("symbols", "").split(",") if word.strip())
    )
    if not symbols:
        raise ConfigError("symbols is needed, as in symbols=AAPL,SPY")
    pairs = [symbol for symbol in symbols if "/" in symbol]
    if pairs and len(pairs) < len(symbols):
        raise ConfigError(
            f"symbols: {pairs[0]} is crypto and the others are shares; fetch them one after the other"
        )
    start, end = _day(given, "start"), _day(given, "end") if "end" in given else None
    if end is not None and start >= end:
        raise ConfigError(f"start={start} is not before end={end}; end is the day after the last one")
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: must be text or json")
    return Wanted(
        _source(given, is_crypto=bool(pairs)), symbols, _bar(given), start, end, given.get("output") == "json"
    )


def fetch(composed: Composed, wanted: Wanted) -> int:
    """Download, prepare, and say what there is now."""
    console = Console(stderr=True)
    with _progress(console) as steps:
        fetched = asyncio.run(_fetch(composed.config.venue, wanted, steps))
    markets = {
        each.symbol: open_market(wanted.source, [each.symbol], wanted.bar) for each in fetched if each.rows
    }
    if wanted.as_json:
        rows = [_row(each, markets.get(each.symbol), wanted) for each in fetched]
        sys.stdout.write(json.dumps({"data": wanted.source.name, "bar": wanted.bar, "symbols": rows}) + "\n")
    else:
        _show(fetched, markets, wanted)
    return OK


async def _fetch(venue: Any, wanted: Wanted, steps: Steps) -> list[Fetched]:
    from adapters.alpaca._api import AlpacaApi  # noqa: PLC0415 - the SDK loads slowly, and only a download needs it
    from adapters.alpaca.fetch import DAYS, MINUTES, Asked, Download  # noqa: PLC0415 - as above
    from adapters.alpaca.history import History  # noqa: PLC0415 - as above
    from adapters.alpaca.keys import read_keys  # noqa: PLC0415 - as above
    from adapters.alpaca.providers import instruments  # noqa: PLC0415 - as above

    source = wanted.source
    api = AlpacaApi(venue, read_keys(venue))
    try:
        history = History(api, feed=source.feed, adjustment=source.adjustment, extended_hours=True)
        download = Download(api, history, source.store, adjusted=source.adjustment != "raw")
        bar = DAYS if BarLength.parse(wanted.bar).is_daily else MINUTES
        asked = Asked(bar, *_window(wanted))
        found = await instruments(api, wanted.symbols, simulated=True)
        return [await download.symbol(instrument, asked, steps) for instrument in found]
    finally:
        api.close()


def _window(wanted: Wanted) -> tuple[int, int]:
    """UTC nanoseconds; days begin at midnight in the zone of the market, and nothing unknown is asked for."""
    zone = ZoneInfo(wanted.source.zone)
    late = LATE if wanted.source.feed == "sip" else timedelta()
    newest = time.time_ns() - int(late.total_seconds()) * 1_000_000_000
    newest -= newest % 60_000_000_000
    end = newest if wanted.end is None else min(newest, _midnight(wanted.end, zone))
    start = _midnight(wanted.start, zone)
    if start >= end:
        raise ConfigError(f"start={wanted.start} lies in the future; there is nothing to fetch yet")
    return start, end


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000_000


def _day(given: dict[str, str], key: str) -> date:
    text = given.get(key, "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{key}={text}: must be a day, as in {key}=2024-01-01") from None


def _bar(given: dict[str, str]) -> str:
    """`15min` -> `15m`."""
    text = given.get("timeframe", "1min").lower()
    number, unit = text.rstrip("abcdefghijklmnopqrstuvwxyz"), text.lstrip("0123456789")
    if unit.removesuffix("s") not in UNITS or not number:
        raise ConfigError(f"timeframe={text}: must be a length such as 1min, 15min, 1hour or 1day")
    length = BarLength.parse(f"{number}{UNITS[unit.removesuffix('s')]}")
    if length.is_daily and length.step != 1:
        raise ConfigError(f"timeframe={text}: there are bars of one day, none of several")
    return length.text


def _source(given: dict[str, str], *, is_crypto: bool) -> Downloads:
    own: dict[str, Any] = {"asset_class": "crypto" if is_crypto else "equity"}
    for key, known in (("feed", ("iex", "sip", "otc")), ("adjustment", ("raw", "split", "dividend", "all"))):
        value = given.get(key)
        if value is None:
            continue
        if value not in known:
            near = closest(value, known)
            raise ConfigError(
                f"{key}={value}: " + (f"did you mean {near}?" if near else f"must be {', '.join(known)}")
            )
        own[key] = value
    if "folder" in given:
        own["folder"] = Path(given["folder"])
    return Downloads(**own)


@contextmanager
def _progress(console: Console) -> Iterator[Steps]:
    from adapters.alpaca.fetch import Steps  # noqa: PLC0415 - see _fetch

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("fetching", total=0)
    total = 0

    def more(count: int) -> None:
        nonlocal total
        total += count
        bar.update(task, total=total)

    with bar:
        yield Steps(more, lambda what: bar.update(task, advance=1, description=f"fetched {what}"))


def _row(each: Fetched, market: MarketData | None, wanted: Wanted) -> dict[str, Any]:
    return {
        "symbol": each.symbol,
        "rows": each.rows,
        "new_rows": each.new_rows,
        "renewed": each.renewed,
        "first": None if market is None else _moment(market.start_ns, wanted),
        "last": None if market is None else _moment(market.end_ns, wanted),
        "doubts": [] if market is None else list(market.doubts),
    }


def _show(fetched: Sequence[Fetched], markets: dict[str, MarketData], wanted: Wanted) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("Symbol", "Downloaded", "Rows now", f"First {wanted.bar} bar", "Last", "Doubts"):
        table.add_column(
            name, no_wrap=True, justify="right" if name in ("Downloaded", "Rows now") else "left"
        )
    for each in fetched:
        row = _row(each, markets.get(each.symbol), wanted)
        known = [str(row[key] or "nothing there") for key in ("first", "last")]
        doubts = str(len(row["doubts"]))
        table.add_row(each.symbol, f"{each.new_rows:,}", f"{each.rows:,}", *known, doubts)
    console = Console()
    console.print(table)
    for each in fetched:
        if each.renewed:
            console.print(
                f"{each.symbol}: prices are adjusted anew since the last download, so all was fetched again"
            )
    names = ",".join(markets)
    if names:
        console.print(
            f"python -m backtests run data={wanted.source.name} instruments=[{names}] bar={wanted.bar}"
        )


def _moment(ts: int, wanted: Wanted) -> str:
    moment = datetime.fromtimestamp(ts // 1_000_000_000, ZoneInfo(wanted.source.zone))
    return moment.strftime("%Y-%m-%d %H:%M %z")
