"""In which unit is each key of the risk settings?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "max_leverage": "times equity",
        "max_gross_notional": "{currency}",
        "max_position_pct": "of equity",
        "max_position_notional": "{currency}",
        "max_strategy_pct": "of equity",
        "max_strategy_notional": "{currency}",
        "max_open_positions": "instruments",
        "max_new_positions_per_day": "positions",
        "min_cash_pct": "of equity",
        "max_order_pct": "of equity",
        "max_order_notional": "{currency}",
        "max_orders_per_day": "orders",
        "max_orders_per_sec": "orders",
        "price_collar_pct": "of price",
        "max_slippage_pct": "of price",
        "max_price_age_secs": "seconds",
        "max_repeats": "orders",
        "repeat_window_secs": "seconds",
        "allow_short": "",
        "allow_self_crossing": "",
        "allowed_instruments": "",
        "trading_hours": "",
        "dry_run": "",
        "require_stop_loss": "",
        "default_stop_loss_pct": "of entry",
        "take_profit_pct": "of entry",
        "max_holding_mins": "minutes",
        "order_timeout_mins": "minutes",
        "require_approval": "",
        "approval_timeout_mins": "minutes",
        "approval_band_pct": "of price",
        "max_daily_loss_pct": "of equity",
        "max_daily_loss": "{currency}",
        "max_drawdown_pct": "of equity",
        "max_drawdown": "{currency}",
        "max_consecutive_losses": "trades",
        "min_win_rate": "of trades",
        "min_sharpe": "a trade",
        "performance_trades": "trades",
        "warn_at_pct": "of a limit",
        "latch_daily_loss": "",
        "on_trip": "",
        "untrusted_jump_pct": "of price",
        "tick_confirmations": "updates",
        "session_zone": "",
        "session_start": "",
        "session_calendar": "",
        "allow_off": "",
        "research_only": "",
        "overrides": "",
    }
)
"""Key of RiskConfig, in its order -> unit; {currency} is the account's."""
