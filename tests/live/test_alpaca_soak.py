"""A node loses nothing whatever goes wrong at Alpaca: the short version of `python -m soak alpaca`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.alpaca._names import WireName
from adapters.alpaca._parsing import execution_of_activity
from journal.config import JournalConfig
from soak.__main__ import main
from soak.alpaca_books import replaced_twice, told
from soak.alpaca_trial import SCOPE, AlpacaTrial, differences
from soak.reading import Reading
from soak.samples import Sample, growth, left_over
from soak.storms import KINDS, LEAST_SECS, MOST_SECS, UNNOTICED, Storm

pytestmark = pytest.mark.slow


def test_nothing_is_lost_or_sent_twice_or_left_behind_when_everything_goes_wrong_at_alpaca(
    tmp_path: Path,
) -> None:
    figures = AlpacaTrial(tmp_path, minutes=0.3, seed=7).run()
    assert figures.problems == []
    assert figures.faults >= 3
    assert figures.orders > 0
    assert figures.fills > 0
    assert figures.tasks > 0
    assert list(_wrong(tmp_path)) == list(TAMPERINGS)


TAMPERINGS: dict[
    str, Callable[[dict[str, Any]], Any]
] = {  # what is said -> what was done to the broker's books
    "fills lost": lambda audit: audit["fills"].append(audit["fills"][0]),
    "not the broker's": lambda audit: audit["fills"].pop(),
    "sent more than once": lambda audit: audit["received"].update(dict.fromkeys(audit["received"], 2)),
    "cash is": lambda audit: audit.update(cash="1"),
}


def _wrong(folder: Path) -> Iterator[str]:
    """What is said of a trial once the broker's books were tampered with."""
    reading = Reading(JournalConfig(path=folder / "journal.db"), SCOPE)
    said = reading.said()
    reading.close()
    for words, tamper in TAMPERINGS.items():
        audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
        tamper(audit)
        if any(words in each for each in differences(said, audit)):
            yield words


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("minutes=0", "minutes=0: must be a number from 0.2"), ("minutes=nan", "minutes=nan"),
        ("seed=-1", "seed=-1: must be a whole number"), ("output=xml", "output=xml: must be json"),
        ("minuts=1", "did you mean minutes?"),
    ],
)  # fmt: skip
def test_bad_input_costs_one_line(argument: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alpaca", argument]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert errors.count("\n") == 1


# -- faults ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_faults() -> None:
    one, other = Storm(3), Storm(3)
    assert [one.next() for _ in range(100)] == [other.next() for _ in range(100)]


def test_every_kind_of_fault_comes_before_any_comes_again() -> None:
    storm = Storm(1)
    drawn = [storm.next() for _ in KINDS]
    assert {each.name for each in drawn} == set(KINDS)
    assert all(LEAST_SECS <= each.secs + each.pause_secs <= MOST_SECS for each in drawn)


def test_a_short_trial_is_spared_what_takes_a_minute_to_be_found() -> None:
    storm = Storm(1, short=True)
    assert {storm.next().name for _ in range(200)} == set(KINDS) - UNNOTICED


# -- memory, tasks, threads --------------------------------------------------------------------------------------------


def _sample(mib: float) -> Sample:
    return Sample(0.0, mib, Counter(), Counter())


def test_growth_is_told_from_the_medians_after_the_warm_up_and_at_the_end() -> None:
    found = [_sample(50)] * 20 + [_sample(100)] * 20 + [_sample(500)] + [_sample(110)] * 59
    grown = growth(found, 0.2, 0.15)
    assert (grown.first_mib, grown.last_mib) == (100, 110)
    assert grown.share == pytest.approx(0.1)


def test_only_what_there_is_more_of_was_left_over() -> None:
    assert left_over(Counter(run=1, old=1), Counter(run=3, new=1)) == ["1 x new", "2 x run"]


# -- the broker's books ------------------------------------------------------------------------------------------------


def _order(order_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": order_id, "client_order_id": name, "symbol": "AAPL", "status": "new", "qty": "9", "filled_qty": "0",
        "limit_price": "10", "replaces": None, "group_id": None, **more,
    }  # fmt: skip


def _audit(orders: list[dict[str, Any]], fills: list[dict[str, str]]) -> dict[str, Any]:
    received = {orders[0]["client_order_id"]: 1}
    positions = {"AAPL": {"qty": "5", "avg_entry_price": "10"}}
    return {"orders": orders, "fills": fills, "received": received, "positions": positions, "cash": "1"}


def _fill(order_id: str, quantity: str) -> dict[str, str]:
    return {
        "execution_id": f"{order_id}{quantity}", "order_id": order_id, "client_order_id": "B", "symbol": "AAPL",
        "side": "buy", "qty": quantity, "price": "10",
    }  # fmt: skip


CHANGED = [
    _order("1", "B", status="replaced", filled_qty="3", replaced_by="2"),
    _order("2", "B.r1", status="partially_filled", qty="6", filled_qty="2", replaces="1", limit_price="11"),
    _order("3", "B.r2", status="rejected", qty="4", replaces="2"),
]


def test_an_order_that_was_changed_is_one_order_with_all_of_its_fills() -> None:
    found = told(_audit(CHANGED, [_fill("1", "1"), _fill("1", "2"), _fill("2", "2")]), {})
    (order,) = found["orders"]
    assert (order["client_order_id"], order["status"]) == ("B", "PARTIALLY_FILLED")
    assert (order["filled"], order["quantity"], order["price"]) == ("5", "9", "11")
    assert [each["client_order_id"] for each in found["fills"]] == ["B"] * 3


def test_a_fill_has_the_name_that_the_activities_give_it() -> None:
    found = told(_audit(CHANGED, [_fill("1", "1"), _fill("1", "2")]), {})
    row = {
        "order_id": "1",
        "qty": "2",
        "cum_qty": "3",
        "price": "10",
        "transaction_time": "2026-01-02T15:00:00Z",
    }
    assert found["fills"][1]["trade_id"] == execution_of_activity(row).trade_id


def test_exits_that_alpaca_named_have_the_names_that_were_sent_with_their_entry() -> None:
    orders = [
        _order("1", str(WireName("B-1", "B-2", "B-3")), group_id="g", group_role="entry", status="replaced"),
        _order("4", str(WireName("B-1", "B-2", "B-3", 1)), group_id="g", group_role="entry", replaces="1"),
        _order("2", "made-up", group_id="g", group_role="take_profit"),
        _order("3", "made-up too", group_id="g", group_role="stop_loss", status="rejected"),
    ]
    found = told(_audit(orders, []), {"B-3": "CANCELED"})
    assert {each["client_order_id"]: each["status"] for each in found["orders"]} == {
        "B-1": "ACCEPTED", "B-2": "ACCEPTED", "B-3": "CANCELED",
    }  # fmt: skip
    assert found["received"] == {"B-1": 1}


def test_a_change_that_was_sent_twice_is_found() -> None:
    assert replaced_twice(_audit(CHANGED, [])) == []
    again = _order("4", "B.r3", replaces="1")
    assert replaced_twice(_audit([*CHANGED, again], [])) == ["1"]
