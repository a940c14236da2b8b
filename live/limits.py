"""`python -m live limits`: the limits in force, and changes of them that outlive a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from configs.edge import guarded
from configs.errors import ConfigError
from configs.units import UNITS
from journal import tables
from journal.database import told
from journal.limits_version import limits_version
from live._about import ABOUT_HELP, ABOUT_KEYS
from live._control import (
    Done,
    arguments,
    ask,
    concluded,
    confirmed,
    one_meant,
    record,
    risk_event,
    taken,
    who,
)
from live._last_config import own_limits
from live._limits import PHRASE, AccountLimits, stored_in
from live._said import said
from live._state_verbs import changes_row
from risk.changes import Changed, shown
from risk.limits import RiskConfig
from risk.lines import Override

if TYPE_CHECKING:
    from live._about import About

WORDS = ("set", "unset")
OWN_KEYS = ("reason", "confirm")
HELP = f"""python -m live limits [set KEY=VALUE ... | unset KEY ...] [reason="why"] ...

Without more it shows the limits in force, and marks those that a person set. `set` makes limits tighter than the
config's, at once in a running node, and for good: it outlives a restart. Working orders that the new limits would not
allow are cancelled. `unset` takes it back to what the config says. What allows more than now asks for a typed phrase
and a reason, and never goes beyond the config: for that, change the config and start again.

  confirm="{PHRASE}"   the phrase, where nobody is at a terminal to type it
{ABOUT_HELP}
Example: python -m live limits set max_leverage=0.5 max_daily_loss_pct=0.01 reason="earnings week"
"""


def limits(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _limits(argv))


def _limits(argv: Sequence[str]) -> int:
    word = argv[0] if argv and argv[0] in WORDS else None
    rest = list(argv[1:] if word else argv)
    back: list[str] = []
    if word == "unset":
        back = [each for each in rest if "=" not in each and not each.startswith("-") and each != "help"]
        rest = [each for each in rest if each not in back]
    words = [each.partition("=")[0] for each in rest if "=" in each]
    keys = [each for each in words if each not in (*OWN_KEYS, *ABOUT_KEYS)] if word == "set" else []
    given = arguments("limits", rest, (*OWN_KEYS, *keys), HELP)
    if given is None:
        return 0
    found = one_meant(given)
    if word is None:
        return _show(found, given)
    changes = {key: given[key] for key in keys}
    if not (changes or back):
        example = "set max_leverage=0.5" if word == "set" else "unset max_leverage"
        raise ConfigError(f"limits {word}: which limit? as in python -m live limits {example}")
    return _change(found, given, changes, back)


def _change(found: About, given: Mapping[str, str], changes: Mapping[str, str], back: Sequence[str]) -> int:
    reason = said(found, given.get("reason", "").strip())
    with taken(found) as hold:
        account = AccountLimits(
            own_limits(found),
            found.reader.limit_overrides(found.scope),
            stored_in(found.reader.engine, found.scope),
        )
        changed = account.planned(changes, back, PHRASE)  # what is wrong is told before anybody is asked
        confirm = _confirmed(changed, given.get("confirm"), reason)
        args: dict[str, Any] = {"set": dict(changes), "unset": list(back)}
        if confirm is not None:
            args["confirm"] = confirm
        if hold is None:
            return concluded(given, ask(found, "limits", args, reason))
        text = ", ".join(map(str, changed.changes)) or "nothing changes: these are the limits in force"
        version = limits_version(changed.limits)
        answer = {"changes": changes_row(changed), "limits_version": version, "canceled": []}
        done = Done(
            "limits", "DONE", f"{text}; no node runs: they hold from the next start", answer, by="verb"
        )
        with told(found.reader.config):
            account.take(changed, who(), reason)
        why = f": {reason}" if reason else ""
        event = risk_event(
            found, "LIMITS", f"{text} ({who()}{why}); limits {version}", breaker=None, scope="book"
        )
        record(found, done, args, reason, [(tables.risk_events, event)])
        return concluded(given, done)


def _confirmed(changed: Changed, given: str | None, reason: str) -> str | None:
    """The phrase, when a change allows more than now. Raises ConfigError when it is not given."""
    if not changed.loosens:
        return given
    if not reason:
        raise ConfigError('reason: say why more risk is right, as in reason="new capital"')
    question = f"this allows more than now: {', '.join(map(str, changed.loosens))}"
    if not confirmed(question, given, PHRASE):
        raise ConfigError(f'not confirmed: nothing changed; the phrase is confirm="{PHRASE}"')
    return PHRASE


# -- showing --------------------------------------------------------------------------------------------------------


def _show(found: About, given: Mapping[str, str]) -> int:
    own = own_limits(found)
    kept = found.reader.limit_overrides(found.scope)
    in_force = AccountLimits(own, kept, stored_in(found.reader.engine, found.scope)).in_force
    rows = tables.limit_overrides
    with told(found.reader.config), found.reader.engine.connect() as connection:
        people = {
            row.key: row for row in connection.execute(rows.select().where(rows.c.scope == found.scope))
        }
    lines = [_line(line) for line in own.overrides]
    if given.get("output") == "json":
        shown_ = {
            "venue": found.account.venue,
            "mode": found.account.mode,
            "limits_version": limits_version(in_force),
            "limits": {
                key: _row(key, own, in_force, people.get(key), found.run["currency"]) for key in _keys()
            },
            "overrides": lines,
        }
        print(json.dumps(shown_))  # noqa: T201 - what a script asked for
        return 0
    print("\n".join(_told(found, own, in_force, people, lines)))  # noqa: T201 - what a person asked for
    return 0


def _keys() -> list[str]:
    return [key for key in RiskConfig.model_fields if key != "overrides"]


def _line(line: Override) -> str:
    kind, name = line.target
    return f"{kind} {name}: " + ", ".join(f"{key}={shown(value)}" for key, value in line.keys.items())


def _plain(key: str, value: Any) -> Any:
    """For JSON: money is text, ratios and times are numbers, off is null."""
    if isinstance(value, Decimal):
        return shown(value) if UNITS[key] == "{currency}" else float(value)
    return list(value) if isinstance(value, tuple) else value


def _row(key: str, own: RiskConfig, in_force: RiskConfig, person: Any, currency: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "value": _plain(key, getattr(in_force, key)),
        "unit": UNITS[key].format(currency=currency),
        "config": _plain(key, getattr(own, key)),
        "set_by": None,
    }
    if person is not None:
        row["set_by"] = {"who": person.who, "why": person.why, "at": _when(person.at)}
    return row


def _told(
    found: About, own: RiskConfig, in_force: RiskConfig, people: Mapping[str, Any], lines: Sequence[str]
) -> list[str]:
    currency = found.run["currency"]
    texts = {key: _value(key, getattr(in_force, key), currency) for key in _keys()}
    wide, high = max(map(len, texts)), max(map(len, texts.values()))
    said = [
        f"Limits in force  {found.account.mode} {found.account.venue}, limits {limits_version(in_force)}",
        "",
    ]
    for key, text in texts.items():
        person = people.get(key)
        by = "" if person is None else f"  {_by(person)} (config: {shown(getattr(own, key))})"
        said.append(f"{key:<{wide}}  {text:<{high}}{by}".rstrip())
    if lines:
        said += ["", "Tighter for some (risk.overrides of the config):", *lines]
    return said


def _value(key: str, value: Any, currency: str) -> str:
    return "off" if value is None else f"{shown(value)} {UNITS[key].format(currency=currency)}".strip()


def _by(person: Any) -> str:
    why = f": {person.why}" if person.why else ""
    return f"set by {person.who} {_when(person.at)}{why}"


def _when(nanos: int) -> str:
    return datetime.fromtimestamp(nanos // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")
