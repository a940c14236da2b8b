"""Where is the journal kept, and how much may wait to be written to it?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from platformdirs import user_state_path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

FILE = "journal.db"
DRIVER = "postgresql+psycopg"
SECRET_WORDS = ("password", "passfile", "sslpassword")


def _without_password(url: str) -> str:
    """A PostgreSQL address that holds no secret: config dumps, logs and the journal itself may show it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "must be an address like postgresql://user@host:5432/database"
        ) from None  # the text may hold a password
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(
            "must be an address like postgresql://user@host:5432/database; for SQLite use journal.path"
        )
    if parsed.password is not None or any(word in parsed.query for word in SECRET_WORDS):
        raise ValueError(
            "must not hold a password: put it in the environment as PGPASSWORD, or in ~/.pgpass, and leave it out here"
        )
    if not parsed.database:
        raise ValueError("names no database; write it at the end, as in postgresql://user@host:5432/keel")
    return url


def _expanded(path: object) -> object:
    return str(Path(path).expanduser()) if isinstance(path, str) and path.startswith("~") else path


class JournalConfig(BaseModel):
    """The journal of a live run, and what its verbs read.

    Raises pydantic.ValidationError for unknown keys, values out of range and addresses with a password.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    kind: Literal["sqlite", "postgres"] = "sqlite"
    """sqlite: one file, no server; postgres: a database of yours."""
    path: Annotated[Path | None, BeforeValidator(_expanded)] = None
    """The SQLite file; none is journal.db in the user's own state folder."""
    url: Annotated[str, AfterValidator(_without_password)] | None = None
    """The PostgreSQL database, as postgresql://user@host:5432/database, never with a password."""
    snapshot_secs: Annotated[float, Field(strict=True, gt=0)] = 60.0
    """Seconds of market time between two snapshots of the account."""
    max_waiting: Annotated[int, Field(strict=True, ge=1_000)] = 100_000
    """Rows that may wait to be written; beyond it new exposure is refused, and nothing is dropped."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind == "postgres" and self.url is None:
            raise ValueError(
                "url is missing: journal=postgres journal.url=postgresql://user@host:5432/database"
            )
        if self.kind == "sqlite" and self.url is not None:
            raise ValueError("url belongs to journal=postgres; a SQLite journal has journal.path")
        if self.kind == "postgres" and self.path is not None:
            raise ValueError("path belongs to journal=sqlite; a PostgreSQL journal has journal.url")
        return self

    @property
    def file(self) -> Path:
        """The SQLite file, by the one name that all ways to it lead to: locks and heads lie beside it."""
        return Path(os.path.realpath(self.path or user_state_path("keel") / FILE))

    @property
    def folder(self) -> Path:
        """Where locks and the heads of the hash chains are kept: beside the file, or in the user's state folder."""
        return self.file.parent if self.kind == "sqlite" else user_state_path("keel")

    @property
    def heads_folder(self) -> Path:
        """Where the heads of the chains are kept a second time."""
        if self.kind == "sqlite":
            return self.folder / f"{self.file.name}.heads"
        place = hashlib.sha256(self.sqlalchemy_url.encode()).hexdigest()[:8]
        return self.folder / f"postgres-{place}.heads"

    @property
    def sqlalchemy_url(self) -> str:
        """The address as SQLAlchemy wants it. It holds no secret."""
        if self.kind == "sqlite":
            return f"sqlite:///{self.file}"
        return make_url(self.url or "").set(drivername=DRIVER).render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """The place, as a person would name it."""
        return str(self.file) if self.kind == "sqlite" else str(self.url)
