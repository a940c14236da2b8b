"""What was the account worth, what of it was paid in, and which days make its Sharpe ratio?"""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from live._periods import Days
from live._report_found import Row, Series
from live._report_value import Value, flow_amount, value_of
from risk.breaker import Breakers
from risk.limits import RiskConfig
from risk.sessions import SessionDays
from tests.live.reported import NEW_YORK, new_york

DAYS = Days(NEW_YORK, SessionDays.of(NEW_YORK, "00:00"), "days of New York")


def seen(when: str, equity: str) -> Row:
    return {"run_id": "r", "ts": new_york(when), "equity": Decimal(equity)}


def paid(when: str, amount: str) -> Row:
    told = f"CASH_FLOW: deposit of {Decimal(amount):,.2f}; equity 1.00 -> 2.00"
    return {"ts": new_york(when), "equity": None, "reference": None, "reason": told}


def value(
    *snapshots: Row, before: Row | None = None, flows: tuple[Row, ...] = (), starting: str = "100"
) -> Value:
    return value_of(Series(before, Decimal(starting), snapshots, flows), DAYS, 252)


def test_it_begins_with_the_snapshot_before_the_period() -> None:
    found = value(
        seen("2010-05-06 10:00", "105"),
        seen("2010-05-06 16:00", "121"),
        before=seen("2010-05-05 16:00", "110"),
    )
    assert (found.start, found.end, found.pnl) == (Decimal(110), Decimal(121), Decimal(11))
    assert found.part == pytest.approx(0.1)


def test_an_account_without_a_past_begins_with_what_its_run_began_with() -> None:
    found = value(seen("2010-05-06 10:00", "99"))
    assert (found.start, found.pnl) == (Decimal(100), Decimal(-1))


def test_money_paid_in_and_out_is_no_result() -> None:
    flows = (paid("2010-05-06 12:00", "1000"), paid("2010-05-06 13:00", "-50.5"))
    found = value(seen("2010-05-06 10:00", "100"), seen("2010-05-06 16:00", "1049.5"), flows=flows)
    assert (found.deposits, found.withdrawals, found.pnl) == (Decimal(1000), Decimal("50.5"), Decimal(0))
    assert (found.part, found.max_drawdown) == (0.0, 0.0)


def test_money_that_came_between_two_periods_counts_in_the_one_that_first_shows_it() -> None:
    deposit = paid("2010-05-05 20:00", "50")
    day_before = value(seen("2010-05-05 16:00", "100"), flows=(deposit,))
    day_after = value(
        seen("2010-05-06 10:00", "150"), before=seen("2010-05-05 16:00", "100"), flows=(deposit,)
    )
    assert (day_before.pnl, day_after.pnl) == (Decimal(0), Decimal(0))
    assert (day_before.deposits, day_after.deposits) == (Decimal(0), Decimal(50))


def test_a_flow_whose_amount_nobody_can_read_makes_the_result_unknown() -> None:
    riddle: Row = {
        "ts": new_york("2010-05-06 12:00"),
        "equity": None,
        "reference": None,
        "reason": "CASH_FLOW: some",
    }
    found = value(seen("2010-05-06 10:00", "100"), seen("2010-05-06 16:00", "200"), flows=(riddle,))
    assert (found.unread, found.pnl, found.part, found.max_drawdown) == (1, None, None, None)


def test_a_flows_amount_is_that_of_its_row_or_of_its_sentence() -> None:
    row = paid("2010-05-06 12:00", "12345.67")
    assert flow_amount(row) == Decimal("12345.67")
    assert flow_amount({**row, "equity": Decimal("10.001"), "reference": Decimal(10)}) == Decimal("0.001")


def test_the_sentence_is_the_one_that_the_breakers_write() -> None:
    breakers = Breakers(RiskConfig(), SessionDays.of("UTC", "00:00"), Decimal(100_000))
    for amount in ("12345.6", "-0.07"):
        notice = breakers.cash_flow(1, Decimal(amount), "a deposit of USD; by wire")
        row = {"equity": None, "reference": None, "reason": notice.reason}
        assert flow_amount(row) == Decimal(amount)


def test_nothing_seen_is_nothing_known() -> None:
    found = value()
    assert (found.start, found.end, found.pnl, found.part, found.max_drawdown) == (None,) * 5
    assert len(found.returns) == 0


def test_drawdown_is_of_growth_and_a_withdrawal_is_none() -> None:
    found = value(
        seen("2010-05-06 10:00", "100"), seen("2010-05-06 11:00", "120"), seen("2010-05-06 13:00", "60"),
        seen("2010-05-06 14:00", "54"), flows=(paid("2010-05-06 12:00", "-60"),),
    )  # fmt: skip
    assert found.max_drawdown == pytest.approx(0.1)


def test_days_add_up_to_the_whole() -> None:
    found = value(
        seen("2010-05-06 10:00", "101"), seen("2010-05-06 16:00", "103"), seen("2010-05-07 16:00", "99"),
        before=seen("2010-05-05 16:00", "100"),
    )  # fmt: skip
    assert [(day.day, day.start, day.end, day.pnl) for day in found.days] == [
        (date(2010, 5, 6), Decimal(100), Decimal(103), Decimal(3)),
        (date(2010, 5, 7), Decimal(103), Decimal(99), Decimal(-4)),
    ]


def test_a_weekend_is_part_of_mondays_return_where_markets_rest() -> None:
    rows = [
        seen(f"2010-05-{day:02} 16:00", amount)
        for day, amount in ((7, "100"), (8, "101"), (9, "102"), (10, "110"))
    ]
    assert value(*rows, before=seen("2010-05-06 16:00", "100")).returns == pytest.approx(np.array([0.0, 0.1]))


def test_a_step_over_days_that_nobody_looked_at_is_no_daily_return() -> None:
    rows = [seen("2010-05-07 16:00", "100"), seen("2010-06-07 16:00", "150"), seen("2010-06-08 16:00", "165")]
    assert value(*rows, before=seen("2010-05-06 16:00", "100")).returns == pytest.approx(np.array([0.0, 0.1]))


def test_a_sharpe_ratio_needs_fifteen_daily_returns() -> None:
    days = [day for day in range(3, 29) if date(2010, 5, day).weekday() < 5]
    rows = [seen(f"2010-05-{day:02} 16:00", str(100 + day % 3)) for day in days]
    before = seen("2010-04-30 16:00", "100")
    assert value(*rows[:14], before=before).sharpe(252) is None
    assert value(*rows[:15], before=before).sharpe(252) is not None


def test_equity_below_zero_has_a_result_but_no_return() -> None:
    found = value(
        seen("2010-05-06 10:00", "-5"), seen("2010-05-06 16:00", "-7"), before=seen("2010-05-05 16:00", "10")
    )
    assert (found.pnl, found.part, found.sharpe(252)) == (Decimal(-17), None, None)


def test_many_days_are_told_by_month_and_add_up_alike() -> None:
    days = [date(2010, 1, 4) + timedelta(days=each) for each in range(90)]
    rows = [seen(f"{day} 16:00", str(100 + day.toordinal() % 7)) for day in days]
    found = value(*rows, flows=(paid("2010-02-10 12:00", "5"),))
    assert [f"{each.day:%Y-%m}" for each in found.steps] == ["2010-01", "2010-02", "2010-03", "2010-04"]
    assert sum(each.pnl for each in found.steps) == sum(each.pnl for each in found.days) == found.pnl
    assert [each.flow for each in found.steps] == [0, 5, 0, 0]
    assert np.prod([1 + (each.part or 0) for each in found.steps]) - 1 == pytest.approx(found.part)
    assert value(*rows[:62]).steps == value(*rows[:62]).days
