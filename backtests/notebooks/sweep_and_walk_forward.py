# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A sweep, and a walk forward
#
# Try sixteen settings of one strategy, and ask what the best of them is worth. Then choose on some years and judge on
# the years after, as one would have had to at the time. Everything lands in a temporary folder, with a ledger of
# trials of its own, so that nothing here counts against your own work.

# %%
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

scratch = tempfile.TemporaryDirectory(prefix="keel-")
folder = Path(scratch.name)
os.environ["COLUMNS"] = "100"  # how wide the tables below may be

# %% [markdown]
# ## Sweep
#
# In a shell, which also draws pictures and a page, on all cores; for so few trials one process is enough:
#
# ```sh
# python -m backtests sweep strategy=ema_cross strategy.fast=5,10,20,30 strategy.slow=40,60,90,120
# ```

# %%
backtests = [sys.executable, "-m", "backtests"]
shared = [
    "strategy=ema_cross",
    f"trials.path={folder / 'trials.db'}",
    "run.plots=false",
    "run.tearsheet=false",
]
grid = ["strategy.fast=5,10,20,30", "strategy.slow=40,60,90,120"]

swept = subprocess.run(
    [*backtests, "sweep", *shared, *grid, "sweep.workers=1", f"run.dir={folder / 'sweep'}"],
    capture_output=True,
    text=True,
    check=False,
)
print(swept.stdout or swept.stderr)

# %% [markdown]
# Every trial is a row of `trials.parquet`, with every figure of a run.

# %%
trials = pd.read_parquet(folder / "sweep" / "trials.parquet")
trials = trials.rename(columns={"strategy.fast": "fast", "strategy.slow": "slow"})
trials.nlargest(5, "sharpe")[["fast", "slow", "sharpe", "total_return", "max_drawdown", "trades"]]

# %%
heat = trials.pivot_table(index="fast", columns="slow", values="sharpe")
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
picture = axes.imshow(heat, cmap="viridis", aspect="auto")
axes.set_xticks(range(len(heat.columns)), heat.columns)
axes.set_yticks(range(len(heat.index)), heat.index)
axes.set_xlabel("slow, bars")
axes.set_ylabel("fast, bars")
middle = heat.to_numpy().mean()
for row, sharpes in enumerate(heat.to_numpy()):
    for column, sharpe in enumerate(sharpes):
        ink = "black" if sharpe > middle else "white"
        axes.text(column, row, f"{sharpe:.2f}", ha="center", va="center", color=ink)
axes.set_title("Sharpe ratio of each combination", loc="left")
figure.colorbar(picture)
plt.show()

# %% [markdown]
# A plateau is better news than a peak: where neighbours do alike, the exact numbers matter little.
#
# ## Is the best one luck?
#
# Two questions, and two figures that answer them.
#
# * **Deflated Sharpe ratio**: the best of sixteen coins looks skilled as well. How sure is it that the true Sharpe
#   ratio of the best is above zero, once all trials that the ledger has counted are taken into account?
# * **Probability of backtest overfitting (PBO)**: deal the days into two halves, in thousands of ways. Take the
#   setting that is best in one half and look at its place in the other. How often is it no better than the middle
#   there?

# %%
summary = json.loads((folder / "sweep" / "summary.json").read_text())
print(f"best of {summary['trials']}: {summary['best']['point']}, Sharpe {summary['best']['sharpe']:.2f}")
print(f"deflated Sharpe ratio {summary['deflated_sharpe']:.1%}, after {summary['trials_ledger']} trials")
print(f"probability of backtest overfitting {summary['pbo']:.0%}")

# %% [markdown]
# They may disagree, and here they do. The first says that there was something to earn: the share rose more than
# tenfold, and the rule was along for part of it. The second says that *choosing* among these settings earned nothing:
# a PBO of one half is what dice would give. So take the rule for what it is, and do not expect the Sharpe ratio of
# the best setting.
#
# ## Walk forward
#
# The honest way to use a choice: the best setting of three years trades the year after, then the window moves on a
# year. The years of trading, put one after the other, were never seen by the choice.
#
# ```sh
# python -m backtests walk_forward strategy.fast=5,10,20 strategy.slow=40,90 walk.train=756 walk.test=252
# ```

# %%
walked = subprocess.run(
    [
        *[*backtests, "walk_forward", *shared, "strategy.fast=5,10,20", "strategy.slow=40,90"],
        *["walk.train=756", "walk.test=252", f"run.dir={folder / 'walk'}"],
    ],
    capture_output=True,
    text=True,
    check=False,
)
print(walked.stdout or walked.stderr)

# %%
walk = json.loads((folder / "walk" / "summary.json").read_text())
windows = pd.json_normalize(walk["windows"])
equity = pd.read_parquet(folder / "walk" / "equity.parquet").set_index("ts")

figure, (above, below) = plt.subplots(2, 1, figsize=(9, 6), height_ratios=[3, 2], layout="constrained")
above.plot(equity.index, equity["equity"] / 1000)
above.set_title(
    "Equity out of sample, thousand USD; a band is a window, with fast/slow as chosen before it", loc="left"
)
top = equity["equity"].max() * 1.02 / 1000
for number, days in equity.groupby("window"):
    chosen = windows.iloc[number - 1]
    above.axvspan(days.index[0], days.index[-1], color="tab:blue", alpha=0.12 if number % 2 else 0.04, lw=0)
    setting = f"{chosen['point.strategy.fast']}/{chosen['point.strategy.slow']}"
    above.text(days.index[len(days) // 2], top, setting, ha="center")
above.margins(x=0)
above.set_ylim(top=top * 1.04)
width = 0.4
below.bar(
    windows["window"] - width / 2, windows["sharpe_in_sample"], width, label="in sample", color="tab:gray"
)
below.bar(windows["window"] + width / 2, windows["sharpe_out_of_sample"], width, label="out of sample")
below.axhline(0, color="black", lw=0.8)
below.set_xticks(windows["window"])
below.set_title("Sharpe ratio of the chosen setting, window by window", loc="left")
below.legend()
plt.show()

# %%
steady = walk["stability"]
print(f"efficiency {walk['walk_forward_efficiency']:.0%} of the return in sample was kept out of sample")
print(f"the best setting changed at {steady['changes']} of {steady['boundaries']} boundaries")
print(f"Sharpe ratio out of sample {walk['out_of_sample']['sharpe']:.2f}")

# %% [markdown]
# A setting that moves at most boundaries is chasing noise, however good the stitched curve looks: it says the same as
# the PBO above. And every look counts: the ledger knows of all trials of this notebook by now.

# %%
print(f"{summary['trials_ledger']} trials after the sweep, {walk['trials_ledger']} after the walk forward")

# %%
scratch.cleanup()  # the temporary folder, with all that was made here

# %% [markdown]
# ## Where to go next
#
# * [docs/research.md](../../docs/research.md): searches with Optuna, many machines, purged folds, a hold-out
# * [docs/luck.md](../../docs/luck.md): what each of these figures is, and the ledger
# * [Writing your own strategy](your_own_strategy.ipynb)
