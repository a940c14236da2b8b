"""What do the limits become when a person changes some of them while a node trades?

A person's change can only be tighter than the config, so a value that is not is refused, and one equal to the config's
own takes the change back. Compared with the limits in force a change is a tightening or a loosening.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from risk.limits import RiskConfig
from risk.lines import KINDS, Override
from risk.overrides import tightest

SETTABLE = tuple(key for key in Override.model_fields if key not in KINDS)
"""The keys of RiskConfig that can change while a node trades; the others hold for the whole run."""
ACCOUNT = "account"


class ChangeError(ValueError):
    """A change that is not allowed; `str()` is one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One limit that a change moves: its value before and after, and whether that allows more than before."""

    key: str
    before: Any
    after: Any
    loosens: bool

    def __str__(self) -> str:
        """Tell it to a person."""
        return f"{self.key} {shown(self.before)} -> {shown(self.after)}"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a person's changes make of the limits.

    kept: key -> value of every change that is in force from then on, JSON values. changes: what moves.
    """

    limits: RiskConfig
    kept: dict[str, Any]
    changes: tuple[Change, ...]

    @property
    def loosens(self) -> tuple[Change, ...]:
        """The changes that allow more than before."""
        return tuple(change for change in self.changes if change.loosens)


def with_changes(own: RiskConfig, kept: Mapping[str, Any]) -> RiskConfig:
    """The config's own limits with a person's changes; where a config is tighter by now, it holds.

    Raises ChangeError for what is kept and cannot be understood.
    """
    if not kept:
        return own
    try:
        line = Override.model_validate({"venue": ACCOUNT, **kept})
        return own.model_copy(
            update={key: tightest(key, getattr(own, key), value) for key, value in line.keys.items()}
        )
    except ValueError as error:
        keys = ", ".join(kept)
        raise ChangeError(
            f"the limits that a person set on this account ({keys}) do not fit this config: "
            f"{' '.join(str(error).split())}; take them back with limits unset"
        ) from error


def change(
    own: RiskConfig, kept: Mapping[str, Any], given: Mapping[str, Any], back: Iterable[str]
) -> Changed:
    """What setting the limits `given` and taking back those of `back` makes of the limits in force.

    own: the config's; kept: the changes before. Raises pydantic.ValidationError for a value that is none, ChangeError
    for one that is looser than the config's, or cannot change while a node trades.
    """
    before = with_changes(own, kept)
    taken_back = set(back)
    for key in (*given, *taken_back):
        if key not in SETTABLE:
            raise ChangeError(f"{key} holds for the whole run: set risk.{key} and start again")
    for key in taken_back:
        if key not in kept:
            raise ChangeError(f"{key} is the config's own, nobody set it: there is nothing to take back")
    read = RiskConfig.model_validate({**dict(before), **given})
    after = {key: value for key, value in kept.items() if key not in taken_back and key not in given}
    plain = read.model_dump(mode="json")
    for key in given:
        value, configured = getattr(read, key), getattr(own, key)
        if value == configured:
            continue
        if not _is_tighter(key, configured, value):
            raise ChangeError(
                f"{key}={shown(value)}: the config itself says {shown(configured)}, and a person can only set what is "
                f"tighter; for this set risk.{key}={shown(value)} and start again"
            )
        after[key] = plain[key]
    limits = with_changes(own, after)
    return Changed(limits, after, differences(before, limits))


def differences(before: RiskConfig, after: RiskConfig) -> tuple[Change, ...]:
    """The limits that are not the same."""
    pairs = ((key, getattr(before, key), getattr(after, key)) for key in SETTABLE)
    return tuple(
        Change(key, old, new, not _is_tighter(key, old, new)) for key, old, new in pairs if old != new
    )


def _is_tighter(key: str, before: Any, after: Any) -> bool:
    """Whether everything the new value allows was allowed before."""
    try:
        return bool(tightest(key, before, after) == after)
    except ValueError:  # two different calendars: neither is the tighter one
        return False


def shown(value: Any) -> str:
    """A limit's value as a person writes it."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{','.join(value)}]"
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)
