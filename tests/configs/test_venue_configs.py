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


def test_alpaca_composes_today_and_says_in_one_line_that_its_adapter_is_to_come(mine: list[str]) -> None:
    config = compose("live", [*mine[1:], "venue=alpaca_paper"], mine[0].partition("=")[2]).config
    venue = config.venue
    if venue.absent is None:
        pytest.skip("the Alpaca adapter has come")
    with pytest.raises(ConfigError) as refused:
        resolve(venue.factory, "venue.factory", absent=venue.absent)
    assert str(refused.value).startswith(
        "venue=alpaca_paper: the Alpaca adapter is not in this version of Keel"
    )
    assert "use venue=replay" in str(refused.value)


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
