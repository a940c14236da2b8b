"""In which tables is the ledger of trials kept?

A file carries the number of its version (`PRAGMA user_version`). A change here takes a new VERSION and a step in
`STEPS`; a file of a newer version than this Keel knows is left alone.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table

VERSION = 2
STEPS: dict[int, tuple[str, ...]] = {
    2: (
        (
            "CREATE TABLE holdouts (id VARCHAR NOT NULL PRIMARY KEY, family VARCHAR NOT NULL, start VARCHAR NOT NULL, "
            "at VARCHAR NOT NULL, by VARCHAR NOT NULL, reason VARCHAR, seen INTEGER NOT NULL)"
        ),
        "CREATE INDEX holdouts_by_family ON holdouts (family)",
        (
            "CREATE TABLE openings (id VARCHAR NOT NULL PRIMARY KEY, holdout VARCHAR NOT NULL "
            "REFERENCES holdouts (id), "
            "at VARCHAR NOT NULL, by VARCHAR NOT NULL, reason VARCHAR NOT NULL, again INTEGER NOT NULL, "
            "until VARCHAR NOT NULL, config VARCHAR NOT NULL, code VARCHAR NOT NULL, data_version VARCHAR NOT NULL, "
            "keel VARCHAR NOT NULL, folder VARCHAR, result VARCHAR, error VARCHAR)"
        ),
        "CREATE INDEX ix_openings_holdout ON openings (holdout)",
    ),
}
"""Version -> the statements that lead from the one before to it."""

META = MetaData()

TRIALS = Table(
    "trials",
    META,
    Column("key", String, primary_key=True),  # hash of config, symbols, data version and code
    Column("family", String, nullable=False),
    Column("config", String, nullable=False),  # JSON of what decides a result, without defaults
    Column("config_hash", String, nullable=False),
    Column("code", String, nullable=False),  # hash of the strategies' own code
    Column("data_version", String, nullable=False),
    Column("days", Integer, nullable=False),
    Column("days_per_year", Integer, nullable=False),
    Column("sharpe_daily", Float),
    Column("sharpe_annual", Float),
    Column("skewness", Float),
    Column("kurtosis", Float),  # not the excess
    Column("total_return", Float),
    Column("max_drawdown", Float),
    Column("orders", Integer),
    Column("error", String),  # of a trial that never came to its end
    Index("trials_by_family", "family"),
)
RUNS = Table(
    "runs",
    META,
    Column("id", String, primary_key=True),  # a random one, so that ledgers can be merged
    Column("trial", String, ForeignKey("trials.key"), nullable=False, index=True),
    Column("at", String, nullable=False),  # ISO 8601, UTC
    Column("kind", String, nullable=False),  # run, replay, api, sweep, walk_forward ...
    Column("keel", String, nullable=False),  # version and commit
    Column("folder", String),
)
"""Each time a trial was run; all but the first are repeats."""
HOLDOUTS = Table(
    "holdouts",
    META,
    Column("id", String, primary_key=True),
    Column("family", String, nullable=False),
    Column("start", String, nullable=False),  # first day held out, ISO date in the data's zone
    Column("at", String, nullable=False),  # ISO 8601, UTC
    Column("by", String, nullable=False),  # user of the operating system
    Column("reason", String),
    Column("seen", Integer, nullable=False),  # trials of the family that may have seen those days before
    Index("holdouts_by_family", "family"),
)
"""Periods set aside; of a family the newest is in force."""
OPENINGS = Table(
    "openings",
    META,
    Column("id", String, primary_key=True),
    Column("holdout", String, ForeignKey("holdouts.id"), nullable=False, index=True),
    Column("at", String, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("again", Integer, nullable=False),  # 1: not the first, so that the hold-out is spoiled
    Column("until", String, nullable=False),  # last day that was looked at, ISO date
    Column("config", String, nullable=False),  # as in trials
    Column("code", String, nullable=False),
    Column("data_version", String, nullable=False),
    Column("keel", String, nullable=False),
    Column("folder", String),
    Column("result", String),  # JSON of the figures; none: it never came to its end
    Column("error", String),  # of one that failed, which has shown nothing
)
"""Each look at a hold-out; written before it, so that a killed one counts."""
