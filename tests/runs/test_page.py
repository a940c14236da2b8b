"""Does the page of a run tell all of it, the same as summary.json, whatever the run was like?"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from risk import measures
from runs.artifacts import write_record, write_reports
from runs.folder import CONFIG, VERSIONS, RunFolder
from runs.page.charts import rolling_sharpe
from runs.page.config_text import Kept, code_of_document
from runs.page.honesty import deflated_sentence, honesty, trials_sentence
from runs.page.months import years_of
from runs.page.reading import read_run, summary_of
from runs.page.related import related_to
from runs.page.seen import seen_of
from runs.page.series import thinned
from runs.portfolio import with_portfolio
from runs.record import RunRecord
from runs.summary import Summary, summarise
from runs.tearsheet import tear_sheet
from tests.runs.pages import SECTIONS, assert_drawn, embedded, needs_browser, own_part, section, traces
from tests.runs.records import (
    DAY,
    T0,
    FixedMarket,
    analysis_of,
    fill,
    market_of,
    notice,
    record_of,
    refusal,
    share,
    stamp,
    trip,
)

CLOSES = (100 + 10 * np.sin(np.arange(400) / 9)).round(2).tolist()


def quotes() -> FixedMarket:
    """Six quotes of one share, a minute apart."""
    ts = [T0 + number * 60_000_000_000 for number in range(6)]
    bid = [10.0, 10.1, 10.2, 10.1, 10.3, 10.2]
    frame = pd.DataFrame(
        {"ts": pd.Series(ts, dtype="int64"), "bid": bid, "ask": [each + 0.02 for each in bid]}
    )
    return FixedMarket({"AAPL": frame}, (share("AAPL"),), kind="quotes")


RECORDS = {
    "trades": record_of(
        market_of(AAPL=CLOSES),
        [fill(10, "BUY", "2", str(CLOSES[10])), fill(30, "SELL", "2", str(CLOSES[30]))],
        final=str(1000 + 2 * (Decimal(str(CLOSES[30])) - Decimal(str(CLOSES[10])))),
    ),
    "no trades": record_of(market_of(AAPL=CLOSES)),
    "one bar": record_of(market_of(AAPL=[10.0])),
    "halted": record_of(
        market_of(AAPL=CLOSES), halted=True, trips=[trip(40)], notices=[notice(39)],
        refusals=[refusal(41), refusal(50, "HALTED")],
    ),
    "several strategies": record_of(
        market_of(AAPL=[10.0, 11.0, 12.0], MSFT=[20.0, 21.0, 22.0]),
        [fill(0, "BUY", "10", "10"), fill(0, "SELL", "5", "20", symbol="MSFT", strategy="Other-002")],
        final="1010",
    ),
    "quotes": record_of(
        quotes(), [{**fill(0, "BUY", "10", "10.02"), "ts": T0}], final="1001.80"
    ),
    "below zero": record_of(
        market_of(AAPL=[10.0, 20.0, 10.0]), [fill(0, "SELL", "200", "10"), fill(2, "BUY", "200", "10")]
    ),
}  # fmt: skip


def told(record: RunRecord) -> tuple[str, Summary]:
    analysis = analysis_of(record)
    summary = with_portfolio(summarise(analysis, "x"), analysis)
    return tear_sheet(analysis, summary, "Test"), summary


@pytest.mark.parametrize("name", RECORDS)
def test_every_page_has_each_section_and_the_figures_of_the_summary(name: str) -> None:
    page, summary = told(RECORDS[name])
    assert re.findall(r'<section id="(\w+)">', page) == SECTIONS
    assert embedded(page, "summary") == json.loads(summary.to_json())
    assert "NaN" not in own_part(page)
    assert len(page) < 6_000_000
    metrics = section(page, "metrics")
    assert f"Final equity {summary.final_equity:,f} USD" in metrics
    assert f"{summary.orders:,} / {summary.fills:,} / {summary.refusals:,}" in metrics


@pytest.mark.parametrize("name", ["trades", "halted"])
def test_a_page_loads_nothing(name: str) -> None:
    page, _ = told(RECORDS[name])
    assert not re.findall(r"https?://|<link|<img|<iframe|@import|url\(", own_part(page))
    assert "default-src 'none'" in page


def test_what_a_strategy_says_is_no_part_of_the_page() -> None:
    """A reason with tags in it is shown as it is."""
    row = {**refusal(1), "limit": "DRY_RUN", "reason": "DRY_RUN: </script><script>alert(1)</script>"}
    page, _ = told(record_of(market_of(AAPL=[10.0, 11.0, 12.0]), refusals=[row]))
    assert "alert(1)</script>" not in page
    assert "</script><script>alert(1)" in section(page, "refusals")


def test_trades_lie_on_the_prices() -> None:
    page, _ = told(RECORDS["trades"])
    drawn = traces(page, "trades-0")
    name = "won" if CLOSES[30] > CLOSES[10] else "lost"
    assert drawn[name]["y"] == [CLOSES[10], CLOSES[30], None]
    assert drawn["bought"]["y"] == [CLOSES[10]]
    assert drawn["close"]["y"] == CLOSES
    assert section(page, "trades").startswith("Trades AAPL.XNAS 1 trades")


def test_a_trade_of_quotes_that_is_open_ends_at_the_last_price() -> None:
    page, _ = told(RECORDS["quotes"])
    assert traces(page, "trades-0")["won"]["y"] == [10.02, 10.21, None]


def test_a_halted_run_says_so_and_tints_the_halt() -> None:
    page, _ = told(RECORDS["halted"])
    assert "HALTED: no new exposure" in page
    [shape] = embedded(page, "charts")["equity"]["layout"]["shapes"]
    assert shape["x0"] == "2024-02-11 16:00:00"
    assert "DRAWDOWN" in section(page, "refusals")
    assert "MAX_LEVERAGE 1" in section(page, "refusals")


def test_each_strategy_and_instrument_has_its_row() -> None:
    page, summary = told(RECORDS["several strategies"])
    parts = section(page, "parts")
    assert summary.contributions is not None
    for kind in ("strategies", "instruments"):
        for part in summary.contributions[kind]:
            assert f"{part.name} {part.pnl:+,f}" in parts


def test_months_compound_to_the_year() -> None:
    seen = seen_of(analysis_of(RECORDS["trades"]), told(RECORDS["trades"])[1], "Test")
    years = years_of(seen)
    assert [each.year for each in years] == [2024, 2025]
    for each in years:
        assert np.isclose(np.prod([1 + month for month in each.months.values()]) - 1, each.total)
    whole = np.prod([1 + each.total for each in years]) - 1
    assert whole == pytest.approx(seen.summary.total_return)
    assert np.isclose(np.prod([1 + each.benchmark for each in years]) - 1, CLOSES[-1] / CLOSES[0] - 1)


def test_the_rolling_sharpe_is_that_of_its_window() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, 300)
    returns[100:200] = 0.0
    rolled = rolling_sharpe(returns, 63, 252)
    for place in (0, 1, 237):
        assert np.isclose(rolled[place], measures.sharpe(returns[place : place + 63], 252) or np.nan)
    assert np.isnan(rolled[110])


def test_thinning_keeps_every_peak_and_trough() -> None:
    values = np.random.default_rng(1).normal(size=50_000).cumsum()
    kept = thinned(values, 1_000)
    assert len(kept) <= 1_002
    assert {values.argmin(), values.argmax(), 0, 49_999} <= set(kept.tolist())


def test_a_long_run_with_many_trades_stays_small() -> None:
    closes = (100 + np.random.default_rng(1).normal(size=30_000).cumsum() / 10).round(2).tolist()
    rows = [
        fill(bar, "BUY" if number % 2 == 0 else "SELL", "1", str(closes[bar]), symbol=symbol)
        for number, bar in enumerate(range(0, 28_000, 14))
        for symbol in "ABCDEFGHIJ"
    ]
    market = market_of(**dict.fromkeys("ABCDEFGHIJ", closes))
    final = 1000 + sum((1 if row["side"] == "SELL" else -1) * row["price"] for row in rows)
    page, _ = told(record_of(market, rows, final=str(final)))
    assert len(page) < 6_000_000
    assert "the 150 with the largest profit or loss" in page
    assert "2 instruments that traded less" in page


def test_luck_is_told_in_plain_sentences() -> None:
    _, summary = told(RECORDS["trades"])
    alone = replace(summary, trials_ledger=1, deflated_sharpe=0.9)
    assert (
        trials_sentence(alone)
        == "1 of 1 trials: nothing was chosen among others, as far as the ledger knows."
    )
    many = replace(summary, trials_ledger=24, deflated_sharpe=0.71)
    assert deflated_sentence(many) == (
        "Deflated Sharpe 0.710: with a probability of 71.0% its true Sharpe ratio is above what the best of 24 trials "
        "without any edge would be expected to show."
    )


def test_secrets_are_not_in_the_config_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_WORD", "hunter2hunter2")
    document = {
        "venue": {"word_variable": "MY_WORD", "api_secret": "s3cret", "note": "says hunter2hunter2"},
        "journal": {"path": "postgresql://me:pass123@host/db"},
        "bar": "1d",
    }
    text = Kept(document, {}).text
    for secret in ("s3cret", "hunter2", "pass123"):
        assert secret not in text
    assert "bar: 1d" in text
    assert "MY_WORD" in text


SPEC = {
    "strategy": {"strategy_path": "strategies.ema_cross:EmaCross", "fast": 20},
    "bar": "1d",
    "data": {"symbols": ["AAPL"]},
}


def check(folder: Path, verdict: str, **changed: object) -> None:
    folder.mkdir(parents=True)
    finding = {"check": "future removed", "caught": verdict == "caught", "evidence": "it looked ahead"}
    said = {
        "check": "lookahead", "verdict": verdict, "strategies": ["strategies.ema_cross:EmaCross"],
        "instruments": ["AAPL"], "bar": "1d", "data_version": "0123456789ab", "findings": [finding], **changed,
    }  # fmt: skip
    (folder / "lookahead.json").write_text(json.dumps(said))
    (folder / CONFIG).write_text(json.dumps(SPEC))


def test_the_newest_check_of_the_same_strategy_and_data_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checks = tmp_path / "outputs" / "checks"
    check(checks / "1", "clean")
    assert (
        related_to(Kept(SPEC, {}), ["AAPL"], "0123456789ab", tmp_path / "a" / "b").checks[0].verdict
        == "clean"
    )
    check(checks / "2", "caught")
    check(checks / "3", "clean", data_version="another")
    check(checks / "4", "clean", instruments=["MSFT"])
    (checks / "5").mkdir()
    (checks / "5" / "lookahead.json").write_text("{broken")
    run = tmp_path / "outputs" / "backtests" / "run"
    run.mkdir(parents=True)
    (run / CONFIG).write_text(json.dumps({**SPEC, "output": "json"}))
    (run / VERSIONS).write_text(json.dumps({"git_commit": "abc", "git_changed": False}))
    analysis = analysis_of(RECORDS["trades"])
    folder = RunFolder(run)
    write_record(folder, analysis.record)
    write_reports(folder, analysis, summarise(analysis, run), "Test", plots=False)
    page = (run / "tearsheet.html").read_text()
    honest = section(page, "honesty")
    assert "lookahead caught this strategy." in honest
    assert "future removed: it looked ahead" in honest
    assert "warmup not run" in honest
    assert "strategy_path: strategies.ema_cross:EmaCross" in section(page, "config")
    assert "git_changed no" in section(page, "config")


def test_a_verdict_on_other_code_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checks, kept = tmp_path / "outputs" / "checks", Kept(SPEC, {})
    code = code_of_document(SPEC)
    sweep = tmp_path / "outputs" / "sweeps" / "1"
    (sweep / "best").mkdir(parents=True)
    (sweep / "best" / CONFIG).write_text(json.dumps(SPEC))
    (sweep / VERSIONS).write_text(json.dumps({"data": "0123456789ab"}))
    for own, verdict, fitted in (
        (code, "lookahead clean", "Overfitting probability 25.0%"),
        ("another", "lookahead of other code the strategy's code has changed", "probability: of other code"),
    ):
        check(checks / own, "clean" if own == code else "caught", code=own)
        (sweep / "summary.json").write_text(json.dumps({"pbo": 0.25, "pbo_trials": 9, "code": own}))
        _, summary = told(RECORDS["trades"])
        seen = seen_of(analysis_of(RECORDS["trades"]), summary, "Test")
        related = related_to(kept, ["AAPL"], "0123456789ab", tmp_path / "a" / "b")
        said = section(f'<section id="honesty">{honesty(seen.beside(kept, related))}</section>', "honesty")
        assert verdict in said
        assert fitted in said
        assert "caught this strategy" not in said


def test_a_check_with_nothing_to_compare_is_not_shown_as_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check(tmp_path / "outputs" / "checks" / "1", "nothing", why="it asked for no order")
    _, summary = told(RECORDS["trades"])
    kept = Kept(SPEC, {})
    related = related_to(kept, ["AAPL"], "0123456789ab", tmp_path / "a" / "b")
    seen = seen_of(analysis_of(RECORDS["trades"]), summary, "Test").beside(kept, related)
    said = section(f'<section id="honesty">{honesty(seen)}</section>', "honesty")
    assert "lookahead nothing to compare it asked for no order" in said
    assert "lookahead had nothing to compare" in said
    assert "nothing wrong" not in said


def test_a_summary_comes_back_exactly() -> None:
    _, summary = told(RECORDS["several strategies"])
    assert summary_of(summary.to_json()) == summary


def test_a_summary_of_an_earlier_version_is_read_too() -> None:
    document = json.loads(told(RECORDS["trades"])[1].to_json())
    for name in ("costs", "contributions", "correlation", "capacity", "trials_ledger"):
        del document[name]
    assert summary_of(json.dumps(document)).costs is None


@needs_browser
def test_a_browser_draws_every_chart(tmp_path: Path) -> None:
    page, _ = told(RECORDS["halted"])
    file = tmp_path / "page.html"
    file.write_text(page)
    assert_drawn(file, len(embedded(page, "charts")))


def test_stamps_of_intraday_bars_keep_their_time() -> None:
    page, _ = told(RECORDS["quotes"])
    assert traces(page, "trades-0")["close"]["x"][1] == "2024-01-02 16:01"
    assert stamp(1) - stamp(0) == DAY


@pytest.mark.parametrize(
    ("file", "said"),
    [("walk_forward.json", "a walk-forward, which has no page"), ("sweep.json", "a sweep, not")],
)
def test_a_folder_that_holds_something_else_than_a_run_says_what(
    tmp_path: Path, file: str, said: str
) -> None:
    (tmp_path / file).write_text("{}")
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(ConfigError, match=said):
        read_run(tmp_path)
