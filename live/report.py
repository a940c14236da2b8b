"""`python -m live report`: how did an account do in a day, a week or a month?"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP, ABOUT_KEYS
from live._periods import Days
from live._report_document import document_of
from live._report_html import page
from live._report_numbers import Report, report_of
from live._report_period import period_of
from live._report_text import show
from live._show import console, print_json
from live._whose import ALL, Whose
from runs.verbs import key_values

KEYS = ("period", "date", "since", "until", "benchmark", "to", *ABOUT_KEYS)
FOLDER = Path("outputs", "reports")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
HELP = f"""python -m live report [period=day|week|month] [date=YYYY-MM-DD] [benchmark=SYMBOL|none] [to=FILE.html]

Sums up what an account did, as text here and as one HTML file that needs no network.

  period=NAME     day, week (Monday to Sunday) or month; else day
  date=DAY        a day in it; else the newest day that the journal knows
  since=DAY until=DAY  any other span of days, both included
  benchmark=NAME  an instrument to compare with; else the run's first; none for none
  to=FILE         where the page goes; else outputs/reports/ACCOUNT_PERIOD.html
{ABOUT_HELP}
Days are the session days of the run's config. A paper or live account is one history over all its runs; a replay
starts fresh each time, so its newest run is told. What cannot be known is n/a, with the reason.

Example: python -m live report period=week
"""


def report(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _report(argv))


def _report(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("report", argv, KEYS)
    if given.get("run") == ALL:
        raise ConfigError("run=all: a report is about one account or one run; give run=ID, or leave it out")
    whose = Whose.of(given)
    last = whose.last_ns()
    newest = whose.run["started_at"] if last is None else last
    found = report_of(whose, period_of(given, Days.of_run(whose.run), newest), given.get("benchmark"))
    path = _written(found, given, whose)
    if given.get("output") == "json":
        print_json(document_of(found, str(path)))
    else:
        show(console(), found, str(path))
    return 0


def _written(found: Report, given: Mapping[str, str], whose: Whose) -> Path:
    """Write the page; answers where it is. Raises ConfigError where that cannot be."""
    path = Path(given["to"]).expanduser() if "to" in given else FOLDER / _file_name(found, whose)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(found, made_ns=time.time_ns()), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"to={path}: the page cannot be written there ({error.strerror or error}); name another file"
        ) from None
    return path


def _file_name(found: Report, whose: Whose) -> str:
    run = whose.run
    account = f"{run['mode']}_{run['venue']}" if whose.is_account and not whose.named else str(run["run_id"])
    return f"{UNSAFE.sub('-', account)}_{found.period.name}.html"
