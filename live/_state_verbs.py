"""What does a node do when a person halts, resumes, flattens, or changes a limit?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs.errors import ConfigError
from journal.limits_version import limits_version
from live._lifting import to_lift
from live._resumed import told_of_resume
from live._told import Args, Told, only, scope_of, strategy_of, text
from risk import by_hand
from risk.changes import Changed, shown
from risk.scopes import BOOK

if TYPE_CHECKING:
    from live._limits import AccountLimits
    from risk.desk import RiskDesk


class StateVerbs:
    """halt, resume, flatten and limits, on the node's loop. Each raises ConfigError for what it refuses."""

    def __init__(self, desk: RiskDesk, limits: AccountLimits) -> None:
        """For one desk and the limits of its account."""
        self._desk = desk
        self._limits = limits

    def halt(self, args: Args, who: str, why: str) -> Told:
        """Halt, and cancel what could add exposure; protective orders and positions stay."""
        args = {} if "unreadable" in args else args  # a row that somebody spoilt: halting is what was meant
        only("halt", args, ("scope",))
        scope = scope_of(self._desk, args)
        before = self._halted(scope)
        canceled = by_hand.halt(self._desk, f"{why} ({who})", scope)
        lines = [f"{_named(scope)} is halted: {self._reason(scope)}", _cancels(canceled)]
        if before is not None:
            lines.insert(1, f"it was halted before: {before}")
        lines += self._stays()
        return Told("\n".join(lines), {"scope": scope, **self._state(scope), "canceled": list(canceled)})

    def resume(self, args: Args, who: str, why: str) -> Told:
        """Lift a halt; references are measured anew."""
        only("resume", args, ("scope",))
        if not why:
            raise ConfigError('reason: say why it is safe to trade again, as in reason="bad tick, checked"')
        lifted = to_lift(self._desk.breakers.state, text(args, "scope"))
        done = by_hand.resume(self._desk, lifted, f"{why} ({who})")
        lines = told_of_resume(self._desk.venue_name, done.before, done.after, done.left_open)
        retired = [gate.known_as for gate in self._desk.gates if gate.retired]
        if retired:
            lines.append(f"{', '.join(retired)} was stopped by on_trip=stop and runs again after a restart")
        return Told(
            "\n".join(lines),
            {
                "lifted": list(done.lifted),
                "before": done.before.as_row(),
                "after": done.after.as_row(),
                "left_open": list(done.left_open),
            },
        )

    def flatten(self, args: Args, who: str, why: str) -> Told:
        """Halt and close everything, or what one strategy holds; it goes on until that is flat."""
        only("flatten", args, ("strategy",))
        word = text(args, "strategy")
        scope = BOOK if word is None else f"strategy:{strategy_of(self._desk, word)}"
        held = [
            holding for holding in self._desk.book.held() if scope in (BOOK, f"strategy:{holding.strategy}")
        ]
        told = [
            f"{each.position.normalize():+f} {each.instrument.instrument} of {each.strategy}" for each in held
        ]
        by_hand.flatten(self._desk, f"{why} ({who})", scope)
        closes = f"closes {', '.join(told)}" if told else "nothing is held; what works is cancelled"
        return Told(
            f"{_named(scope)} is halted; {closes}", {"scope": scope, **self._state(scope), "closing": told}
        )

    def limits(self, args: Args, who: str, why: str) -> Told:
        """Change limits: a tightening at once, a loosening with the phrase and a reason."""
        only("limits", args, ("set", "unset", "confirm"))
        given, back = args.get("set", {}), args.get("unset", [])
        if not isinstance(given, dict) or not isinstance(back, list) or not (given or back):
            raise ConfigError("limits: give set={KEY: VALUE} or unset=[KEY]")
        changed = self._limits.planned(given, [str(key) for key in back], text(args, "confirm"))
        if changed.loosens and not why:
            raise ConfigError('reason: say why more risk is right, as in reason="new capital"')
        told = ", ".join(map(str, changed.changes)) or "nothing changes: these are the limits in force"
        if not changed.changes and changed.kept == self._limits.kept:
            return Told(told, {"changes": [], "limits_version": limits_version(changed.limits)})
        self._limits.take(changed, who, why)
        version = limits_version(changed.limits)
        reason = f": {why}" if why else ""
        canceled = by_hand.relimit(self._desk, changed.limits, f"{told} ({who}{reason}); limits {version}")
        lines = [told] + ([_cancels(canceled)] if canceled else [])
        if self._desk.breakers.halted:
            lines.append(f"trading is halted: {self._reason(BOOK)}")
        return Told(
            "\n".join(lines),
            {"changes": changes_row(changed), "limits_version": version, "canceled": list(canceled)},
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    def _halted(self, scope: str) -> str | None:
        state = self._desk.breakers.state
        kept = state if scope == BOOK else state.scopes.get(scope)
        return kept.reason if kept is not None and kept.halted else None

    def _reason(self, scope: str) -> str:
        return self._halted(scope) or ""

    def _state(self, scope: str) -> dict[str, Any]:
        kept = self._desk.breakers.state.of(scope)
        return {"state": str(kept.state), "breaker": kept.breaker, "reason": kept.reason}

    def _stays(self) -> list[str]:
        held = sum(1 for _ in self._desk.book.held())
        if not held or self._desk.flattener.active:
            return []
        positions = "1 position" if held == 1 else f"{held} positions"
        return [f"{positions} and protective orders stay; to close them: python -m live flatten"]


def _named(scope: str) -> str:
    return "trading" if scope == BOOK else scope


def _cancels(names: tuple[str, ...]) -> str:
    return f"cancels {len(names)}: {', '.join(names)}" if names else "no order could add exposure"


def changes_row(changed: Changed) -> list[dict[str, Any]]:
    """What moves, for JSON; off is null."""
    return [
        {"key": each.key, "before": _plain(each.before), "after": _plain(each.after), "loosens": each.loosens}
        for each in changed.changes
    ]


def _plain(value: object) -> str | None:
    return None if value is None else shown(value)
