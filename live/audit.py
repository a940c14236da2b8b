"""`python -m live audit verify|explain`: is the journal as it was written, and what became of an order?"""

from __future__ import annotations

from collections.abc import Sequence

from configs.closest import closest
from configs.edge import guarded
from configs.errors import ConfigError

HELP = """python -m live audit verify [run=ID|all] [heads=FOLDER|off] [output=json]
python -m live audit explain ORDER_ID [run=ID] [output=json]

verify goes along the hash chains of the journal, works every row out again, and names each that was changed, is
missing, was added or moved. It looks whether orders, decisions, fills, positions, round trips and receipts agree.
explain tells what became of one order, from the strategy's wish to its profit: also of one that was refused.

python -m live audit verify --help and python -m live audit explain --help say more.
"""


def audit(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code; it needs no config, so a broken one cannot stand in the way."""
    return guarded(lambda: _audit(argv))


def _audit(argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("--help", "-h"):
        print(HELP, end="")  # noqa: T201 - what a person reads
        return 0
    word = argv[0]
    if word == "verify":
        from live._audit_verify import verify  # noqa: PLC0415 - each word loads only what it needs

        return verify(argv[1:])
    if word == "explain":
        from live._audit_explain import explain  # noqa: PLC0415 - as above

        return explain(argv[1:])
    near = closest(word, ("verify", "explain"))
    hint = f"did you mean {near}?" if near else "audit has verify and explain"
    raise ConfigError(f"audit {word}: {hint}; python -m live audit --help")
