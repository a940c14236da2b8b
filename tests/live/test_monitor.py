"""`live monitor`: what is on the screen, in narrow and wide windows, with a journal that goes away and comes back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from journal.config import JournalConfig
from live._about import about
from live._monitor_app import Monitor
from live._monitor_feed import Feed
from live._monitor_halt import HaltDialog
from live.monitor import monitor
from runs.verbs import key_values
from tests.journal.filled import arguments, journal_on
from tests.live.test_orders import HELD, UNKNOWN
from tests.live.told import Node, document, node_on

Capture = pytest.CaptureFixture[str]
KEYS = ("journal", "journal.path", "journal.url", "venue", "run")
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with node_on(JournalConfig(path=tmp_path / "journal.db")) as made:
        yield made


def app_of(node: Node) -> Monitor:
    given = key_values("monitor", arguments(node.config), KEYS)
    return Monitor(Feed(given, about(given)))


def screen_of(app: Monitor) -> str:
    """What is on the screen, line by line, without colours."""
    strips = app.screen._compositor.render_strips(app.size)  # noqa: SLF001 - the only way to the characters
    return "\n".join(strip.text.rstrip() for strip in strips)


async def until(app: Monitor, pilot: Pilot[None], words: str, timeout_secs: float = 150) -> str:
    """The screen once these words are on it."""
    for _ in range(int(timeout_secs / 0.1)):
        await pilot.pause(0.1)
        screen = screen_of(app)
        if words in screen or words in " ".join(screen.split()):
            return screen
    raise AssertionError(f"{words!r} never came on the screen:\n{screen_of(app)}")


async def reached(pilot: Pilot[None], done: Callable[[], bool], timeout_secs: float = 150) -> None:
    """Once something holds."""
    for _ in range(int(timeout_secs / 0.1)):
        if done():
            return
        await pilot.pause(0.1)
    raise AssertionError("it did not come")


def watched(
    node: Node, steps: Callable[[Monitor, Pilot[None]], Awaitable[Any]], size: tuple[int, int] = (80, 24)
) -> None:
    """Run the monitor on a screen of this size."""

    async def run() -> None:
        app = app_of(node)
        async with app.run_test(size=size, notifications=True) as pilot:
            await steps(app, pilot)

    asyncio.run(run())


def test_everything_that_matters_is_on_a_small_screen_at_once(config: JournalConfig) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        screen = await until(app, pilot, "equity")
        lines = screen.splitlines()
        assert len(lines) == 24
        assert max(map(len, lines)) <= 80
        for words in (
            "PAPER", "my_paper", "ACTIVE", "node ", "equity 100,750.00 USD", "day +750.00 USD +0.75%", "drawdown 0.00%",
            "max_leverage", "max_drawdown_pct", "AAPL.XNAS", "+7.50%", "q quit", "h halt trading",
        ):  # fmt: skip
            assert words in screen, words

    with node_on(config) as node:
        node.says(document())
        watched(node, look)


def test_the_arrows_scroll_to_orders_and_events(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity")
        assert "FILL" not in screen_of(app)
        for _ in range(30):
            await pilot.press("down")
        await until(app, pilot, "BUY 100 AAPL.XNAS at 100")
        await pilot.press("home")
        await until(app, pilot, "max_leverage")

    node.says(document())
    node.buys()
    watched(node, look)


def test_a_wide_screen_shows_everything_side_by_side(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        screen = await until(app, pilot, "BUY 100 AAPL.XNAS at 100")
        for words in (
            "max_leverage",
            "UNKNOWN SELL 12",
            "HELD BUY 50",
            "BUY 5 AAPL.XNAS",
            "Data age",
            "Journal: ",
        ):
            assert words in screen, words
        limits = next(line for line in screen.splitlines() if "Limit" in line or "max_leverage" in line)
        assert len(limits) <= 160

    node.says(document(held=[HELD], unknown=[UNKNOWN]))
    node.buys()
    watched(node, look, (160, 45))


def test_it_follows_what_the_node_says(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity 100,750.00")
        node.says(document(equity="91234", state="HALTED", reason="DRAWDOWN: too much"))
        await until(app, pilot, "equity 91,234.00")
        await until(app, pilot, "HALTED: DRAWDOWN: too much")

    node.says(document())
    watched(node, look)


def test_a_node_that_died_is_said_in_words(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "gone: it did not end by itself")
        assert "NO NODE" in screen_of(app)

    node.says(document(), ago_secs=10)
    node.gone()
    watched(node, look)


def _rename(config: JournalConfig, *, away: bool) -> None:
    """Take the journal away, or bring it back."""
    if config.kind == "sqlite":
        elsewhere = config.file.with_name("elsewhere.db")
        (config.file if away else elsewhere).rename(elsewhere if away else config.file)
        return
    server, _, name = str(config.url).rpartition("/")
    before, after = (name, f"{name}_away") if away else (f"{name}_away", name)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for _ in range(5_000):
            try:
                connection.execute(f"ALTER DATABASE {before} RENAME TO {after}".encode())
            except psycopg.errors.ObjectInUse:  # somebody reads it this very moment
                time.sleep(0.02)
            else:
                return
    raise AssertionError(f"{before} is never free")


def test_a_journal_that_goes_away_is_said_and_read_again_once_it_is_back(config: JournalConfig) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity 100,750.00")
        _rename(config, away=True)
        await until(app, pilot, "JOURNAL AWAY since")
        await until(app, pilot, "equity 100,750.00")  # what was read last stays, and is said to be old
        if config.kind == "sqlite":
            assert not config.file.exists()  # looking does not make a new one
        _rename(config, away=False)
        await reached(pilot, lambda: "JOURNAL AWAY" not in screen_of(app))

    with node_on(config) as node:
        node.says(document())
        node.gone()
        watched(node, look)


def test_q_quits(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity")
        await pilot.press("q")
        await reached(pilot, lambda: not app.is_running)

    node.says(document())
    watched(node, look)


def test_halting_wants_a_reason_and_escape_goes_back(node: Node) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity")
        await pilot.press("h")
        screen = await until(app, pilot, "HALT paper my_paper?")
        assert "Enter halts, Escape goes back" in screen
        await pilot.press("enter")
        await until(app, pilot, "a reason is needed")
        await pilot.press("q")  # a letter of the reason, not the end
        await reached(pilot, lambda: app.screen.query_one(Input).value == "q")
        await pilot.press("escape")
        await reached(pilot, lambda: not isinstance(app.screen, HaltDialog))
        assert app.is_running

    node.says(document())
    watched(node, look)


def test_halting_without_a_node_keeps_the_halt_and_shows_the_answer(config: JournalConfig) -> None:
    async def look(app: Monitor, pilot: Pilot[None]) -> None:
        await until(app, pilot, "equity")
        await pilot.press("h")
        await until(app, pilot, "HALT paper my_paper?")
        await pilot.press(*"odd", "enter")
        await until(app, pilot, "HALTED: OPERATOR: odd")
        await until(app, pilot, "trading is halted, and")

    with node_on(config) as node:
        node.says(document())
        node.ends()
        watched(node, look)


def test_one_frame_as_text_for_scripts(config: JournalConfig, capsys: Capture) -> None:
    with node_on(config) as node:
        node.says(document(held=[HELD]))
        node.buys()
        assert monitor([*arguments(config), "once=true"]) == 0
    text = capsys.readouterr().out
    for words in (
        "PAPER",
        "equity 100,750.00 USD",
        "max_leverage",
        "HELD BUY 50",
        "FILL",
        "Journal: nothing waits",
    ):
        assert words in text, words
    assert "\x1b" not in text


def test_a_frame_needs_no_more_than_ascii(node: Node) -> None:
    node.says(document())
    node.desk.snapshot(node.now)
    node.desk.writer.commit()
    command = [sys.executable, "-m", "live", "monitor", "once=true", *arguments(node.config)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "max_leverage" in done.stdout


def test_without_a_terminal_it_says_how_to_get_a_frame(node: Node, capsys: Capture) -> None:
    assert monitor(arguments(node.config)) == 2
    assert "monitor once=true" in capsys.readouterr().err
