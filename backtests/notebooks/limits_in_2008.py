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
# # Limits and breakers at work in 2008
#
# Four US shares from 2007 to 2009, and two strategies in one account: one buys what has just fallen, the other
# follows trends. They run three times, and only the limits differ. Limits look at orders and refuse those that are
# too large; breakers look at equity and halt trading after a loss. A row in the ledger of trials is all a run leaves
# on disk.

# %%
import matplotlib.pyplot as plt
import pandas as pd

from backtests.api import backtest

# %% [markdown]
# ## Three sets of limits
#
# | preset | |
# |---|---|
# | `off_for_research` | nothing is refused and nothing halts; only backtests and replays accept it |
# | `default` | at most 10% of equity in one share; a loss of 2% in a day halts until the day is over |
# | `live_default` | also: a drawdown of 5% halts, a person must lift every halt, and what is held is closed |
#
# As on the command line: `python -m backtests run risk=live_default strategy=bollinger_reversion ...`

# %%
choices = [
    "strategy=bollinger_reversion",
    "+strategy@strategies.trend=ema_cross",
    "data=us_equities",
    "instruments=[AAPL,GOOG,IBM,MSFT]",
    "run.start=2007-01-01",
    "run.end=2010-01-01",
]
presets = ["off_for_research", "default", "live_default"]
runs = {preset: backtest([*choices, f"risk={preset}"]) for preset in presets}

pd.DataFrame(
    {
        preset: {
            "return": f"{run.summary.total_return:+.1%}",
            "deepest drawdown": f"{run.summary.max_drawdown:.1%}",
            "worst day": f"{run.equity['equity'].pct_change().min():.1%}",
            "trades": run.summary.trades,
            "orders refused": run.summary.refusals,
            "trips": run.summary.trips,
            "halted at the end": run.summary.halted,
        }
        for preset, run in runs.items()
    }
)

# %% [markdown]
# ## Refusals
#
# The limit on one share is for both strategies together. Where one holds it already, the other finds no room; and the
# trend follower, which sizes by volatility, asks for too much in calm months. The gate does not cut an order to what
# would fit: it refuses it and says why, with the arithmetic.

# %%
default = runs["default"]
for reason in default.refusals["reason"].head(3):
    print(reason)

# %%
years = {
    preset: run.refusals.groupby([run.refusals["ts"].dt.year, "limit"]).size() for preset, run in runs.items()
}
pd.DataFrame(years).fillna(0).astype(int)

# %% [markdown]
# `HALTED` refuses whatever comes while trading is halted. Orders that only leave a position are never refused, in no
# state.
#
# ## Trips
#
# The same bad months, two breakers: the tight limit on drawdown trips in February, the loss of a day on 1 December
# 2008, when the market fell by almost 9%. Only that one lifts itself.

# %%
for preset, run in runs.items():
    for trip in run.trips.itertuples():
        print(f"{preset}, {trip.ts:%Y-%m-%d %H:%M}: {trip.reason}")

# %% [markdown]
# ## What it did to equity
#
# Triangles are refused orders, dashed lines are trips, the shaded part is the halt that waits for a person. In a
# backtest nobody comes.

# %%
colours = dict(zip(presets, ["tab:gray", "tab:blue", "tab:orange"], strict=True))
figure, (above, below) = plt.subplots(
    2, 1, figsize=(10, 6.5), sharex=True, height_ratios=[3, 2], layout="constrained"
)
for preset, run in runs.items():
    equity = run.equity["equity"]
    above.plot(equity.index, equity / 1000, color=colours[preset], label=preset, lw=1.3)
    below.plot(equity.index, -100 * run.equity["drawdown"], color=colours[preset], lw=1.3)
    refused = pd.DatetimeIndex(run.refusals["ts"].unique())
    above.plot(refused, equity[refused] / 1000, "v", color=colours[preset], ms=4, alpha=0.7)

    for trip in run.trips.itertuples():
        below.annotate(
            trip.breaker, (trip.ts, -19), xytext=(4, 0), textcoords="offset points", color=colours[preset]
        )
        for axes in (above, below):
            axes.axvline(trip.ts, color=colours[preset], ls="--", lw=1)
            if run.summary.halted:
                axes.axvspan(trip.ts, equity.index[-1], color=colours[preset], alpha=0.1, lw=0)
above.set_title("Equity, thousand USD", loc="left")
above.legend(loc="upper left")
below.set_title("Drawdown, %", loc="left")
above.margins(x=0)
plt.show()

# %% [markdown]
# Read it with care. Limits do not know where prices go: the smaller drawdowns come from holding less, and so do the
# smaller returns. The halt of February 2008 kept the account out of the worst of it and out of the recovery as well;
# a person who had looked could have resumed (`python -m live resume`). What limits give is a loss whose size was
# chosen beforehand.
#
# ## A breaker alone
#
# A breaker sees equity at the close of a bar, so it trips at the first close beyond its limit and not at it. Here
# with nothing else on, at three limits; `on_trip=flatten` closes what is held.

# %%
alone = [*choices, "risk=off_for_research", "risk.on_trip=flatten"]
for limit in ("0.05", "0.1", "0.15"):
    run = backtest([*alone, f"risk.max_drawdown_pct={limit}"])
    print(f"{run.trips['ts'].iloc[0]:%Y-%m-%d}  {run.trips['reason'].iloc[0]}")
    print(
        f"            deepest drawdown {run.summary.max_drawdown:.1%}, return {run.summary.total_return:+.1%}"
    )

# %% [markdown]
# ## Where to go next
#
# * [docs/risk.md](../../docs/risk.md): every limit and breaker, with its unit, default and proof
# * [docs/risk/halting.md](../../docs/risk/halting.md): what a trip does, and who lifts it
# * [docs/risk/not_protected.md](../../docs/risk/not_protected.md): what none of this protects against
# * [Reading the journal](reading_the_journal.ipynb): the same refusals and trips in the record of a live run
