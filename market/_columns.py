"""Which columns do bars and quotes have, and what does the user's file call them?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

PRICES = {"bars": ("open", "high", "low", "close"), "quotes": ("bid", "ask")}
SIZES = {"bars": ("volume",), "quotes": ("bid_size", "ask_size")}


class Columns(BaseModel):
    """Our name -> the file's; null: the file has no volume, no sizes, no symbols (one file a symbol)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str = "time"
    symbol: str | None = None
    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"
    volume: str | None = "volume"
    bid: str = "bid"
    ask: str = "ask"
    bid_size: str | None = "bid_size"
    ask_size: str | None = "ask_size"
