# ruff: noqa: S608 - every piece of these statements is a name written in this file
"""What do people see who open the journal with sqlite3 or psql themselves?

Stamps are readable UTC text in SQLite (so date(closed_at) works) and timestamps with zone in PostgreSQL. Amounts are
numbers, so that they sum, compare and sort as such; in SQLite that means floating point, and exact text in the tables.
"""

from __future__ import annotations

VIEWS = ("trades", "daily_pnl", "open_positions", "risk_metrics", "order_states")


def statements(dialect: str) -> dict[str, str]:
    """Name -> the statement that makes the view."""

    def amounts(names: str, row: str = "") -> str:
        return ", ".join(f"{_number(f'{row}{name}', dialect)} AS {name}" for name in names.split())

    return {
        "trades": f"""
            CREATE VIEW trades AS
            SELECT id, scope, run_id, mode, venue, strategy, instrument, side,
                   {amounts("quantity entry_price exit_price pnl pnl_pct commission slippage")}, currency,
                   {_time("opened_ns", dialect)} AS opened_at, {_time("closed_ns", dialect)} AS closed_at,
                   holding_ns / 1000000000.0 AS holding_secs, entry_order, exit_order
            FROM round_trips""",
        "daily_pnl": f"""
            CREATE VIEW daily_pnl AS
            SELECT scope, mode, venue, {_day("closed_ns", dialect)} AS day, currency, COUNT(*) AS trades,
                   SUM({_number("pnl", dialect)}) AS pnl, SUM({_number("commission", dialect)}) AS commission,
                   SUM(CASE WHEN {_number("pnl", dialect)} > 0 THEN 1 ELSE 0 END) AS wins
            FROM round_trips
            GROUP BY scope, mode, venue, {_day("closed_ns", dialect)}, currency""",
        "open_positions": f"""
            CREATE VIEW open_positions AS
            SELECT p.scope, p.run_id, p.mode, p.venue, p.strategy, p.instrument,
                   {amounts("quantity average_price", "p.")},
                   {_time("p.opened_ns", dialect)} AS opened_at, {_time("p.ts", dialect)} AS changed_at, p.source
            FROM positions p
            JOIN (SELECT MAX(id) AS id FROM positions GROUP BY scope, strategy, instrument) newest
              ON newest.id = p.id
            WHERE p.quantity <> {"0" if dialect == "postgresql" else "'0'"}""",
        "risk_metrics": f"""
            CREATE VIEW risk_metrics AS
            SELECT scope, run_id, mode, venue, {_time("ts", dialect)} AS time, currency,
                   {amounts("cash equity buying_power exposure leverage peak drawdown")}, day,
                   {amounts("day_start day_pnl")}, open_positions, working_orders, state
            FROM account_snapshots""",
        "order_states": f"""
            CREATE VIEW order_states AS
            SELECT o.scope, o.run_id, o.mode, o.venue, o.client_order_id, o.venue_order_id, o.strategy, o.instrument,
                   o.side, o.type, {amounts("quantity filled price trigger_price", "o.")}, o.tif, o.status, o.reason,
                   {_time("o.ts", dialect)} AS changed_at
            FROM orders o
            JOIN (SELECT MAX(id) AS id FROM orders GROUP BY scope, client_order_id) newest ON newest.id = o.id""",
    }


def _time(column: str, dialect: str) -> str:
    """Whole numbers up to the last step: a float would round the last instant of a day into the next one."""
    if dialect == "postgresql":
        micros = f"({column} / 1000) % 1000000"
        return f"to_timestamp({column} / 1000000000) + {micros} * INTERVAL '1 microsecond'"
    secs = f"strftime('%Y-%m-%d %H:%M:%S', {column} / 1000000000, 'unixepoch')"
    return f"{secs} || printf('.%03d', ({column} / 1000000) % 1000)"


def _day(column: str, dialect: str) -> str:
    if dialect == "postgresql":
        return f"(to_timestamp({column} / 1000000000) AT TIME ZONE 'UTC')::date"
    return f"date({column} / 1000000000, 'unixepoch')"


def _number(column: str, dialect: str) -> str:
    return column if dialect == "postgresql" else f"CAST({column} AS REAL)"
