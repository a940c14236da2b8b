"""The run's own log: what happened, in lines for people or for machines, without secrets."""

from runs.logs.open import backtest_log, live_log
from runs.logs.run_log import RunLog

__all__ = ["RunLog", "backtest_log", "live_log"]
