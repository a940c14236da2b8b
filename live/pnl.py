"""`python -m live pnl`: what was earned, when and with what?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from configs.closest import closest
from configs.edge import guarded
from configs.errors import ConfigError
from journal import tables
from journal.moment import one_moment
from live._about import ABOUT_HELP, ABOUT_KEYS
from live._fees import later_fees
from live._kinds import KINDS
from live._periods import Days, span_of
from live._pnl import BY, lines_of, total_of
from live._pnl_equity import Equity, account_flows, cash_flows, equity_of
from live._pnl_report import Report, document
from live._pnl_table import show
from live._whose import Whose
from live.history import limit_of
from runs.verbs import key_values

LIMIT = 40
FILTERS = ("symbol", "strategy", "side")
KEYS = (*ABOUT_KEYS, "by", *FILTERS, "since", "until", "period", "limit", "chart")
HELP = f"""python -m live pnl [by=day|week|month|instrument|strategy] [period=7d] [chart=FILE.png] ...

What was earned. P&L is that of closed trades, after fees, on the session day on which they closed. Equity is what the
account changed by, open positions, deposits and withdrawals included. Days on which nothing changed are left out.

  by=day          day, week (from Monday), month, instrument or strategy
  period=7d       back from now (a sandbox run: from its end): h, d, w, mo, y; today; all. Without it the last 30d of an
                  account by day, else all
  since=2026-11-01  until=2026-11-20   days, the last one included, or moments: 2026-11-20T14:30
  symbol=AAPL  strategy=EmaCross-001  side=LONG|SHORT
  limit=40        lines shown, the newest (by=instrument|strategy: the best); limit=all. Totals are of the whole period
  chart=FILE.png  a picture of it as well; one that is there is replaced
{ABOUT_HELP}
A paper or live account is one history over all its runs; of a sandbox it is the newest run (run=all: all of them).

Example: python -m live pnl by=week period=3mo
"""


def pnl(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _pnl(argv))


def _pnl(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("pnl", argv, KEYS)
    by = _by(given.get("by", "day"))
    as_json = given.get("output") == "json"
    limit = limit_of(given, None if as_json else LIMIT)
    chart = _chart_file(given)
    report = _report(given, by)
    if chart is not None:
        from live._pnl_chart import draw  # noqa: PLC0415 - matplotlib is loaded only for a picture

        _write(chart, draw(report))
    if as_json:
        print(json.dumps(document(report, limit)))  # noqa: T201 - what a script asked for
    else:
        show(report, limit, chart)
    return 0


def _report(given: Mapping[str, str], by: str) -> Report:
    whose = Whose.of(given)
    days = Days.of_run(whose.run)
    default = "30d" if by == "day" and whose.is_account else "all"
    span = span_of(given, days, whose.now_ns(time.time_ns()), default)
    filtered = any(key in given for key in FILTERS)
    with one_moment(whose.about.reader) as connection:
        table = tables.round_trips
        chosen = select(table).where(*KINDS["trades"].where(whose, given, span)).order_by(table.c.id)
        trades = [dict(row) for row in connection.execute(chosen).mappings()]
        equity = Equity() if filtered else equity_of(connection, whose, days, span)
        flows = [] if filtered else cash_flows(connection, whose, span)
        others = [] if filtered else account_flows(connection, whose, span)
        runs = select(tables.runs.c.currency).where(whose.where(tables.runs)).distinct()
        currencies = sorted(connection.execute(runs).scalars())
    if len(currencies) > 1:
        raise ConfigError(
            f"run=all: these runs count in {' and '.join(currencies)}, which do not add up; name one run=ID "
            "(python -m live history what=runs lists them)"
        )
    lines, daily = (lines_of(trades, each, days, equity.changes) for each in (by, "day"))
    total = total_of(lines)
    later = later_fees(others, currencies[0])
    return Report(whose, days, by, span, currencies[0], lines, daily, total, equity, flows, later)


def _by(name: str) -> str:
    if name in BY:
        return name
    near = closest(name, BY)
    hint = f"did you mean {near}?" if near else f"one of {', '.join(BY)}"
    raise ConfigError(f"by={name}: cannot be grouped so; {hint}")


def _chart_file(given: Mapping[str, str]) -> Path | None:
    if "chart" not in given:
        return None
    file = Path(given["chart"]).expanduser()
    if file.suffix.lower() != ".png" or file.is_dir():
        raise ConfigError(f"chart={given['chart']}: must be the name of a PNG file, such as chart=pnl.png")
    return file


def _write(file: Path, picture: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(picture)
        part.replace(file)
    except OSError as error:
        raise ConfigError(f"chart={file}: cannot be written ({error.strerror})") from error
