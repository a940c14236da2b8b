"""Two ledgers become one, nothing is counted twice, and a file of something else is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from configs.errors import ConfigError
from runs.trials import counted, export_trials, import_trials, record, record_many, trials_of
from tests.runs.trials.making import FAMILY, ran


def test_a_colleagues_trials_are_merged_and_counted_once(tmp_path: Path) -> None:
    mine, theirs, file = tmp_path / "mine.db", tmp_path / "theirs.db", tmp_path / "out.jsonl"
    record_many([ran(5), ran(6)], mine)
    record_many([ran(6), ran(7), ran(8, error="it broke")], theirs)
    assert export_trials(file, theirs) == 3
    assert import_trials(file, mine) == (3, 2)
    assert import_trials(file, mine) == (3, 0)
    found = counted(FAMILY, mine)
    assert found is not None
    assert found.count == 3
    merged = {each.key: each for each in trials_of(FAMILY, mine)}
    original = {each.key: each for each in trials_of(FAMILY, theirs)}
    assert set(original) <= set(merged)
    assert sorted(each.repeats for each in merged.values()) == [0, 0, 0, 1]
    for key, each in original.items():
        assert merged[key].track == each.track
        assert merged[key].config == each.config


def test_the_run_folders_stay_at_home(tmp_path: Path) -> None:
    record(ran(folder="/home/me/outputs/x"), tmp_path / "t.db")
    export_trials(tmp_path / "out.jsonl", tmp_path / "t.db")
    assert "/home/me" not in (tmp_path / "out.jsonl").read_text()


def test_an_empty_ledger_can_be_shared(tmp_path: Path) -> None:
    assert export_trials(tmp_path / "out.jsonl", tmp_path / "none.db") == 0
    assert import_trials(tmp_path / "out.jsonl", tmp_path / "t.db") == (0, 0)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        export_trials(tmp_path / "out.jsonl", tmp_path / "none.db")
    with pytest.raises(ConfigError, match="cannot be written"):
        export_trials(tmp_path / "no" / "folder" / "out.jsonl", tmp_path / "none.db")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "it is not text"),
        (b"", "line 1: not a ledger"),
        (b"a,b,c\n", "line 1: not a ledger"),
        (b'{"trial": {}}\n', "line 1: not a ledger"),
        (b'{"keel_trials": 99}\n', "of version 99"),
        (b'{"keel_trials": 1}\n{"trial": {"key": 1}}\n', "line 2: not a ledger"),
        (b'{"keel_trials": 1}\n[1]\n', "line 2: not a ledger"),
        (b'{"keel_trials": 1}\n{"other": {}}\n', "line 2: not a ledger"),
    ],
)
def test_a_file_of_something_else_is_refused(content: bytes | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        import_trials(file, tmp_path / "t.db")
    assert not (tmp_path / "t.db").exists()


def test_a_file_that_was_changed_or_cut_is_refused(tmp_path: Path) -> None:
    record(ran(), tmp_path / "t.db")
    export_trials(tmp_path / "out.jsonl", tmp_path / "t.db")
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    (tmp_path / "cut.jsonl").write_text("\n".join(lines[:-1]))
    with pytest.raises(ConfigError, match="cut short"):
        import_trials(tmp_path / "cut.jsonl", tmp_path / "other.db")
    row = json.loads(lines[1])
    row["trial"]["days"] = "many"
    (tmp_path / "changed.jsonl").write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]))
    with pytest.raises(ConfigError, match="line 2: days is 'many'; the file was changed"):
        import_trials(tmp_path / "changed.jsonl", tmp_path / "other.db")
