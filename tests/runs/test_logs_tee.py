"""Several witnesses hear everything, in order, whatever one of them raises."""

from __future__ import annotations

from typing import Any

import pytest

from risk.breaker import Notice, Trip
from runs.record import Recorder
from runs.witnesses import METHODS, tee

WHAT: dict[str, tuple[Any, ...]] = {
    "approved": (1, "order"),
    "refused": (1, "order", "reason"),
    "event": (1, "event"),
    "tripped": (Trip("DRAWDOWN", "why", 1),),
    "noticed": (Notice("ALARM", "why", 1),),
    "failed": ("S-001", "on_bar", ValueError("x")),
    "waits": (1, "HELD", (), "why", None, None),
}


class Hears:
    """Writes down what it hears, and raises if told to."""

    def __init__(self, name: str, book: list[tuple[str, str]], error: BaseException | None = None) -> None:
        self.name, self.book, self.error = name, book, error

    def _hear(self, method: str) -> None:
        self.book.append((self.name, method))
        if self.error is not None:
            raise self.error

    def approved(self, *_: object) -> None:
        self._hear("approved")

    def refused(self, *_: object) -> None:
        self._hear("refused")

    def event(self, *_: object) -> None:
        self._hear("event")

    def tripped(self, *_: object) -> None:
        self._hear("tripped")

    def noticed(self, *_: object) -> None:
        self._hear("noticed")

    def failed(self, *_: object) -> None:
        self._hear("failed")

    def waits(self, *_: object) -> None:
        self._hear("waits")


class Deaf(Hears):
    """Does nothing about orders."""

    ignores = frozenset({"approved", "refused", "event"})


@pytest.mark.parametrize("method", METHODS)
def test_everybody_hears_in_order_though_one_raises(method: str) -> None:
    book: list[tuple[str, str]] = []
    error = RuntimeError("the disk is full")
    both = tee(Hears("first", book), Hears("second", book, error), Hears("third", book))
    with pytest.raises(RuntimeError) as raised:
        getattr(both, method)(*WHAT[method])
    assert raised.value is error
    assert book == [("first", method), ("second", method), ("third", method)]


def test_several_errors_are_raised_together() -> None:
    both = tee(Hears("a", [], ValueError("one")), Hears("b", [], OSError("two")))
    with pytest.raises(ExceptionGroup) as raised:
        both.event(1, "event")
    assert [str(error) for error in raised.value.exceptions] == ["one", "two"]


def test_an_interrupt_is_raised_as_itself_once_all_have_heard() -> None:
    book: list[tuple[str, str]] = []
    both = tee(Hears("a", book, ValueError("one")), Hears("b", book, KeyboardInterrupt()), Hears("c", book))
    with pytest.raises(KeyboardInterrupt):
        both.event(1, "event")
    assert [name for name, _ in book] == ["a", "b", "c"]


def test_one_witness_is_answered_as_it_is() -> None:
    recorder = Recorder()
    assert tee(recorder) is recorder
    assert tee(None, recorder, None) is recorder


def test_what_a_witness_ignores_goes_straight_to_the_other() -> None:
    book: list[tuple[str, str]] = []
    hears = Hears("hears", book)
    both = tee(hears, Deaf("deaf", book))
    assert both.event == hears.event
    both.event(1, "event")
    both.failed("S-001", "on_bar", ValueError("x"))
    assert book == [("hears", "event"), ("hears", "failed"), ("deaf", "failed")]
