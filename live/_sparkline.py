"""How is a row of numbers drawn with characters?"""

from __future__ import annotations

from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"


def sparkline(values: Sequence[float], width: int, height: int = 1, *, ascii_only: bool = False) -> list[str]:
    """Lines of characters, the top one first, `width` wide: a column is the last value of its stretch.

    The lowest value is a thin line and the highest fills the height; where all are the same they lie in the middle.
    """
    columns = _columns(values, width)
    if not columns:
        return [""] * height
    low, high = min(columns), max(columns)
    steps = 8 * height
    levels = [
        steps // 2 if high <= low else 1 + round((value - low) / (high - low) * (steps - 1))
        for value in columns
    ]
    marks = ASCII if ascii_only else EIGHTHS
    return [
        "".join(marks[min(8, max(0, level - 8 * row))] for level in levels) for row in reversed(range(height))
    ]


def _columns(values: Sequence[float], width: int) -> list[float]:
    """As many values as columns; few of them are stretched over the width."""
    count = len(values)
    if width < 1 or not count:
        return []
    if count < width:
        return [values[place * count // width] for place in range(width)]
    return [values[(place + 1) * count // width - 1] for place in range(width)]
