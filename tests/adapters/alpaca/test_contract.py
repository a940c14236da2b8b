"""Every case of the contract suite, run at the local Alpaca."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters import contract, contract_data, contract_restarts
from tests.adapters.alpaca.contract_site import STRANGERS, AlpacaSite
from tests.adapters.contract_table import SUITE

assert SUITE  # the cases are known once these are imported


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlpacaSite]:
    one = AlpacaSite(tmp_path_factory.mktemp("alpaca"))
    try:
        yield one
    finally:
        one.kill()


@pytest.mark.parametrize("number", contract.numbers_of("TC-E"))
def test_orders(number: str, site: AlpacaSite) -> None:
    contract.run(number, site)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_node_takes_over_what_the_one_before_it_left(side: str, site: AlpacaSite) -> None:
    contract_restarts.restart(site, side)


@pytest.mark.parametrize("symbol", STRANGERS)
def test_what_the_venue_does_not_trade_is_refused_before_there_is_a_node(
    symbol: str, site: AlpacaSite
) -> None:
    contract_restarts.stranger(site, symbol)


@pytest.mark.parametrize("number", contract.numbers_of("TC-D"))
def test_data(number: str, site: AlpacaSite) -> None:
    contract.run(number, site)


def test_what_is_wanted_no_more_does_not_come(site: AlpacaSite) -> None:
    contract_data.unsubscribe(site)


@pytest.mark.parametrize("number", contract.numbers_of("KEEL"))
def test_faults(number: str, site: AlpacaSite) -> None:
    contract.run(number, site)
