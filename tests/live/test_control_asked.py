"""Whatever anybody asks a node is answered in words and ends nothing; a limit that is asked for holds at once."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.control import Command, Receipt
from live._commands import Commands
from live._limits import PHRASE, AccountLimits
from risk.desk import RiskDesk
from risk.limits import RiskConfig
from runs.record import Recorder
from tests.driving import OPEN, equity
from tests.live.asking import Asked, Holder, Quiet, asking

LATE = 8

# -- limits ---------------------------------------------------------------------------------------------------------


def test_a_tighter_limit_holds_at_once_and_cancels_what_it_does_not_allow(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"max_leverage": "0.1"}}, why="earnings")

    driven, asked = asking(tmp_path, Holder, {LATE: script}, risk={"max_leverage": 1})
    strategy = driven.strategies[0]
    assert asked.said == [("DONE", "max_leverage 1 -> 0.1")]
    assert asked.answers[0].answer["canceled"] == [strategy.entry]
    assert asked.stored == [({"max_leverage": "0.1"}, "ann", "earnings")]
    assert driven.desk.limits.max_leverage == Decimal("0.1")
    assert set(driven.limits) == {"MAX_LEVERAGE"}
    kinds = [row["kind"] for row in driven.record.notices]
    assert kinds == ["LIMITS", "LIMITS"]
    assert "max_leverage 1 -> 0.1 (ann: earnings)" in driven.record.notices[0]["reason"]


def test_a_breaker_that_is_tighter_than_the_loss_so_far_goes_off_at_once(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"max_drawdown_pct": "0.005"}})

    closes = [100.0] * 5 + [94.0] * 12
    driven, asked = asking(
        tmp_path, Quiet, {LATE: script}, closes, risk={"max_drawdown_pct": "0.2", "tick_confirmations": 1}
    )
    assert asked.answers[0].text.splitlines()[-1].startswith("trading is halted: DRAWDOWN: equity 99,400.00")
    assert driven.record.trips[0]["breaker"] == "DRAWDOWN"


def test_more_risk_wants_the_phrase_and_a_reason_and_never_goes_beyond_the_config(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"max_leverage": "0.5", "max_open_positions": "3"}})
        asked.ask("limits", {"set": {"max_leverage": "0.8"}})
        asked.ask("limits", {"set": {"max_leverage": "0.8"}, "confirm": "yes"})
        asked.ask("limits", {"set": {"max_leverage": "0.8"}, "confirm": PHRASE}, why="")
        asked.ask("limits", {"set": {"max_leverage": "0.8"}, "confirm": PHRASE})
        asked.ask("limits", {"set": {"max_leverage": "3"}, "confirm": PHRASE})
        asked.ask("limits", {"unset": ["max_leverage", "max_open_positions"], "confirm": PHRASE})
        asked.ask("limits", {"unset": ["max_leverage"], "confirm": PHRASE})

    driven, asked = asking(tmp_path, Quiet, {LATE: script}, risk={"max_leverage": 1})
    assert [outcome for outcome, _ in asked.said] == [
        "DONE",
        *["REFUSED"] * 3,
        "DONE",
        "REFUSED",
        "DONE",
        "REFUSED",
    ]
    assert f'confirm="{PHRASE}"' in asked.said[1][1]
    assert "say why more risk is right" in asked.said[3][1]
    assert asked.said[4][1] == "max_leverage 0.5 -> 0.8"
    assert "the config itself says 1" in asked.said[5][1]
    assert asked.said[6][1] == "max_leverage 0.8 -> 1, max_open_positions 3 -> off"
    assert "nothing to take back" in asked.said[7][1]
    assert asked.stored[-1][0] == {}
    assert driven.desk.limits.max_leverage == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"set": {"max_levrage": "1"}}, "unknown key max_levrage; did you mean max_leverage?"),
        ({"set": {"max_leverage": "-1"}}, "max_leverage=-1: must be greater than 0"),
        ({"set": {"max_position_pct": "5"}}, "did you mean 0.05?"),
        ({"set": {"on_trip": "flatten"}}, "on_trip holds for the whole run"),
        ({"set": {"max_leverage": "off"}}, "the config itself says 1"),
        ({"set": {"max_daily_loss_pct": "0.15"}}, "could never trip"),
        ({}, "give set={KEY: VALUE}"),
        ({"set": ["max_leverage"]}, "give set={KEY: VALUE}"),
    ],
)
def test_a_limit_that_is_none_is_refused_in_one_line(args: dict[str, Any], told: str) -> None:
    desk = _desk(max_leverage=1, max_drawdown_pct="0.1", max_daily_loss_pct="off")
    receipt = _answered(desk, "limits", args)
    assert receipt.outcome == "REFUSED"
    assert told in receipt.text
    assert "\n" not in receipt.text
    assert desk.limits.max_leverage == 1


def test_a_change_that_cannot_be_kept_changes_nothing_and_the_node_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    def script(asked: Asked, _: Any) -> None:
        asked.store = refuses
        asked.ask("limits", {"set": {"max_leverage": "0.5"}})
        asked.ask("halt")

    driven, asked = asking(tmp_path, Quiet, {LATE: script}, risk={"max_leverage": 1})
    assert asked.said[0] == ("FAILED", "limits failed: OSError: [Errno 28] No space left on device")
    assert asked.said[1][0] == "DONE"
    assert driven.desk.limits.max_leverage == 1
    assert "No space left" in capsys.readouterr().err


# -- whatever is asked ----------------------------------------------------------------------------------------------


def _desk(**risk: Any) -> RiskDesk:
    desk = RiskDesk(
        RiskConfig(**{**OPEN, **risk}),
        starting_cash=Decimal(100_000), currency="USD", zone="UTC", witness=Recorder(),
        names={"EmaCross-001": "strategy"}, venue_name="my_paper",
    )  # fmt: skip
    desk.add_instrument(equity("AAPL"))
    return desk


class _Box:
    """A mailbox with one command in it."""

    def __init__(self, command: Command) -> None:
        self.waiting = [command]

    def take(self) -> list[Command]:
        taken, self.waiting = self.waiting, []
        return taken


def _answered(desk: RiskDesk, verb: str, args: Any, why: str = "why") -> Receipt:
    receipts: list[Receipt] = []
    limits = AccountLimits(desk.limits, {}, lambda *_: None)
    box: Any = _Box(Command("id", verb, args, "ann", why, 1))
    Commands(desk, box, receipts.append, limits=limits).turn()
    assert len(receipts) == 1
    assert receipts[0].command_id == "id"
    return receipts[0]


VERBS = ("halt", "resume", "flatten", "limits", "close", "cancel", "approve", "reject", "resolve")
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
words = st.sampled_from(
    [
        "scope",
        "strategy",
        "order",
        "symbol",
        "all",
        "protective",
        "set",
        "unset",
        "confirm",
        "outcome",
        "quantity",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(verb=st.sampled_from(VERBS), args=st.dictionaries(words | st.text(max_size=8), plain, max_size=4))
def test_whatever_somebody_writes_as_a_command_is_answered_in_words_and_ends_nothing(
    verb: str, args: dict[str, Any]
) -> None:
    receipt = _answered(_desk(max_leverage=1), verb, args)
    assert receipt.outcome in ("DONE", "REFUSED")
    assert receipt.text
    json.dumps(receipt.answer)


@pytest.mark.parametrize("verb", ["", "HALT", "run", "__init__", "turn"])
def test_a_command_that_no_node_knows_is_refused(verb: str) -> None:
    receipt = _answered(_desk(), verb, {})
    assert receipt.outcome == "REFUSED"
    assert "knows no command" in receipt.text


def test_a_halt_whose_arguments_somebody_spoilt_halts_all_the_same() -> None:
    desk = _desk()
    assert _answered(desk, "halt", {"unreadable": '{"scope": '}).outcome == "DONE"
    assert desk.breakers.halted


def test_what_a_node_did_not_do_before_it_ended_is_refused() -> None:
    desk, receipts = _desk(), list[Receipt]()
    box: Any = _Box(Command("id", "halt", {}, "ann", "why", 1))
    commands = Commands(desk, box, receipts.append, limits=AccountLimits(desk.limits, {}, lambda *_: None))
    commands.close("stopped by SIGTERM")
    assert [(each.outcome, each.text) for each in receipts] == [
        ("REFUSED", "the node ends (stopped by SIGTERM) and did nothing")
    ]
    assert not desk.breakers.halted


def test_a_signal_halts_at_the_next_turn_and_shows_that_it_was_heard() -> None:
    desk, shown = _desk(), list[str]()
    box: Any = _Box(Command("id", "resume", {}, "ann", "why", 1))
    commands = Commands(
        desk, box, lambda _: None,
        limits=AccountLimits(desk.limits, {}, lambda *_: None), heard=lambda: shown.append("heard"),
    )  # fmt: skip
    box.waiting.clear()
    commands.signalled()
    before = desk.breakers.state.copy()
    commands.turn()
    assert not before.halted
    assert (desk.breakers.halted, desk.breakers.state.breaker) == (True, "OPERATOR")
    assert shown == ["heard"]
    commands.signalled()
    commands.turn()
    assert shown == ["heard", "heard"]


# -- threads --------------------------------------------------------------------------------------------------------

PLAIN = (str, int, float, bool, type(None))


def is_plain(value: object) -> bool:
    """Whether a value holds nothing but text, numbers, lists and mappings, all the way down."""
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return type(value) in PLAIN


class Threads(Quiet):
    """Remembers on which threads its code ran."""

    def on_start(self) -> None:
        super().on_start()
        self.threads: set[int] = set()

    def on_order_event(self, event: Any) -> None:
        super().on_order_event(event)
        self.threads.add(threading.get_ident())


def test_only_plain_values_cross_threads_and_the_engine_is_called_on_its_own(tmp_path: Path) -> None:
    """The mailbox is read on another thread; the engine aborts the process when it is touched from there."""

    def script(asked: Asked, gate: Any) -> None:
        asked.ask("limits", {"set": {"max_leverage": "0.9"}, "unset": []})
        asked.ask("cancel", {"order": gate.entry})
        asked.ask("flatten")

    driven, asked = asking(tmp_path, Threads, {LATE: script}, risk={"max_leverage": 1})
    assert len(asked.taken) == 3
    for command in asked.taken:
        for name in Command.__slots__:
            assert is_plain(getattr(command, name)), name
    for receipt in asked.answers:
        assert is_plain(receipt.answer)
    assert driven.strategies[0].threads == {threading.get_ident()}
    assert driven.desk.book.is_flat()
