"""`live limits`: tighter at once and for good, looser only with a phrase, and never looser than the config."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from journal import tables
from journal.config import JournalConfig
from journal.reader import Reader
from live._limits import PHRASE
from live.limits import limits
from risk.changes import SETTABLE, ChangeError, change, differences, with_changes
from risk.limits import RiskConfig
from risk.overrides import tightest
from tests.journal.filled import arguments, journal_on
from tests.live.asking import Asked, Quiet, asking
from tests.live.nodes import QUICK, paper_node, verb, words
from tests.live.told import SCOPE, node_on

both_kinds = pytest.mark.parametrize("kind", ["sqlite", "postgres"])
CONFIG = RiskConfig(
    max_leverage=Decimal(2), max_position_pct=Decimal("0.5"), max_orders_per_day=50, allow_short=True,
    min_cash_pct=None, allowed_instruments=("AAPL", "MSFT"), max_daily_loss_pct=Decimal("0.02"),
)  # fmt: skip


# -- what a change makes of the limits -------------------------------------------------------------------------------

values = st.fixed_dictionaries(
    {},
    optional={
        "max_leverage": st.sampled_from(["0.5", "1", "2", "3", "off"]),
        "max_position_pct": st.sampled_from(["0.1", "0.5", "0.9", "off"]),
        "max_orders_per_day": st.sampled_from(["1", "50", "51", "off"]),
        "allow_short": st.sampled_from(["true", "false"]),
        "require_approval": st.sampled_from(["true", "false"]),
        "min_cash_pct": st.sampled_from(["0.1", "0.4", "off"]),
        "trading_hours": st.sampled_from(["XNYS", "XLON", "off"]),
        "allowed_instruments": st.sampled_from(["AAPL", "MSFT,AAPL", "TSLA", "off"]),
    },
)


@given(changes=st.lists(values, max_size=6), back=st.lists(st.sampled_from(SETTABLE), max_size=3))
def test_whatever_people_set_and_take_back_is_never_looser_than_the_config(
    changes: list[dict[str, str]], back: list[str]
) -> None:
    kept: dict[str, Any] = {}
    for wanted in [*changes, None]:
        before = with_changes(CONFIG, kept)
        try:
            changed = change(CONFIG, kept, wanted or {}, back if wanted is None else [])
        except (ChangeError, ValueError):
            assert with_changes(CONFIG, kept) == before
            continue
        kept = json.loads(json.dumps(changed.kept))  # as a journal would
        assert with_changes(CONFIG, kept) == changed.limits
        for each in differences(CONFIG, changed.limits):
            assert not each.loosens, each
        for each in changed.changes:
            both_calendars = each.key == "trading_hours" and None not in (each.before, each.after)
            tighter = not both_calendars and tightest(each.key, each.before, each.after) == each.after
            assert each.loosens is not tighter


def test_what_equals_the_config_takes_a_change_back() -> None:
    first = change(CONFIG, {}, {"max_leverage": "1"}, [])
    assert first.kept == {"max_leverage": "1"}
    again = change(CONFIG, first.kept, {"max_leverage": "2.0"}, [])
    assert again.kept == {}
    assert [str(each) for each in again.loosens] == ["max_leverage 1 -> 2"]


def test_a_config_that_is_tighter_by_now_holds() -> None:
    kept = change(CONFIG, {}, {"max_leverage": "1", "max_position_pct": "0.4"}, []).kept
    tighter = CONFIG.model_copy(update={"max_leverage": Decimal("0.5")})
    assert with_changes(tighter, kept).max_leverage == Decimal("0.5")
    assert with_changes(tighter, kept).max_position_pct == Decimal("0.4")


def test_what_was_kept_by_another_version_and_means_nothing_now_is_said() -> None:
    with pytest.raises(ChangeError, match=r"max_lever.*do not fit this config"):
        with_changes(CONFIG, {"max_lever": "1"})


def test_every_key_of_the_risk_settings_can_be_set_or_holds_for_the_whole_run() -> None:
    for key in RiskConfig.model_fields:
        if key in SETTABLE:
            continue
        with pytest.raises(ChangeError, match="holds for the whole run"):
            change(CONFIG, {}, {key: "1"}, [])


# -- in a running node ----------------------------------------------------------------------------------------------


def test_a_default_stop_set_in_a_running_node_protects_what_is_held(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"default_stop_loss_pct": "0.1"}})

    driven, asked = asking(tmp_path, Bare, {8: script})
    assert asked.said[0] == ("DONE", "default_stop_loss_pct off -> 0.1")
    stops = [row for row in driven.record.orders if row["type"] == "STOP_MARKET"]
    assert [(row["quantity"], row["trigger_price"]) for row in stops] == [(Decimal(100), Decimal("90.00"))]


class Bare(Quiet):
    """Holds 100 and protects nothing."""

    def protect(self) -> str:
        return ""


def test_a_time_out_set_in_a_running_node_counts_for_orders_that_work_already(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"order_timeout_mins": "2880"}})

    driven, _ = asking(tmp_path, Quiet, {8: script})
    entry = driven.strategies[0].entry
    assert (
        next(row["status"] for row in driven.record.orders if row["client_order_id"] == entry) == "CANCELED"
    )
    assert "TIMEOUT" in [row["kind"] for row in driven.record.notices]


def test_a_time_out_that_was_taken_back_cancels_nothing(tmp_path: Path) -> None:
    def sets(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"order_timeout_mins": "7200"}})  # five days

    def unsets(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"unset": ["order_timeout_mins"], "confirm": PHRASE})

    driven, asked = asking(tmp_path, Quiet, {4: sets, 6: unsets})
    assert [outcome for outcome, _ in asked.said] == ["DONE", "DONE"]
    assert "TIMEOUT" not in [row["kind"] for row in driven.record.notices]


# -- the verb -------------------------------------------------------------------------------------------------------


@contextmanager
def account(kind: str, folder: Path) -> Iterator[JournalConfig]:
    """A journal of a paper account that no node trades now, of Keel's default limits."""
    with journal_on(kind, folder) as config:
        with node_on(config) as node:
            node.ends()
        yield config


@both_kinds
def test_without_a_node_a_change_is_kept_shown_and_journalled(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with account(kind, tmp_path) as config:
        assert (
            limits(
                ["set", "max_leverage=0.5", "max_daily_loss_pct=0.01", "reason=earnings", *arguments(config)]
            )
            == 0
        )
        said = capsys.readouterr().out
        assert "max_leverage 1 -> 0.5, max_daily_loss_pct 0.02 -> 0.01; no node runs" in said
        assert Reader(config).limit_overrides(SCOPE) == {"max_leverage": "0.5", "max_daily_loss_pct": "0.01"}
        assert limits(arguments(config)) == 0
        shown = capsys.readouterr().out.splitlines()
        assert shown[0].startswith("Limits in force  paper my_paper, limits ")
        line = next(each for each in shown if each.startswith("max_leverage "))
        assert "0.5 times equity" in line
        assert ": earnings (config: 1)" in line
        assert limits(["output=json", *arguments(config)]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["limits"]["max_leverage"]["value"] == 0.5
        assert document["limits"]["max_leverage"]["config"] == 1
        assert document["limits"]["max_leverage"]["set_by"]["why"] == "earnings"
        assert document["limits"]["max_position_pct"]["set_by"] is None
        events = Reader(config).rows(tables.risk_events, tables.risk_events.c.kind == "LIMITS")
        assert len(events) == 1
        assert "max_leverage 1 -> 0.5" in events[0]["reason"]


@both_kinds
def test_loosening_asks_for_the_phrase_and_a_reason(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with account(kind, tmp_path) as config:
        where = arguments(config)
        assert limits(["set", "max_leverage=0.5", *where]) == 0
        assert limits(["unset", "max_leverage", *where]) == 2
        assert "reason: say why more risk is right" in capsys.readouterr().err
        assert limits(["unset", "max_leverage", "reason=calm", *where]) == 2
        assert f'confirm="{PHRASE}"' in capsys.readouterr().err
        assert limits(["unset", "max_leverage", "reason=calm", "confirm=yes", *where]) == 2
        assert "nothing changed" in capsys.readouterr().err
        assert Reader(config).limit_overrides(SCOPE) == {"max_leverage": "0.5"}
        assert limits(["set", "max_leverage=4", "reason=x", f"confirm={PHRASE}", *where]) == 2
        assert "the config itself says 1" in capsys.readouterr().err
        assert limits(["unset", "max_leverage", "reason=calm", f"confirm={PHRASE}", *where]) == 0
        assert Reader(config).limit_overrides(SCOPE) == {}


@pytest.mark.parametrize(
    ("given_words", "told"),
    [
        (["set", "max_levrage=1"], "did you mean max_leverage?"),
        (["set", "max_leverage=two"], "max_leverage=two"),
        (["set"], "which limit?"),
        (["unset"], "which limit?"),
        (["unset", "max_leverage"], "there is nothing to take back"),
        (["set", "on_trip=stop"], "holds for the whole run"),
        (["max_leverage=1"], "unknown key max_leverage"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(
    given_words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with account("sqlite", tmp_path) as config:
        assert limits([*given_words, *arguments(config)]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert said.count("\n") == 1


def test_a_running_node_keeps_to_it_at_once_and_so_does_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    refused = tables.decisions.c.verdict == "REFUSE"
    with paper_node(tmp_path, config) as node:
        node.until_steady()
        assert node.rows(tables.decisions, refused) == []
        assert limits(words(["set", "max_position_notional=1", "reason=test", "output=json"], config)) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["by"] == "node"
        assert shown["changes"] == [
            {"key": "max_position_notional", "before": None, "after": "1", "loosens": False}
        ]
        assert len(shown["canceled"]) == 1
        node.until(lambda: node.rows(tables.decisions, refused), "an order is refused")
        assert {row["code"] for row in node.rows(tables.decisions, refused)} == {"MAX_POSITION_NOTIONAL"}
        versions = {row["limits_version"] for row in node.rows(tables.decisions, refused)}
        assert versions == {shown["limits_version"]}
        with node.reader().engine.connect() as connection:
            assert shown["limits_version"] in set(
                connection.execute(select(tables.limit_sets.c.version)).scalars()
            )
        node.stop()
        again = verb(tmp_path, "run", *node.options, *QUICK, "run.max_bars=5", config=config)
        assert again.returncode == 0, again.stderr
        assert node.reader().runs(limit=1)[0]["limits_version"] == shown["limits_version"]
