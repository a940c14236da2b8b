"""`python -m live export`: the journal as files for a spreadsheet, pandas, DuckDB or an accountant."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import func, select

from configs.edge import guarded
from configs.errors import ConfigError
from journal.export import FORMATS, Exported, Wanted
from journal.export import export as written
from journal.moment import one_moment
from live._about import ABOUT_HELP, ABOUT_KEYS
from live._kinds import FILTERS, KINDS, kind_named
from live._long import watched
from live._periods import Days, span_of
from live._whose import Whose
from runs.verbs import key_values

ALL = "all"
KEYS = (*ABOUT_KEYS, "what", "format", "to", *FILTERS, "since", "until", "period")
HELP = f"""python -m live export to=FOLDER [what=all] [format=csv|parquet] [period=3mo] ...

Writes one file a kind of row into FOLDER, in the order the rows were written, and never over a file that is there.

  what=all        all, or one of {", ".join(KINDS)}
  format=csv      amounts are exact text, times ISO 8601 in UTC; columns that end in _ns are nanoseconds
  format=parquet  amounts are decimals with 16 places, ratios floats, times timestamps in UTC; an amount finer than that
                  makes its column text, and is told
  symbol=AAPL  strategy=EmaCross-001  side=  order=ID  status=  verdict=  kind=   as in history, where a kind has it
  period=3mo  since=2026-01-01  until=2026-12-31   as in history
{ABOUT_HELP}
A paper or live account is one history over all its runs; of a sandbox it is the newest run (run=all: all of them).
`orders` has a row for each change of an order's state; history shows the last one.

Example: python -m live export to=journal_2026 since=2026-01-01 until=2026-12-31
"""


def export(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _export(argv))


def _export(argv: Sequence[str]) -> int:
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    given = key_values("export", argv, KEYS)
    kind = given.get("format", "csv")
    if kind not in FORMATS:
        raise ConfigError(f"format={kind}: {' or '.join(FORMATS)}")
    if not given.get("to"):
        raise ConfigError("to: where to? name a folder, as in to=journal_2026")
    folder = Path(given["to"]).expanduser()
    if folder.is_file():
        raise ConfigError(f"to={given['to']}: is a file; name a folder")
    whose = Whose.of(given)
    wanted = _wanted(given, whose)
    files = _write(whose, wanted, folder, kind)
    _tell(files, folder, kind, as_json=given.get("output") == "json")
    return 0


def _wanted(given: Mapping[str, str], whose: Whose) -> list[Wanted]:
    """With what=all those kinds that have every filter that was given. Raises ConfigError."""
    days, now_ns = Days.of_run(whose.run), time.time_ns()
    market = span_of(given, days, whose.now_ns(now_ns))
    clock = span_of(given, days, now_ns)
    what = given.get("what", ALL)
    filters = [key for key in FILTERS if key in given]
    kinds = [kind_named(what, tuple(KINDS))] if what != ALL else list(KINDS.values())
    if what == ALL:
        kinds = [kind for kind in kinds if all(key in kind.filters for key in filters)]
        if not kinds:
            raise ConfigError(f"{' and '.join(filters)}: no kind of row has all of them")
    return [
        Wanted(kind.name, kind.table, kind.where(whose, given, market if kind.moment == "ts" else clock))
        for kind in kinds
    ]


def _write(whose: Whose, wanted: Sequence[Wanted], folder: Path, kind: str) -> list[Exported]:
    with one_moment(whose.about.reader) as connection:
        counts = [select(func.count()).select_from(each.table).where(*each.where) for each in wanted]
        total = sum(int(connection.execute(count).scalar_one()) for count in counts)
        with watched("Writing rows", total) as on_rows:
            return written(connection, wanted, folder, kind, on_rows)


def _tell(files: Sequence[Exported], folder: Path, kind: str, *, as_json: bool) -> None:
    if as_json:
        document = {
            "to": str(folder),
            "format": kind,
            "files": [
                {
                    "what": file.name,
                    "file": str(file.path),
                    "rows": file.rows,
                    "text_columns": list(file.as_text),
                }
                for file in files
            ],
        }
        print(json.dumps(document))  # noqa: T201 - what a script asked for
        return
    width = max(len(file.path.name) for file in files)
    for file in files:
        print(f"{file.path.name:<{width}}  {file.rows:>10,} rows{_as_text(file)}")  # noqa: T201 - what a person reads
    print(f"in {folder}")  # noqa: T201 - as above


def _as_text(file: Exported) -> str:
    return f"  ({', '.join(file.as_text)} as text: finer than 16 places)" if file.as_text else ""
