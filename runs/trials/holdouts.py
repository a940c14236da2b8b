"""Which days are set aside until the end, and who has looked at them?

A hold-out is declared for a family from a day on. Backtests of that family that would trade on or after that day are
refused. It is opened once, with one config, and the ledger remembers by whom; a second opening spoils it for ever.
Another may be declared only for days that no opening has seen. The ledger guards against haste and forgetting, not
against somebody who deletes the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import insert, inspect, select, text, update

from runs.errors import RunError
from runs.trials.file import LedgerError, reading, writing
from runs.trials.reading import trials_of
from runs.trials.tables import HOLDOUTS, OPENINGS
from runs.trials.trial import code_of, config_text, family_of
from runs.versions import keel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from configs.schema import RunConfig
    from market.catalog import MarketData


class HoldoutError(RunError):
    """What is asked for would look at days that are held out. `str()` of it is one line, with what to do."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Opening:
    """One look at a hold-out: when (ISO 8601, UTC), by which user, why, with which config, and what came out.

    until: the last day it saw; again: whether somebody had looked before; result: the summary's figures by name, None
    where it was killed or failed; error: why it failed (then nothing was shown, and it does not count).
    """

    at: str
    by: str
    reason: str
    again: bool
    until: str
    config: str
    code: str
    data_version: str
    keel: str
    folder: str | None
    result: dict[str, Any] | None
    error: str | None


@dataclass(frozen=True)
class Holdout:
    """Days set aside for a family from `start` (ISO date) on; `seen` trials may have seen them before that."""

    id: str
    family: str
    start: str
    at: str
    by: str
    reason: str | None
    seen: int
    openings: tuple[Opening, ...] = field(default=())

    @property
    def looks(self) -> tuple[Opening, ...]:
        """The openings that count, the first first."""
        return tuple(each for each in self.openings if each.error is None)

    @property
    def state(self) -> str:
        """closed, opened (once) or spoiled (more often)."""
        return ("closed", "opened", "spoiled")[min(len(self.looks), 2)]


def holdouts(path: Path | None = None, family: str | None = None) -> list[Holdout]:
    """The hold-outs (of one family), the oldest first. Raises LedgerError."""
    with reading(path) as connection:
        if connection is None or not inspect(connection).has_table(HOLDOUTS.name):
            return []
        return _found(connection, family)


def in_force(family: str, path: Path | None = None) -> Holdout | None:
    """The newest hold-out of a family. Raises LedgerError."""
    return next(iter(holdouts(path, family)[::-1]), None)


def refuse_held_out(config: RunConfig, market: MarketData) -> None:
    """Raise HoldoutError where a run would trade on days that are held out for its family.

    A ledger that cannot be read holds nothing out: it says so itself when the run is not counted.
    """
    try:
        held = in_force(family_of(config, market.symbols), config.trials.path)
    except LedgerError:
        return
    if held is None or _last(config, market) < _midnight(held.start, market.zone):
        return
    told = "".join(f"; opened by {each.by} on {each.at[:10]}" for each in held.looks[:1])
    raise HoldoutError(
        f"{held.family}: days from {held.start} on are held out (by {held.by} on {held.at[:10]}{told}); "
        f"add run.end={held.start}, or look at them once with: python -m backtests holdout open ... reason=WHY"
    )


def declare(family: str, start: date, reason: str | None = None, path: Path | None = None) -> Holdout:
    """Set days aside from now on. Raises HoldoutError while an earlier hold-out stands against it, LedgerError."""
    seen = sum(_may_have_seen(each.config, start) for each in trials_of(family, path))
    held = Holdout(uuid4().hex, family, start.isoformat(), _now(), _user(), reason, seen)
    with writing(path) as connection:
        for before in _found(connection, family)[-1:]:
            if not before.looks:
                raise HoldoutError(
                    f"{family}: days from {before.start} on are held out already, by {before.by} on {before.at[:10]}; "
                    "open them before you set others aside"
                )
            until = max(each.until for each in before.looks)
            if start.isoformat() <= until:
                raise HoldoutError(
                    f"{family}: days to {until} were seen when {before.looks[0].by} opened the hold-out on "
                    f"{before.looks[0].at[:10]}; set aside later ones, which nobody has seen"
                )
        row = {column.name: getattr(held, column.name) for column in HOLDOUTS.columns}
        connection.execute(insert(HOLDOUTS), row)
    return held


def begin_opening(  # noqa: PLR0913 - who looks at what, and why
    held: Holdout, config: RunConfig, market: MarketData, *, reason: str, again: bool, path: Path | None
) -> str:
    """Write down that somebody is about to look, and answer the opening's id.

    Raises HoldoutError where somebody has looked before and it is not `again`, LedgerError where it cannot be written.
    """
    zone = ZoneInfo(market.zone)
    number = uuid4().hex
    with writing(path) as connection:
        now = next(each for each in _found(connection, held.family) if each.id == held.id)
        if now.looks and not again:
            first = now.looks[0]
            raise HoldoutError(
                f"{held.family}: the hold-out from {held.start} was opened by {first.by} on {first.at[:10]} "
                f"({first.reason}); it opens once. again=true looks once more, and it stays spoiled"
            )
        row = {
            "id": number,
            "holdout": held.id,
            "at": _now(),
            "by": _user(),
            "reason": reason,
            "again": int(bool(now.looks)),
            "until": datetime.fromtimestamp((market.end_ns - 1) / 1e9, zone).date().isoformat(),
            "config": config_text(config),
            "code": code_of(config),
            "data_version": market.version,
            "keel": keel(),
        }
        connection.execute(insert(OPENINGS), row)
    return number


def end_opening(
    number: str,
    *,
    result: Mapping[str, Any] | None = None,
    folder: str | None = None,
    error: str | None = None,
    path: Path | None,
) -> None:
    """Write down what came of a look: its figures, or the error of one that showed nothing. Raises LedgerError."""
    kept = None if result is None else json.dumps(dict(result), default=str)
    with writing(path) as connection:
        connection.execute(
            update(OPENINGS)
            .where(OPENINGS.c.id == number)
            .values(result=kept, folder=folder, error=None if error is None else " ".join(error.split()))
        )


def _found(connection: Connection, family: str | None) -> list[Holdout]:
    looks: dict[str, list[Opening]] = {}
    for row in connection.execute(select(OPENINGS).order_by(text("rowid"))).mappings():
        own = {name: value for name, value in row.items() if name not in ("id", "holdout")}
        own |= {
            "again": bool(row["again"]),
            "result": None if row["result"] is None else json.loads(row["result"]),
        }
        looks.setdefault(row["holdout"], []).append(Opening(**own))
    wanted = select(HOLDOUTS).order_by(text("rowid"))
    wanted = wanted if family is None else wanted.where(HOLDOUTS.c.family == family)
    return [
        Holdout(**row, openings=tuple(looks.get(row["id"], ())))
        for row in connection.execute(wanted).mappings()
    ]


def _may_have_seen(config: str, start: date) -> bool:
    """Whether a trial's config (of the ledger) traded to `start` or beyond, as far as its dates tell."""
    end = json.loads(config).get("run", {}).get("end")
    return end is None or date.fromisoformat(end) > start


def _last(config: RunConfig, market: MarketData) -> int:
    """Stamp of the last row that a run trades on (UTC ns)."""
    if config.run.max_bars is None:
        return market.end_ns
    return max((row.ts_init for row in market.updates()[: config.run.max_bars]), default=market.start_ns)


def _midnight(day: str, zone: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    import getpass  # noqa: PLC0415 - one use
    import os  # noqa: PLC0415 - as above

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return f"user {os.getuid()}"
