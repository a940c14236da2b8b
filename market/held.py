"""How does a process that runs many backtests over the same data read that data only once?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

from nautilus_trader.model import Bar

from market.market_data import MarketData

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from nautilus_trader.model import BarType, QuoteTick


@dataclass(frozen=True)
class HeldMarket(MarketData):
    """Market data whose rows are read once and kept; rule: nobody changes a list or a frame it answers."""

    @cached_property
    def _updates(self) -> list[Bar] | list[QuoteTick]:
        return super().updates()

    @cached_property
    def _history(self) -> list[Bar] | list[QuoteTick]:
        return super().history()

    @cached_property
    def _frames(self) -> dict[str, pd.DataFrame]:
        return {}

    def updates(self) -> list[Bar] | list[QuoteTick]:
        """As MarketData.updates, the same list every time."""
        return self._updates

    def chunks(self, rows: int) -> Iterator[list[Bar] | list[QuoteTick]]:  # noqa: ARG002 - all is in memory anyway
        """All updates at once."""
        yield self._updates

    def past(self, bar_type: BarType) -> list[Bar]:
        """As MarketData.past, out of what is held."""
        return [bar for bar in self._history if isinstance(bar, Bar) and bar.bar_type == bar_type]

    def history(self) -> list[Bar] | list[QuoteTick]:
        """As MarketData.history, the same list every time."""
        return self._history

    def frame(self, symbol: str) -> pd.DataFrame:
        """As MarketData.frame, the same frame every time."""
        if symbol not in self._frames:
            self._frames[symbol] = super().frame(symbol)
        return self._frames[symbol]


def held(market: MarketData) -> HeldMarket:
    """The same market data, whose rows will be read only once."""
    return HeldMarket(**{field.name: getattr(market, field.name) for field in fields(MarketData)})
