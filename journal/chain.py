"""How does each row hold on to the one before it, so that no edit goes unseen?

hash = SHA-256 of the row before's hash, the table's name and the row's own values as canonical JSON; the first link
holds on to GENESIS. Nothing here proves who wrote a row: whoever can rewrite the whole chain and the file of its
head as well can forge it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from journal.tables import plain

GENESIS = "0" * 64
NOT_HASHED = frozenset({"id", "hash"})
_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: the number of its row (from 1; 0 is before the first), and that row's hash."""

    seq: int = 0
    hash: str = GENESIS


def canonical(values: Mapping[str, Any]) -> str:
    """The values of a row as text that is the same whichever database they come from."""
    return _written(
        {key: _text(value) for key, value in values.items() if key not in NOT_HASHED and value is not None}
    )


def link(after: Link, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its place in the chain: `seq`, `prev` and `hash` added."""
    row = {**values, "seq": after.seq + 1, "prev": after.hash}
    return {**row, "hash": digest(table, row)}


def digest(table: str, row: Mapping[str, Any]) -> str:
    """The hash that a row has to have, from its own values and its `prev`."""
    text = f"{row['prev']}\n{table}\n{canonical(row)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value
