"""How is a journal in PostgreSQL copied? By pg_dump, at a snapshot that other reads can see too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from journal.errors import JournalError
from journal.moment import one_moment
from journal.reader import Reader
from journal.tables import metadata
from journal.target import TargetError

OPTIONS = ("--format=custom", "--no-owner", "--no-privileges")
LOOK_SECS = 0.2
OnPart = Callable[[int, int], None]


@contextmanager
def dumped(reader: Reader, part: Path, on_part: OnPart) -> Iterator[Connection]:
    """Write the database into `part`; gives a connection that sees what was written.

    Raises TargetError where pg_dump is not installed, JournalError where it fails.
    """
    url = make_url(str(reader.config.url)).set(drivername="postgresql").render_as_string(hide_password=False)
    if shutil.which("pg_dump") is None:
        raise TargetError(
            "a PostgreSQL journal is copied by pg_dump, which is not installed here: install PostgreSQL's client "
            f"tools, or where they are: pg_dump {' '.join(OPTIONS)} --file=FILE {url}"
        )
    with one_moment(reader) as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        _dump([*OPTIONS, "--no-password", f"--snapshot={snapshot}", f"--file={part}", url], part, on_part)
        _check_contents(part)
        yield connection


def _dump(arguments: list[str], part: Path, on_part: OnPart) -> None:
    command = [
        "pg_dump",
        *arguments,
    ]  # whichever the person has; libpq finds the password, Keel never sees it
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - made here
        while True:
            try:
                _, said = process.communicate(timeout=LOOK_SECS)
                break
            except subprocess.TimeoutExpired:
                on_part(part.stat().st_size, 0)
            except BaseException:
                process.kill()
                raise
    if process.returncode:
        raise JournalError(f"the backup failed: {_last_line(said)}; nothing was left behind")


def _check_contents(part: Path) -> None:
    command = ["pg_restore", "--list", str(part)]  # comes with pg_dump
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made here
    missing = [name for name in metadata.tables if f" {name} " not in listed.stdout]
    if listed.returncode or missing:
        what = _last_line(listed.stderr) or f"it is without {', '.join(missing)}"
        raise JournalError(f"the backup failed: what pg_dump wrote cannot be read back: {what}")


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "no reason was given"
