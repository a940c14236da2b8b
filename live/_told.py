"""What does a node answer a person, and how does it read what it was asked?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from configs.closest import closest, listed
from configs.errors import ConfigError
from risk.scopes import BOOK

if TYPE_CHECKING:
    from risk.desk import RiskDesk

Args = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What was done, in one line or more, and as plain values."""

    text: str
    answer: dict[str, Any] = field(default_factory=dict)


def only(verb: str, args: Args, keys: Sequence[str]) -> None:
    """Raise ConfigError for an argument the verb does not have."""
    unknown = next((key for key in args if key not in keys), None)
    if unknown is not None:
        raise ConfigError(f"{verb} has no argument {unknown}; it takes {', '.join(keys) or 'none'}")


def text(args: Args, key: str) -> str | None:
    """A text argument; None when it is absent. Raises ConfigError for anything else."""
    value = args.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{key} must be text")
    return value or None


def needed(args: Args, key: str, example: str) -> str:
    """A text argument that has to be there. Raises ConfigError."""
    value = text(args, key)
    if value is None:
        raise ConfigError(f"{key} is missing; give it, as in {example}")
    return value


def flag(args: Args, key: str) -> bool:
    """A switch, off when it is absent. Raises ConfigError."""
    value = args.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false")
    return value


def amount(args: Args, key: str) -> Decimal | None:
    """An amount above zero, written as text; None when it is absent. Raises ConfigError."""
    written = text(args, key)
    if written is None:
        return None
    try:
        value = Decimal(written)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        raise ConfigError(f"{key}={written}: must be a number above zero")
    return value


def one_of(key: str, word: str, known: Sequence[str]) -> str:
    """The word, when it is known. Raises ConfigError with the close match."""
    if word in known:
        return word
    near = closest(word, known)
    hint = f"did you mean {near}?" if near else f"there is {listed(known) or 'none'}"
    raise ConfigError(f"{key}={word}: {hint}")


def strategy_of(desk: RiskDesk, word: str) -> str:
    """The id of a strategy by its id, or by a name that only one has in the run. Raises ConfigError."""
    named = [name for name, given in desk.names.items() if word in (name, given)]
    if len(named) > 1:
        raise ConfigError(f"strategy={word}: several go by it: {', '.join(named)}; name one")
    return named[0] if named else one_of("strategy", word, list(desk.names))


def scope_of(desk: RiskDesk, args: Args) -> str:
    """The scope that is meant; the whole book when none is given. Raises ConfigError."""
    word = text(args, "scope") or BOOK
    kind, colon, name = word.partition(":")
    if kind == "strategy" and colon:
        return f"strategy:{strategy_of(desk, name)}"
    venues = dict.fromkeys(each.venue for each in desk.book.instruments.values() if each.venue)
    return one_of(
        "scope", word, [BOOK, *(f"venue:{each}" for each in venues), *map("strategy:{}".format, desk.names)]
    )


def instrument_of(desk: RiskDesk, word: str) -> str:
    """An instrument by its id, or by its symbol alone. Raises ConfigError."""
    known = list(desk.prices.watches)
    short = [name for name in known if name.rpartition(".")[0] == word]
    return short[0] if len(short) == 1 else one_of("symbol", word, known)
