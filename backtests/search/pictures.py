"""What does a sweep look like: where the good trials lie, and which values they have in common?"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.panels import Line, Sheet, chosen, lines, scores, sheet_of
from backtests.search.show import cell, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    from backtests.search.result import Result
    from backtests.search.settings import SweepSettings
    from backtests.search.space import Space
    from runs.prices import FloatArray

_INK, _GREY, _PALE, _RED = "#30343b", "#9aa0a8", "#eceef0", "#c8433d"
_MOST_WRITTEN = 200  # cells with their number in them
_MOST_NAMES = 9  # of an axis; with more it has five evenly spaced ones
_LONGEST = 90  # letters of a headline
_DARK = 0.62  # on the scale of colours; numbers below are white
_BEST_SHARE = 0.1  # of the trials that the parallel coordinates draw strongly


def draw(result: Result, space: Space, settings: SweepSettings) -> bytes:
    """Draw a sweep as a PNG. Needs a trial with a score."""
    buffer = io.BytesIO()
    figure_of(result, space, settings).savefig(buffer, format="png")
    return buffer.getvalue()


def figure_of(result: Result, space: Space, settings: SweepSettings) -> Figure:
    """The picture before it is written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.4 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415 - as above

    found, score = lines(result, space), scores(result)
    figure = Figure(figsize=(13, 11), dpi=110, layout=ConstrainedLayoutEngine(h_pad=0.12, hspace=0.06))
    FigureCanvasAgg(figure)
    top, foot = figure.subplots(2, 1, height_ratios=[1.25, 1])
    figure.suptitle(headline(result, settings), x=0.01, ha="left", fontsize=15, fontweight="bold", color=_INK)
    norm = _norm(score)
    _draw_plane(top, found, score, settings, norm)
    _draw_parallel(foot, found, score, settings, norm)
    return figure


def _norm(score: FloatArray) -> Normalize:
    """From the lowest to the highest score there is."""
    from matplotlib.colors import Normalize  # noqa: PLC0415 - as above

    low, high = float(np.nanmin(score)), float(np.nanmax(score))
    return Normalize(low, high if high > low else low + 1)


def headline(result: Result, settings: SweepSettings) -> str:
    """`Sweep of 12 trials: best sharpe 0.79 with strategy.fast=10`."""
    best = result.ranked[0]
    values = ", ".join(f"{key.rpartition('.')[2]}={cell(value)}" for key, value in best.point.items())
    told = f"best {_words(settings.metric)} {shown(settings.metric, best.score)} with {values}"
    shortened = told if len(told) < _LONGEST else f"{told[:_LONGEST]}..."
    return f"Sweep of {len(result.trials):,} trials: {shortened}"


def colours(settings: SweepSettings) -> str:
    """The scale of colours: bright is good."""
    return "viridis" if settings.maximize else "viridis_r"


def _draw_plane(
    panel: Axes, found: list[Line], score: FloatArray, settings: SweepSettings, norm: Normalize
) -> None:
    """The heat map of two keys, or the scores along the only one."""
    plane = chosen(found, settings)
    if len(plane) < 2:  # noqa: PLR2004 - a plane has two axes
        _draw_curve(panel, plane[0] if plane else None, score, settings, norm)
        return
    sheet = sheet_of(found, plane, score)
    others = [line.key for line in found if line not in plane]
    title = _words(settings.metric) + (f", best over {', '.join(others)}" if others and sheet else "")
    if sheet is None:
        drawn: Any = _draw_dots(panel, plane, score, settings, norm)
    else:
        norm = _norm(sheet.score)
        drawn = _draw_sheet(panel, sheet, settings, norm, best=(plane[0].places[0], plane[1].places[0]))
    panel.set_title(title, loc="left", fontsize=12, color=_INK)
    panel.set_xlabel(plane[0].key, color=_INK)
    panel.set_ylabel(plane[1].key, color=_INK)
    bar = panel.figure.colorbar(drawn, ax=panel, pad=0.01, fraction=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, colors=_INK)


def _draw_sheet(
    panel: Axes, sheet: Sheet, settings: SweepSettings, norm: Normalize, best: tuple[float, float]
) -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

    panel.set_facecolor(_PALE)
    image = panel.imshow(sheet.score, cmap=colours(settings), norm=norm, origin="lower", aspect="auto")
    for names, ticks in zip(sheet.names, (panel.set_xticks, panel.set_yticks), strict=True):
        step = max(1, -(-len(names) // 25))
        ticks(range(0, len(names), step), names[::step])
    rows, columns = sheet.score.shape
    panel.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="white", linewidth=1.5 if rows * columns <= _MOST_WRITTEN else 0.5)
    panel.tick_params(which="both", length=0, colors=_INK)
    for row, column in np.ndindex(rows, columns):
        value = sheet.score[row, column]
        if rows * columns <= _MOST_WRITTEN:
            light = not np.isnan(value) and (norm(value) > _DARK) == settings.maximize
            colour = _GREY if np.isnan(value) else _INK if light else "white"
            text = "none" if np.isnan(value) else shown(settings.metric, float(value))
            panel.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    place = (np.searchsorted(sheet.x.distinct, best[0]), np.searchsorted(sheet.y.distinct, best[1]))
    corner = (float(place[0]) - 0.5, float(place[1]) - 0.5)
    panel.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=_RED, linewidth=3, zorder=5))
    panel.spines[:].set_visible(False)
    return image


def _draw_dots(
    panel: Axes, plane: list[Line], score: FloatArray, settings: SweepSettings, norm: Normalize
) -> Any:
    x, y = plane
    dots = panel.scatter(
        x.places[::-1], y.places[::-1], c=score[::-1], cmap=colours(settings), norm=norm, s=55,
        edgecolors="white", linewidths=0.6,
    )  # fmt: skip
    panel.scatter(x.places[:1], y.places[:1], s=190, facecolors="none", edgecolors=_RED, linewidths=2)
    for line, ticks in ((x, panel.set_xticks), (y, panel.set_yticks)):
        if line.labels is not None:
            ticks(range(len(line.labels)), line.labels)
    panel.grid(color=_PALE)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=_INK)
    return dots


def _draw_curve(
    panel: Axes, line: Line | None, score: FloatArray, settings: SweepSettings, norm: Normalize
) -> None:
    places = np.zeros(len(score)) if line is None else line.places
    order = np.argsort(places, kind="stable")
    if line is None or line.labels is None:
        panel.plot(places[order], score[order], color=_GREY, linewidth=1.2, zorder=1)
    panel.scatter(
        places, score, c=score, cmap=colours(settings), norm=norm, s=70, edgecolors="white", zorder=2
    )
    panel.scatter(places[:1], score[:1], s=220, facecolors="none", edgecolors=_RED, linewidths=2, zorder=3)
    if line is not None:
        names = line.distinct if len(line.distinct) <= _MOST_NAMES or line.labels else None
        if names is not None:
            panel.set_xticks(names, [line.name(place) for place in names])
        panel.set_xlabel(line.key, color=_INK)
    else:
        panel.set_xticks([])
    panel.set_title(_words(settings.metric), loc="left", fontsize=12, color=_INK)
    panel.grid(color=_PALE)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=_INK)


def _draw_parallel(
    panel: Axes, found: list[Line], score: FloatArray, settings: SweepSettings, norm: Normalize
) -> None:
    """A line a trial through its values to its score; the best tenth stands out."""
    from matplotlib import colormaps  # noqa: PLC0415 - as above
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - as above

    axes = [*found, Line(_words(settings.metric), score, None)]
    heights = np.column_stack([_share(line) for line in found] + [_share(axes[-1], even=False)])
    strong = max(1, round(len(score) * _BEST_SHARE))
    paint = colormaps[colours(settings)](norm(score))
    paint[:, 3] = np.where(np.arange(len(score)) < strong, 0.95, min(0.5, max(0.08, 30 / len(score))))
    widths = np.where(np.arange(len(score)) < strong, 1.8, 0.9)
    curves = [np.column_stack([np.arange(len(axes)), height]) for height in heights]
    panel.add_collection(LineCollection(curves[::-1], colors=paint[::-1], linewidths=widths[::-1]))
    panel.plot(np.arange(len(axes)), heights[0], color=_RED, linewidth=2.2, zorder=4)
    for place, line in enumerate(axes):
        panel.axvline(place, color=_INK, linewidth=1, zorder=3)
        for value, name in _names(line, settings.metric if place == len(axes) - 1 else ""):
            height = _height(line, value, even=place < len(axes) - 1)
            panel.annotate(
                name, (place, height), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8,
                color=_INK, zorder=5,
                bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
            )  # fmt: skip
    panel.set_xlim(-0.15, len(axes) - 0.7)
    panel.set_ylim(-0.06, 1.06)
    panel.set_xticks(range(len(axes)), [line.key for line in axes], color=_INK)
    panel.set_yticks([])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    title = f"every trial from its values to its score: red is the best, strong the best {_BEST_SHARE:.0%}"
    panel.set_title(title, loc="left", fontsize=12, color=_INK)


def _share(line: Line, *, even: bool = True) -> FloatArray:
    return np.array([_height(line, place, even=even) for place in line.places])


def _height(line: Line, place: float, *, even: bool) -> float:
    """Where a value stands on its axis, from 0 to 1: few values stand evenly, many (and scores) as their numbers do."""
    known = line.distinct
    if len(known) == 1:
        return 0.5
    if even and len(known) <= _MOST_NAMES:
        return float(np.interp(place, known, np.linspace(0, 1, len(known))))
    return float((place - known[0]) / (known[-1] - known[0]))


def _names(line: Line, metric: str) -> list[tuple[float, str]]:
    known = line.distinct
    if metric:
        return [(float(place), shown(metric, float(place))) for place in np.linspace(known[0], known[-1], 5)]
    if len(known) > _MOST_NAMES and line.labels is None:
        known = np.linspace(known[0], known[-1], 5)
    return [(float(place), line.name(place)) for place in known]


def _words(metric: str) -> str:
    return metric.replace("_", " ")
