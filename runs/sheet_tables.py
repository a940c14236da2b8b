"""What does the tear sheet tell of refusals and trips, in words?"""

from __future__ import annotations

import html
from math import ceil
from typing import TYPE_CHECKING, Any

from runs.sentences import minute, refused_text, trip_text

if TYPE_CHECKING:
    from runs.summary import Summary

type Lines = list[tuple[str, str, str]]

_MOST = 8
_WIDTH = 44  # characters of a line in the last column, on a narrow page
_HEAD, _LINE, _PADDING = 34, 15, 8  # pixels


def refusal_lines(summary: Summary) -> Lines:
    """(limit, count, when and how much) of the limits that refused most."""
    lines = [
        (refused.limit, f"{refused.count:,}", _flowing(refused_text(refused, summary.currency)))
        for refused in summary.refusals_detail[:_MOST]
    ]
    return _closed(lines, len(summary.refusals_detail), "refusals.parquet")


def trip_lines(summary: Summary) -> Lines:
    """(breaker, when, why and how long) of the first trips."""
    lines = [
        (trip.breaker, minute(trip.at), _flowing(trip_text(trip))) for trip in summary.trips_detail[:_MOST]
    ]
    return _closed(lines, len(summary.trips_detail), "trips.parquet")


def height_of(lines: Lines) -> int:
    """Pixels that a table of these lines takes."""
    return _HEAD + sum(_LINE * (ceil(len(line[2]) / _WIDTH)) + _PADDING for line in lines)


def draw_refusals(fig: Any, row: int, col: int, lines: Lines, **settings: Any) -> None:
    """What each limit refused."""
    names = {"Limit": 30, "Count": 9, "When, about how much, and the largest": 61}
    _draw(fig, (row, col), names, lines, settings)


def draw_trips(fig: Any, row: int, col: int, lines: Lines, **settings: Any) -> None:
    """When each breaker went off, why, and how long it halted."""
    _draw(fig, (row, col), {"Breaker": 26, "When": 19, "Why": 55}, lines, settings)


def _draw(
    fig: Any, place: tuple[int, int], names: dict[str, int], lines: Lines, settings: dict[str, Any]
) -> None:
    import plotly.graph_objects as go  # noqa: PLC0415 - only a report needs it

    colours = settings["theme_config"]["colors"]
    text = {"color": colours["table_text"], "size": 11}
    fig.add_trace(
        go.Table(
            columnwidth=list(names.values()),
            header={
                "values": [f"<b>{name}</b>" for name in names],
                "fill_color": colours["primary"],
                "font": {"color": "#ffffff", "size": 12},
                "align": "left",
            },
            cells={
                "values": [list(column) for column in zip(*lines, strict=True)],
                "fill_color": [[colours["table_row_odd"], colours["table_row_even"]] * len(lines)],
                "font": text,
                "align": "left",
                "height": _LINE + _PADDING,
            },
        ),
        row=place[0],
        col=place[1],
    )


def _closed(lines: Lines, count: int, rest: str) -> Lines:
    """The lines, and where the others are."""
    if not lines:
        return [("none", "", "")]
    return lines + [("", "", f"and {count - _MOST:,} more in {rest}")] * (count > _MOST)


def _flowing(text: str) -> str:
    """One paragraph: the sheet folds it to its own width."""
    return html.escape(" ".join(text.splitlines()))
