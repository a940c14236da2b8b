"""Every command in README, docs, CHANGELOG and the headers of the YAML files does what is said of it.

A command is found by its shape: a line of a code block or a piece of inline code that begins with `python -m` or
`make`. Lines shown under a `$ command` are what it prints, word for word; a line `...` stands for any number of them.
A command whose output is not shown is run short. What a command needs (prices, a run folder, a halted account) is laid
out in an empty folder first.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from backtests.compare import HELP as COMPARE_HELP
from backtests.holdout import HELP as HOLDOUT_HELP
from backtests.lookahead import HELP as LOOKAHEAD_HELP
from backtests.report import HELP as REPORT_HELP
from backtests.stress import HELP as STRESS_HELP
from backtests.walk_forward import HELP as WALK_HELP
from backtests.warmup import HELP as WARMUP_HELP
from live.resume import HELP as RESUME_HELP
from risk.checks import CHECKS
from risk.gauge import DAILY_LOSS, DRAWDOWN
from risk.halts import FLATTEN, OPERATOR
from risk.limits import RiskConfig
from risk.state import NoticeKind
from runs.summary import Summary
from tests.docs_live import (
    broker_for,
    broker_starts_and_stops,
    ends,
    is_live_verb,
    lay_out_downloads,
    lay_out_journal,
)
from tests.docs_s3 import store_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = [
    path
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**/*.md")
    for path in sorted(ROOT.glob(name))
]
YAMLS = sorted((ROOT / "configs").rglob("*.yaml"))
OTHERS = re.compile(r"(cd|docker|git|jupytext|pip|ruff|source|uv|\.venv/bin/\S+) ")
HALTED_CODE = 3
CHECKS_OF_BIAS = ("lookahead", "stress", "warmup")
"""Verbs that end with 1 where a strategy is caught."""
IN_STORE = "in_store"
SHORT = ["run.max_bars=300", "run.tearsheet=false", "run.plots=false"]


@dataclass(frozen=True)
class Command:
    """A command as it stands on a page, and the lines shown under it."""

    line: str
    shown: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)


@dataclass(frozen=True)
class Page:
    """What a page holds that can be run; `unknown` are lines that look like commands of no known shape."""

    commands: tuple[Command, ...]
    snippets: tuple[str, ...]
    unknown: tuple[str, ...]


def read(text: str) -> Page:
    """Take a Markdown page apart."""
    commands: list[Command] = []
    snippets: list[str] = []
    unknown: list[str] = []
    blocks, prose = _split(text)
    for language, lines in blocks:
        if language == "python" or (lines and lines[0].startswith(("from ", "import "))):
            snippets.append("\n".join(lines))
        elif any(line.startswith("$ ") for line in lines):
            commands += _transcripts(lines)
        else:
            commands += [found for line in lines for found in _in_line(line)]
            unknown += [
                line for line in lines if language in ("sh", "console") and line and not _in_line(line)
            ]
    for code in re.findall(r"`([^`]+)`", prose):
        commands += _in_line(code, whole=True)
        unknown += [code] if OTHERS.match(code) and not _exists(code) else []
    unknown += [
        command.line
        for command in commands
        if not re.match(r"(python -m (backtests|live|bench|simulators|soak)|make)\b", command.line)
    ]
    return Page(tuple(commands), tuple(snippets), tuple(unknown))


def _split(text: str) -> tuple[list[tuple[str, list[str]]], str]:
    """The code blocks of a page, fenced and indented, as (language, lines), and the rest of it."""
    blocks: list[tuple[str, list[str]]] = []

    def keep(match: re.Match[str]) -> str:
        blocks.append((match[1], match[2].splitlines()))
        return ""

    rest = re.sub(r"^```(\w*)\n(.*?)^```$", keep, text, flags=re.MULTILINE | re.DOTALL)
    prose: list[str] = []
    indented: list[str] = []
    for line in [*rest.splitlines(), "."]:
        if line.startswith("    ") or (indented and not line):
            indented.append(line[4:])
            continue
        if indented:
            blocks.append(("", indented))
            indented = []
        prose.append(line)
    return blocks, "\n".join(prose)


def _transcripts(lines: list[str]) -> list[Command]:
    """`$ command`, each with what is shown until the next."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line.rstrip())
    return [Command(line, tuple(_without_blank_ends(shown))) for line, shown in found]


def _without_blank_ends(lines: list[str]) -> list[str]:
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _in_line(line: str, *, whole: bool = False) -> list[Command]:
    """The command that a line begins with; `# python -m ...` in a YAML is one too, prose after it is not."""
    match = re.match(r"(?:#.*?)?\b(python -m \w+.*|make [a-z]\w*(?: .*)?)$", line.strip())
    if match is None or (whole and not line.startswith(("python -m", "make "))):
        return []
    return [Command(re.sub(r"\bVERB\b.*", "--help", match[1]).removesuffix(" ..."))]


def _exists(code: str) -> bool:
    """A tool of the environment or of the system: that it is there is all that is checked."""
    word = code.split(maxsplit=1)[0]
    if word.startswith(".venv/bin/"):
        return Path(sys.executable).with_name(Path(word).name).exists()
    return word in ("cd", "source") or shutil.which(word) is not None


def _all() -> dict[str, tuple[str, Command]]:
    """Test id -> (where it stands, command), each command once."""
    found: dict[Command, str] = {}
    for path in PAGES:
        for command in read(path.read_text(encoding="utf-8")).commands:
            found.setdefault(command, path.name)
    for path in YAMLS:
        for command in _in_line(path.read_text(encoding="utf-8").splitlines()[0]) or _in_second_line(path):
            found.setdefault(command, path.name)
    for command in _in_help():
        found.setdefault(command, "--help")
    return {f"{place}: {command.line}": (place, command) for command, place in found.items()}


def _in_help() -> list[Command]:
    """The examples of `--help`: those of `run`, which both packages share, and that of `resume`."""
    shared = (ROOT / "configs" / "hydra" / "help" / "keel.yaml").read_text(encoding="utf-8")
    examples = re.findall(r"^ *\$\{hydra\.help\.app_name\} (.*=.*)$", shared, re.MULTILINE)
    runs = [
        Command(f"python -m {package} run {each}") for each in examples for package in ("backtests", "live")
    ]
    resumes = [
        command
        for text in (
            *(RESUME_HELP, LOOKAHEAD_HELP, STRESS_HELP, WARMUP_HELP, REPORT_HELP, COMPARE_HELP),
            *(WALK_HELP, HOLDOUT_HELP),
        )
        for line in text.splitlines()[1:]
        for command in _in_line(line.partition(": ")[2])
    ]
    assert examples
    assert resumes
    return [*runs, *resumes]


def _in_second_line(path: Path) -> list[Command]:
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]
    return _in_line(second) if first.startswith("# @package") else []


COMMANDS = _all()
RUNNABLE = {name: command for name, (_, command) in COMMANDS.items() if command.words[0] == "python"}
TARGETS = sorted({tuple(command.words) for _, command in COMMANDS.values() if command.words[0] == "make"})
SNIPPETS = [
    pytest.param(snippet, id=f"{path.name}: {number}")
    for path in PAGES
    for number, snippet in enumerate(read(path.read_text(encoding="utf-8")).snippets)
]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environment,
    )


def lay_out(words: list[str], folder: Path) -> None:
    """Everything the command speaks of that a user would have."""
    given = dict(word.partition("=")[::2] for word in words)
    if path := given.get("data.path"):
        _write_prices(folder / (IN_STORE if path.startswith("s3://") else path), given)
    if set(words) & {"data=alpaca", "data=alpaca_crypto"}:
        lay_out_downloads(folder)
    if "my_desk" in words:
        (folder / "my_desk" / "strategy").mkdir(parents=True)
        (folder / "my_desk" / "strategy" / "breakout.yaml").write_text(
            "strategy_path: breakout:Breakout\nconfig_path: breakout:BreakoutConfig\nlookback: 20\n"
        )
        (folder / "breakout.py").write_text(BREAKOUT)
    if words[2:4] in (["backtests", verb] for verb in ("rerun", "report", "compare")):
        for place in words[4:]:
            made = run(["-m", "backtests", "run", f"run.dir={place}", *SHORT], folder)
            assert made.returncode == 0, made.stderr
    if words[3:4] == ["sweep"] and words[4].startswith("resume="):
        folder_of_it = words[4].removeprefix("resume=")
        made = run(
            ["-m", "backtests", "sweep", "strategy.fast=5,10", f"run.dir={folder_of_it}", *SHORT], folder
        )
        assert made.returncode == 0, made.stderr
    if words[3:5] == ["holdout", "open"]:
        made = run(["-m", "backtests", "holdout", "declare", "start=2010-01-01"], folder)
        assert made.returncode == 0, made.stderr
    if words[3:4] == ["trials"]:
        made = run(["-m", "backtests", "run", *SHORT], folder)
        assert made.returncode == 0, made.stderr
    if words[3:5] == ["trials", "import"]:
        made = run(["-m", "backtests", "trials", "export", words[5]], folder)
        assert made.returncode == 0, made.stderr


BREAKOUT = """
from nautilus_trader.model import BarType
from nautilus_trader.trading import Strategy, StrategyConfig


class BreakoutConfig(StrategyConfig):
    def __init__(self, bar_types: list[BarType], lookback: int, **_: object) -> None:
        self.bar_types, self.lookback = bar_types, lookback


class Breakout(Strategy):
    def on_start(self) -> None:
        for bar_type in self.config.bar_types:
            self.subscribe_bars(bar_type)
"""


def _write_prices(path: Path, given: dict[str, str]) -> None:
    crypto = given.get("data.instrument_class") == "crypto"
    every = {"1d": "B", "15m": "15min", "1m": "min"}[given.get("bar", "1d")]
    stamps = pd.date_range("2024-01-02", periods=400, freq=every, tz="UTC" if crypto else None)
    wave = [100 + number % 7 for number in range(400)]
    table = pd.DataFrame(
        {"time": stamps, "open": wave, "high": wave, "low": wave, "close": wave, "volume": 100_000}
    )
    symbol = f"BTC-{given.get('venue.currency', 'USD')}" if crypto else "AAPL"
    if not path.suffix:
        path = path / f"{symbol}.{given['data']}"
    path.parent.mkdir(parents=True)
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)


def expected(command: Command) -> tuple[int, tuple[str, ...]]:
    """The exit code, and the lines that stderr or stdout must hold."""
    if command.shown:
        first = command.shown[0]
        if first.endswith(": caught"):
            return 1, command.shown
        code = 0 if not first.startswith("error: ") else 3 if " is halted: " in first else 2
        return code, command.shown
    return 0, ()


def appended(command: Command, folder: Path) -> list[str]:
    """What makes a run short and keeps it away from the user's own state."""
    words = command.words
    if "--help" in words or not {*words[3:4]} & {"run", *CHECKS_OF_BIAS}:
        return []
    journal = words[2] == "live" and not any(word.startswith("journal") for word in words)
    mine = [f"journal.path={folder / 'journal.db'}"] if journal else []
    mine += (
        [f"data.catalog_dir={folder / 'catalog'}"]
        if any(word.startswith(("data.path=", "data=alpaca")) for word in words)
        else []
    )
    mine += (
        [f"data.folder={folder / 'downloads'}"]
        if any(word.startswith("data=alpaca") for word in words)
        else []
    )
    if command.shown:
        return mine
    return [*SHORT, *mine, *(["run.max_minutes=0.02"] if words[2] == "live" else [])]


@pytest.mark.parametrize("name", RUNNABLE, ids=list(RUNNABLE))
def test_each_command_does_what_is_said_of_it(name: str, tmp_path: Path) -> None:
    command = RUNNABLE[name]
    words = command.words
    code, shown = expected(command)
    lay_out(words, tmp_path)
    if words[2] == "simulators" and "--help" not in words:
        broker_starts_and_stops(words, tmp_path)
        return
    extra = appended(command, tmp_path)
    if is_live_verb(words) or code == HALTED_CODE:
        extra += lay_out_journal(words, tmp_path, halted=words[3] == "resume" or code == HALTED_CODE)
    with store_for(words, tmp_path / IN_STORE), broker_for(words, tmp_path) as more:
        done = run([*words[1:], *dict.fromkeys([*extra, *more])], tmp_path)
    right = ends(words, code)
    if {*words[3:4]} & {*CHECKS_OF_BIAS} and not shown and done.returncode in (0, 1):
        right = frozenset({code := done.returncode})
    assert done.returncode in right, done.stderr
    if done.returncode != code:
        assert done.stderr.startswith("error: ")
        return
    assert "Traceback" not in done.stderr
    said = done.stderr if code > 1 else done.stdout
    assert_shown(shown, said)
    if "output=json" in words and "-m" not in words[3:]:
        assert isinstance(json.loads(done.stdout), dict)


def assert_shown(shown: tuple[str, ...], said: str) -> None:
    """Each line shown follows the one before it; only where `...` stands may lines be left out."""
    lines = [_timeless(line) for line in said.splitlines()]
    place, free = 0, False
    for each in shown:
        line = _timeless(each)
        if line == "...":
            free = True
            continue
        assert line in lines[place:], f"not printed, or not in this order: {line}"
        at = lines.index(line, place)
        assert free or at == place, f"{lines[place:at]} is left out before {line}: mark it with ..."
        place, free = at + 1, False
    left_out = [line for line in lines[place:] if line]
    assert free or not shown or not left_out, f"left out at the end: {left_out}"


def _timeless(line: str) -> str:
    """A line without trailing spaces; the time that names a run folder or a log is any time."""
    return re.sub(r"\d{4}-\d\d-\d\d_\d\d-?\d\d-?\d\d(-\d{3})?", "TIME", line).rstrip()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("words", TARGETS, ids=" ".join)
def test_each_make_target_is_there(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["make", "-n", *words[1:]],  # noqa: S607 - whichever make a user has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_each_piece_of_python_runs(snippet: str, tmp_path: Path) -> None:
    done = run(["-c", snippet], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_holds_a_command_of_unknown_shape(path: Path) -> None:
    assert read(path.read_text(encoding="utf-8")).unknown == ()


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_yaml_opens_with_a_command(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert _in_line(first) or _in_second_line(path), first


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_key_of_the_json_is_told() -> None:
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "results.md").read_text(encoding="utf-8")))
    assert {key for key in Summary.__dataclass_fields__ if key not in named} == set()


def test_every_file_of_a_run_folder_is_told(tmp_path: Path) -> None:
    made = run(["-m", "backtests", "run", "run.dir=made", "run.max_bars=50"], tmp_path)
    assert made.returncode == 0, made.stderr
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for name in re.findall(r"`([^`]+\.\w+)`", row)
    }
    files = {re.sub(r"engine_.*", "engine_*.jsonl", file.name) for file in (tmp_path / "made").iterdir()}
    assert {name for name in files if not name.startswith(".")} == told - {"errors.txt"}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_readme_shows_what_make_run_prints(tmp_path: Path) -> None:
    page = read((ROOT / "README.md").read_text(encoding="utf-8"))
    shown = next(command.shown for command in page.commands if command.line == "make run")
    recipe = subprocess.run(
        ["make", "-n", "run"],  # noqa: S607 - whichever make a user has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[str] = []
    for line in recipe.stdout.splitlines():
        words = shlex.split(line) if re.match(r"echo|\.venv/bin/python -m (backtests|live) ", line) else []
        if words[:1] == ["echo"]:
            said.append(" ".join(words[1:]))
        elif words:
            done = run(words[1:], tmp_path)
            said += [*done.stderr.splitlines()[:1], *done.stdout.splitlines()]
    assert_shown(shown, "\n".join(said))


# -- the risk pages ---------------------------------------------------------------------------------------------------

RISK = ROOT / "docs" / "risk.md"
RISK_PAGES = [RISK, *sorted((ROOT / "docs" / "risk").glob("*.md"))]
CITED = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)(?:\[[^`]*\])?`")
Row = dict[str, str]


def tables(path: Path) -> list[list[Row]]:
    """Every table of a page: its rows as column -> cell."""
    found: list[list[Row]] = []
    before: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            before.append(line)
        elif before:
            header, _, *rows = [[cell.strip() for cell in each.strip("|").split("|")] for each in before]
            found.append([dict(zip(header, row, strict=True)) for row in rows])
            before = []
    return found


def told(first: str) -> list[Row]:
    """The rows of the tables of docs/risk.md whose first column is called so."""
    return [row for table in tables(RISK) for row in table if next(iter(row)) == first]


def bare(cell: str) -> str:
    return cell.strip("`")


def in_risk(pattern: str) -> set[str]:
    """What a pattern finds in the sources of the risk package."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "risk").glob("*.py"))]
    return {name for source in sources for name in re.findall(pattern, source)}


def named_tests_in(path: Path) -> set[str]:
    """The tests of a file, those of a class as Class::test."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    named = [("", body), *((f"{each.name}::", each.body) for each in body if isinstance(each, ast.ClassDef))]
    return {
        f"{prefix}{each.name}"
        for prefix, nodes in named
        for each in nodes
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    }


def test_risk_page_has_every_limit_with_its_default() -> None:
    rows = {bare(row["field"]): bare(row["default"]) for row in told("field")}
    words = {None: "off", True: "true", False: "false", (): "[]"}
    defaults = {
        name: words.get(value, str(value)) if isinstance(value, bool | tuple | None) else str(value)
        for name, value in RiskConfig().model_dump().items()
    }
    assert rows == {**defaults, "session_zone": "the data's"}
    assert len(told("field")) == len(rows), "a field has two rows"


def test_limits_stand_in_the_order_in_which_they_are_asked() -> None:
    asked = [(code, field) for code, field, _ in CHECKS]
    rows = [(bare(row["code"]), bare(row["field"])) for row in told("field") if row.get("code")]
    assert rows == [("DRY_RUN", "dry_run"), *asked]


def test_risk_pages_tell_every_code_that_a_reason_begins_with() -> None:
    codes = {code for code, _, _ in CHECKS} | in_risk(r"""f?["']([A-Z_]{5,}): """)
    pages = "".join(path.read_text(encoding="utf-8") for path in RISK_PAGES)
    assert {code for code in codes if f"`{code}`" not in pages} == set()
    known = {bare(row["code"]) for row in told("code")}
    assert known <= codes, "a code that no source has"


def test_risk_page_has_every_breaker() -> None:
    named = {DAILY_LOSS, DRAWDOWN, OPERATOR, FLATTEN}
    breakers = named | in_risk(r'Trip\(\s*"([A-Z_]+)"') | in_risk(r'return "([A-Z_]+)", ')
    rows = {bare(row["breaker"]) for row in [*told("field"), *told("breaker")] if row.get("breaker")}
    assert rows == breakers


def test_risk_page_has_every_kind_of_notice() -> None:
    assert {bare(row["notice"]) for row in told("notice")} == set(get_args(NoticeKind.__value__))


def test_risk_page_has_every_preset() -> None:
    presets = {path.stem for path in (ROOT / "configs" / "risk").glob("*.yaml")}
    assert {bare(row["preset"]) for row in told("preset")} == presets


@pytest.mark.parametrize("first", ["field", "breaker", "code", "notice", "preset"])
def test_every_line_of_the_risk_page_names_a_test_that_proves_it(first: str) -> None:
    rows = told(first)
    assert rows
    assert [row[first] for row in rows if not CITED.search(row["proof"])] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_a_page_names_is_there(path: Path) -> None:
    cited = CITED.findall(path.read_text(encoding="utf-8"))
    files = {file for file, _ in cited}
    assert {file for file in files if not (ROOT / file).exists()} == set()
    there = {file: named_tests_in(ROOT / file) for file in files}
    assert {f"{file}::{name}" for file, name in cited if name not in there[file]} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_to_a_heading_finds_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for file, heading in re.findall(r"\]\(([^)#:]*\.md)?#([^)]+)\)", text):
        page = (path.parent / file if file else path).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert heading in slugs, f"{file}#{heading}"
