"""`python -m live audit explain ORDER_ID`: what became of an order, from the strategy's wish to its profit?"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from configs.closest import closest
from configs.errors import ConfigError
from journal.moment import one_moment
from journal.reader import Reader
from journal.story import Story, like, names_of, story_of
from journal.tables import CONTROL, plain
from live._about import JOURNAL_KEYS, journal_config
from live._amounts import price_text, quantity_text, row_for_scripts
from live._audit_story import Line, lines_of, status_of, sums_of
from live._periods import Days
from live._show import console, print_json
from runs.times import iso
from runs.verbs import key_values

KEYS = ("order", "run", "output", *JOURNAL_KEYS)
OK = 0
MARGIN = 21
ROWS = ("decisions", "orders", "fills", "approvals", "round_trips", "events", "commands")
HELP = """python -m live audit explain ORDER_ID [run=ID] [journal.path=FILE] [output=json]

Tells the story of one order in plain sentences: what the strategy wanted, what the gate decided and with which numbers,
when it was sent, what the venue answered, its fills against the price of the decision, and the round trip it is part
of. Also of an order that was refused, held, or of which nobody knew what became.

  ORDER_ID        its client order id, or order=ID; the venue's own id of it or a trade id do as well
  run=ID          the account of this run, where orders of several have the same id; else the newest
  journal.path=FILE, or journal=postgres journal.url=postgresql://user@host/database; else the user's own journal
  output=json     one JSON document and nothing else

python -m live history what=orders lists orders, what=decisions verdict=REFUSE those that were refused.

Example: python -m live audit explain O-20260302-143000-001-001-1
"""


def explain(argv: Sequence[str]) -> int:
    """The word `explain`. Answers the exit code. Raises ConfigError, JournalError."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    given, word = _arguments(argv)
    reader = Reader(journal_config(given))
    story = _found(reader, word, given.get("run"))
    zone = Days.of_run(story.run).zone
    lines = lines_of(story, zone)
    if given.get("output") == "json":
        print_json(_document(story, lines, zone))
    else:
        _show(story, lines, zone)
    return OK


def _arguments(argv: Sequence[str]) -> tuple[Mapping[str, str], str]:
    words = [each for each in argv if "=" not in each]
    given = key_values("audit explain", [each for each in argv if "=" in each], KEYS)
    words += [given["order"]] if "order" in given else []
    if len(words) != 1 or not words[0]:
        raise ConfigError(
            "which order? name one, as in python -m live audit explain O-20260302-143000-001-001-1; "
            "python -m live history what=orders lists them"
        )
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: text or json")
    return given, words[0]


def _found(reader: Reader, word: str, run: str | None) -> Story:
    """The order that is meant. Raises ConfigError where there is none, or several."""
    place = reader.config.shown
    if run is not None:
        known = [str(row["run_id"]) for row in reader.runs()]
        if run not in known:
            near = closest(run, known)
            hint = f"did you mean {near}?" if near else "python -m live history what=runs lists them"
            raise ConfigError(f"run={run}: journal {place} has no such run; {hint}")
    with one_moment(reader) as connection:
        names = names_of(connection, word)
        if len(names) > 1:
            raise ConfigError(f"order={word}: several orders go by it: {', '.join(names)}; name one")
        if not names:
            near_names = like(connection, word)
            hint = (
                f"did you mean {' or '.join(near_names)}?"
                if near_names
                else "python -m live history what=orders lists them"
            )
            raise ConfigError(f"order={word}: journal {place} has no such order; {hint}")
        story = story_of(connection, names[0], run)
    if story is None:
        raise ConfigError(
            f"order={word}: not on the account of run {run}; leave out run= to look in all of them"
        )
    return story


# -- for scripts -----------------------------------------------------------------------------------------------------


def _document(story: Story, lines: Sequence[Line], zone: str) -> dict[str, Any]:
    first, run = story.first, story.run
    return {
        "order": story.order,
        "status": status_of(story),
        "run": run["run_id"],
        "scope": run["scope"],
        "mode": run["mode"],
        "venue": run["venue"],
        "strategy": first["strategy"],
        "instrument": first["instrument"],
        "side": first["side"],
        "filled": {key: plain(value) for key, value in sums_of(story).items()},
        "story": [
            {
                "time": iso(line.ts, zone),
                "written_at": iso(line.at, zone),
                "what": line.what,
                "text": line.text,
                "details": list(line.details),
            }
            for line in lines
        ],
        **{name: [row_for_scripts(row, zone) for row in getattr(story, name)] for name in ROWS},
        "receipts": [row_for_scripts(row, zone) for row in story.receipts.values()],
        "limits": story.limits,
        "other_runs": story.other_runs,
    }


# -- for people ------------------------------------------------------------------------------------------------------


def _show(story: Story, lines: Sequence[Line], zone: str) -> None:
    screen = console()
    width = max(60, min(screen.width, 120))
    run = story.run

    def put(text: str, style: str = "") -> None:
        screen.print(text, style=style, soft_wrap=True, markup=False)

    put(f"Order {story.order}: {_headline(story)}", "bold")
    by = "by a verb, without a node" if story.first["run_id"] == CONTROL else f"run {run['run_id']}"
    put(f"{run['venue']} ({run['mode']}), {by}, times of {zone}\n", "dim")
    shown = ""
    for line in lines:
        stamp = _stamp(line.ts, zone)
        put(_wrapped(stamp if stamp != shown else "", line.text, width))
        for detail in line.details:
            put(_wrapped("", f"- {detail}", width, hang=2), "dim")
        shown = stamp
    if story.other_runs:
        many = f"{len(story.other_runs)} other runs have" if len(story.other_runs) > 1 else "another run has"
        put(f"\n{many} an order of this name: run={story.other_runs[0]}", "dim")


def _headline(story: Story) -> str:
    first, status = story.first, status_of(story).replace("_", " ").lower()
    sums = sums_of(story)
    what = f"{first['side'].lower()} {quantity_text(first['quantity'])} {first['instrument']}, {status}"
    if not sums:
        return what
    return f"{what}, {quantity_text(sums['quantity'])} at {price_text(sums['average_price'])}"


def _stamp(ts: int, zone: str) -> str:
    return iso(ts, zone)[:19].replace("T", " ")


def _wrapped(stamp: str, text: str, width: int, *, hang: int = 0) -> str:
    lines = textwrap.wrap(
        text, width - MARGIN, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(f"{stamp if not place else '':<{MARGIN}}{line}" for place, line in enumerate(lines))
