"""What does a node do with a person's commands, and what does it answer?

Verbs write commands into the journal, the writer's thread reads them, and `Commands.turn` does them on the node's loop,
where the engine may be called. Only plain values cross from thread to thread. A command that goes wrong is answered
FAILED, in one line; it never ends the node.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from configs.edge import one_line, say
from configs.errors import ConfigError
from journal.control import Command, Mailbox, Receipt
from live._order_verbs import OrderVerbs, Resolver
from live._state_verbs import StateVerbs
from live._told import Told
from risk import by_hand

if TYPE_CHECKING:
    from live._limits import AccountLimits
    from risk.desk import RiskDesk

DONE, REFUSED, FAILED = "DONE", "REFUSED", "FAILED"
BY_SIGNAL = "a person, by signal: the journal could not be written"
Verb = Callable[[dict[str, Any], str, str], Told]


def _nobody() -> None:
    pass


class Commands:
    """Does what people ask of one node, in the order they asked, each once."""

    def __init__(  # noqa: PLR0913 - what it acts with, handed in
        self,
        desk: RiskDesk,
        mailbox: Mailbox,
        answer: Callable[[Receipt], None],
        *,
        limits: AccountLimits,
        resolver: Resolver | None = None,
        heard: Callable[[], None] = _nobody,
    ) -> None:
        """`answer` puts a receipt on record; `heard` shows, without the journal, that a signal was obeyed."""
        self._desk = desk
        self._mailbox = mailbox
        self._answer = answer
        self._heard = heard
        self._signalled = False
        self._later: list[Command] = []
        state, orders = StateVerbs(desk, limits), OrderVerbs(desk, resolver)
        self._verbs: dict[str, Verb] = {
            "halt": state.halt,
            "resume": state.resume,
            "flatten": state.flatten,
            "limits": state.limits,
            "close": orders.close,
            "cancel": orders.cancel,
            "approve": orders.approve,
            "reject": orders.reject,
            "resolve": orders.resolve,
        }

    def signalled(self) -> None:
        """SIGUSR1 came: halt at the next turn. May be called in a signal's handler."""
        self._signalled = True

    def turn(self) -> None:
        """Do what was asked since the last turn. To be called on the node's loop, about every 20 ms."""
        if self._signalled:
            self._signalled = False
            self._halt_by_signal()
        later, self._later = self._later, []
        for command in (*later, *self._mailbox.take()):
            self._answer(self._done(command))

    def before_trading(self) -> None:
        """Halt if that was asked while the node was starting; what else was asked waits for the first turn."""
        for command in self._mailbox.take():
            if command.verb == "halt":
                self._answer(self._done(command))
            else:
                self._later.append(command)

    def close(self, why: str) -> None:
        """The node ends: what was not done is refused."""
        for command in (*self._later, *self._mailbox.take()):
            self._answer(Receipt(command.command_id, REFUSED, f"the node ends ({why}) and did nothing", {}))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _halt_by_signal(self) -> None:
        try:
            if not self._desk.breakers.halted:
                by_hand.halt(self._desk, BY_SIGNAL)
            self._desk.settle()
            self._heard()
        except Exception:  # noqa: BLE001 - the node goes on; whoever signalled sees that nothing was shown
            say(traceback.format_exc())

    def _done(self, command: Command) -> Receipt:
        verb = self._verbs.get(command.verb)
        if verb is None:
            return Receipt(command.command_id, REFUSED, f"this node knows no command {command.verb!r}", {})
        try:
            self._desk.settle()
            told = verb(command.args, command.who, command.why)
            self._desk.settle()
            self._desk.tell()
        except ConfigError as error:
            return Receipt(command.command_id, REFUSED, one_line(error), {})
        except Exception as error:  # noqa: BLE001 - the person is told, and the node goes on
            say(traceback.format_exc())
            said = f"{command.verb} failed: {type(error).__name__}: {one_line(error)}"
            return Receipt(command.command_id, FAILED, said, {})
        return Receipt(command.command_id, DONE, told.text, told.answer)
