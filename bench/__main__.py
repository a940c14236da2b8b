"""`make bench`: bars a second of the bare engine and of Keel, peak memory, cold start; as ratios within one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time

from rich.console import Console
from rich.progress import track
from rich.table import Table

BARS = 500_000
ROUNDS = 5
STARTS = 5
TARGET_RATIO = 0.95
TARGET_START_SECS = 3.0


def main() -> int:
    """Measure and print; always 0: a slow machine is not a failed test."""
    console = Console()
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "keel": []}
    rounds = [kind for _ in range(ROUNDS) for kind in runs]
    for kind in track(
        rounds, description=f"{BARS:,} bars, bare and Keel in turn", console=Console(stderr=True)
    ):
        runs[kind].append(json.loads(_run(["-m", "bench.workload", kind, str(BARS)])))
    ratios = [keel["bars_per_sec"] / bare["bars_per_sec"] for bare, keel in zip(*runs.values(), strict=True)]
    table = Table(
        title=f"{BARS:,} one-minute bars from a seed, EMA cross, {runs['keel'][0]['orders']:,.0f} orders"
    )
    for column in ("", "bars/s (median)", "peak MiB"):
        table.add_column(column, justify="left" if not column else "right")
    for kind, measured in runs.items():
        speed = statistics.median(one["bars_per_sec"] for one in measured)
        table.add_row(kind, f"{speed:,.0f}", f"{max(one['peak_mib'] for one in measured):,.0f}")
    console.print(table)
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    console.print(
        f"Keel / bare: {middle:.3f} ({low:.3f} to {high:.3f} in {ROUNDS} pairs); target {TARGET_RATIO}"
    )
    if runs["bare"][0]["orders"] != runs["keel"][0]["orders"]:
        console.print(f"not the same work: {runs['bare'][0]['orders']:,.0f} orders bare")
    start = statistics.median(_start() for _ in range(STARTS))
    console.print(f"cold start to first bar and out again: {start:.2f} s; target {TARGET_START_SECS:.0f} s")
    return 0


def _run(arguments: list[str], cwd: str | None = None) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, cwd=cwd)  # noqa: S603
    return done.stdout


def _start() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _run(
            ["-m", "backtests", "run", "run.max_bars=1", "run.plots=false", "run.tearsheet=false"], cwd=folder
        )
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
