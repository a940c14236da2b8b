"""Is the journal that a report was made from as it was written?"""

from __future__ import annotations

from dataclasses import dataclass

from journal.database import told
from journal.verify import Verifier
from live._whose import Whose

MOST_ROWS = 100_000
"""Rows that are looked at before a report is made: some seconds. `audit verify` looks at more."""


@dataclass(frozen=True, slots=True)
class Health:
    """sound: every row is as it was written and none is gone; None: nobody looked."""

    sound: bool | None
    told: str


def health_of(whose: Whose) -> Health:
    """Go along the journal's chains, of every run and account in it. Raises JournalError where it cannot be read."""
    reader = whose.about.reader
    with told(reader.config):
        verifier = Verifier(reader.engine, reader.config.heads_folder)
        rows = verifier.expected(None)
        if rows > MOST_ROWS:
            return Health(None, f"not checked: {rows:,} rows take a while; python -m live audit verify")
        found = verifier.verify()
    if found.is_clean:
        return Health(
            sound=True, told=f"sound: {found.rows:,} rows in {len(found.chains):,} chains are as written"
        )
    first = found.findings.kept[0]
    rest = f" (and {found.findings.total - 1:,} more)" if found.findings.total > 1 else ""
    return Health(
        sound=False, told=f"{first.kind}: {first.where}{rest}; python -m live audit verify tells more"
    )
