"""How does a backtest get into the ledger, whatever becomes of the file, without ever failing the run?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import or_
from sqlalchemy.dialects.sqlite import insert

from configs.edge import say
from runs.trials.file import LedgerError, writing
from runs.trials.tables import RUNS, TRIALS
from runs.trials.trial import Ran, code_of
from runs.versions import keel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection


def record(ran: Ran, path: Path | None = None) -> bool:
    """`record_many` of one."""
    return record_many([ran], path)


def record_many(several: Iterable[Ran], path: Path | None = None) -> bool:
    """Count these backtests, all or none, and answer whether they are counted.

    path: the ledger's file (`config.trials.path`); None: the user's own. One that cannot be written costs a line on
    stderr and nothing else.
    """
    ran = list(several)
    if not ran:
        return True
    try:
        trials, runs = _rows(ran)
        with writing(path) as connection:
            add(connection, trials, runs)
    except LedgerError as error:
        say(f"not counted as a trial: {error}")
        return False
    return True


def add(
    connection: Connection, trials: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows; of a trial that is there already the result stays, unless that one failed or saw fewer days."""
    new = insert(TRIALS)
    result = [column.name for column in TRIALS.columns if column.name != "key"]
    better = or_(
        TRIALS.c.error.is_not(None) & new.excluded.error.is_(None),
        TRIALS.c.error.is_(None) & new.excluded.error.is_(None) & (new.excluded.days > TRIALS.c.days),
    )
    upsert = new.on_conflict_do_update(
        index_elements=["key"], set_={name: new.excluded[name] for name in result}, where=better
    )
    connection.execute(upsert, list(trials))
    connection.execute(insert(RUNS).on_conflict_do_nothing(), list(runs))


def _rows(ran: Sequence[Ran]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of both tables. Code is looked at once, not once a trial."""
    codes: dict[tuple[str, ...], str] = {}
    trials, runs = [], []
    at, by = datetime.now(UTC).isoformat(timespec="milliseconds"), keel()
    for each in ran:
        classes = tuple(spec.strategy_path for spec in each.config.all_strategies.values())
        classes += tuple(spec.algorithm_path for spec in each.config.exec_algorithms.values())
        if classes not in codes:
            codes[classes] = code_of(each.config)
        row = each.row(codes[classes])
        trials.append(row)
        runs.append(
            {
                "id": uuid4().hex,
                "trial": row["key"],
                "at": at,
                "kind": each.kind,
                "keel": by,
                "folder": each.folder,
            }
        )
    return trials, runs
