"""`python -m PROGRAM VERB ...`: the verb comes off first and costs nothing until it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import configs
from configs.errors import ConfigError
from runs.verbs import Verb, dispatch, key_values

ROOT = Path(configs.__file__).parent.parent
VERBS = (
    Verb("run", "Run a strategy.", "verbs_of_a_test:run"),
    Verb("report", "Show a run again.", "module_that_is_not_there:report"),
)


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "from configs.errors import ConfigError\n"
        "def run(argv):\n"
        "    if 'fail' in argv: raise ConfigError('bar=1w: no')\n"
        "    if 'stop' in argv: raise KeyboardInterrupt\n"
        "    print(*argv)\n"
        "    return 3\n"
    )
    (tmp_path / "verbs_of_a_test.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))


def go(*argv: str) -> int:
    return dispatch("python -m live", "The present.", VERBS, argv)


def test_the_rest_of_the_line_is_the_verbs_and_its_code_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert go("run", "bar=1d", "--help") == 3
    assert capsys.readouterr() == ("bar=1d --help\n", "")


@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_verb_each_is_listed_with_its_line(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    assert go(*argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "  run     Run a strategy.\n  report  Show a run again.\n" in out
    assert "130 interrupted" in out


@pytest.mark.parametrize(
    ("argv", "code", "line"),
    [
        (("runn",), 2, "error: there is no verb runn; did you mean run?\n"),
        (("xyz",), 2, "error: there is no verb xyz; python -m live has run, report\n"),
        (("bar=1d",), 2, "error: bar=1d: a verb comes first, as in python -m live run bar=1d\n"),
        (("run", "fail"), 2, "error: bar=1w: no\n"),
        (("run", "stop"), 130, "interrupted\n"),
    ],
)
def test_what_goes_wrong_costs_one_line(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], code: int, line: str
) -> None:
    assert go(*argv) == code
    assert capsys.readouterr() == ("", line)


def test_a_verb_that_cannot_be_imported_is_a_bug_with_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert go("report") == 1
    assert "bug: ModuleNotFoundError" in capsys.readouterr().err


def test_key_values_are_read_as_text() -> None:
    assert key_values("resume", ["venue=x", "reason=a=b c"], ("venue", "reason")) == {
        "venue": "x",
        "reason": "a=b c",
    }


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["venu=x"], "unknown key venu; did you mean venue?"),
        (["zzz=x"], "unknown key zzz; resume takes venue, reason"),
        (["x"], "x: resume takes key=value arguments: venue, reason"),
        (["venue=a", "venue=b"], "venue is given twice; give it once"),
    ],
)
def test_key_values_that_a_verb_does_not_take_are_refused(argv: list[str], line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        key_values("resume", argv, ("venue", "reason"))
    assert str(refused.value) == line


def test_listing_verbs_imports_nothing_heavy() -> None:
    script = (
        "import sys; from runs.verbs import Verb, dispatch\n"
        "dispatch('p', 'a', [Verb('run', 's', 'live.run:run')], [])\n"
        "heavy = {'nautilus_trader', 'hydra', 'pydantic', 'pandas', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    took: dict[str, list[float]] = {script: [], "pass": []}
    for text in (script, "pass") * 5:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, check=True)
        took[text].append(time.perf_counter() - start)
    assert min(took[script]) < 10 * min(took["pass"]), "an interpreter alone takes a tenth of that"
