"""Which code, engine, Python and data was this run made with?"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("keel", "nautilus_trader", "numpy", "pandas", "pyarrow", "hydra-core", "pydantic")
GIT_SECS = 5


def versions(data_version: str, strategy_code: str) -> dict[str, object]:
    """Everything a repetition needs, by name; None where it is not known.

    strategy_code: a hash of the strategies' own source, as `runs.trials.trial.code_of` answers it.
    """
    commit, changed = _git()
    return {
        **{name: _package(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git_commit": commit,
        "git_changed": changed,
        "requirements_lock": _hash_of(ROOT / "requirements.lock"),
        "strategy_code": strategy_code,
        "data": data_version,
    }


@cache
def keel() -> str:
    """Version of Keel, and the commit of a checkout, with `+` where that was changed since."""
    commit, changed = _git()
    return f"{_package('keel')} {(commit or '')[:12]}{'+' if changed else ''}".strip()


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _git() -> tuple[str | None, bool | None]:
    """The commit of this checkout and whether it was changed since; None outside a checkout."""
    try:
        said = [
            subprocess.run(  # noqa: S603 - fixed arguments
                ["git", "-C", str(ROOT), *arguments],  # noqa: S607 - git is found on the user's own path
                capture_output=True,
                text=True,
                check=True,
                timeout=GIT_SECS,
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.SubprocessError):
        return None, None
    return said[0], bool(said[1])


def _hash_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return None
