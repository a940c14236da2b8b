"""`python -m simulators alpaca`: which arguments are there, and what do they mean?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from configs.closest import closest
from configs.errors import ConfigError
from simulators.arguments import number, switch, whole

HELP = """\
usage: python -m simulators alpaca [KEY=VALUE] ...

Alpaca's trading and market data interfaces on this machine: REST and websockets on one port, with an account that
goes on while no node runs. Prices are the shipped daily bars with a made-up path inside each day; crypto, SPY and HARD
are made up altogether.

  python -m simulators alpaca port=8771 days=5 speed=60

  port           where it is reached, on this machine only; 0 takes a free one (8771)
  kind           paper or live: which keys it takes, PK... or AK... (paper)
  key, secret    what a client has to show (PKREHEARSAL0000000000 or AKREHEARSAL0000000000, rehearsal)
  token          an OAuth token that will do instead (rehearsal-token)
  token_streams  false: the data streams refuse it (true)
  cash           what a new account starts with (100000)
  multiplier     1 for a cash account, 2 or 4 for margin (2)
  fees           true: fees of sells are charged after the close (true)
  crypto_fee     a fraction of each crypto fill (0.0025)
  partial        the share of what is left of an order that one fill takes at most, such as 0.5 (off)
  stopped_target what becomes of a take-profit whose stop-loss fills: replaced (its replaced_by names the stop),
                 orphaned (replaced, and replaced_by names nothing) or canceled (replaced)
  calls_per_min  of each key, on the trading and on the data side; 0 without limit (200)
  feeds          the data feeds of the account, such as iex; empty for all ()
  most_symbols   of trades and quotes on one data stream; 0 without limit (0)
  instruments    what has prices (AAPL,MSFT,IBM,GOOG,SPY,HARD,BTC/USD,ETH/USD)
  start, end     the days that are played, such as 2012-01-03; start may have a time of New York: 2012-01-03T10:00
  days           how many sessions, when start is not given (20)
  bars_per_day   one-minute bars of a share in a session (39)
  seed           of the path inside the days (1)
  speed          market seconds in a second; nights are short; 0 as fast as every listener takes it (60)
  paused         true: the clock stands still until a test moves it; it begins at 10:00 of the first session (false)
  spread         true: bid and ask one increment around the price (true)
  stdin          true: it ends when its standard input does, and so with the process that started it (false)
  state          a file that keeps the account over a restart of the broker (none)
  script         a file of control operations, one JSON object a line, done before anybody is let in (none)
  data, data.KEY the data that are played, as for every run; name start as well (us_equities)
  bar            1d: a path is made up inside recorded days; 1m: the recorded minutes are played (1d)
"""
KEYS = {"paper": "PKREHEARSAL0000000000", "live": "AKREHEARSAL0000000000"}
ALL = ("AAPL", "MSFT", "IBM", "GOOG", "SPY", "HARD", "BTC/USD", "ETH/USD")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the local Alpaca is started with."""

    port: int = 8771
    kind: str = "paper"
    key: str = ""
    secret: str = "rehearsal"  # noqa: S105 - of a broker that holds no money
    token: str = "rehearsal-token"  # noqa: S105 - as above
    token_streams: bool = True
    cash: Decimal = Decimal(100_000)
    multiplier: int = 2
    fees: bool = True
    crypto_fee: Decimal = Decimal("0.0025")
    partial: Decimal | None = None
    stopped_target: str = "replaced"
    calls_per_min: int = 200
    feeds: tuple[str, ...] = ()
    most_symbols: int = 0
    instruments: tuple[str, ...] = ALL
    start: datetime | None = None
    """Of New York; midnight stands for the whole day."""

    end: date | None = None
    days: int = 20
    bars_per_day: int = 39
    seed: int = 1
    speed: float = 60.0
    paused: bool = False
    spread: bool = True
    stdin: bool = False
    state: Path | None = None
    script: Path | None = None
    bar: str = "1d"
    overrides: tuple[str, ...] = ()


def parse(argv: Sequence[str]) -> Settings:
    """Settings of a command line. Raises ConfigError."""
    given: dict[str, Any] = {}
    overrides = []
    for argument in argv:
        key, found, text = argument.partition("=")
        if not found:
            raise ConfigError(f"{argument}: alpaca takes key=value arguments: {', '.join(_READERS)}, data")
        if key in _READERS:
            given[key] = _READERS[key](key, text)
        elif key == "data" or key.startswith("data."):
            overrides.append(argument)
        else:
            near = closest(key, (*_READERS, "data"))
            raise ConfigError(
                f"unknown key {key}; "
                + (f"did you mean {near}?" if near else f"there is {', '.join(_READERS)}, data")
            )
    settings = Settings(**given, overrides=tuple(overrides))
    prefix = "AK" if settings.kind == "live" else "PK"
    if settings.key and not settings.key.startswith(prefix):
        raise ConfigError(f"key: of a {settings.kind} account begins with {prefix}")
    return settings


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(key: str, text: str) -> str:
        if text not in allowed:
            raise ConfigError(f"{key}={text}: must be {' or '.join(allowed)}")
        return text

    return read


def _moment(key: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{key}={text}: must be a date such as 2012-01-03, or 2012-01-03T10:00") from None


def _names(_key: str, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.strip("[]").split(",") if name.strip())


def _file(_key: str, text: str) -> Path:
    return Path(text).expanduser()


_READERS: dict[str, Callable[[str, str], Any]] = {
    "port": whole(0, 65_535),
    "kind": _one_of("paper", "live"),
    "key": lambda _key, text: text,
    "secret": lambda _key, text: text,
    "token": lambda _key, text: text,
    "token_streams": switch,
    "cash": number("0", "1000000000000"),
    "multiplier": whole(1, 4),
    "fees": switch,
    "crypto_fee": number("0", "0.1"),
    "partial": number("0.01", "1"),
    "stopped_target": _one_of("replaced", "orphaned", "canceled"),
    "calls_per_min": whole(0, 1_000_000),
    "feeds": _names,
    "most_symbols": whole(0, 100_000),
    "instruments": _names,
    "start": _moment,
    "end": lambda key, text: _moment(key, text).date(),
    "days": whole(1, 10_000),
    "bars_per_day": whole(1, 390),
    "seed": whole(0, 1_000_000_000),
    "speed": lambda key, text: float(number("0", "1000000")(key, text)),
    "paused": switch,
    "spread": switch,
    "stdin": switch,
    "bar": _one_of("1d", "1m"),
    "state": _file,
    "script": _file,
}
