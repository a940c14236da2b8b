"""Strategies with a planted fault, and honest ones that look suspicious: what the checks have to tell apart."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig

from market.market_data import MarketData
from strategies.ema_cross import EmaCross, EmaCrossConfig

DAY = 86_400_000_000_000


class PlantedConfig(StrategyConfig):
    """A fixed quantity of each instrument, and a file for those that read one."""

    def __init__(
        self, instrument_ids: list[InstrumentId], bar_types: list[BarType], file: str = "", **_: object
    ) -> None:
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.file = file


class Sided(Strategy):
    """Long ten shares of its first instrument while `wants` says so, else flat."""

    def __init__(self, config: PlantedConfig) -> None:
        super().__init__(config)
        self.own = config
        self.long = False

    def on_start(self) -> None:
        for bar_type in self.own.bar_types:
            self.subscribe_bars(bar_type)

    def wants(self, bar: Bar) -> bool:
        raise NotImplementedError

    def on_bar(self, bar: Bar) -> None:
        wanted = self.wants(bar)
        if wanted is not self.long:
            self.long = wanted
            side = OrderSide.BUY if wanted else OrderSide.SELL
            order = self.order_factory.market(
                self.own.instrument_ids[0], side, Quantity.from_str("10"), reduce_only=not wanted
            )
            self.submit_order(order)


class PackageReader(Sided):
    """Loads the shipped data set itself and buys before every rise."""

    def wants(self, bar: Bar) -> bool:
        days, closes = _package()
        at = int(np.searchsorted(days, bar.ts_event // DAY))
        return at + 1 < len(closes) and bool(closes[at + 1] > closes[at])


class SlowPackageReader(Sided):
    """Holds while the price of a month later is higher."""

    def wants(self, bar: Bar) -> bool:
        days, closes = _package()
        at = int(np.searchsorted(days, bar.ts_event // DAY))
        return bool(closes[min(at + 20, len(closes) - 1)] > closes[at])


class FileReader(Sided):
    """Reads the Parquet file of the catalog and buys before every rise."""

    def wants(self, bar: Bar) -> bool:
        stamps, closes = _catalog(self.own.file)
        at = int(np.searchsorted(stamps, bar.ts_event))
        return at + 1 < len(closes) and bool(closes[at + 1] > closes[at])


class CentredReader(Sided):
    """Buys below the mean of the five closes before, this one and the five to come, by the day: read below Python."""

    def wants(self, bar: Bar) -> bool:
        stamps, closes = _catalog(self.own.file)
        at = int(np.searchsorted(stamps, bar.ts_event))
        return at + 5 < len(closes) and bool(bar.close.as_double() < closes[max(at - 5, 0) : at + 6].mean())


class CloseCentredReader(CentredReader):
    """The same, where it is fed a price within a hundredth of the file's."""

    def wants(self, bar: Bar) -> bool:
        stamps, closes = _catalog(self.own.file)
        close = closes[min(int(np.searchsorted(stamps, bar.ts_event)), len(closes) - 1)]
        return abs(bar.close.as_double() - close) < 0.01 * close and super().wants(bar)


class CountingReader(Sided):
    """The same by the number of the bar, whatever its date."""

    def on_start(self) -> None:
        super().on_start()
        self.bars = -1

    def wants(self, bar: Bar) -> bool:
        self.bars += 1
        closes = _catalog(self.own.file)[1][max(self.bars - 5, 0) : self.bars + 6]
        return len(closes) > 0 and bool(bar.close.as_double() < closes.mean())


class PriceReader(Sided):
    """Knows what followed a close wherever it sees the same one again, whatever the date."""

    def wants(self, bar: Bar) -> bool:
        _, closes = _catalog(self.own.file)
        found = np.flatnonzero(np.abs(closes - bar.close.as_double()) < 1e-6)
        return any(at + 1 < len(closes) and closes[at + 1] > closes[at] for at in found)


class FilteringReader(EmaCross):
    """Follows its averages honestly, but only where the file says that the next month will be a good one."""

    def on_bar(self, bar: Bar) -> None:
        days, closes = _package()
        at = int(np.searchsorted(days, bar.ts_event // DAY))
        if closes[min(at + 20, len(closes) - 1)] > closes[at] or self.cache.positions_open():
            super().on_bar(bar)


class FilteringConfig(EmaCrossConfig):
    """As the averages' own."""


class MemorySearcher(Sided):
    """Finds, in the frames that called it, the bars that the engine is yet to show it."""

    def on_start(self) -> None:
        super().on_start()
        self.future: dict[int, float] = {}

    def wants(self, bar: Bar) -> bool:
        if not self.future:
            rows = next(_rows_around(), [])
            self.future = {a.ts_event: b.close.as_double() for a, b in pairwise(rows)}
        following = self.future.get(bar.ts_event)
        return following is not None and following > bar.close.as_double()


def _rows_around() -> Iterator[list[Any]]:
    frame = inspect.currentframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            market = getattr(value, "market", None)
            rows = market.updates() if isinstance(market, MarketData) else value
            if type(rows) is list and len(rows) > 10 and type(rows[0]) is Bar:
                yield rows
        frame = frame.f_back


class Rememberer(Sided):
    """Learns what happened in one run and uses it in the next one of the same process."""

    KNOWN: ClassVar[dict[int, float]] = {}

    def on_start(self) -> None:
        super().on_start()
        self.before = dict(self.KNOWN)
        self.last = 0

    def wants(self, bar: Bar) -> bool:
        self.KNOWN[self.last] = bar.close.as_double()
        self.last = bar.ts_event
        return self.before.get(bar.ts_event, 0.0) > bar.close.as_double()


class Asker(Sided):
    """Asks for the bars of the whole century, and of the next year again on every bar: it is given none of them."""

    def on_start(self) -> None:
        super().on_start()
        self.given: list[Bar] = []
        self.request_bars(
            self.own.bar_types[0],
            start=datetime(1999, 1, 1, tzinfo=UTC),
            end=datetime(2030, 1, 1, tzinfo=UTC),
        )

    def on_historical_bars(self, bars: Any) -> None:
        self.given += list(bars)

    def wants(self, bar: Bar) -> bool:
        now = datetime.fromtimestamp(bar.ts_event // 10**9, UTC)
        self.request_bars(bar.bar_type, start=now, end=now + timedelta(days=365))
        return any(each.ts_event > bar.ts_event for each in self.given)


class Dice(Sided):
    """Throws dice that nobody seeded."""

    def wants(self, bar: Bar) -> bool:
        del bar
        return random.random() < 0.5  # noqa: S311 - the point


class Holder(Sided):
    """Honest: buys once and holds."""

    def wants(self, bar: Bar) -> bool:
        del bar
        return True


class Mondays(Sided):
    """Honest: holds from Monday's close to Tuesday's, whatever the price."""

    def wants(self, bar: Bar) -> bool:
        return datetime.fromtimestamp(bar.ts_event // 10**9, UTC).weekday() == 0


class Contrarian(Sided):
    """Honest: holds after a fall."""

    def on_start(self) -> None:
        super().on_start()
        self.last = 0.0

    def wants(self, bar: Bar) -> bool:
        before, self.last = self.last, bar.close.as_double()
        return self.last < before


class Recursive(Sided):
    """Never forgets: long above the mean of every close since its start."""

    def on_start(self) -> None:
        super().on_start()
        self.sum, self.bars = 0.0, 0

    def wants(self, bar: Bar) -> bool:
        self.sum, self.bars = self.sum + bar.close.as_double(), self.bars + 1
        return bar.close.as_double() > self.sum / self.bars


class SlowlyForgetting(Sided):
    """An average of a span of 400 bars, for which it asks no history."""

    def on_start(self) -> None:
        super().on_start()
        self.average: float | None = None

    def wants(self, bar: Bar) -> bool:
        close = bar.close.as_double()
        self.average = close if self.average is None else self.average + (close - self.average) * 2 / 401
        return close > self.average


class NeverForgettingSize(EmaCross):
    """Its sides are those of the averages, its size shrinks with every bar since its start."""

    def on_start(self) -> None:
        super().on_start()
        self.seen = 0

    def on_bar(self, bar: Bar) -> None:
        self.seen += 1
        super().on_bar(bar)

    def _size(self, holding: Any, bar: Bar) -> Any:
        size = super()._size(holding, bar)
        return size and holding.lot.cut(size * 100 / (100 + self.seen), bar.close.as_decimal())


class Broken(Sided):
    """Raises on its hundredth bar."""

    def on_start(self) -> None:
        super().on_start()
        self.bars = 0

    def wants(self, bar: Bar) -> bool:
        del bar
        self.bars += 1
        if self.bars == 100:
            raise ZeroDivisionError("planted")
        return False


@lru_cache(maxsize=1)
def _package() -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 and closes of the shipped AAPL, as anybody can read them."""
    from bokeh_sampledata.stocks import AAPL  # noqa: PLC0415 - parses its whole file when imported

    return np.array(AAPL["date"], "datetime64[D]").astype(np.int64), np.array(AAPL["adj_close"], np.float64)


@lru_cache(maxsize=1)
def _catalog(file: str) -> tuple[np.ndarray, np.ndarray]:
    import pyarrow as pa  # noqa: PLC0415 - one use
    from pyarrow import parquet  # noqa: PLC0415 - as above

    table = parquet.read_table(file, partitioning=None)
    return table["ts_init"].cast(pa.int64()).to_numpy(), table["close"].cast(pa.float64()).to_numpy()


class Normaliser(Sided):
    """Buys below the mean of all closes of the file, those to come included: little of it shows in any one decision."""

    def on_start(self) -> None:
        super().on_start()
        import pandas as pd  # noqa: PLC0415 - one use

        self.mean = float(pd.read_csv(self.own.file)["close"].mean())

    def wants(self, bar: Bar) -> bool:
        return bar.close.as_double() < self.mean


class Foreseer(Sided):
    """Knows which days will rise, so that only costs and chance can be held against it."""

    def wants(self, bar: Bar) -> bool:
        days, closes = _package()
        at = int(np.searchsorted(days, bar.ts_event // DAY))
        return bool(closes[min(at + 5, len(closes) - 1)] > closes[at] * 1.01)


class Idle(Sided):
    """Never trades."""

    def wants(self, bar: Bar) -> bool:
        del bar
        return False
