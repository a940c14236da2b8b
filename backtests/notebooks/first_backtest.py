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
# # A first backtest
#
# The same run as `python -m backtests run`, from Python: choose, run, read, plot, then tighten a limit and watch it
# refuse. Everything comes from `backtests.api`; a row in the ledger of trials is all it leaves on disk.

# %%
import matplotlib.pyplot as plt

from backtests.api import ConfigError, backtest

# %% [markdown]
# ## Run
#
# Overrides are written as on the command line. What is left out comes from the files in `configs/`.

# %%
choices = [
    "strategy=ema_cross",
    "strategy.fast=20",
    "strategy.slow=50",
    "instruments=[AAPL]",
    "run.end=2008-01-01",
]
result = backtest(choices)
summary = result.summary
f"{summary.starting_equity} -> {summary.final_equity} {summary.currency}, deepest drawdown {summary.max_drawdown:.1%}"

# %% [markdown]
# A mistake costs one line, here as on the command line.

# %%
try:
    backtest(["risk.max_position_pct=5"])
except ConfigError as error:
    print(error)

# %% [markdown]
# ## Read
#
# `result.summary` is what the table of the command line shows. Orders, fills, trades, refusals and breaker trips are
# pandas tables with the columns of the Parquet files in a run folder.

# %%
result.fills[["ts", "side", "quantity", "price", "commission"]].head()

# %%
result.trades[["side", "entry_ts", "exit_ts", "pnl", "pnl_pct"]].sort_values("pnl")

# %%
result.trips[["ts", "breaker", "reason"]]

# %% [markdown]
# ## Plot

# %%
equity = result.equity
figure, (above, below) = plt.subplots(
    2, 1, figsize=(9, 5), sharex=True, height_ratios=[2, 1], layout="constrained"
)
above.plot(equity.index, equity["equity"])
above.set_title(f"Equity in {summary.currency}", loc="left")
below.fill_between(equity.index, -100 * equity["drawdown"], color="tab:red", alpha=0.6)
below.set_title("Drawdown, %", loc="left")
plt.show()

# %% [markdown]
# ## Change a limit
#
# Every order passes the risk gate before it reaches the engine. With a smaller share of equity for one instrument, more
# entries are refused; leaving a position is never refused.

# %%
tight = backtest([*choices, "risk.max_position_pct=0.05"])
{"before": summary.refusals_by_limit, "after": tight.summary.refusals_by_limit}

# %%
for reason in tight.refusals["reason"].head(3):
    print(reason)

# %% [markdown]
# Fewer entries, and all that were sent kept the limit when they were sent. A position may grow past it with its price:
# limits look at orders, breakers look at equity.

# %%
runs = {"before": result, "after": tight}
shares = {name: (run.equity["gross_exposure"] / run.equity["equity"]).max() for name, run in runs.items()}
{name: f"at most {share:.1%} of equity" for name, share in shares.items()}

# %% [markdown]
# ## Where to go next
#
# * [Limits and breakers at work in 2008](limits_in_2008.ipynb)
# * [A sweep, and a walk forward](sweep_and_walk_forward.ipynb)
# * [Your own strategy, outside this repository](your_own_strategy.ipynb)
# * [Reading the journal](reading_the_journal.ipynb)
# * [docs/results.md](../../docs/results.md): every figure, table and file of a run
