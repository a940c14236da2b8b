"""The lock is complete and names no address, and a Python that is too old costs one clear line."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = re.findall(
    r"^([a-z0-9][a-z0-9._-]*)==\S+(?: ;[^\n]*?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)+)",
    LOCK,
    re.MULTILINE,
)


def test_every_locked_package_has_its_hashes() -> None:
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", LOCK, re.MULTILINE)
    assert [name for name, _ in ENTRIES] == pinned
    assert len(pinned) > 100


def test_the_lock_names_no_address() -> None:
    assert not re.search(r"://|^-|@ |index|file:", LOCK, re.MULTILINE)


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=]", text)[0]).lower() for text in asked}
    assert names <= {name for name, _ in ENTRIES}


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (
            "case \"$2\" in *exit*) exit 1;; esac; echo '3.9.2 /opt/old/python3'",
            "found Python 3.9.2 at /opt/old/python3.",
        ),
        ("exit 127", "found no Python that runs."),
    ],
)
def test_a_python_that_is_too_old_costs_one_clear_line(tmp_path: Path, python: str, said: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    old = tmp_path / "old python"
    old.write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
    old.chmod(0o755)
    make = shutil.which("make")
    assert make is not None
    alone = {
        key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    ran = subprocess.run(
        [make, "setup", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, check=False, env=alone
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    first, *rest = ran.stderr.splitlines()
    assert first == (
        f"Keel needs Python 3.12 or newer; {said} Install one, or name it: make setup PYTHON=/path/to/python3.12"
    )
    assert len(rest) == 1  # make's own "Error 2"
    assert not (tmp_path / ".venv").exists()
