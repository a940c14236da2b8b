"""Whether the code that was tried has changed: the author's own, wherever it lies, and nothing else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.trials.code import code_version


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of a user's own, loaded: a strategy that imports two modules of it, and one that nobody imports."""
    folder = tmp_path / "coded_desk"
    (folder / "signals").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "breakout.py").write_text(
        "import numpy as np\nfrom coded_desk.signals import (\n    highs,  # of days\n)\n\n"
        "def f():\n    from . import sizes as s\n    return s, np, highs\n\nclass Breakout: ...\n"
    )
    (folder / "signals" / "__init__.py").write_text("")
    (folder / "signals" / "highs.py").write_text("HIGH = 1\n")
    (folder / "sizes.py").write_text("SIZE = 1\n")
    (folder / "other.py").write_text("OTHER = 1\n")
    (tmp_path / "site-packages" / "installed").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("breakout", "signals.highs", "sizes", "other"):
        importlib.import_module(f"coded_desk.{name}")
    yield folder
    for name in [name for name in sys.modules if name.startswith("coded_desk")]:
        del sys.modules[name]


PATH = "coded_desk.breakout:Breakout"


@pytest.mark.parametrize("file", ["breakout.py", "signals/highs.py", "signals/__init__.py", "sizes.py"])
def test_a_change_of_what_it_imports_is_another_version(desk: Path, file: str) -> None:
    before = code_version([PATH])
    assert code_version([PATH]) == before
    (desk / file).write_text((desk / file).read_text() + "# changed\n")
    assert code_version([PATH]) != before


def test_what_it_does_not_import_changes_nothing(desk: Path) -> None:
    before = code_version([PATH])
    (desk / "other.py").write_text("OTHER = 2\n")
    assert code_version([PATH]) == before


@pytest.mark.usefixtures("desk")
def test_the_order_and_the_number_of_classes_of_a_module_do_not_matter() -> None:
    assert code_version([PATH, "coded_desk.other:X"]) == code_version(["coded_desk.other:Y", PATH, PATH])


def test_a_file_that_is_gone_or_broken_still_has_a_version(desk: Path) -> None:
    (desk / "sizes.py").unlink()
    (desk / "breakout.py").write_text("def (:\n")
    assert len(code_version([PATH])) == 16


def test_a_module_without_a_file_counts_by_its_name() -> None:
    assert code_version(["__nothing__:X"]) == code_version(["__nothing__:Y"])


def test_a_shipped_strategy_counts_with_its_signals() -> None:
    importlib.import_module("strategies.ema_cross")
    importlib.import_module("strategies.bollinger_reversion")
    one = code_version(["strategies.ema_cross:EmaCross"])
    assert one != code_version(["strategies.bollinger_reversion:BollingerReversion"])
