"""The engine's own complaints become events: each of them, through rotation, and a flood of them only now and then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs.logs.engine_tail import ALIKE_SECS, EVERY_SECS, EngineTail
from tests.runs.log_scenes import Kept, log_into


def engine_line(message: str, level: str = "ERROR", component: str = "nautilus_execution::engine") -> str:
    row = {
        "timestamp": "2026-03-02T16:00:00.000000001Z", "trader_id": "KEEL-001", "level": level, "color": "NORMAL",
        "component": component, "message": message,
    }  # fmt: skip
    return json.dumps(row, separators=(",", ":")) + "\n"


class Scene:
    """A folder with the engine's log, and what the tail makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept, self.now = folder, Kept(), 0.0
        self.log = log_into(self.kept)
        self.tail = EngineTail(folder, self.log, lambda: {"EmaCross-001"}, clock=lambda: self.now)

    def write(self, *lines: str, file: str = "engine_2026-03-02_160000-000.jsonl") -> None:
        with (self.folder / file).open("a") as out:
            out.write("".join(lines))

    def turn(self) -> None:
        self.now += EVERY_SECS
        self.tail.turn()

    def rows(self) -> list[dict[str, Any]]:
        self.log.close()
        return [json.loads(line.text) for line in self.kept.lines]

    def said(self) -> list[str]:
        return [row["reason"] for row in self.rows()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.log.close()


def test_errors_and_warnings_are_told_and_the_rest_is_not(scene: Scene) -> None:
    scene.turn()  # before there is a file
    scene.write(engine_line("all is well", "INFO"), engine_line("no account"), engine_line("slow", "WARN"))
    scene.turn()
    assert [(row["event"], row["level"], row["reason"]) for row in scene.rows()] == [
        ("engine.error", "error", "no account"),
        ("engine.error", "warning", "slow"),
    ]


@pytest.mark.parametrize(
    ("component", "message", "level", "event"),
    [
        ("nautilus_data::engine", "no such bar type", "ERROR", "market_data.error"),
        ("DataClient-ALPACA", "connection lost", "WARN", "market_data.error"),
        ("XNAS", "Client XNAS operation _subscribe_bars failed\nTraceback ...", "ERROR", "market_data.error"),
        ("XNAS", "Client XNAS operation _submit_order failed", "ERROR", "engine.error"),
        ("nautilus_common::actor::data_actor", "no clock", "ERROR", "engine.error"),
        ("nautilus_portfolio::portfolio", "no price", "WARN", "engine.error"),
        ("EmaCross-001", "I do not know what to do", "ERROR", "policy.error"),
    ],
)
def test_who_complains_decides_what_it_is(
    scene: Scene, component: str, message: str, level: str, event: str
) -> None:
    scene.write(engine_line(message, level, component))
    scene.turn()
    (row,) = scene.rows()
    assert (row["event"], row["reason"]) == (event, message)


def test_what_a_strategy_warns_of_is_its_own_affair(scene: Scene) -> None:
    scene.write(engine_line("AAPL.XNAS: entry refused", "WARN", "EmaCross-001"))
    scene.turn()
    assert scene.rows() == []


def test_what_is_left_open_at_the_end_is_no_complaint(scene: Scene) -> None:
    scene.write(engine_line("Residual Position(LONG 10 AAPL.XNAS)", "WARN", "nautilus_common::cache"))
    scene.write(engine_line("position is not in the index", "WARN", "nautilus_common::cache"))
    scene.turn()
    assert scene.said() == ["position is not in the index"]


def test_a_line_is_told_once_and_only_when_it_is_whole(scene: Scene) -> None:
    whole = engine_line("no account")
    scene.write(engine_line("fine", "INFO"), whole[:60])
    scene.turn()
    scene.write(whole[60:])
    scene.turn()
    scene.turn()
    assert scene.said() == ["no account"]


def test_files_are_followed_through_their_rotation(scene: Scene) -> None:
    scene.write(engine_line("one"), file="engine_2026-03-02_160000-000.jsonl")
    scene.turn()
    scene.write(engine_line("two"), file="engine_2026-03-02_160000-000.jsonl")
    scene.write(engine_line("three"), file="engine_2026-03-02_160001-000.jsonl")
    scene.write(engine_line("four"), file="engine_2026-03-02_160002-000.jsonl")
    scene.turn()
    assert scene.said() == ["one", "two", "three", "four"]


def test_a_file_that_was_rotated_away_unread_is_passed_over(scene: Scene) -> None:
    scene.write(engine_line("one"), file="engine_2026-03-02_160000-000.jsonl")
    scene.turn()
    (scene.folder / "engine_2026-03-02_160000-000.jsonl").unlink()
    scene.write(engine_line("two"), file="engine_2026-03-02_160001-000.jsonl")
    scene.turn()
    assert scene.said() == ["one", "two"]


def test_of_complaints_that_are_alike_one_a_minute_is_told(scene: Scene) -> None:
    scene.write(*(engine_line(f"no rate for order {number}") for number in range(50)))
    scene.turn()
    scene.now += ALIKE_SECS
    scene.write(engine_line("no rate for order 51"))
    scene.turn()
    rows = scene.rows()
    assert [row["reason"] for row in rows] == ["no rate for order 0", "no rate for order 51"]
    assert rows[1]["left_out"] == 49


def test_words_inside_a_message_are_no_level(scene: Scene) -> None:
    scene.write(engine_line('he said "level":"ERROR" twice', "INFO"), '{"level":"ERROR"\n', "not json\n")
    scene.turn()
    assert scene.rows() == []


def test_a_large_file_is_read_to_its_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.logs.engine_tail.MOST_BYTES", 5_000)
    scene.write(*(engine_line(f"all is well {number}", "INFO") for number in range(200)), engine_line("last"))
    scene.turn()
    scene.turn()
    assert scene.said() == ["last"]


def test_between_two_looks_nothing_is_read(scene: Scene) -> None:
    scene.turn()
    scene.write(engine_line("one"))
    scene.now += EVERY_SECS / 2
    scene.tail.turn()
    scene.log.alert("A", "not yet")
    scene.now += EVERY_SECS / 2
    scene.tail.turn()
    assert scene.said() == ["not yet", "one"]


def test_an_error_of_the_engine_is_not_shown_twice(scene: Scene) -> None:
    scene.write(engine_line("no account"), engine_line("slow", "WARN"))
    scene.turn()
    scene.log.close()
    assert [line.quiet for line in scene.kept.lines] == [True, False]
