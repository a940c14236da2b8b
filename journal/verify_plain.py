"""Do rows that stand in no order agree: commands with receipts, rows with their runs, limits with their names?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Table, and_, exists, func, not_, or_, select

from journal import tables
from journal.limits_version import LENGTH
from journal.tables import CHAINED, CONTROL
from journal.verify_findings import MOST, Findings
from journal.verify_pages import Pages, stored

OUTLIVES_RUNS = ("paper", "live")
ENDS_WITH_RUN = ("rehearsal",)
"""A sandbox does the one or the other: a replay starts fresh, what trades on real prices goes on."""
PLAIN = (tables.positions, tables.round_trips, tables.account_snapshots, tables.alerts)


def check_answers(pages: Pages, findings: Findings, scopes: Iterable[str] | None) -> None:
    """Every command has a receipt, or it is said; every receipt has its command."""
    commands, receipts = tables.commands, tables.receipts
    of_scope = [] if scopes is None else [commands.c.scope.in_(list(scopes))]
    answered = exists().where(receipts.c.command_id == commands.c.command_id)
    for row in pages.dicts(
        select(*stored(commands)).where(not_(answered), *of_scope).order_by(commands.c.id).limit(MOST)
    ):
        findings.note(
            f"command {row['command_id']} ({row['verb']} by {row['who']}, {row['why'] or 'no reason given'}) was never "
            "answered"
        )
    of_scope = [] if scopes is None else [receipts.c.scope.in_(list(scopes))]
    asked = exists().where(commands.c.command_id == receipts.c.command_id)
    for row in pages.dicts(select(*stored(receipts)).where(not_(asked), *of_scope).limit(MOST)):
        findings.row("DISAGREES", "receipts", row, "it answers a command that is not in the journal")


def check_runs(pages: Pages, findings: Findings, run: str | None) -> None:
    """No row is of another account, mode or venue than its run."""
    runs = tables.runs
    for table in (*CHAINED.values(), *PLAIN):
        wrong = or_(table.c.scope != runs.c.scope, table.c.mode != runs.c.mode, table.c.venue != runs.c.venue)
        mixed = (
            select(*stored(table), runs.c.scope.label("of"))
            .join(runs, runs.c.run_id == table.c.run_id)
            .where(wrong)
        )
        if run is not None:
            mixed = mixed.where(table.c.run_id == run)
        for row in pages.dicts(mixed.order_by(table.c.id).limit(MOST)):
            text = f"it is of {row['scope']} ({row['mode']}, {row['venue']}), its run is of {row['of']}"
            findings.row("FOREIGN", table.name, row, text)
    if run is not None:
        return
    for table in PLAIN:
        known = exists().where(runs.c.run_id == table.c.run_id)
        nobodys = and_(
            not_(known), table.c.run_id != CONTROL
        )  # a verb writes them too: flatten without a node
        lost = select(table.c.run_id, func.count()).where(nobodys).group_by(table.c.run_id).limit(MOST)
        for name, count in pages.all(lost):
            findings.add(
                "FOREIGN",
                str(name),
                f"{count:,} rows belong to a run that is not in the journal",
                table=table.name,
            )


def check_modes(pages: Pages, findings: Findings) -> None:
    """An account that outlives its runs is called by its mode and venue; others are a run of their own."""
    runs = tables.runs
    right = or_(
        and_(runs.c.mode.not_in(ENDS_WITH_RUN), runs.c.scope == runs.c.mode + ":" + runs.c.venue),
        and_(runs.c.mode.not_in(OUTLIVES_RUNS), runs.c.scope == runs.c.run_id),
    )
    for row in pages.all(
        select(runs.c.run_id, runs.c.scope, runs.c.mode, runs.c.venue).where(not_(right)).limit(MOST)
    ):
        text = f"the run's row says {row.scope}, which is no account of mode {row.mode} at {row.venue}"
        findings.add("FOREIGN", str(row.run_id), text, table="runs")


def check_control(pages: Pages, findings: Findings) -> None:
    """Rows that verbs wrote are of an account that some run had."""
    runs = tables.runs
    for table in (tables.commands, *CHAINED.values()):
        known = exists().where(
            runs.c.scope == table.c.scope, runs.c.mode == table.c.mode, runs.c.venue == table.c.venue
        )
        scope = or_(table.c.scope == table.c.mode + ":" + table.c.venue, known)
        for row in pages.dicts(
            select(*stored(table)).where(table.c.run_id == CONTROL, not_(scope)).limit(MOST)
        ):
            text = f"{row['scope']} is no account of mode {row['mode']} at {row['venue']}"
            findings.row("FOREIGN", table.name, row, text)


def check_limits(pages: Pages, findings: Findings, run: str | None) -> None:
    """The limits that decisions name are kept, and are those that the name stands for."""
    sets, decisions = tables.limit_sets, tables.decisions
    for row in pages.all(select(sets.c.version, sets.c.limits)):
        if hashlib.sha256(str(row.limits).encode()).hexdigest()[:LENGTH] != row.version:
            findings.add(
                "CHANGED",
                "-",
                f"limits {row.version}: their values were changed; the name is their hash",
                table="limit_sets",
            )
    missing = select(decisions.c.limits_version, func.count()).where(
        decisions.c.limits_version != "", not_(exists().where(sets.c.version == decisions.c.limits_version))
    )
    if run is not None:
        missing = missing.where(decisions.c.run_id == run)
    for version, count in pages.all(missing.group_by(decisions.c.limits_version).limit(MOST)):
        text = f"limits {version}, which {count:,} decisions went by, are not kept"
        findings.add("MISSING", "-", text, table="limit_sets")


def lost_from(pages: Pages, chain: str, chained: Iterable[Table], first: int, last: int) -> list[str]:
    """The tables that rows first..last of a chain were in, by the ids that are missing there; none where that is open.

    A server leaves ids out by itself, too: they have to be as many as the rows.
    """
    missing, found = last - first + 1, list[str]()
    for table in chained:
        own = table.c.run_id == chain
        low, high = pages.all(
            select(
                select(func.max(table.c.id)).where(own, table.c.seq < first).scalar_subquery(),
                select(func.min(table.c.id)).where(own, table.c.seq > last).scalar_subquery(),
            )
        )[0]
        if high is None:
            continue
        if low is None:
            low = pages.all(select(func.max(table.c.id)).where(table.c.id < high))[0][0]
        if low is None:
            continue
        there = pages.all(select(func.count()).where(table.c.id > low, table.c.id < high))[0][0]
        found += [table.name] * min(high - low - 1 - there, missing + 1)
    return sorted(set(found)) if len(found) == missing else []
