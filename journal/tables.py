"""Which tables does the journal have, and what is in their columns?

Every row names its run, its `scope`, its mode and its venue. The scope is what an account's rows have in common:
`paper:NAME`, `live:NAME` or `sandbox:NAME` for an account that outlives its runs, the run itself for a replay.
`ts` is market time and `at` the clock on the wall, both UTC nanoseconds. Amounts are exact: text in SQLite, NUMERIC in
PostgreSQL, Decimal in Python. Rows of the tables in CHAINED carry `seq`, `prev` and `hash` (journal/chain.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata = MetaData()
ZERO = Decimal(0)


class Amount(TypeDecorator[Decimal]):
    """An exact number: the text of a Decimal in SQLite, NUMERIC without bounds in PostgreSQL."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database calls it."""
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """To the database. Raises TypeError for anything but a Decimal: no float reaches a ledger."""
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is no Decimal; amounts in the journal are exact")
        return value if dialect.name == "postgresql" else plain(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - the interface
        """From the database."""
        return None if value is None else Decimal(value)


def plain(value: Decimal) -> str:
    """The shortest text of an exact number without an exponent: 100, 0.05, never 1E+2 or -0."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only what it calls INTEGER


def _stamps() -> list[Column[Any]]:
    return [
        Column("id", BigId, primary_key=True, autoincrement=True),
        Column("run_id", String, nullable=False),
        Column("scope", String, nullable=False),
        Column("mode", String, nullable=False),
        Column("venue", String, nullable=False),
        Column("ts", BigInteger, nullable=False),
        Column("at", BigInteger, nullable=False),
    ]


def _links() -> list[Column[Any]]:
    return [
        Column("seq", BigInteger, nullable=False),
        Column("prev", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    ]


def _chained(
    name: str, *columns: Column[Any], keys: tuple[str, ...] = (), newest: tuple[str, ...] = ()
) -> Table:
    return Table(
        name, metadata, *_stamps(), *columns, *_links(),
        UniqueConstraint("run_id", "seq", name=f"uq_{name}_link"),
        *_indexes(name, keys, newest),
    )  # fmt: skip


def _plain(
    name: str, *columns: Column[Any], keys: tuple[str, ...] = (), newest: tuple[str, ...] = ()
) -> Table:
    return Table(name, metadata, *_stamps(), *columns, *_indexes(name, keys, newest))


def _indexes(name: str, keys: tuple[str, ...], newest: tuple[str, ...]) -> list[Index]:
    """newest: what the newest row is asked for of, within a scope, without reading all that came before it."""
    scope = (
        Index(f"ix_{name}_newest", "scope", *newest, "id") if newest else Index(f"ix_{name}_scope", "scope")
    )
    return [scope, *(Index(f"ix_{name}_{key}", key) for key in keys)]


runs = Table(
    "runs", metadata,
    Column("run_id", String, primary_key=True),
    Column("scope", String, nullable=False, index=True),
    Column("mode", String, nullable=False),
    Column("venue", String, nullable=False),
    Column("account", String),  # the broker's own number of it, where it tells one
    Column("currency", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_why", Text),
    Column("folder", Text),
    Column("config", Text, nullable=False),  # the whole composed YAML; no config ever holds a secret
    Column("limits_version", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("data_version", String, nullable=False),
    Column("pid", Integer),
    Column("starting_equity", Amount()),
    Column("strategies", Text, nullable=False),  # JSON: the ids of its strategies, in order
)  # fmt: skip
"""One row a run of a live node; `config` is what `flatten` connects with when no node runs."""

decisions = _chained(
    "decisions",
    Column("client_order_id", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("side", String, nullable=False),
    Column("quantity", Amount(), nullable=False),
    Column("verdict", String, nullable=False),  # PASS | REFUSE | HOLD
    Column("code", String),  # the first word of a refusal: MAX_LEVERAGE, NO_PRICE ...
    Column("reason", Text),
    Column("reduces", Boolean, nullable=False),
    Column("price", Amount()),  # the newest price when it was decided, which slippage is measured against
    Column("limits_version", String, nullable=False),
    Column("numbers", Text, nullable=False),  # JSON: what the limits were compared with, amounts as text
    keys=("client_order_id",),
)
"""Each verdict of the gate."""

orders = _chained(
    "orders",
    Column("client_order_id", String, nullable=False),
    Column("venue_order_id", String),
    Column("event", String, nullable=False),  # INTENT SENDING SUBMITTED ACCEPTED UPDATED ... UNKNOWN RESOLVED
    Column(
        "status", String, nullable=False
    ),  # after it: INTENDED SENDING ... FILLED CANCELED NOT_SENT UNKNOWN
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("side", String, nullable=False),
    Column("type", String, nullable=False),
    Column("quantity", Amount(), nullable=False),
    Column("price", Amount()),
    Column("trigger_price", Amount()),
    Column("tif", String, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("filled", Amount(), nullable=False),
    Column("reason", Text),
    Column("limits_version", String),
    Column("source", String, nullable=False),  # gate | engine | client | reconciled | operator
    keys=("client_order_id",),
    newest=("client_order_id",),
)
"""Every state change of an order, with the order as it was after it. INTENT: it passed and is about to be handed on."""

fills = _chained(
    "fills",
    Column("trade_id", String, nullable=False),
    Column("client_order_id", String, nullable=False),
    Column("venue_order_id", String),
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("side", String, nullable=False),
    Column("quantity", Amount(), nullable=False),
    Column("price", Amount(), nullable=False),
    Column("commission", Amount(), nullable=False),
    Column("currency", String, nullable=False),  # of the commission
    Column("liquidity", String, nullable=False),
    Column("decision_price", Amount()),
    Column(
        "slippage", Amount()
    ),  # cost against the decision price, in the price's currency; below 0 is a gain
    Column("source", String, nullable=False),  # engine | reconciled | operator
    keys=("client_order_id", "trade_id"),
)

round_trips = _plain(
    "round_trips",
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("side", String, nullable=False),  # LONG | SHORT
    Column("quantity", Amount(), nullable=False),  # units entered, in all
    Column("entry_price", Amount(), nullable=False),
    Column("exit_price", Amount(), nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger, nullable=False),
    Column("holding_ns", BigInteger, nullable=False),
    Column("pnl", Amount(), nullable=False),  # in the account's currency, after commission
    Column("pnl_pct", Amount(), nullable=False),  # a fraction of the value entered
    Column("commission", Amount(), nullable=False),
    Column("slippage", Amount()),
    Column("currency", String, nullable=False),
    Column("entry_order", String, nullable=False),
    Column("exit_order", String, nullable=False),
    keys=("closed_ns",),
)
"""Round trips, from flat until flat again; people read the view `trades`."""

positions = _plain(
    "positions",
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("quantity", Amount(), nullable=False),  # signed; 0 is flat
    Column("average_price", Amount()),
    Column("opened_ns", BigInteger),
    Column("trip", Text),  # JSON: the round trip so far, which a restart carries on
    Column("source", String, nullable=False),  # engine | adopted | reconciled | operator
    keys=("instrument",),
    newest=("strategy", "instrument"),
)
"""A row after each change of a position; the newest one counts."""

account_snapshots = _plain(
    "account_snapshots",
    Column("currency", String, nullable=False),
    Column("cash", Amount(), nullable=False),
    Column("equity", Amount()),  # null: some price or rate was missing
    Column("buying_power", Amount()),
    Column("exposure", Amount()),  # gross
    Column("leverage", Amount()),
    Column("peak", Amount()),
    Column("drawdown", Amount()),  # a fraction of the peak, 0 or above
    Column("day", String),  # the session day, YYYY-MM-DD
    Column("day_start", Amount()),
    Column("day_pnl", Amount()),
    Column("open_positions", Integer, nullable=False),
    Column("working_orders", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("why", String, nullable=False),  # start | time | trip | stop | day
    keys=("ts",),
)

risk_events = _chained(
    "risk_events",
    Column("kind", String, nullable=False),  # TRIP, a notice's kind, RESUMED, RECONCILED, REOPENED ...
    Column("breaker", String),
    Column("risk_scope", String, nullable=False),  # book | strategy:... | venue:...
    Column("reason", Text, nullable=False),
    Column("equity", Amount()),
    Column("reference", Amount()),
)

commands = Table(
    "commands", metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("command_id", String, nullable=False, unique=True),
    Column("scope", String, nullable=False, index=True),
    Column("mode", String, nullable=False),
    Column("venue", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("verb", String, nullable=False),
    Column("args", Text, nullable=False),  # JSON, plain values
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("run_id", String, nullable=False),  # the chain it is in: always "control"
    *_links(),
    UniqueConstraint("run_id", "seq", name="uq_commands_link"),
)  # fmt: skip
"""What people asked for. Any verb writes here, so these rows have a chain of their own, `control`."""

receipts = _chained(
    "receipts",
    Column("command_id", String, nullable=False),
    Column("outcome", String, nullable=False),  # DONE | REFUSED | FAILED
    Column("text", Text, nullable=False),
    Column("answer", Text, nullable=False),  # JSON
    Column("by", String, nullable=False),  # node | verb
    keys=("command_id",),
)

approvals = _chained(
    "approvals",
    Column("event", String, nullable=False),  # HELD APPROVED REJECTED EXPIRED MOVED WITHDRAWN
    Column("client_order_id", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("instrument", String, nullable=False),
    Column("side", String, nullable=False),
    Column("quantity", Amount(), nullable=False),
    Column("price", Amount()),
    Column("until_ns", BigInteger),
    Column("reason", Text),
    keys=("client_order_id",),
)

alerts = _plain(
    "alerts",
    Column("level", String, nullable=False),  # info | warning | critical
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
)

risk_states = Table(
    "risk_states", metadata,
    Column("scope", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # JSON of risk.state.RiskState.as_row
)  # fmt: skip
"""What the breakers remember of an account: one row, always the newest."""

node_status = Table(
    "node_status", metadata,
    Column("scope", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # JSON; see live/_status.py
)  # fmt: skip
"""How a node is, as it says itself once a second."""

limit_sets = Table(
    "limit_sets", metadata,
    Column("version", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("limits", Text, nullable=False),  # JSON of the limits as they apply
)  # fmt: skip
"""The limits that a `limits_version` stands for."""

limit_overrides = Table(
    "limit_overrides", metadata,
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
)  # fmt: skip
"""Limits that a person set on an account with `limits set`; they outlive a restart."""

heads = Table(
    "heads", metadata,
    Column("chain", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("batch", BigInteger, nullable=False),  # transactions so far: tells whether a doubtful one arrived
    Column("at", BigInteger, nullable=False),
)  # fmt: skip
"""The newest link of every chain."""

CHAINED: dict[str, Table] = {
    table.name: table for table in (decisions, orders, fills, risk_events, receipts, approvals)
}
CONTROL = "control"
