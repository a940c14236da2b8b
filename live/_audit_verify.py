"""`python -m live audit verify`: is every row of the journal the one that was written?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from configs.closest import closest
from configs.errors import ConfigError
from journal.database import told
from journal.reader import Reader
from journal.verify import Verified, Verifier
from live._about import JOURNAL_KEYS, journal_config
from live._show import console, print_json
from runs.verbs import key_values

CLEAN, CAUGHT = 0, 1
SHOWN = 20
WORTH_A_BAR = 20_000
KEYS = ("run", "heads", "output", *JOURNAL_KEYS)
HELP = """python -m live audit verify [run=ID|all] [heads=FOLDER|off] [journal.path=FILE] [output=json]

  run=ID          the chain of one run and that of the commands; else all of them (run=all)
  heads=FOLDER    where the files of the chains' heads are kept; else beside the journal. off goes without them: rows
                  that were cut off the end of a chain are not missed then
  journal.path=FILE, or journal=postgres journal.url=postgresql://user@host/database; else the user's own journal
  output=json     one JSON document and nothing else

Works the hash of every row out again, along the chain of each run and that of the commands, and holds the ends of the
chains against their heads. Then looks whether what was written agrees: orders with decisions, fills with orders,
positions and round trips with fills, receipts with commands, and every row with the account of its run. It reads
only, and may run while a node does. Exit code: 0 nothing is wrong, 1 something was caught.

What it proves and what it cannot: docs/audit.md.

Example: python -m live audit verify
Example: python -m live audit verify heads=/mnt/elsewhere/journal.db.heads output=json
"""


def verify(argv: Sequence[str]) -> int:
    """The word `verify`. Answers the exit code. Raises ConfigError, JournalError."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return CLEAN
    given = key_values("audit verify", argv, KEYS)
    if given.get("output", "text") not in ("text", "json"):
        raise ConfigError(f"output={given['output']}: text or json")
    reader = Reader(journal_config(given))
    run, heads = _run(reader, given), _heads(reader, given)
    as_json = given.get("output") == "json"
    with told(reader.config), _bar(show=not as_json) as (begin, advance):
        verifier = Verifier(reader.engine, heads, advance, copied="heads" in given)
        begin(verifier.expected(run))
        done = verifier.verify(run)
    if as_json:
        print_json(_document(reader.config.shown, done))
    else:
        _show(reader.config.shown, done)
    return CLEAN if done.is_clean else CAUGHT


def _run(reader: Reader, given: Mapping[str, str]) -> str | None:
    run = given.get("run", "all")
    if run == "all":
        return None
    known = [str(row["run_id"]) for row in reader.runs()]
    if run not in known:
        near = closest(run, known)
        hint = f"did you mean {near}?" if near else "python -m live history what=runs lists them"
        raise ConfigError(f"run={run}: journal {reader.config.shown} has no such run; {hint}")
    return run


def _heads(reader: Reader, given: Mapping[str, str]) -> Path | None:
    folder = given.get("heads")
    if folder is None:
        return reader.config.heads_folder
    if folder == "off":
        return None
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise ConfigError(
            f"heads={folder}: there is no such folder; name one with files like RUN.head, or heads=off"
        )
    return path


@contextmanager
def _bar(*, show: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """How far it is, on a terminal: (say how many rows there are, say that so many more were read)."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=None, start=True)

    def begin(rows: int) -> None:
        bar.update(task, total=rows)
        if show and console.is_terminal and rows >= WORTH_A_BAR:
            bar.start()

    try:
        yield begin, lambda rows: bar.advance(task, rows)
    finally:
        if bar.live.is_started:
            bar.stop()


def _document(journal: str, done: Verified) -> dict[str, Any]:
    findings = done.findings
    return {
        "journal": journal,
        "clean": done.is_clean,
        "chains": done.chains,
        "rows": done.rows,
        "secs": round(done.secs, 3),
        "found": findings.total,
        "found_by_kind": dict(findings.counts.most_common()),
        "findings": findings.as_rows(),
        "notes": findings.notes,
    }


def _show(journal: str, done: Verified) -> None:
    screen = console()
    findings = done.findings

    def say(*parts: tuple[str, str] | str) -> None:
        screen.print(Text.assemble(*parts), soft_wrap=True)

    runs = len(done.chains) - 1
    speed = f", {done.rows / done.secs:,.0f} a second" if done.rows >= WORTH_A_BAR and done.secs else ""
    say(("Journal  ", "bold"), journal)
    say(("Read     ", "bold"), f"{done.rows:,} rows of {runs:,} {'run' if runs == 1 else 'runs'} and the commands, "
        f"in {done.secs:,.1f} s{speed}")  # fmt: skip
    if done.is_clean:
        say(
            ("Clean    ", "bold green"), "every row is as it was written, none is missing, and the rows agree"
        )
    else:
        many = "1 thing is" if findings.total == 1 else f"{findings.total:,} things are"
        say(("CAUGHT   ", "bold red"), f"{many} wrong")
    for finding in findings.kept[:SHOWN]:
        say("\n", (finding.kind, "bold red"), f"  {finding.where}\n  {finding.text}")
    if findings.total > SHOWN:
        say(f"\nand {findings.total - SHOWN:,} more; output=json has the first {len(findings.kept):,}")
    if findings.notes:
        say("\n", ("To know", "bold"))
    for note in findings.notes[:SHOWN]:
        say(f"  {note}")
    if len(findings.notes) > SHOWN:
        say(f"  and {len(findings.notes) - SHOWN:,} more; output=json has them")
