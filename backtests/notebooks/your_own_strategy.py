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
# # Your own strategy, outside this repository
#
# A strategy is a class of NautilusTrader in a file of yours; a YAML file names it and gives its parameters. Nothing
# in Keel changes. This notebook writes both into a temporary folder and runs them from there.

# %%
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from backtests.api import ConfigError, backtest, compose
from backtests.trial import market_of
from runs.prices import read_prices

scratch = tempfile.TemporaryDirectory(prefix="keel-")
home = Path(scratch.name)
os.environ["COLUMNS"] = "100"  # how wide the tables below may be

# %% [markdown]
# ## The class
#
# It buys when a close is the highest of the last `lookback` closes, and leaves when one is the lowest of half as
# many.
#
# * The parameters are the arguments of its config class; their annotations say what is allowed. `instrument_ids` and
#   `bar_types` are filled in by Keel, and `**_` takes what it does not need.
# * It asks the cache what it holds. An order may be refused, so what was asked for is not what is held.
# * Quantities are exact: `Decimal`, never a float.

# %%
code = '''\
"""Is the price the highest for a while? Hold until it is the lowest."""

from collections import deque
from decimal import Decimal
from typing import Annotated

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import Field, validate_call


class BreakoutConfig(StrategyConfig):
    @validate_call(config={"arbitrary_types_allowed": True})
    def __init__(
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        lookback: Annotated[int, Field(ge=4)] = 50,
        size_pct: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.08"),
        **_: object,
    ) -> None:
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.lookback = lookback
        self.size_pct = size_pct


class Breakout(Strategy):
    def __init__(self, config: BreakoutConfig) -> None:
        super().__init__(config)
        self.own = config
        self.closes = {bar_type: deque(maxlen=config.lookback) for bar_type in config.bar_types}

    def on_start(self) -> None:
        for bar_type in self.own.bar_types:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: Bar) -> None:
        closes = self.closes[bar.bar_type]
        closes.append(bar.close.as_decimal())
        if len(closes) < self.own.lookback:
            return
        instrument_id = bar.bar_type.instrument_id
        held = self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.strategy_id)
        recent = list(closes)[-(self.own.lookback // 2) :]
        if not held and closes[-1] == max(closes):
            self.enter(instrument_id, closes[-1])
        elif held and closes[-1] == min(recent):
            self.close_all_positions(instrument_id)

    def enter(self, instrument_id: InstrumentId, close: Decimal) -> None:
        instrument = self.cache.instrument(instrument_id)
        equity = self.portfolio.equity(instrument_id.venue)[instrument.quote_currency].as_decimal()
        quantity = int(self.own.size_pct * equity / close)
        if quantity > 0:
            self.submit_order(
                self.order_factory.market(instrument_id, OrderSide.BUY, Quantity.from_int(quantity))
            )
'''
(home / "breakout.py").write_text(code)

# %% [markdown]
# ## The YAML
#
# In a folder laid out like `configs/`. Its name is what `strategy=` chooses.

# %%
(home / "my_desk" / "strategy").mkdir(parents=True)
(home / "my_desk" / "strategy" / "breakout.yaml").write_text(
    """\
# python -m backtests run --config-dir my_desk strategy=breakout
strategy_path: breakout:Breakout
config_path: breakout:BreakoutConfig
lookback: 50 # closes
size_pct: 0.08 # of equity
"""
)
sorted(str(path.relative_to(home)) for path in home.rglob("*.*"))

# %% [markdown]
# ## Run it from a shell
#
# In the folder that holds `breakout.py`; with `python -m` the current folder is on Python's path.
#
# ```sh
# python -m backtests run --config-dir my_desk strategy=breakout
# ```
#
# The same from here:

# %%
done = subprocess.run(
    [sys.executable, "-m", "backtests", "run", "--config-dir", "my_desk", "strategy=breakout"],
    cwd=home,
    capture_output=True,
    text=True,
    check=False,
)
print(done.stdout or done.stderr)

# %% [markdown]
# A backtest leaves a run folder under `outputs/`, with a page to look at.

# %%
[run_folder] = (home / "outputs" / "backtests").iterdir()
sorted(path.name for path in run_folder.iterdir())

# %% [markdown]
# ## Run it from Python
#
# Python finds `breakout.py` once its folder is on the path; `config_dir` is what `--config-dir` is in a shell.

# %%
sys.path.insert(0, str(home))
choices = ["strategy=breakout", "run.start=2005-01-01", "run.end=2009-01-01"]
result = backtest(choices, config_dir=home / "my_desk")
result.trades[["entry_ts", "exit_ts", "quantity", "pnl", "pnl_pct"]]

# %%
market = market_of(compose("backtest", choices, home / "my_desk").config)
prices = read_prices(market)["AAPL.XNAS"]
close = pd.Series(prices.close, pd.to_datetime(prices.ts, utc=True))
sides = result.fills.assign(price=result.fills["price"].astype(float)).groupby("side")
marks = {"BUY": ("^", "tab:green"), "SELL": ("v", "tab:red")}

figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
axes.plot(close.index, close, color="black", lw=0.9, label="close")
axes.plot(close.index, close.rolling(50).max(), color="tab:green", lw=0.8, alpha=0.6, label="highest of 50")
axes.plot(close.index, close.rolling(25).min(), color="tab:red", lw=0.8, alpha=0.6, label="lowest of 25")
for side, fills in sides:
    marker, colour = marks[side]
    axes.plot(fills["ts"], fills["price"], marker, color=colour, ms=9, label=side.lower())
axes.set_title("AAPL, its channel, and what the strategy did", loc="left")
axes.margins(x=0)
axes.legend()
plt.show()

# %% [markdown]
# ## Mistakes
#
# They cost a line, for your parameters as for Keel's own.

# %%
for mistake in ("strategy.lookback=3", "strategy.lokback=20", "strategy.size_pct=8"):
    try:
        backtest(["strategy=breakout", mistake], config_dir=home / "my_desk")
    except ConfigError as error:
        print(error)

# %% [markdown]
# ## Is it honest?
#
# Does it decide with what it could not know yet? One verb cuts the future off and changes it, and looks whether
# decisions before that change. Here on three years and at a few moments, to be quick.
#
# ```sh
# python -m backtests lookahead --config-dir my_desk strategy=breakout run.end=2003-01-01 \
#     lookahead.cuts=4 lookahead.histories=4
# ```

# %%
checked = subprocess.run(
    [
        *[sys.executable, "-m", "backtests", "lookahead", "--config-dir", "my_desk", "strategy=breakout"],
        *["run.end=2003-01-01", "lookahead.cuts=4", "lookahead.histories=4"],
    ],
    cwd=home,
    capture_output=True,
    text=True,
    check=False,
)
print(checked.stdout or checked.stderr)

# %%
scratch.cleanup()  # the temporary folder, with all that was made here

# %% [markdown]
# ## Where to go next
#
# * The same class trades live behind the same gate: `python -m live run --config-dir my_desk strategy=breakout`
# * [docs/config.md](../../docs/config.md#your-own-files): your own presets, venues and data sets in the same folder
# * [docs/research.md](../../docs/research.md): warm-up and stress checks, sweeps
# * `strategies/` of Keel: sizing, stops and history for a strategy that only has an opinion
