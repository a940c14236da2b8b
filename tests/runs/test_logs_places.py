"""Where lines go: files that lose nothing in silence, a screen that drowns nobody, a thread that waits for disks."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rich.console import Console

from runs.logs import writer
from runs.logs.events import LEVELS
from runs.logs.files import FileOutlet
from runs.logs.rendering import Line
from runs.logs.run_log import RunLog
from runs.logs.stderr import ALIKE_SECS, StderrOutlet, screen_console
from tests.runs.log_scenes import STYLE, T0, TRIP, Kept, events, fill, log_into, order


def line(text: str, *, level: str = "info", like: str = "x", quiet: bool = False) -> Line:
    return Line(LEVELS[level], text, (like,), "run-1", quiet)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_made_with_its_first_line(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "log.txt", 10)
    assert list(tmp_path.iterdir()) == []
    outlet.write([line("one"), line("two")])
    outlet.close()
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


def test_a_file_of_several_runs_tells_which_one_and_is_appended_to(tmp_path: Path) -> None:
    for text in ("one", "two"):
        outlet = FileOutlet(tmp_path / "keel.log", 10, tells_run=True)
        outlet.write([line(text)])
        outlet.close()
    assert (tmp_path / "keel.log").read_text() == "[run-1] one\n[run-1] two\n"


def test_files_are_put_aside_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "log.txt", 10, max_bytes=20, kept=2)
    for number in range(8):
        outlet.write([line(f"line {number:04}")])
    outlet.close()
    held = {file.name: file.read_text().split("\n")[:-1] for file in tmp_path.iterdir()}
    assert held == {
        "log.txt": ["line 0006", "line 0007"],
        "log.txt.1": ["line 0004", "line 0005"],
        "log.txt.2": ["line 0002", "line 0003"],
    }


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "log.txt", 10)
    outlet.write([line("one")])
    (tmp_path / "log.txt").rename(tmp_path / "moved")
    outlet.write([line("two")])
    (tmp_path / "log.txt").unlink()
    outlet.write([line("three")])
    outlet.close()
    assert (tmp_path / "moved").read_text() == "one\n"
    assert (tmp_path / "log.txt").read_text() == "three\n"


def test_text_that_is_no_unicode_is_written_as_well_as_it_can(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "log.txt", 10)
    outlet.write([line("a\udc80b")])
    outlet.close()
    assert (tmp_path / "log.txt").read_text() == "a\\udc80b\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_costs_lines_is_told_once_and_stops_nobody() -> None:
    kept = Kept()
    log = log_into(FileOutlet(Path("/dev/full"), 10), kept)
    for _ in range(3):
        log.alert("A", "b")
        time.sleep(3 * writer.EVERY_SECS)
    log.close()
    rows = [json.loads(each.text) for each in kept.lines]
    assert [row["event"] for row in rows].count("alert.raised") == 3
    (lost,) = [row for row in rows if row["event"] == "log.lost"]
    assert "No space left on device" in lost["reason"]
    assert lost["where"] == "/dev/full"
    assert log.lost == 3


@dataclass
class Flaky:
    """A place that refuses lines while it is told to."""

    least: int = 10
    name: str = "flaky"
    refuses: bool = True
    lines: list[Line] = field(default_factory=list)

    def write(self, lines: Sequence[Line]) -> None:
        if self.refuses:
            raise OSError(28, "No space left on device")
        self.lines += lines

    def close(self) -> None: ...


def test_a_place_that_takes_lines_again_says_how_many_are_missing() -> None:
    flaky, kept = Flaky(), Kept()
    log = log_into(flaky, kept)
    log.alert("A", "one")
    log.alert("A", "two")
    until(lambda: len(kept.lines) >= 3)
    flaky.refuses = False
    log.alert("A", "three")
    log.close()
    events_of = [json.loads(each.text) for each in flaky.lines]
    assert [row["event"] for row in events_of] == ["alert.raised", "log.lost"]
    assert events_of[1]["lines"] == 2
    assert [json.loads(each.text)["event"] for each in kept.lines].count("log.lost") == 2


def test_a_line_torn_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "log.txt", 10)
    outlet.write([line("whole")])
    with (tmp_path / "log.txt").open(
        "ab"
    ) as file:  # what a disk that fills up in the middle of a line leaves
        file.write(b"torn in the mid")
    outlet._torn = True  # noqa: SLF001 - no disk fills up on demand
    outlet.write([line("after")])
    outlet.close()
    assert (tmp_path / "log.txt").read_text().splitlines() == ["whole", "torn in the mid", "after"]


# -- the thread -------------------------------------------------------------------------------------------------------


def until(reached: object, secs: float = 60) -> None:
    deadline = time.monotonic() + secs
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@dataclass
class Hanging:
    """A place that does not answer until it is let go."""

    least: int = 10
    name: str = "hanging"
    asked: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    lines: list[Line] = field(default_factory=list)

    def write(self, lines: Sequence[Line]) -> None:
        self.asked.set()
        self.go.wait()
        self.lines += lines

    def close(self) -> None: ...


def test_a_disk_that_hangs_holds_nobody_up_and_what_finds_no_room_is_counted() -> None:
    hanging = Hanging()
    log = log_into(hanging)
    log.event(T0, fill())
    assert hanging.asked.wait(150)
    began = time.monotonic()
    for _ in range(writer.MOST_WAITING + 500):
        log.event(T0, fill())
    assert time.monotonic() - began < 60
    assert log.lost >= 400
    hanging.go.set()
    log.close()
    lost = [json.loads(each.text) for each in hanging.lines if each.like[0] == "log.lost"]
    assert sum(row["lines"] for row in lost) == log.lost


def test_events_of_many_threads_are_all_written() -> None:
    kept = Kept()
    log = log_into(kept)

    def speak() -> None:
        for _ in range(200):
            log.alert("A", "b")

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len(kept.lines) == 800
    assert log.lost == 0


def test_what_cannot_be_told_is_counted_and_the_next_line_comes() -> None:
    kept = Kept()
    log = log_into(kept)
    log.event(T0, fill())
    log.approved(T0, "no order at all")  # type: ignore[arg-type]
    log.event(T0, fill(trade="T-2"))
    log.close()
    assert [each.like[0] for each in kept.lines] == ["fill.received", "log.lost", "fill.received"]
    assert log.lost == 1


def test_nothing_is_written_after_the_end_and_nothing_raised() -> None:
    kept = Kept()
    log = log_into(kept)
    log.close()
    log.alert("A", "b")
    assert kept.lines == []
    assert log.lost == 1


def test_a_level_that_nobody_takes_costs_no_line() -> None:
    kept = Kept(least=LEVELS["warning"])
    log = log_into(kept, style=replace(STYLE, least=LEVELS["warning"]))
    events(fill())(log)
    log.refused(T0, order(), "MAX_LEVERAGE: too much")
    log.close()
    assert [each.like[0] for each in kept.lines] == ["risk.violation"]


def test_a_log_without_orders_ignores_them() -> None:
    log = log_into(Kept())
    assert log.ignores == frozenset()
    quiet = RunLog(log._writer, log.scrubber, tells_orders=False)  # noqa: SLF001 - the same places
    assert {"approved", "event", "refused"} <= quiet.ignores


# -- stderr -----------------------------------------------------------------------------------------------------------


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def screen(*, shows_all: bool = False) -> tuple[StderrOutlet, io.StringIO, Clock]:
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, width=40)
    return StderrOutlet(console, LEVELS["warning"], shows_all=shows_all, clock=clock), out, clock


def test_of_lines_that_are_alike_one_a_minute_is_shown_and_the_rest_counted() -> None:
    outlet, out, clock = screen()
    outlet.write([line("first", like="a"), line("second", like="a"), line("other", like="b")])
    clock.now += ALIKE_SECS
    outlet.write([line("third", like="a"), line("fourth", like="a")])
    outlet.close()
    assert out.getvalue().splitlines() == [
        "first",
        "other",
        "third (1 more like it before)",
        "1 more like: a",
    ]


def test_a_machine_gets_every_line() -> None:
    outlet, out, _ = screen(shows_all=True)
    outlet.write([line("first"), line("second"), line("third", quiet=True)])
    outlet.close()
    assert out.getvalue().splitlines() == ["first", "second", "third"]


def test_long_lines_are_not_broken_and_brackets_are_no_markup() -> None:
    outlet, out, _ = screen()
    outlet.write([line("[red]" + "x" * 200)])
    assert out.getvalue() == "[red]" + "x" * 200 + "\n"


def test_a_trip_is_one_line_on_the_screen_and_two_in_the_file() -> None:
    outlet, out, _ = screen()
    kept = Kept()
    log = log_into(kept, outlet)
    log.tripped(TRIP)
    log.close()
    assert len(kept.lines) == 2
    (shown,) = out.getvalue().splitlines()
    assert "trading.halted" in shown


def test_a_closed_terminal_stops_neither_the_run_nor_a_line_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, write = os.pipe()
    os.close(read)
    kept = Kept()
    closed = io.TextIOWrapper(io.FileIO(write, "w"), write_through=True)
    monkeypatch.setattr("sys.stderr", closed)
    console, stream = screen_console()
    monkeypatch.undo()
    log = log_into(StderrOutlet(console, 10, screen=stream), kept)
    console.print("the progress line, on the thread of the engine")
    log.alert("A", "one")
    log.alert("B", "two")
    log.close()
    names = [each.like[0] for each in kept.lines]
    assert names.count("alert.raised") == 2
    assert names.count("log.lost") == 1
    closed.close()
