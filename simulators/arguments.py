"""How are the values of a simulator's key=value arguments read? Each reader raises ConfigError, one line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from configs.errors import ConfigError


def whole(least: int, most: int) -> Callable[[str, str], int]:
    """Reads a whole number from `least` to `most`."""

    def read(key: str, text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise ConfigError(f"{key}={text}: must be a whole number from {least} to {most}")
        return int(text)

    return read


def number(least: str, most: str) -> Callable[[str, str], Decimal]:
    """Reads an exact number from `least` to `most`."""

    def read(key: str, text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not Decimal(least) <= value <= Decimal(most):
            raise ConfigError(f"{key}={text}: must be a number from {least} to {most}")
        return value

    return read


def switch(key: str, text: str) -> bool:
    """Reads true or false."""
    if text not in ("true", "false"):
        raise ConfigError(f"{key}={text}: must be true or false")
    return text == "true"
