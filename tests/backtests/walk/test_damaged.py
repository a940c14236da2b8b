"""A walk-forward's folder that is damaged costs one line, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backtests.walk.conftest import Walked

type Walk = Callable[..., Walked]
WORDS = ["strategy.fast=5,10", "walk.train=100", "walk.test=50", "run.max_bars=150"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("walk_forward.json", '{"settings": {"kind": "rol'),
        ("walk_forward.json", "{}"),
        ("walk_forward.json", "[]"),
        ("walk_forward.json", '{"settings": {"train": -1}, "launcher": {}, "output": "json"}'),
        ("versions.json", None),
        ("versions.json", "{}"),
    ],
)
def test_a_damaged_folder_costs_one_line(walk: Walk, name: str, content: str | None) -> None:
    folder = walk(*WORDS).folder
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    again = walk(f"resume={folder}")
    assert (again.code, again.out) == (2, "")
    assert again.err.count("\n") == 1
    assert str(folder) in again.err
    assert name in again.err


def test_what_resume_prints_is_checked(walk: Walk) -> None:
    again = walk("output=xml", f"resume={walk(*WORDS).folder}")
    assert again.code == 2
    assert "output=xml: must be text or json" in again.err
