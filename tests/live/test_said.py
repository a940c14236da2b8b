"""A secret that somebody types as a reason is in no row of the journal, whichever verb writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from journal import tables
from journal.config import JournalConfig
from journal.tables import metadata
from live._about import about
from live._flatten_verb import _Alone
from live.approve import approve
from live.flatten import flatten
from live.halt import halt
from live.limits import limits
from live.resolve import resolve
from live.resume import resume
from tests.journal.filled import arguments
from tests.live.told import Node, node_on

SECRET = "tr0ub4dor&3horse"  # noqa: S105 - nobody's
NAMED = "corr3ct&battery"
WHY = f"reason=key is {SECRET}, and {NAMED}"
YAML = "venue: {name: my_paper, mode: paper, key_variable: MY_BROKER}"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"ALPACA_API_SECRET={SECRET}\nMY_BROKER={NAMED}\n", encoding="utf-8")
    with node_on(JournalConfig(path=tmp_path / "journal.db")) as found:
        with found.engine.begin() as connection:
            connection.execute(tables.runs.update().values(config=YAML))
        yield found


def everything(node: Node) -> str:
    """All that the journal holds."""
    with node.engine.connect() as connection:
        return repr([connection.execute(select(table)).all() for table in metadata.sorted_tables])


def test_where_a_node_is_asked(node: Node) -> None:
    given = arguments(node.config)
    for verb in (halt, flatten, resume):
        verb([WHY, *given])
    approve([WHY, f"order=O-{SECRET}", *given])
    assert len(node.desk.engine.connect().execute(select(tables.commands)).all()) == 4
    assert SECRET not in everything(node)
    assert NAMED not in everything(node)


def test_where_the_verb_does_it_itself(node: Node) -> None:
    name = node.buys("UNKNOWN")
    node.ends()
    given = arguments(node.config)
    assert halt([WHY, *given]) == 0
    assert resolve([f"order={name}", "outcome=never_arrived", WHY, *given]) == 0
    assert resume([WHY, *given]) == 0
    assert limits(["set", "max_leverage=0.5", WHY, *given]) == 0
    found = everything(node)
    assert "key is ***, and ***" in found
    assert SECRET not in found
    assert NAMED not in found


def test_where_flatten_does_it_itself(node: Node) -> None:
    from tests.live.test_flatten_alone import Venue  # noqa: PLC0415 - one use

    node.ends()
    found = about({"journal.path": str(node.config.file)})
    venue = Venue(Decimal(0), {})
    done = asyncio.run(_Alone(found, venue, None, "yes", WHY, 1.0).run())
    assert done.outcome == "DONE"
    assert SECRET not in everything(node)
    assert NAMED not in everything(node)
