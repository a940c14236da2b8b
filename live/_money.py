"""What has to be true before real money is traded?

Asked in this order, each before anything leaves this machine that could cost money: the config says that it is meant,
every limit is at least as tight as the preset for the first month, the account is the one that was meant and may
trade, and a person has typed the phrase after reading what the account is. Venues of other modes are not asked.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

from configs.asked import asked_limits
from configs.edge import say
from configs.errors import ConfigError
from configs.load import compose
from live._control import confirmed
from risk.changes import SETTABLE, differences, shown

if TYPE_CHECKING:
    from adapters.account import AccountFacts
    from configs.schema import RunConfig
    from risk.limits import RiskConfig

PHRASE = "YES I UNDERSTAND"
PRESET = "first_month_live"
REAL = "live"
MOST_TOLD = 4
WIDTH = 24
WHOLE_RUN = {
    "latch_daily_loss": (True,),
    "on_trip": ("flatten", "stop"),
    "allow_off": (False,),
}
"""Keys that hold for the whole run -> what is as tight as the preset."""


def refuse_carelessness(config: RunConfig) -> None:
    """Real money only when it is meant, and behind every limit. Raises ConfigError."""
    venue = config.venue
    if venue.mode != REAL:
        return
    if not config.live.enabled:
        raise ConfigError(
            f"venue={venue.name} trades real money, and live.enabled=false; rehearse it first "
            f"(venue=alpaca_rehearsal), then paper, and if it is meant: live.enabled=true risk={PRESET}"
        )
    off = config.risk.switched_off
    if off:
        raise ConfigError(
            f"risk.{off[0]}=off: venue {venue.name} trades real money; every limit has to be on: risk={PRESET}"
        )
    looser = looser_than_first_month(asked_limits(config))
    if looser:
        more = f" and {len(looser) - MOST_TOLD} more" if len(looser) > MOST_TOLD else ""
        raise ConfigError(
            f"venue={venue.name} trades real money, with limits no looser than risk={PRESET}; looser here: "
            f"{', '.join(looser[:MOST_TOLD])}{more}"
        )


def looser_than_first_month(asked: RiskConfig) -> list[str]:
    """Each limit that allows more than the preset for the first month: `max_position_pct=0.1 (0.02)`."""
    preset = compose("live", [f"risk={PRESET}"]).config.risk
    found = [
        f"{change.key}={shown(change.after)} ({shown(change.before)})"
        for change in differences(preset, asked)
        if change.loosens
    ]
    found += [
        f"{key}={shown(value)} ({shown(getattr(preset, key))})"
        for key, tight in WHOLE_RUN.items()
        if (value := getattr(asked, key)) not in tight
    ]
    jump, most = asked.untrusted_jump_pct, preset.untrusted_jump_pct
    if most is not None and (jump is None or jump > most):
        found.append(f"untrusted_jump_pct={shown(jump)} ({shown(most)})")
    return found


def show_account(config: RunConfig, facts: AccountFacts) -> None:
    """Say on stderr what the account is and which limits it would be traded with."""
    for name, value in account_rows(config, facts):
        say(f"  {name:<{WIDTH}}{value}")


def account_rows(config: RunConfig, facts: AccountFacts) -> list[tuple[str, str]]:
    """What a person should read before money is at risk."""
    money, risk = facts.currency, asked_limits(config)
    rows = [
        ("Account", f"{facts.number} ({config.venue.mode})"),
        ("Equity", f"{facts.equity:,.2f} {money}"),
        ("Buying power", f"{facts.buying_power:,.2f} {money}"),
        ("trading_blocked", shown(facts.trading_blocked)),
    ]
    limits = [(key, getattr(risk, key)) for key in SETTABLE]
    return rows + [(key, _in_money(key, value, facts)) for key, value in limits if value not in (None, False)]


def _in_money(key: str, value: object, facts: AccountFacts) -> str:
    text = shown(value)
    if isinstance(value, Decimal) and key.startswith(("max_", "min_cash")) and key.endswith("_pct"):
        if "slippage" in key:
            return text
        return f"{text} ({facts.equity * value:,.2f} {facts.currency})"
    return text


def ask_a_person(config: RunConfig, facts: AccountFacts | None) -> None:
    """Show the account, and go on only with the phrase. Raises ConfigError; asks nobody where no money is at risk."""
    if config.venue.mode != REAL:
        return
    say(f"Real money: venue {config.venue.name}")
    if facts is not None:
        show_account(config, facts)
    given = config.live.confirm
    if given is None:
        _refuse_without_terminal(config)
    if not confirmed("Orders of this run cost real money.", given, PHRASE):
        raise ConfigError(f'not confirmed, so nothing is started; the phrase is live.confirm="{PHRASE}"')


def _refuse_without_terminal(config: RunConfig) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            f"venue={config.venue.name} trades real money and nobody is at a terminal to be asked; if it is meant: "
            f"'live.confirm=\"{PHRASE}\"'"
        )
