"""How errors end a process: one line for what is the user's, a traceback only for what is Keel's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import configs
from configs.edge import guarded
from configs.errors import ConfigError

ROOT = Path(configs.__file__).parent.parent


class Halted(Exception):  # noqa: N818 - stands for any package's error
    exit_code = 3


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("bar=1w: no"), 2, "error: bar=1w: no\n"),
        (Halted("halted\nsince  Monday"), 3, "error: halted since Monday\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_errors_on_purpose_cost_one_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert guarded(lambda: raising(error)) == code
    assert capsys.readouterr() == ("", line)


def test_a_bug_shows_its_traceback_without_the_values_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    def bug() -> int:
        secret = "hush" * 2
        return int(f"x{len(secret)}")

    assert guarded(bug) == 1
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "Traceback" in seen.err
    assert "hushhush" not in seen.err
    assert seen.err.splitlines()[-1].startswith("bug: ValueError: invalid literal")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    script = (
        "from configs.edge import guarded\nimport sys\nsys.exit(guarded(lambda: print('x\\n' * 100000) or 0))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "x\n"
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 1


def test_a_broken_connection_is_not_taken_for_a_reader_that_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: raising(BrokenPipeError(32, "the broker's socket"))) == 1
    assert "bug: BrokenPipeError" in capsys.readouterr().err


def test_hydra_is_imported_by_one_file_only() -> None:
    importers = set()
    for package in ("adapters", "backtests", "configs", "live", "market", "risk", "runs", "strategies"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names.append(node.module)
                if any(name.partition(".")[0] in ("hydra", "omegaconf") for name in names):
                    importers.add(str(path.relative_to(ROOT)))
    assert importers == {"configs/load.py"}
