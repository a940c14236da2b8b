"""Which limits and breakers are on while Keel is measured? Every one there is, and none of them binds."""

from __future__ import annotations

LIMITS: dict[str, str] = {  # key -> a value that the bench's own strategies never come near
    "max_leverage": "1.9",
    "max_gross_notional": "1e9",
    "max_position_pct": "0.9",
    "max_position_notional": "1e9",
    "max_strategy_pct": "0.95",
    "max_strategy_notional": "1e9",
    "max_open_positions": "5",
    "max_new_positions_per_day": "5000",
    "min_cash_pct": "0.01",
    "max_order_pct": "0.95",
    "max_order_notional": "1e9",
    "max_orders_per_day": "5000",
    "max_orders_per_sec": "1000",
    "price_collar_pct": "0.6",
    "max_slippage_pct": "0.1",
    "max_price_age_secs": "86400",
    "max_repeats": "1000",
    "repeat_window_secs": "60",
    "allow_short": "false",
    "allow_self_crossing": "false",
    "trading_hours": "XNYS",
    "require_approval": "true",  # granted at once where nobody is there to ask, as in a backtest
    "approval_timeout_mins": "30",
    "approval_band_pct": "0.5",
    "max_holding_mins": "1e8",
    "order_timeout_mins": "1e6",
    "max_daily_loss_pct": "0.5",
    "max_daily_loss": "1e6",
    "max_drawdown_pct": "0.99",
    "max_drawdown": "1e6",
    "max_consecutive_losses": "1000",
    "min_win_rate": "0.001",
    "min_sharpe": "-1000",
    "performance_trades": "60",
    "warn_at_pct": "0.9",
    "latch_daily_loss": "true",
    "on_trip": "flatten",
    "untrusted_jump_pct": "0.25",
    "tick_confirmations": "3",
    "session_zone": "America/New_York",
    "session_calendar": "XNYS",
}

LEFT_OUT: dict[str, str] = {  # key -> why Keel and the bare engine could not be compared with it
    "dry_run": "no order would be sent",
    "require_stop_loss": "refuses or adds orders",
    "default_stop_loss_pct": "sends orders of its own, which the bare engine would not have to fill",
    "take_profit_pct": "as default_stop_loss_pct",
    "allow_off": "a permission, not a limit",
    "research_only": "a permission, not a limit",
}


LINES = {  # whose limits are tighter (`{strategy}` is the class that trades) -> which, still never met
    "strategy: {strategy}": "max_order_pct: 0.94, max_drawdown_pct: 0.98, max_daily_loss: 9e5, min_win_rate: 0.001",
    "venue: {venue}": "max_order_pct: 0.93, max_drawdown_pct: 0.97, max_daily_loss: 8e5",
    "asset_class: equity": "max_order_pct: 0.92",
}


def overrides(strategy: str, symbols: tuple[str, ...], venue: str = "replay", **other: str) -> list[str]:
    """Everything on, as on the command line: `strategy` is the class that trades `symbols` on `venue`.

    `other` replaces single values.
    """
    values = {**LIMITS, "allowed_instruments": f"[{','.join(symbols)}]", **other}
    lines = ", ".join(
        f"{{{whose.format(strategy=strategy, venue=venue)}, {limits}}}" for whose, limits in LINES.items()
    )
    return [*(f"risk.{key}={value}" for key, value in values.items()), f"risk.overrides=[{lines}]"]
