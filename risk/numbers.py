"""How does a number from a config become an exact Decimal, or a switched-off limit?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field

ZERO = Decimal(0)
OFF_WORDS = ("off", "none", "null")


def exact(value: object) -> Decimal:
    """Turn a config value into the Decimal a person wrote: 1.5 becomes Decimal("1.5"), never its binary neighbour.

    Raises ValueError for anything that is not a finite number (booleans included).
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004 - pydantic turns only ValueError into a message
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number


def exact_or_off(value: object) -> Decimal | None:
    """Like `exact`, but `off` (which YAML reads as false), `none` and an empty value switch the limit off."""
    if value is None or value is False:
        return None
    if isinstance(value, str) and value.strip().lower() in OFF_WORDS:
        return None
    try:
        return exact(value)
    except ValueError as error:
        raise ValueError(f"{error}; give a number, or off") from None


def fraction_or_off(value: object) -> Decimal | None:
    """A share of equity between 0 and 1, or off. A value above 1 is refused with the hint that 0.05 is 5%."""
    number = exact_or_off(value)
    if number is not None and number > 1:
        raise ValueError(
            f"{number} is above 1, but this is a fraction: 0.05 is 5% (did you mean {number / 100}?)"
        )
    return number


def count_or_off(value: object) -> int | None:
    """A whole number above zero, or off."""
    number = exact_or_off(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not a whole number")
    return int(number)


Number = Annotated[Decimal, BeforeValidator(exact)]
Multiple = Annotated[Annotated[Decimal, Field(gt=0)] | None, BeforeValidator(exact_or_off)]
Amount = Annotated[Annotated[Decimal, Field(gt=0)] | None, BeforeValidator(exact_or_off)]
Share = Annotated[Annotated[Decimal, Field(gt=0, le=1)] | None, BeforeValidator(fraction_or_off)]
Count = Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(count_or_off)]
AnyNumber = Annotated[Decimal | None, BeforeValidator(exact_or_off)]
