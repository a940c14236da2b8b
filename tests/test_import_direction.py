"""Imports point one way, Hydra stays in one file, importing does nothing, and what is imported is declared."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.import_rules import RULES, broken_rules, imported, sources

ROOT = Path(__file__).parent.parent


def done_at_import(root: Path) -> list[str]:
    """What the modules of a tree do while they are imported; `__main__` runs on purpose and is left out."""
    modules = [
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for file in sources(root)
        if file.stem != "__main__"
    ]
    watcher = [sys.executable, str(Path(__file__).with_name("watch_imports.py"))]
    ran = subprocess.run([*watcher, str(root), *modules], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("\n") if ran.stdout.strip() else []


def plant(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).parent.joinpath("__init__.py").touch()
    (root / file).write_text(text, encoding="utf-8")


def test_every_package_is_there_to_be_checked() -> None:
    packages = {file.relative_to(ROOT).parts[0] for file in sources(ROOT)}
    assert packages == set(RULES)


def test_imports_point_one_way() -> None:
    assert broken_rules(ROOT) == []


def test_importing_reads_neither_environment_nor_disk_nor_network() -> None:
    assert done_at_import(ROOT) == []


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brokers = [
        name
        for extra in ("alpaca", "binance", "ib", "ray")
        for name in project["optional-dependencies"][extra]
    ]
    declared = {_normal(re.split(r"[\[<>=!~ ]", text)[0]) for text in [*project["dependencies"], *brokers]}
    declared.add("pydantic-core")  # the engine room of pydantic, which pins its version
    providers = importlib.metadata.packages_distributions()
    used = {
        module.split(".")[0] for file in sources(ROOT) for _, module in imported(file)
    } - sys.stdlib_module_names - set(RULES)  # fmt: skip
    missing = {top for top in used if not {_normal(name) for name in providers.get(top, [])} & declared}
    assert missing == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("risk/bad.py", "import strategies.sizing", "risk may not import strategies"),
        ("risk/bad.py", "import requests", "risk may import only exchange_calendars, nautilus_trader, numpy"),
        ("strategies/bad.py", "def f():\n    from market import catalog", "strategies may not import market"),
        ("market/bad.py", "import risk", "market may not import risk"),
        ("adapters/x/bad.py", "from live import _node", "adapters may not import live"),
        ("backtests/bad.py", "import live.run", "backtests may not import live"),
        ("live/bad.py", "from backtests import run", "live may not import backtests"),
        ("runs/bad.py", "from omegaconf import OmegaConf", "only configs/load.py knows Hydra"),
        ("configs/bad.py", "import hydra.core", "only configs/load.py knows Hydra"),
        ("runs/bad.py", "from . import other", "imports name the whole path"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, text: str, said: str) -> None:
    plant(tmp_path, file, text)
    (line,) = broken_rules(tmp_path)
    assert line.startswith(f"{file}:{text.count(chr(10)) + 1} imports ")
    assert said in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os\nhome = os.environ['HOME']", "read the environment variable HOME"),
        ("import os\nkey = os.getenv('SOME_KEY', '')", "read the environment variable SOME_KEY"),
        ("import os\nfound = 'CI' in os.environ", "read the environment variable CI"),
        ("from pathlib import Path\ntext = Path(__file__).read_text()", "open "),
        (
            "from importlib import resources\ntext = resources.files('risk').joinpath('bad.py').read_text()",
            "open ",
        ),
        ("from pathlib import Path\nfiles = list(Path(__file__).parent.glob('*.yaml'))", "os.scandir "),
        ("import socket\nsocket.create_connection(('localhost', 9), 0.1)", "socket."),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "subprocess.Popen "),
    ],
)
def test_a_module_that_does_something_at_import_is_found(tmp_path: Path, text: str, said: str) -> None:
    plant(
        tmp_path,
        "risk/bad.py",
        f"try:\n    {text.replace(chr(10), chr(10) + '    ')}\nexcept OSError:\n    pass\n",
    )
    found = done_at_import(tmp_path)
    assert found
    assert all(line.startswith("risk.bad: risk/bad.py:") for line in found)
    assert any(said in line for line in found), found


def test_a_module_that_only_defines_things_passes(tmp_path: Path) -> None:
    text = "import os, pandas\nfrom pathlib import Path\nHERE = Path('x') / 'y'\ndef f(): return os.environ['HOME']\n"
    plant(tmp_path, "risk/good.py", text)
    assert done_at_import(tmp_path) == []
