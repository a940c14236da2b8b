"""How is the journal's database reached, made and brought to this version's shape?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from journal import sqlite_file
from journal.config import JournalConfig
from journal.errors import JournalAbsentError, JournalBrokenError, JournalDownError
from journal.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0001"
"""The revision this version of Keel writes and reads; a test holds it to the newest file in migrations/versions."""
VERSION_TABLE = "journal_version"
BUSY_MS = 2_000
CONNECT_SECS = 3
STATEMENT_MS = 60_000  # a report over years may take a while; the writer has a shorter patience of its own
IDLE_MS = 10_000  # a transaction that its client forgot, or that lost its client, holds no lock for longer
MIGRATION_WAIT_MS = 60_000
MIGRATION_KEY = 0x6B65656C  # of the advisory lock that one migrating process holds


def connect(config: JournalConfig, *, busy_ms: int = BUSY_MS) -> Engine:
    """An engine for the journal's database; nothing is opened yet, and a SQLite file is never made.

    busy_ms: how long a statement waits for another process's lock before it fails.
    """
    if config.kind == "sqlite":
        file = config.file
        engine = create_engine(
            "sqlite://", creator=lambda: sqlite_file.opened(file, busy_ms), poolclass=NullPool
        )
        event.listen(engine, "begin", _begin_to_write)
        return engine
    engine = create_engine(
        config.sqlalchemy_url,
        poolclass=NullPool,
        connect_args={
            "connect_timeout": CONNECT_SECS,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 4_000,
            "application_name": "keel",
        },
    )
    event.listen(engine, "connect", _server_settings(busy_ms))
    return engine


def open_journal(config: JournalConfig, *, create: bool, busy_ms: int = BUSY_MS) -> Engine:
    """The journal's database, in this version's shape; made when it is not there and `create` asks for it.

    Raises JournalAbsentError, JournalBrokenError (damaged, or newer than this Keel), JournalDownError.
    """
    if config.kind == "sqlite" and not _is_there(config):
        if not create:
            raise JournalAbsentError(
                f"journal.path={config.file}: there is no journal; a live run makes one: python -m live run"
            )
        _make_private(config.file)
    engine = connect(config, busy_ms=busy_ms)
    with told(config):
        found = _revision(config, engine)
        if found is None and not create:
            raise JournalAbsentError(
                f"{config.shown} holds no journal; a live run makes one: python -m live run"
            )
        if found != HEAD:
            _migrate(config, engine, found)
    return engine


@contextmanager
def told(config: JournalConfig) -> Iterator[None]:
    """Tell what a database says in one line, without its statement and its values."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _as_told(config, error) from error
    except OSError as error:
        raise JournalDownError(f"journal {config.shown}: {error.strerror or error}") from error


def why(error: BaseException) -> str:
    """What a database says, in one line, without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0].strip() if lines else type(cause).__name__


def writing(engine: Engine) -> Engine:
    """The same database, whose transactions take the write lock when they begin."""
    return engine.execution_options(writes=True)


def _as_told(config: JournalConfig, error: SQLAlchemyError) -> JournalDownError | JournalBrokenError:
    said = why(error)
    if "malformed" in said or "not a database" in said:
        return JournalBrokenError(
            f"journal {config.shown} is damaged ({said}): move it away and put a backup in its place (python -m live "
            "backup makes them), or start a new one with journal.path=..."
        )
    if config.kind == "postgres" and "database" in said and "does not exist" in said:
        return JournalDownError(f"journal {config.shown}: {said}; make it: createdb")
    return JournalDownError(f"journal {config.shown} cannot be used now: {said}")


def _is_there(config: JournalConfig) -> bool:
    """Whether there is a file. Raises JournalDownError when nobody can tell."""
    try:
        return config.file.exists()
    except OSError as error:
        raise _cannot_be_used(config.file, error) from error


def _make_private(file: Path) -> None:
    """The journal tells what a person owns: nobody else may read it. Raises JournalDownError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise _cannot_be_used(file, error) from error


def _cannot_be_used(file: Path, error: OSError) -> JournalDownError:
    return JournalDownError(
        f"journal.path={file} cannot be used ({error.strerror}); name another: journal.path=..."
    )


def _begin_to_write(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _server_settings(busy_ms: int) -> Callable[[Any, Any], None]:
    settings = (
        f"SET statement_timeout = {STATEMENT_MS}; SET lock_timeout = {busy_ms}; SET synchronous_commit = on; "
        f"SET idle_in_transaction_session_timeout = {IDLE_MS}; "
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 2"
    )

    def settle(connection: Any, _record: Any) -> None:
        connection.execute(settings)
        connection.commit()

    return settle


# -- versions ---------------------------------------------------------------------------------------------------------


def _revision(config: JournalConfig, engine: Engine) -> str | None:
    """The version of the journal that is there; None for an empty database. Raises JournalBrokenError."""
    with engine.connect() as connection:
        if config.kind == "postgres":
            encoding = connection.execute(text("SHOW server_encoding")).scalar()
            if encoding != "UTF8":
                raise JournalBrokenError(
                    f"journal {config.shown} has the encoding {encoding}, which cannot hold every text; make another "
                    "database: createdb --encoding=UTF8 --template=template0"
                )
        names = set(inspect(connection).get_table_names())
        if VERSION_TABLE in names:
            return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our name
    taken = names & set(metadata.tables) if config.kind == "postgres" else names
    if taken:
        raise JournalBrokenError(
            f"{config.shown} is the database of something else (it has a table {min(taken)}); name another: "
            f"{'journal.url' if config.kind == 'postgres' else 'journal.path'}=..."
        )
    return None


def _migrate(config: JournalConfig, engine: Engine, found: str | None) -> None:
    """Bring the database to HEAD, one process at a time. Raises JournalBrokenError for one from a newer Keel."""
    from alembic import command  # noqa: PLC0415 - only where it is needed: it takes a while to import
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise JournalBrokenError(
            f"journal {config.shown} was made by a newer Keel (shape {found}; this one knows {HEAD}): update Keel"
        )
    with _alone(config, engine) as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, HEAD)


@contextmanager
def _alone(config: JournalConfig, engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process migrates beside: it waits for one that does."""
    with writing(engine).connect() as connection:
        if config.kind == "sqlite":
            sqlite_file.be_patient(connection, MIGRATION_WAIT_MS)
        with connection.begin():
            if config.kind == "postgres":
                connection.execute(text(f"SET LOCAL lock_timeout = {MIGRATION_WAIT_MS}"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_KEY})
            yield connection
