"""Bad input costs one line that names field, value, what is allowed and what to do, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.load import FOLDER
from tests.configs.running import refusal, run

KEY = "PKTESTKEY0123456789A"

REFUSED = [
    # groups
    (
        "venue=alpaca_papr",
        "venue=alpaca_papr: no such option; did you mean alpaca_paper? There are: alpaca, alpaca_paper",
    ),
    ("+strategy@strategies.second=othr", "strategy=othr: no such option; did you mean other?"),
    ("experiment=nothing_like_it", "experiment=nothing_like_it: no such option; there are: "),
    ("venu=replay", "unknown key venu; did you mean venue?"),
    ("+venue=replay", "venue is chosen twice; to choose another write venue=NAME, without +"),
    ("venue=null", "takes the name of one of its options, such as venue=replay"),
    ("~venue", "venue is missing; choose one with venue=NAME"),
    ("~venu", "~venu: there is nothing to delete"),
    (
        "strategy=[mine,other]",
        "takes one name, such as strategy=mine; a second one is +strategy@strategies.second=other",
    ),
    ("strategy=3", "takes the name of one of its options, such as venue=replay"),
    ("foo@bar=x", "unknown key foo"),
    # keys
    ("instrments=[AAPL]", "unknown key instrments; did you mean instruments?"),
    ("+foo=1", "unknown key foo; a run has instruments, bar, strategy"),
    ("risk.max_levrage=1", "unknown key risk.max_levrage; did you mean risk.max_leverage?"),
    ("venue.startng_cash=1", "unknown key venue.startng_cash; did you mean venue.starting_cash?"),
    ("data.symbls=[AAPL]", "unknown key data.symbls; did you mean data.symbols?"),
    ("run.stat=2005-01-01", "unknown key run.stat; did you mean run.start?"),
    ("strategy.fst=3", "unknown key strategy.fst; did you mean strategy.fast?"),
    (
        "strategies.second.fast=3",
        "strategies.second names no strategy; to add it, write +strategy@strategies.second",
    ),
    ("hydra.foo=1", "unknown key hydra.foo"),
    (
        "strategy.bar_types=[1]",
        "strategy.bar_types is filled in by Keel; choose with instruments=[...] and bar=...",
    ),
    ("strategy.order_id_tag=X", "strategy.order_id_tag belongs to the engine and is set by Keel"),
    # types and ranges
    ("strategy.fast=abc", "strategy.fast=abc: must be a whole number"),
    ("strategy.fast=2.5", "strategy.fast=2.5: must be a whole number"),
    ('strategy.fast="10"', "strategy.fast=10: must be a whole number"),
    ("strategy.fast=true", "strategy.fast=true: must be a whole number"),
    ("strategy.fast=0", "strategy.fast=0: must be greater than 0"),
    ("strategy.plain=x", "strategy.plain=x: must be a whole number"),
    ("strategy.weight=nan", "strategy.weight=nan: must be a finite number"),
    ("strategy.size=inf", "strategy.size=inf: must be a finite number"),
    ("strategy.size=true", "strategy.size=true: must be a number"),
    ("strategy.copy=1", "strategy.copy=1: must be true or false"),
    ("strategy.sides=bot", "strategy.sides=bot: must be one of long, both; did you mean both?"),
    ("strategy.side=BUUY", "strategy.side=BUUY: must be one of BUY, SELL"),
    ("strategy.hedge=AAPL", "strategy.hedge=AAPL: must be the text of a NautilusTrader InstrumentId"),
    ("strategy.hedge=3", "strategy.hedge=3: must be the text of a NautilusTrader InstrumentId"),
    ("risk.max_leverage=two", "risk.max_leverage=two: 'two' is not a number"),
    ("risk.max_leverage=-1", "risk.max_leverage=-1: must be greater than 0"),
    ("risk.max_position_pct=5", "this is a fraction: 0.05 is 5%"),
    ("risk={max_levrage: 1}", "unknown key risk.max_levrage; did you mean risk.max_leverage?"),
    ("data.symbols={a: 1}", "data.symbols={a: 1}: this key holds something of another kind"),
    ("venue.currency=[1]", "venue.currency=[1]: must be text"),
    ("risk=[default,crypto]", "risk=[default,crypto]: takes one name, such as risk=default"),
    ("venue.speed=-1", "venue.speed=-1: must be 0 or more: 0 plays as fast as it can, 1 is real time"),
    ("venue.speed=nan", "venue.speed=nan: must be a finite number"),
    ("venue.speed=fast", "venue.speed=fast: must be a number"),
    ("venue.slippage_ticks=2", "venue.slippage_ticks=2: must be one of 0, 1"),
    ("venue.starting_cash=0", "venue.starting_cash=0: must be greater than 0"),
    ("venue.starting_cash=true", "venue.starting_cash=true: True is not a number"),
    ("venue.starting_cash=nan", "venue.starting_cash=nan: nan is not a finite number"),
    ("venue.leverage=0.5", "venue.leverage=0.5: must be greater than or equal to 1"),
    ("venue.maker_fee=5", "venue.maker_fee=5: must be less than 1"),
    ("venue.latency_ms=-1", "venue.latency_ms=-1: must be greater than or equal to 0"),
    ("venue.mode=live", "venue.mode=live: must be sandbox"),
    ("venue.currency=usd", "venue.currency=usd: must be a currency's code in capitals, such as USD"),
    ("bar=1w", "bar=1w: must be a length such as 30s, 15m, 1h or 1d"),
    ("instruments=[AAPL,AAPL]", "instruments=[AAPL,AAPL]: names AAPL more than once"),
    ("instruments=[]", "instruments=[]: must name at least one"),
    ("instruments=['']", "instruments[0]=: must not be empty"),
    ("instruments=[true]", "instruments[0]=true: must be text; put it in quotes"),
    ("strategy.instruments=[TSLA]", "strategy.instruments names TSLA, but the run has only AAPL, MSFT"),
    ("run.start=2005-13-01", "run.start=2005-13-01: must be a day, such as 2005-01-31"),
    ("run.start=2005", "run.start=2005: must be a day, such as 2005-01-31"),
    ("run.max_bars=0", "run.max_bars=0: must be greater than 0"),
    ("run.max_minutes=-1", "run.max_minutes=-1: must be greater than 0"),
    ("run.on_stop=flaten", "must be one of leave, cancel, flatten; did you mean flatten?"),
    ("run.name=a/b", "run.name=a/b: must be a word of letters, digits"),
    ("run.plots=yes", "run.plots=yes: must be true or false"),
    ("log.level=loud", "log.level=loud: must be one of debug, info, warning, error"),
    ("output=yaml", "output=yaml: must be one of text, json"),
    ("output=[json]", "output=[json]: must be one of text, json"),
    # what is missing or cannot be worked out
    ("strategy=needy", "strategy.period is missing; give strategy.period=VALUE"),
    ("run.name=???", "run.name is missing; give run.name=VALUE"),
    ("run.name=${nowhere}", "run.name: Interpolation key 'nowhere' not found"),
    ("run.name=${oc.env:KEEL_NOT_SET}", "run.name: KeyError raised while resolving interpolation"),
    ("strategy=broken", "broken.yaml, line 2, column 1: not YAML"),
    # class paths
    ("strategy.strategy_path=my_desc:Mine", "there is no module my_desc; did you mean my_desk?"),
    ("strategy.strategy_path=my_desk:Min", "module my_desk has no Min; did you mean my_desk:Mine?"),
    (
        "strategy.strategy_path=my_desk",
        "strategy.strategy_path=my_desk: not the path of a class; write package.module",
    ),
    ("strategy.strategy_path=my_desk:not_a_class", "not_a_class is not a class"),
    ("strategy.config_path=my_desk:Mine", "Mine does not derive from nautilus_trader.trading.StrategyConfig"),
    (
        "strategy.config_path=my_broken:A",
        "importing my_broken failed: NameError: name 'undefined_name' is not defined",
    ),
    ("strategy.config_path=my_syntax:A", "importing my_syntax failed: SyntaxError"),
    ("strategy.config_path=my_exit:A", "importing my_exit failed: SystemExit: 7"),
    (
        "strategy.config_path=my_import:A",
        "importing my_import failed: ModuleNotFoundError: No module named 'no_such",
    ),
    ("strategy.config_path=my_broken.sub:A", "importing my_broken failed: NameError"),
    ("strategy.config_path=my_desk.sub:A", "there is no module my_desk.sub"),
    ("strategy.config_path=my_desk:OddConfig", "the parameters of OddConfig cannot be read: name 'Nowhere'"),
    (
        "data.source=my_desk:Mine",
        "data.source=my_desk:Mine: Mine does not derive from market.source.DataSource",
    ),
    ("venue.config=my_desk:MyVenue", "module my_desk has no MyVenue; did you mean my_desk:MyVenueConfig?"),
    # overrides and flags
    ("foo", "cannot read 'foo': write key=value"),
    ("run.dir=[a", "cannot read 'run.dir=[a': write key=value"),
    ("", "cannot read '': write key=value"),
    ("instruments=AAPL,MSFT", "write instruments=[AAPL,MSFT] for a list, or add -m for a run of each"),
    ("strategy.fast=range(1,3)", "strategy.fast=range(1,3): add -m to run once for each value"),
    ("risk.max_leverage.x=1", "risk.max_leverage: {'x': 1} is not a number"),
    ("--nonsense", "unrecognized arguments: --nonsense"),
    ("--cfg=everything", "invalid choice: 'everything'"),
    ("--config-name=nope", "there is no config nope.yaml"),
    ("hydra.searchpath=[file:///not/there]", "path=/not/there is not available"),
]


@pytest.mark.parametrize(("override", "line"), REFUSED, ids=[override for override, _ in REFUSED])
def test_one_line_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], mine: list[str], override: str, line: str
) -> None:
    assert line in refusal(capsys, [*mine, override])


def test_a_second_strategy_spelled_wrong_gets_its_close_match(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    argv = [*mine, "+strategy@strategies.second=other", "strategies.secnd.fast=4"]
    assert "did you mean strategies.second?" in refusal(capsys, argv)


def test_a_strategy_beside_the_first_is_named_by_its_own_key(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    second = [*mine, "+strategy@strategies.second=other"]
    assert refusal(capsys, [*second, "strategies.second.fast=x"]).startswith("strategies.second.fast=x: ")
    wrong = [*second, "strategies.second.config_path=my_desk:Nope"]
    assert refusal(capsys, wrong).startswith("strategies.second.config_path=my_desk:Nope: ")


def test_a_window_that_ends_before_it_starts_is_refused(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    line = refusal(capsys, [*mine, "run.start=2005-01-01", "run.end=2004-01-01"])
    assert "start=2005-01-01 is not before end=2004-01-01" in line


def test_several_faults_tell_the_first_and_count_the_rest(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    line = refusal(capsys, [*mine, "bar=1w", "risk.max_leverage=two", "output=yaml"])
    assert line.startswith("bar=1w: ")
    assert line.endswith("(2 more after this one)")


def test_errors_go_to_stderr_with_json_output_too(
    capsys: pytest.CaptureFixture[str], mine: list[str]
) -> None:
    assert "bar=1w" in refusal(capsys, [*mine, "output=json", "bar=1w"])


def test_a_folder_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "not a folder that can be read" in refusal(capsys, [f"--config-dir={tmp_path / 'no'}"])
    assert "expected one argument" in refusal(capsys, ["--config-dir"])


def test_a_yaml_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: list[str]
) -> None:
    (tmp_path / "risk").mkdir()
    (tmp_path / "risk" / "latin.yaml").write_bytes(b"a: \xff\xfe\n")
    (tmp_path / "risk" / "list.yaml").write_text("- 1\n- 2\n")
    (tmp_path / "risk" / "loop.yaml").write_text("defaults:\n  - loop\n")
    del mine[0]
    for name in ("latin", "list", "loop"):
        refusal(capsys, [f"--config-dir={tmp_path}", "strategy=x", f"risk={name}"])


def test_a_file_that_would_be_hidden_by_one_that_ships_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mine: list[str]
) -> None:
    (tmp_path / "risk").mkdir()
    own = tmp_path / "risk" / "default.yaml"
    own.write_text("max_leverage: 0.5\n")
    line = f"{own}: the default that ships would be read instead; give yours another name"
    assert refusal(capsys, [f"--config-dir={tmp_path}"]) == line
    own.write_bytes((FOLDER / "risk" / "default.yaml").read_bytes())
    argv = [f"--config-dir={tmp_path}", f"hydra.searchpath=['file://{mine[0].partition('=')[2]}']", *mine[1:]]
    assert run(capsys, argv).code == 0  # a plain copy hides nothing


@pytest.mark.parametrize(
    "override",
    [
        f"venue.credentials.key_variable={KEY}",
        f"venue.credentials.secret_variable={KEY.lower()}/x+Y",
        f"+venue.credentials.secret={KEY}",
        f"venue.api_key={KEY}",
        f"venue.credentials={KEY}",
        f"venue.credentials=[{KEY}]",
        f"venue.credentials.source={KEY}",
        f"venue.credentials.secret=[{KEY}",
        f"strategy.api_secret={KEY}",
        f"strategy.api_secret={KEY},b",
    ],
)
def test_what_may_be_a_secret_is_refused_and_never_repeated(
    capsys: pytest.CaptureFixture[str], mine: list[str], override: str
) -> None:
    assert KEY not in refusal(capsys, [*mine, "venue=alpaca_paper", override]).upper()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    override=st.one_of(
        st.text(max_size=12),
        st.builds(
            "{}={}".format, st.sampled_from(["bar", "strategy.fast", "risk.x", "venue"]), st.text(max_size=8)
        ),
    ).filter(lambda text: not text.startswith("-"))
)
def test_no_override_at_all_costs_more_than_one_line(
    capsys: pytest.CaptureFixture[str], mine: list[str], override: str
) -> None:
    seen = run(capsys, [*mine, override])
    assert seen.code in (0, 2), (override, seen.err)
    assert seen.err.count("\n") == (1 if seen.code else 0), (override, seen.err)
