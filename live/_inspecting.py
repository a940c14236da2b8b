"""How is a venue looked at by a verb: which config, who looks, and what does not belong to the config?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters.clients import Wanted
from configs.errors import ConfigError
from configs.load import Composed, main, resolve
from runs.verbs import HELP

if TYPE_CHECKING:
    from adapters.clients import MarketVenue
    from adapters.inspection import Inspector
    from configs.schema import RunConfig


def composed_with(
    argv: Sequence[str], own: Sequence[str], usage: str, task: Callable[[Composed, dict[str, str]], int]
) -> int:
    """Do a task with the config that `argv` makes, and with the verb's own keys; answers the exit code."""
    if any(word in HELP for word in argv):
        print(usage, end="")  # noqa: T201 - what a person asked to read
        return 0
    given = {key: value for key, _, value in (word.partition("=") for word in argv) if key in own}
    rest = [word for word in argv if word.partition("=")[0] not in own]
    return main("live", rest, lambda composed: task(composed, given))


@contextmanager
def inspecting(config: RunConfig) -> Iterator[Inspector]:
    """Who looks at a venue; what had to be started for it ends with it. Raises ConfigError, AdapterError."""
    venue = config.venue
    if not venue.brings_market:
        raise ConfigError(
            f"venue={venue.name}: there is no broker behind it to look at; this is for venues such as alpaca_paper"
        )
    factory: Any = resolve(venue.factory, "venue.factory", absent=venue.absent)
    known: MarketVenue = factory(venue, None, None)
    try:
        run = config.run
        yield known.inspector(Wanted(config.symbols, config.bar, run.start, run.end, config.data))
    finally:
        known.close()
