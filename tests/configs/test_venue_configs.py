"""A venue's config: what an account costs, and where credentials are, never what they are."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.alpaca.config import AlpacaCredentials, AlpacaVenueConfig
from adapters.credentials import names_a_variable
from adapters.replay.config import ReplayVenueConfig
from configs.errors import ConfigError
from configs.load import compose
from configs.resolve import resolve

REPLAY = {"name": "replay", "config": "a:A", "factory": "a:B"}
ALPACA = {"name": "alpaca_paper", "mode": "paper", "config": "a:A", "factory": "a:B"}


def test_a_venue_that_says_nothing_else_still_has_costs() -> None:
    venue = ReplayVenueConfig.model_validate(REPLAY)
    assert venue.maker_fee == venue.taker_fee == Decimal("0.0005")
    assert (venue.account_type, venue.speed) == ("margin", 0.0)
    assert (venue.starting_cash, venue.leverage) == (Decimal(100_000), Decimal(2))


def test_amounts_are_what_the_user_wrote_to_the_last_digit() -> None:
    venue = ReplayVenueConfig.model_validate({**REPLAY, "starting_cash": 100_000.1, "taker_fee": "0.00035"})
    assert (venue.starting_cash, venue.taker_fee) == (Decimal("100000.1"), Decimal("0.00035"))


def test_a_venue_config_never_changes() -> None:
    venue = ReplayVenueConfig.model_validate(REPLAY)
    with pytest.raises(ValidationError):
        venue.speed = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("alpaca", "live"),
        ("alpaca_paper", "paper"),
        ("alpaca_sandbox", "sandbox"),
        ("alpaca_rehearsal", "rehearsal"),
    ],
)
def test_each_of_the_four_alpaca_venues_composes_and_names_clients_that_are_there(
    name: str, mode: str
) -> None:
    venue = compose("live", [f"venue={name}"]).config.venue
    assert isinstance(venue, AlpacaVenueConfig)
    assert (venue.name, venue.mode, venue.brings_market) == (name, mode, True)
    assert resolve(venue.factory, "venue.factory").__name__ == "AlpacaVenue"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1", "http://10.0.0.1:1", "http://127.0.0.1:1.evil.com", "http://localhost:1"]
)
def test_only_an_alpaca_on_this_machine_can_stand_in_for_alpaca(url: str) -> None:
    with pytest.raises(ConfigError, match="must be a local Alpaca"):
        compose("live", ["venue=alpaca_paper", f"venue.trading_url={url}"])


def test_real_money_never_goes_to_a_stand_in() -> None:
    with pytest.raises(ConfigError, match="live trades at Alpaca itself"):
        compose("live", ["venue=alpaca", "venue.trading_url=http://127.0.0.1:8771"])


@pytest.mark.parametrize("key", ["speed", "days", "seed"])
def test_what_only_a_rehearsal_has_is_no_key_of_the_others(key: str) -> None:
    assert compose("live", ["venue=alpaca_rehearsal", f"venue.{key}=5"]).config.venue.mode == "rehearsal"
    with pytest.raises(ConfigError, match=f"unknown key venue.{key}"):
        compose("live", ["venue=alpaca_paper", f"venue.{key}=5"])


def test_only_the_sandbox_whose_account_the_journal_keeps_can_be_begun_anew() -> None:
    venue = compose("live", ["venue=alpaca_sandbox"]).config.venue
    assert (venue.keeps_account, venue.kept_by_journal, venue.starts_afresh) == (True, True, False)
    assert compose("live", ["venue=alpaca_sandbox", "venue.reopen=false"]).config.venue.starts_afresh
    for other in ("replay", "alpaca_paper", "alpaca", "alpaca_rehearsal"):
        with pytest.raises(ConfigError, match=r"unknown key venue\.reopen"):
            compose("live", [f"venue={other}", "venue.reopen=false"])
    with pytest.raises(ConfigError, match=r"venue\.reopen"):
        compose("live", ["venue=alpaca_sandbox", "venue.reopen=maybe"])


def test_alpaca_names_the_variables_its_keys_are_in() -> None:
    venue = AlpacaVenueConfig.model_validate(ALPACA)
    assert (venue.feed, venue.credentials) == ("iex", AlpacaCredentials())
    assert venue.credentials.key_variable == "ALPACA_API_KEY"


@pytest.mark.parametrize("name", ["ALPACA_API_KEY", "KEY", "MY_SECOND_ACCOUNT_2_SECRET", "A1"])
def test_names_of_variables_are_taken(name: str) -> None:
    assert names_a_variable(name) == name


@given(
    st.one_of(
        st.from_regex(r"[PAC]K[A-Z0-9]{18}", fullmatch=True),  # Alpaca's key id
        st.from_regex(r"[A-Za-z0-9/+]{40}", fullmatch=True),  # Alpaca's secret
        st.from_regex(r"[0-9a-f]{32,64}", fullmatch=True),  # hexadecimal tokens
    )
)
def test_what_looks_like_a_key_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AlpacaVenueConfig.model_validate({**ALPACA, "credentials": {"key_variable": secret}})
    assert secret not in str(refused.value)
