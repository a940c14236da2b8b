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
# # Reading the journal
#
# Every live run writes down what it decided, sent, got and was told: the journal, one SQLite file. This notebook
# makes a small one by a short live run on recorded prices, in a temporary folder, and reads it with pandas and with
# the verbs.

# %%
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

scratch = tempfile.TemporaryDirectory(prefix="keel-")
folder = Path(scratch.name)
journal = folder / "journal.db"
os.environ["COLUMNS"] = "100"  # how wide the tables below may be

# %% [markdown]
# ## A live run to read about
#
# A live node on the venue `replay`: no keys, no network, four years in some seconds. Without `journal.path` the
# journal is in your state folder.
#
# ```sh
# python -m live run venue=replay strategy=ema_cross strategy.fast=10 strategy.slow=30 journal.path=journal.db
# ```

# %%
live = [sys.executable, "-m", "live"]
traded = subprocess.run(
    [
        *[*live, "run", "venue=replay", "strategy=ema_cross", "strategy.fast=10", "strategy.slow=30"],
        *["instruments=[AAPL,IBM,MSFT]", "run.start=2006-01-01", "run.end=2010-01-01"],
        *[f"journal.path={journal}", f"run.dir={folder / 'run'}", f"trials.path={folder / 'trials.db'}"],
        *["run.tearsheet=false", "run.plots=false"],
    ],
    capture_output=True,
    text=True,
    check=False,
)
print("\n".join((traded.stdout or traded.stderr).splitlines()[:24]))

# %% [markdown]
# ## With pandas
#
# Four views are for people: times can be read, and amounts are numbers. Open the file to read only.

# %%
connection = sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)
trades = pd.read_sql(
    "SELECT * FROM trades ORDER BY closed_at", connection, parse_dates=["opened_at", "closed_at"]
)
trades[["closed_at", "instrument", "side", "quantity", "entry_price", "exit_price", "pnl"]].tail()

# %% [markdown]
# `daily_pnl` has a row a day on which trades were closed, `open_positions` what was still held at the end.

# %%
daily = pd.read_sql(
    "SELECT day, trades, wins, pnl FROM daily_pnl ORDER BY day", connection, parse_dates=["day"]
)
daily.tail()

# %%
pd.read_sql("SELECT instrument, quantity, average_price, opened_at FROM open_positions", connection)

# %% [markdown]
# `risk_metrics` is the account at a moment, as breakers saw it.

# %%
metrics = pd.read_sql(
    "SELECT time, equity, exposure, drawdown, day_pnl, state FROM risk_metrics",
    connection,
    parse_dates=["time"],
)
metrics.tail()

# %%
figure, (above, below) = plt.subplots(
    2, 1, figsize=(10, 6), sharex=True, height_ratios=[3, 2], layout="constrained"
)
above.step(metrics["time"], metrics["equity"] / 1000, where="post", label="equity, open positions included")
above.step(daily["day"], 100 + daily["pnl"].cumsum() / 1000, where="post", label="closed trades alone")
above.set_title("Thousand USD", loc="left")
above.legend()
for instrument, own in trades.groupby("instrument"):
    below.stem(own["closed_at"], own["pnl"], basefmt=" ", linefmt="lightgray", markerfmt="none")
    below.plot(own["closed_at"], own["pnl"], "o", label=instrument)
below.axhline(0, color="black", lw=0.8)
below.set_title("Each closed trade, USD", loc="left")
below.legend(ncols=3)
plt.show()

# %% [markdown]
# Tables hold what views leave out. What was refused, and how often:

# %%
refusals = pd.read_sql("SELECT instrument, code, reason FROM decisions WHERE verdict = 'REFUSE'", connection)
print(refusals.groupby(["code", "instrument"]).size().to_string())
print(refusals["reason"].iloc[0])

# %% [markdown]
# ## The story of an order
#
# From the wish to the profit, with what the gate compared. Any order of the journal, by its id:
#
# ```sh
# python -m live audit explain ORDER_ID
# ```

# %%
order = trades["entry_order"].iloc[-1]
connection.close()
told = subprocess.run(
    [*live, "audit", "explain", order, f"journal.path={journal}"], capture_output=True, text=True, check=False
)
print(told.stdout or told.stderr)

# %% [markdown]
# ## Was any row changed?
#
# Each decision, order and fill holds the hash of the row before it. `audit verify` goes along the chain.

# %%
verified = subprocess.run(
    [*live, "audit", "verify", f"journal.path={journal}"], capture_output=True, text=True, check=False
)
print(verified.stdout or verified.stderr)

# %% [markdown]
# Change a price by a cent in a copy, and it is found and named; the exit code is 1.

# %%
copy = folder / "copy.db"
shutil.copy(journal, copy)
shutil.copytree(f"{journal}.heads", f"{copy}.heads")
with closing(sqlite3.connect(copy)) as forged, forged:
    forged.execute("UPDATE fills SET price = price + 0.01 WHERE id = 3")

caught = subprocess.run(
    [*live, "audit", "verify", f"journal.path={copy}"], capture_output=True, text=True, check=False
)
print(caught.stdout or caught.stderr)
print("exit code", caught.returncode)

# %%
scratch.cleanup()  # the temporary folder, with all that was made here

# %% [markdown]
# ## Where to go next
#
# * [docs/journal.md](../../docs/journal.md): every view and table, files for a spreadsheet, copies and going back
# * [docs/audit.md](../../docs/audit.md): what the chain proves, and what it cannot
# * `python -m live pnl by=month`, `python -m live history what=orders`: the same without SQL
