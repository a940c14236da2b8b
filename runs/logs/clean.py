"""How does an exception lose the secrets in its text before anybody tells it?

It is changed in place, with those it came from: whoever prints it later, on stderr, in a traceback, in the reason of a
halt, prints it clean.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from risk.breaker import Notice, Trip
    from runs.logs.scrub import Scrubber


def clean(error: BaseException, scrubber: Scrubber) -> None:
    """Scrub an exception and its causes. Never raises: one that cannot be changed stays as it is."""
    for each in _chain(error):
        with suppress(Exception):  # a strategy's own exception may refuse anything
            _clean_one(each, scrubber)


def _clean_one(error: BaseException, scrubber: Scrubber) -> None:
    if not _is_dirty(error, scrubber):
        return
    error.args = tuple(scrubber.value(each) if isinstance(each, _TEXTS) else each for each in error.args)
    if isinstance(error, OSError):
        for name in ("strerror", "filename", "filename2"):
            if getattr(error, name) is not None:  # setting one that is not there would change the text
                setattr(error, name, scrubber.value(getattr(error, name)))
    elif isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        error.reason = scrubber.text(error.reason)
    for name, value in list(vars(error).items()):
        if isinstance(value, _TEXTS):
            setattr(error, name, scrubber.value(value, "" if name == "__notes__" else name))
    said = scrubber.text(str(error))
    if said != str(error):  # its own __str__ has the secret from elsewhere
        kind = type(error)
        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        error.__class__ = type(kind.__name__, (kind,), {**names, "__str__": lambda _: said, "__slots__": ()})


_TEXTS = (str, bytes, list, tuple, dict)


def _is_dirty(error: BaseException, scrubber: Scrubber) -> bool:
    said = " ".join([str(error), repr(error), *map(str, getattr(error, "__notes__", ()))])
    return scrubber.text(said) != said or any(isinstance(each, dict) for each in error.args)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


class Cleaner:
    """A witness that cleans what a strategy raised, for those who hear it next. It is to hear first."""

    ignores = frozenset({"approved", "refused", "event", "tripped", "noticed", "waits"})

    def __init__(self, scrubber: Scrubber) -> None:
        """With the run's own scrubber."""
        self._scrubber = scrubber

    def failed(self, _strategy: str, _where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        clean(error, self._scrubber)

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """Nothing to clean."""

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """Nothing to clean."""

    def event(self, ts: int, event: Any) -> None:
        """Nothing to clean."""

    def tripped(self, trip: Trip) -> None:
        """Nothing to clean."""

    def noticed(self, notice: Notice) -> None:
        """Nothing to clean."""

    def waits(self, *_: object) -> None:
        """Nothing to clean."""
