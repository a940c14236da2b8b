"""Which bias checks and which sweep lie near a run, of the same strategy on the same data?

They are looked for among the newest in `outputs` of this folder and beside the run's own: nobody has to name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.folder import CONFIG, SUMMARY, VERSIONS
from runs.page.config_text import code_of_document, read_json, read_yaml, same_data, same_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runs.page.config_text import Kept

CHECKS = ("lookahead", "warmup", "stress")
_MOST = 30  # folders of a kind that are looked at, the newest first


@dataclass(frozen=True)
class Check:
    """The newest check of a kind.

    verdict: clean, caught or nothing; exact: it was made with this run's very config; same_code: whether with the code
    as it is now, None where that was not kept; why: why there was nothing to compare.
    """

    verb: str
    verdict: str
    findings: tuple[str, ...]
    caught: tuple[str, ...]
    folder: str
    exact: bool
    same_code: bool | None = None
    why: str = ""


@dataclass(frozen=True)
class Swept:
    """The newest sweep. pbo: probability of backtest overfitting among this many trials; same_code: as in `Check`."""

    pbo: float
    trials: int
    folder: str
    same_code: bool | None = None


@dataclass(frozen=True)
class Related:
    """What was found. checks: at most one a kind, in the order of `CHECKS`."""

    checks: tuple[Check, ...] = ()
    sweep: Swept | None = None


def related_to(kept: Kept | None, symbols: Sequence[str], data_version: str, path: Path) -> Related:
    """What lies near the run folder `path`. symbols: the instruments of the run."""
    if kept is None:
        return Related()
    wanted = {
        "strategies": sorted(kept.strategies),
        "instruments": sorted(symbols),
        "bar": kept.document.get("bar"),
        "data_version": data_version,
    }
    code = code_of_document(kept.document)
    found = (_check(verb, wanted, kept, code, path) for verb in CHECKS)
    return Related(
        tuple(check for check in found if check is not None), _sweep(kept, data_version, code, path)
    )


def _check(verb: str, wanted: dict[str, Any], kept: Kept, code: str, path: Path) -> Check | None:
    for file in _newest("checks", f"*/{verb}.json", path):
        said = read_json(file)
        if said is None or {**said, **_sorted(said)} | wanted != {**said, **_sorted(said)}:
            continue
        findings = [each for each in said.get("findings", []) if isinstance(each, dict)]
        return Check(
            verb=verb,
            verdict=str(said.get("verdict")),
            findings=tuple(str(each.get("check")) for each in findings),
            caught=tuple(
                f"{each.get('check')}: {each.get('evidence')}" for each in findings if each.get("caught")
            ),
            folder=str(file.parent),
            exact=same_strategy(read_yaml(file.parent / CONFIG) or {}, kept.document),
            same_code=_same(said, code),
            why=str(said.get("why") or ""),
        )
    return None


def _same(said: dict[str, Any], code: str) -> bool | None:
    return None if said.get("code") is None else said["code"] == code


def _sorted(said: dict[str, Any]) -> dict[str, Any]:
    return {key: sorted(map(str, said.get(key) or [])) for key in ("strategies", "instruments")}


def _sweep(kept: Kept, data_version: str, code: str, path: Path) -> Swept | None:
    for file in _newest("sweeps", f"*/{SUMMARY}", path):
        said = read_json(file) or {}
        if said.get("pbo") is None or (read_json(file.parent / VERSIONS) or {}).get("data") != data_version:
            continue
        if same_data(read_yaml(file.parent / "best" / CONFIG) or {}, kept.document):
            trials = int(said.get("pbo_trials") or 0)
            return Swept(float(said["pbo"]), trials, str(file.parent), _same(said, code))
    return None


def _newest(kind: str, pattern: str, path: Path) -> Iterator[Path]:
    """Files of a kind of folder, the one written last first."""
    roots = {root.absolute(): root for root in (Path("outputs") / kind, path.parent.parent / kind)}
    files = {file.absolute(): file for root in roots.values() if root.is_dir() for file in root.glob(pattern)}
    newest = sorted(
        files.values(), key=lambda file: (file.stat().st_mtime_ns, file.parent.name), reverse=True
    )
    yield from newest[:_MOST]
