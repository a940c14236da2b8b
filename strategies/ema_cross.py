"""Follow the trend: in the market while a fast exponential average of closes is on the right side of a slow one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from strategies.signals.cross import EmaCross as Cross
from strategies.targeting import Signal, TargetingConfig, TargetingStrategy

Period = Annotated[int, Field(ge=1, le=10_000)]


class EmaCrossConfig(TargetingConfig):
    """`fast` and `slow` are in bars; `fast` must be the smaller. The rest is TargetingConfig's."""

    def __init__(self, *args: Any, fast: Period = 10, slow: Period = 30, **kwargs: Any) -> None:
        """Raises ValueError when fast is not below slow."""
        if fast >= slow:
            raise ValueError(f"fast={fast} must be below slow={slow}")
        super().__init__(*args, **kwargs)
        self.fast = fast
        self.slow = slow


class EmaCross(TargetingStrategy):
    """Long while the fast average is above the slow one, short (where allowed) while it is below."""

    def make_signal(self) -> Signal:
        """The cross of the two averages."""
        return Cross(self.config.fast, self.config.slow)

    def warm_up_bars(self) -> int:
        """The slow average's period."""
        return int(self.config.slow)
