"""Jobs and trials in other processes: on the cores of this machine and on a Ray cluster of several."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import main
from runs.workers import in_order
from tests.backtests.sweep.conftest import ODD, ROOT, Swept

pytestmark = pytest.mark.slow

type Run = Callable[..., Swept]
CLUSTER = """
import json, sys
from ray.cluster_utils import Cluster
from backtests.__main__ import VERBS

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
verbs = {verb.name: verb for verb in VERBS}
for words in json.loads(sys.argv[1]):
    code = verbs[words[0]].run([*words[1:], "hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"])
    print(json.dumps({"code": code}), flush=True)
cluster.shutdown()
"""


def answers(out: str) -> list[dict[str, object]]:
    """The JSON documents on a stream, one after the other."""
    found, decoder = [], json.JSONDecoder()
    while out := out.strip():
        document, end = decoder.raw_decode(out)
        found.append(document)
        out = out[end:]
    return found


def test_a_ray_cluster_of_two_nodes_does_what_this_process_does(
    run: Run, mine: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="Ray is an extra")
    here = run("strategy.fast=5,6,7,8", "strategy.raises_at=6", *ODD, name="here")
    told = tmp_path / "told"
    told.mkdir()
    words = ["strategy.fast=5,6,7,8", "strategy.raises_at=6", *ODD, *mine]
    sweep = ["sweep", *words, f"strategy.told={told}", "strategy.secs=0.5", f"run.dir={tmp_path / 'ray'}"]
    runs = ["run", "-m", *words, f"run.dir={tmp_path / 'jobs'}", "output=json"]
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER, json.dumps([[*sweep, "output=json"], runs])],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said = answers(done.stdout)
    assert [answer["code"] for answer in said if set(answer) == {"code"}] == [0, 1], done.stderr
    assert (tmp_path / "ray" / "trials.parquet").read_bytes() == (here.folder / "trials.parquet").read_bytes()
    assert len(list(told.iterdir())) >= 2, "one process did all the work"
    summaries = [answer for answer in said if "sharpe" in answer]
    assert len(summaries) == 3
    assert [(tmp_path / "jobs" / str(number) / "summary.json").exists() for number in range(4)] == [
        True,
        False,
        True,
        True,
    ]


def test_jobs_of_a_multirun_on_all_cores_print_and_leave_the_same(
    mine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from backtests.run import run  # noqa: PLC0415 - one use

    monkeypatch.chdir(tmp_path)
    words = ["-m", "strategy.fast=5,6,7", "strategy.raises_at=6", *ODD, *mine, "output=json"]
    codes, said = [], []
    for launcher in ("basic", "joblib"):
        codes.append(run([*words, f"run.dir={tmp_path / launcher}", f"hydra/launcher={launcher}"]))
        said.append(capsys.readouterr())
    assert codes == [1, 1]
    basic, joblib = (answers(each.out) for each in said)
    assert len(basic) == 2
    for one, other in zip(basic, joblib, strict=True):
        for key in ("run_dir", "trials_ledger", "deflated_sharpe"):  # the ledger knows the first of the two
            del one[key], other[key]
        assert one == other
    assert [line for line in said[1].err.splitlines() if line.startswith("job ")] == [
        line.replace("/basic", "/joblib") for line in said[0].err.splitlines() if line.startswith("job ")
    ]
    assert "error: Odd-001 raised in on_bar: RuntimeError" in said[1].err
    for number in (0, 2):
        equity = [
            (tmp_path / name / str(number) / "equity.parquet").read_bytes() for name in ("basic", "joblib")
        ]
        assert equity[0] == equity[1]


def test_a_launcher_without_several_jobs_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("backtest", ["hydra/launcher=joblib"], lambda _: 0, hand_out=in_order) == 2
    assert "hydra/launcher=joblib: add -m" in capsys.readouterr().err
    assert main("live", ["-m", "strategy.fast=5,6", "hydra/launcher=joblib"], lambda _: 0) == 2
    assert "this verb does its jobs in order" in capsys.readouterr().err


@pytest.mark.parametrize("launcher", ["joblib"])
def test_a_sweep_takes_the_launcher_too(run: Run, tmp_path: Path, launcher: str) -> None:
    told = tmp_path / "told"
    told.mkdir()
    words = ["strategy.fast=5,6,7,8", f"strategy.told={told}", "strategy.secs=0.3", *ODD]
    swept = run(*words, f"hydra/launcher={launcher}", "hydra.launcher.workers=2")
    assert swept.code == 0, swept.err
    assert str(os.getpid()) not in {path.name for path in told.iterdir()}
    assert swept.said["done"] == 4
