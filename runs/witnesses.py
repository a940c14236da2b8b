"""How do several witnesses hear the same desk, each of them whatever happens to the others?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized

    from risk.approvals import WaitEvent
    from risk.breaker import Notice, Trip
    from risk.desk import Witness

METHODS = ("approved", "refused", "event", "tripped", "noticed", "failed", "waits")
Hear = Callable[..., None]


def tee(*witnesses: Witness | None) -> Witness:
    """One witness that tells these, in this order; None is left out. A single one is answered as it is."""
    several = [witness for witness in witnesses if witness is not None]
    return several[0] if len(several) == 1 else Tee(*several)


class Tee:
    """Hands everything to several witnesses, in order.

    One that raises keeps nobody from hearing; its error is raised once all have heard (of several an ExceptionGroup).
    A witness may name in `ignores` the methods it does nothing in: they are not called.
    """

    def __init__(self, *witnesses: Witness) -> None:
        """The first one hears first."""
        self._hearing: dict[str, tuple[Hear, ...]] = {}
        for name in METHODS:
            hearing = [each for each in witnesses if name not in getattr(each, "ignores", ())]
            self._hearing[name] = tuple(getattr(each, name) for each in hearing)
            if len(hearing) == 1:  # with nobody in between it costs what it would cost without
                setattr(self, name, self._hearing[name][0])

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed and is being sent."""
        _tell(self._hearing["approved"], ts, order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """An order, or a change of one, was refused."""
        _tell(self._hearing["refused"], ts, order, reason)

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""
        _tell(self._hearing["event"], ts, event)

    def tripped(self, trip: Trip) -> None:
        """A breaker went off."""
        _tell(self._hearing["tripped"], trip)

    def noticed(self, notice: Notice) -> None:
        """Something else that a person should see."""
        _tell(self._hearing["noticed"], notice)

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        _tell(self._hearing["failed"], strategy, where, error)

    def waits(  # noqa: PLR0913 - see risk.desk.Witness
        self,
        ts: int,
        event: WaitEvent,
        orders: Sequence[OrderInitialized],
        why: str,
        until: int | None,
        price: Decimal | None,
    ) -> None:
        """Orders of one call wait for a person, or no longer do."""
        _tell(self._hearing["waits"], ts, event, orders, why, until, price)


def _tell(hearing: tuple[Hear, ...], *what: object) -> None:
    errors: list[BaseException] = []
    for hear in hearing:
        try:
            hear(*what)
        except BaseException as error:  # noqa: BLE001 - raised below, once everybody has heard
            errors.append(error)
    if not errors:
        return
    for each in errors:
        if len(errors) == 1 or not isinstance(each, Exception):  # an interrupt goes first, alone
            raise each
    raise ExceptionGroup("several witnesses failed", [each for each in errors if isinstance(each, Exception)])
