"""A close is done once nothing is held and nothing can fill any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal
from live._about import About, about
from live._control import Done
from live._following import Left, until_flat
from live.flatten import told_flat
from tests.journal.filled import Desk

NOW = time.time_ns()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    config = JournalConfig(path=tmp_path / "journal.db")
    engine = open_journal(config, create=True)
    with Desk(engine, config, "paper-1", "paper:mine", "paper", "mine", NOW) as made:
        made.writer.start()
        yield made
    engine.dispose()


def found(desk: Desk) -> About:
    desk.writer.commit()
    return about({"journal.path": str(desk.config.file)})


def left(desk: Desk, secs: float, strategy: str | None = None) -> Left:
    def wanted(row: Any) -> bool:
        return strategy is None or bool(row["strategy"] == strategy)

    return until_flat(found(desk), wanted, NOW, secs)


def test_an_entry_that_still_works_is_not_flat(desk: Desk) -> None:
    name = desk.order(NOW + 1, "AAPL.XNAS", "BUY", "100", "100", status="ACCEPTED")
    seen = left(desk, 0.3)
    assert (seen.held, seen.working) == ([], [f"BUY 100 AAPL.XNAS of EmaCross-001 ({name}, ACCEPTED)"])
    done = told_flat(Done("flatten", "DONE", "trading is halted"), seen, 0.3)
    assert (done.outcome, done.answer["flat"], done.answer["working"]) == ("FAILED", False, seen.working)
    assert f"after 0.3 s still working: BUY 100 AAPL.XNAS of EmaCross-001 ({name}, ACCEPTED)" in done.text


def test_of_one_strategy_only_its_own_orders_count(desk: Desk) -> None:
    desk.order(NOW + 1, "AAPL.XNAS", "BUY", "100", "100", status="ACCEPTED")
    assert left(desk, 0.3, "BollingerReversion-002").text == ""


def test_it_ends_as_soon_as_the_cancel_is_on_record(desk: Desk) -> None:
    name = desk.order(NOW + 1, "AAPL.XNAS", "BUY", "100", "100", status="ACCEPTED")
    desk.writer.commit()
    with desk.engine.connect() as connection:
        row = dict(
            connection.execute(select(tables.orders).where(tables.orders.c.client_order_id == name))
            .mappings()
            .all()[-1]
        )
    ended = {key: value for key, value in row.items() if key not in ("id", "at", "seq", "prev", "hash")}
    ended |= {"event": "CANCELED", "status": "CANCELED"}
    later = threading.Timer(0.5, lambda: desk.writer.add(tables.orders, ended))
    began = time.monotonic()
    later.start()
    assert left(desk, 240.0).text == ""
    assert 0.4 < time.monotonic() - began < 120
    later.join()
