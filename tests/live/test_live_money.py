"""Real money: not before it is meant, never with a limit looser than the first month's, and only by a person's word."""

from __future__ import annotations

import io
import sys
from decimal import Decimal
from typing import Any

import pytest

from adapters.account import AccountFacts
from configs.errors import ConfigError
from configs.load import compose
from configs.schema import RunConfig
from live._money import PHRASE, ask_a_person, looser_than_first_month, refuse_carelessness
from risk.changes import SETTABLE
from risk.limits import RiskConfig

REAL = ["venue=alpaca", "live.enabled=true", "risk=first_month_live"]
FACTS = AccountFacts(
    "123456789", "USD", Decimal("5000.5"), Decimal(4000), Decimal(8000), trading_blocked=False
)


def config(*overrides: str) -> RunConfig:
    return compose("live", list(overrides)).config


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as refused:
        refuse_carelessness(config(*overrides))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_it_is_off_until_the_config_says_that_it_is_meant() -> None:
    told = refusal("venue=alpaca", "risk=first_month_live")
    assert "live.enabled=false" in told
    assert "live.enabled=true risk=first_month_live" in told


def test_every_limit_has_to_be_on_whatever_allow_off_says() -> None:
    assert "risk.max_drawdown_pct=off" in refusal(*REAL, "risk.max_drawdown_pct=off", "risk.allow_off=true")
    assert "max_position_pct=0.1 (0.02)" in refusal(*REAL[:2])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("risk.max_position_pct=0.021", "max_position_pct=0.021 (0.02)"),
        ("risk.min_cash_pct=0.7", "min_cash_pct=0.7 (0.75)"),
        ("risk.min_sharpe=off", "min_sharpe=off (-0.3)"),
        ("risk.require_approval=false", "require_approval=false (true)"),
        ("risk.allow_short=true", "allow_short=true (false)"),
        ("risk.latch_daily_loss=false", "latch_daily_loss=false (true)"),
        ("risk.on_trip=cancel", "on_trip=cancel (flatten)"),
        ("risk.allow_off=true", "allow_off=true (false)"),
        ("risk.untrusted_jump_pct=off", "untrusted_jump_pct=off (0.25)"),
        ("approval.timeout_mins=31", "approval_timeout_mins=31 (30)"),
    ],
)
def test_a_limit_looser_than_the_first_months_is_named(override: str, told: str) -> None:
    assert refusal(*REAL, override).endswith(f"looser here: {told}")


def test_every_limit_of_the_preset_counts() -> None:
    preset = config(*REAL).risk
    open_wide = RiskConfig.model_validate(
        {key: None if value is None else value for key, value in RiskConfig().model_dump().items()}
    )
    looser = {line.partition("=")[0] for line in looser_than_first_month(open_wide)}
    tighter = {key for key in SETTABLE if getattr(preset, key) != getattr(open_wide, key)}
    assert tighter <= looser


@pytest.mark.parametrize(
    "override",
    [
        "risk.max_position_pct=0.01",
        "risk.max_daily_loss=50",
        "risk.on_trip=stop",
        "risk.dry_run=true",
        "bar=1m",
    ],
)
def test_what_is_tighter_may_go_on(override: str) -> None:
    refuse_carelessness(config(*REAL, override))


@pytest.mark.parametrize(
    "venue", ["replay", "local_paper", "alpaca_paper", "alpaca_sandbox", "alpaca_rehearsal"]
)
def test_other_venues_are_not_asked(venue: str) -> None:
    refuse_carelessness(config(f"venue={venue}"))
    ask_a_person(config(f"venue={venue}"), FACTS)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "goes_on"), [(PHRASE, True), ("yes", False), ("", False), (PHRASE.lower(), False)]
)
def test_a_person_reads_the_account_and_types_the_phrase(
    typed: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed + "\n"))
    if goes_on:
        ask_a_person(config(*REAL), FACTS)
    else:
        with pytest.raises(ConfigError, match="not confirmed, so nothing is started"):
            ask_a_person(config(*REAL), FACTS)
    out, said = capsys.readouterr()
    assert out == ""
    shown = dict(line.strip().split(maxsplit=1) for line in said.splitlines() if line.startswith("  "))
    assert shown["Account"] == "123456789 (live)"
    assert shown["Equity"] == "5,000.50 USD"
    assert shown["trading_blocked"] == "false"
    assert shown["max_position_pct"] == "0.02 (100.01 USD)"


def test_without_a_terminal_the_phrase_comes_from_the_config_or_nothing_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n"))
    with pytest.raises(ConfigError, match="nobody is at a terminal"):
        ask_a_person(config(*REAL), FACTS)
    with pytest.raises(ConfigError, match="not confirmed"):
        ask_a_person(config(*REAL, "live.confirm=yes"), FACTS)
    ask_a_person(config(*REAL, f"live.confirm={PHRASE}"), FACTS)
