"""docs/journal.md tells what the journal holds, and every command and query on it does what is said of it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from journal.config import JournalConfig
from journal.export import TIMES
from journal.tables import CHAINED, commands, metadata
from journal.views import VIEWS
from live._kinds import KINDS
from tests.journal.filled import arguments, fill, journal_on

PAGE = (Path(__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
UNFENCED = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
LINES = [line.strip() for line in UNFENCED.splitlines() if line.startswith("    ")]
TOOLS = ("sqlite3", "psql", "cp", "createdb", "pg_restore")
SHELL = [line for line in LINES if line.split()[0] in TOOLS]
SHARED = {"id", "run_id", "scope", "mode", "venue", "ts", "at", "seq", "prev", "hash"}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def journal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JournalConfig]:
    """The story, on either database."""
    with journal_on(request.param, tmp_path_factory.mktemp("page")) as config:
        fill(config)
        yield config


def shell(words: list[str], folder: Path | None = None, typed: str = "") -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(
        words, cwd=folder, input=typed, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def verb(words: list[str], folder: Path, state: Path | None = None) -> str:
    """What `python -m live VERB ...` prints; `state` is the folder of the user's own journal."""
    own = {} if state is None else {"XDG_STATE_HOME": str(state)}
    done = subprocess.run(
        [sys.executable, "-m", "live", *words],
        cwd=folder,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def queried(config: JournalConfig, query: str) -> list[list[str]]:
    """The rows that the database's own program prints."""
    if config.kind == "sqlite":
        said = shell(["sqlite3", "-csv", str(config.file)], typed=query)
    else:
        said = shell(["psql", str(config.url), "--csv", "--tuples-only"], typed=query)
    return [line.split(",") for line in said.splitlines()]


def rows_of(first: str) -> dict[str, str]:
    """First cell -> the whole line, of the table on the page whose first column is called so."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0]
    return {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)`.*$", table, re.MULTILINE)}


def test_every_table_is_told_with_every_column_of_its_own() -> None:
    told = rows_of("table")
    assert set(told) == set(metadata.tables)
    for name, line in told.items():
        columns = {column.name for column in metadata.tables[name].columns}
        own = columns - SHARED if name != "heads" else columns - {"at"}
        assert {column for column in own if f"`{column}`" not in line} == set(), name
        assert ("(chain" in line) == (name in CHAINED or name == commands.name)


def test_every_view_and_every_kind_of_file_is_told() -> None:
    assert set(rows_of("view")) == set(VIEWS)
    files = PAGE.partition("One file a kind of row: ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", files)) == set(KINDS)
    for time, nanos in list(TIMES.values())[:3]:
        assert f"`{time}`" in PAGE
        assert f"`{nanos}`" in PAGE


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_runs_where_it_is_said_to(journal: JournalConfig, query: str) -> None:
    only = re.match(r"-- (\w+)", query)
    if only is None or only[1].lower().startswith(journal.kind):
        rows = queried(journal, query)
        assert rows, "a query of the page should find something in a filled journal"


def test_the_views_agree_with_the_verbs_to_the_cent(journal: JournalConfig) -> None:
    total = queried(journal, "SELECT SUM(pnl) FROM trades WHERE scope = 'paper:alpaca_paper';")
    assert [float(each) for each in total[0]] == [140.0]
    days = queried(journal, "SELECT day, pnl FROM daily_pnl WHERE scope = 'paper:alpaca_paper' ORDER BY day;")
    assert [(day, float(pnl)) for day, pnl in days] == [
        ("2026-11-02", 46.0),
        ("2026-11-03", 198.0),
        ("2026-11-04", -152.0),
        ("2026-11-09", 48.0),
    ]
    held = queried(journal, "SELECT instrument, quantity FROM open_positions;")
    assert [(name, float(quantity)) for name, quantity in held] == [("AAPL.XNAS", 10.0)]


def test_every_tool_of_the_page_is_tried() -> None:
    assert {line.split()[0] for line in SHELL} == set(TOOLS)
    others = [line for line in LINES if line not in SHELL and not line.startswith("python -m live ")]
    assert others == []


def test_the_commands_of_the_shell_go_back_to_a_copy(journal: JournalConfig, tmp_path: Path) -> None:
    """Each line as it stands, in a folder like the page's; only the addresses of the server are this machine's."""
    suffix = "db" if journal.kind == "sqlite" else "dump"
    verb(["backup", *arguments(journal), f"to=backups/journal.{suffix}"], tmp_path)
    wanted = ("sqlite3", "cp") if journal.kind == "sqlite" else ("psql", "createdb", "pg_restore")
    lines = [line for line in SHELL if line.split()[0] in wanted]
    lines.sort(key=lambda line: line.startswith("sqlite3"))  # it reads what cp puts there
    database = make_url(str(journal.url)).database if journal.kind == "postgres" else None
    name = f"{database}_restored"
    try:
        for line in lines:
            here = line.replace("keel_restored", name)
            here = here.replace("postgresql://user@host:5432/database", str(journal.url))
            shell(shlex.split(here), tmp_path)
        of = [f"journal.path={tmp_path / 'journal.db'}"]
        if database is not None:
            of = ["journal=postgres", f"journal.url={journal.url}".replace(str(database), name)]
        verb(["audit", "verify", f"heads=backups/journal.{suffix}.heads", *of], tmp_path)
    finally:
        if database is not None:
            words = ["dropdb", "--host=127.0.0.1", "--username=postgres", "--if-exists", "--force", name]
            subprocess.run(words, check=False, timeout=30, capture_output=True)


def test_without_a_key_the_verbs_read_the_users_own_journal(tmp_path: Path) -> None:
    fill(JournalConfig(path=tmp_path / "keel" / "journal.db"))
    for words in (["history"], ["pnl"], ["export", "to=out"], ["backup", "to=copy.db"]):
        assert verb(words, tmp_path, state=tmp_path)
