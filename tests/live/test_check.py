"""`live check`: every line is green at a healthy broker, and each fault is found, named, and answered with a fix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live.assets import assets
from live.check import check
from simulators.alpaca.control import AlpacaProcess
from tests.live.alpaca_here import keys, local_alpaca, real_money

NAMES = [
    "keys", "account", "permissions", "clock", "symbols", "prices", "sizes", "buying power", "order stream",
    "data stream", "test order",
]  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlpacaProcess]:
    with local_alpaca(tmp_path_factory.mktemp("alpaca"), "feeds=iex") as local:
        yield local


@pytest.fixture
def paper(broker: AlpacaProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name, value in keys().items():
        monkeypatch.setenv(name, value)
    return ["venue=alpaca_paper", f"venue.trading_url={broker.url}"]


def found(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    assert check([*arguments, "output=json"]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    document = json.loads(out)
    assert document["ok"] is (code == 0)
    return {each["name"]: each for each in document["checks"]}


def test_it_is_green_at_a_healthy_paper_account(paper: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    checks = found(capsys, 0, *paper)
    assert list(checks) == NAMES
    assert {each["outcome"] for each in checks.values()} == {"ok"}
    assert "PA3KEEL0SIM" in checks["account"]["found"]
    assert "then cancelled" in checks["test order"]["found"]


def test_the_test_order_leaves_nothing_behind(
    paper: list[str], broker: AlpacaProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    found(capsys, 0, *paper, "order=true")
    audit = broker.control().audit()
    newest = next(
        each for each in reversed(audit["orders"]) if each["client_order_id"].startswith("keel-check-")
    )
    assert (newest["status"], newest["filled_qty"]) == ("canceled", "0")
    assert audit["positions"] == {}
    sent = len(audit["orders"])
    assert found(capsys, 0, *paper, "order=false")["test order"]["outcome"] == "skipped"
    assert len(broker.control().audit()["orders"]) == sent


def test_wrong_keys_are_told_with_the_way_out(
    paper: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALPACA_API_SECRET", "another-secret-another-secret")
    checks = found(capsys, 1, *paper)
    assert list(checks) == ["keys"]
    assert "401" in checks["keys"]["found"]
    assert "paper keys start with PK" in checks["keys"]["found"]
    assert "ALPACA_API_KEY" in checks["keys"]["fix"]
    assert "another-secret" not in json.dumps(checks)


def test_keys_for_real_money_do_not_reach_a_paper_venue(
    paper: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALPACA_API_KEY", "AKREHEARSAL0000000000")
    assert check(paper) == 2
    assert "takes keys that begin with PK" in capsys.readouterr().err


def test_a_broker_that_is_not_there_is_one_failed_line(
    paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = found(capsys, 1, paper[0], "venue.trading_url=http://127.0.0.1:9")
    assert list(checks) == ["keys"]
    assert "network" in checks["keys"]["fix"]


def test_a_blocked_account_fails_and_says_by_which_flag(
    paper: list[str], broker: AlpacaProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.control().ask("account", trading_blocked=True)
    try:
        checks = found(capsys, 1, *paper)
    finally:
        broker.control().ask("account", trading_blocked=False)
    assert "trading_blocked" in checks["account"]["found"]


def test_a_feed_without_a_subscription_is_found_and_answered(
    paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = found(capsys, 1, *paper, "venue.feed=sip")
    assert "venue.feed=iex" in checks["data stream"]["found"]


@pytest.mark.parametrize(("symbol", "told"), [("AAPLE", "AAPL"), ("GONE", "GONE")])
def test_a_symbol_that_cannot_be_traded_is_named(
    symbol: str, told: str, paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = found(capsys, 1, *paper, f"instruments=[{symbol}]")
    assert checks["symbols"]["outcome"] == "failed"
    assert told in checks["symbols"]["found"]


def test_limits_too_tight_for_a_single_share_are_found(
    paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = found(capsys, 1, *paper, "risk.max_position_notional=20")
    assert "an order may be 20.00 (max_position_notional=20)" in checks["sizes"]["found"]
    assert "AAPL" in checks["sizes"]["fix"]


def test_limits_beyond_the_buying_power_are_a_warning(
    paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    wide = ["risk.max_leverage=3", "risk.max_position_pct=off"]
    checks = found(capsys, 0, *paper, *wide)
    assert checks["buying power"]["outcome"] == "warning"
    assert "300,000.00 (max_leverage=3)" in checks["buying power"]["found"]


def test_streams_that_do_not_answer_fail_by_name(
    paper: list[str], broker: AlpacaProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.control().ask("fault", refuse_streams=True)
    try:
        checks = found(capsys, 1, *paper)
    finally:
        broker.control().ask("fault", kind="clear")
    assert {checks[name]["outcome"] for name in ("order stream", "data stream")} == {"failed"}


def test_the_table_is_for_people(paper: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert check(paper) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "alpaca_paper (paper)"
    assert [name for line in lines[2:] if (name := line[:12].strip())] == NAMES


def test_real_money_gets_a_test_order_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in keys("live").items():
        monkeypatch.setenv(name, value)
    with local_alpaca(tmp_path, "kind=live") as broker:
        venue = real_money(tmp_path, broker)
        assert found(capsys, 0, *venue)["test order"]["fix"] == "order=true"
        assert broker.control().audit()["orders"] == []
        assert "then cancelled" in found(capsys, 0, *venue, "order=true")["test order"]["found"]


def test_a_sandbox_sends_no_order_at_all(
    paper: list[str], broker: AlpacaProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(broker.control().audit()["orders"])
    checks = found(capsys, 0, "venue=alpaca_sandbox", paper[1], "order=true")
    assert {checks[name]["outcome"] for name in ("order stream", "test order")} == {"skipped"}
    assert len(broker.control().audit()["orders"]) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["venue=replay"], "no broker behind it"),
        (["venue=alpaca_paper", "order=maybe"], "order=maybe: must be true or false"),
        (["venue=alpaca_papr"], "alpaca_paper"),
    ],
)
def test_what_cannot_be_checked_costs_one_line(
    arguments: list[str], told: str, paper: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    del paper
    assert check(arguments) == 2
    assert told in capsys.readouterr().err.strip()


def test_a_rehearsal_is_green_without_any_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = found(capsys, 0, "venue=alpaca_rehearsal", "venue.days=2")
    assert {each["outcome"] for each in checks.values()} == {"ok"}


def test_assets_lists_what_can_be_traded(paper: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert assets([*paper, "class=crypto", "output=json"]) == 0
    listed = json.loads(capsys.readouterr().out)["assets"]
    assert {each["symbol"] for each in listed} == {"BTC/USD", "ETH/USD"}
    assert {each["min_order_size"] for each in listed} == {"0.0001", "0.001"}
    assert assets([*paper, "symbol=aapl"]) == 0
    assert "AAPL" in capsys.readouterr().out
    assert assets([*paper, "class=cryptos"]) == 2
    assert "did you mean crypto" in capsys.readouterr().err
