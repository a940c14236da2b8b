"""Would any point of a space trade on days that are held out?"""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Any

from backtests.search.space import values_tried
from backtests.trial import market_of
from configs.errors import ConfigError
from market.errors import DataError
from runs.trials import family_of
from runs.trials.holdouts import refuse_held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backtests.points import Point
    from backtests.search.space import Space
    from configs.schema import RunConfig
    from market.held import HeldMarket
    from runs.workers import Source

_OF_A_MARKET = ("bar", "data", "instruments", "run", "venue", "trials")
"""First words of keys that decide which days of which instruments a run trades on."""
_OF_A_FAMILY = ("strategy_path", "instruments")
"""Last words of keys that do."""
_MOST_LOOKED_AT = 200
"""Combinations of the other keys that are looked at for one that is a run; `Guarded` looks at every point later."""


def decides_market(key: str) -> bool:
    """Whether a key (as in a point) decides which market a run trades on."""
    return key.partition(".")[0] in _OF_A_MARKET


def kinds_of(space: Space) -> list[tuple[RunConfig, HeldMarket]]:
    """A config with its data for every combination of the swept keys that decide family or market.

    Of an interval both ends stand for all between. The other keys have the first values that are a run. Combinations
    that are no run or have no data with any are left out: their trials tell why.
    """
    deciding: dict[str, tuple[Any, ...]] = {}
    others: dict[str, tuple[Any, ...]] = {}
    for key, axis in zip(space.keys, space.axes, strict=True):
        if axis.group or decides_market(key) or key.rpartition(".")[2] in _OF_A_FAMILY:
            deciding[key] = axis.values if axis.high is None else (axis.low, axis.high)
        else:
            others[key] = values_tried(axis)
    found = []
    for values in product(*deciding.values()):
        chosen = dict(zip(deciding, values, strict=True))
        kind = next(_runs(space, chosen, others), None)
        if kind is not None:
            found.append(kind)
    return found


def _runs(
    space: Space, chosen: Point, others: dict[str, tuple[Any, ...]]
) -> Iterator[tuple[RunConfig, HeldMarket]]:
    """What is a run of these values, each with its data."""
    for values in islice(product(*others.values()), _MOST_LOOKED_AT):
        try:
            config = space.config({**chosen, **dict(zip(others, values, strict=True))})
            yield config, market_of(config)
        except ConfigError:
            continue
        except DataError:  # with other values of the other keys it would have none either
            return


def refuse_any_held_out(space: Space) -> None:
    """Raise HoldoutError where any point would trade on days that are held out for its family."""
    for config, market in kinds_of(space):
        refuse_held_out(config, market)


class Guarded:
    """A source of jobs that hands out none on held-out days, whatever `refuse_any_held_out` could not foresee.

    point: the point of a job. `next` raises HoldoutError instead of handing out such a job.
    """

    def __init__(self, source: Source, space: Space, point: Callable[[Any], Point]) -> None:
        self.told = source.told
        self._source = source
        self._space = space
        self._point = point
        self._passed: set[tuple[object, ...]] = set()  # of a thousand points most trade on the same days

    def next(self) -> Any | None:
        """The next job, where there is one."""
        job = self._source.next()
        if job is not None:
            self._refuse(self._point(job))
        return job

    def _refuse(self, point: Point) -> None:
        try:
            config = self._space.config(point)
            market = market_of(config)
        except Exception:  # noqa: BLE001 - such a point is no run: its trial meets the same error and its row tells it
            return
        days = (market.version, market.start_ns, market.end_ns, config.run.max_bars)
        kind = (family_of(config, market.symbols), config.trials.path, days)
        if kind not in self._passed:
            refuse_held_out(config, market)
            self._passed.add(kind)
