"""How does a sweep become one HTML page that needs no network, on which a trial can be pointed at?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.search.panels import Line, chosen, lines, scores, sheet_of
from backtests.search.pictures import headline
from backtests.search.sections import config_part, judgement, tiles_of, trials_table
from backtests.search.show import cell, shown
from runs.page.html import Charts, escaped, paragraph, section, tiles
from runs.page.series import RED, numbers
from runs.page.shell import page

if TYPE_CHECKING:
    from pathlib import Path

    from backtests.search.result import Result
    from backtests.search.settings import SweepSettings
    from backtests.search.space import Space
    from runs.page.series import Chart
    from runs.prices import FloatArray

_ROW, _LEAST, _MOST = 34, 260, 720  # pixels: of a row of the heat map, and of the whole


def page_of(result: Result, space: Space, settings: SweepSettings, folder: Path | None = None) -> str:
    """Return the page; plotly.js is inside. Needs a trial with a score.

    folder: that of the sweep, which keeps the best trial's config.
    """
    charts = Charts()
    found, score = lines(result, space), scores(result)
    plane = chosen(found, settings)
    metric = settings.metric.replace("_", " ")
    over = [line.key for line in found if line not in plane]
    sheet = sheet_of(found, plane, score) if len(plane) > 1 else None
    best_over = f", the best over {', '.join(over)}" if over and sheet is not None else ""
    places = charts.place("map", _map(result, found, plane, score, settings))
    parallel = charts.place("parallel", _parallel(found, score, metric, settings))
    how = "A line a trial; drag along an axis to keep those that cross it there."
    made = (
        ("map", "Map" if sheet is None else "Heat map", paragraph(f"{metric}{best_over}", "note") + places),
        ("parallel", "Parallel coordinates", paragraph(how, "note") + parallel),
        ("trials", "Trials", trials_table(result, settings)),
        ("honesty", "Is it luck?", judgement(result, settings)),
        ("config", "Config of the best", config_part(folder)),
    )
    return page(
        title=headline(result, settings),
        header=f"<h1>{escaped(headline(result, settings))}</h1>" + tiles(tiles_of(result, settings)),
        sections=[(name, title, section(name, title, inside)) for name, title, inside in made],
        charts=charts,
        summary={"trials": len(result.trials), "deflated_sharpe": result.deflated_sharpe, "pbo": result.pbo},
    )


def _scale(settings: SweepSettings) -> dict[str, Any]:
    return {"colorscale": "Viridis", "reversescale": not settings.maximize}


def _map(
    result: Result, found: list[Line], plane: list[Line], score: FloatArray, settings: SweepSettings
) -> Chart:
    """The heat map of two keys, or dots where there are many values or one key."""
    metric = settings.metric.replace("_", " ")
    told = [
        f"trial {trial.number}<br>"
        + "".join(f"{escaped(key)}={escaped(cell(value))}<br>" for key, value in trial.point.items())
        + f"{metric} {shown(settings.metric, trial.score)}"
        for trial in result.ranked
    ]
    sheet = sheet_of(found, plane, score) if len(plane) > 1 else None
    height = _LEAST + 140 if sheet is None else min(max(_LEAST, _ROW * len(sheet.names[1]) + 90), _MOST)
    kind = {} if sheet is None else {"type": "category"}
    layout = {
        "xaxis": {"title": {"text": plane[0].key if plane else ""}, **kind},
        "yaxis": {"title": {"text": plane[1].key if len(plane) > 1 else metric}, **kind},
        "height": height,
        "showlegend": False,
    }
    bar = {"title": {"text": metric}, "thickness": 12}
    if sheet is None:
        marker = {
            "color": numbers(score),
            "size": 9,
            "line": {"color": "#ffffff", "width": 0.6},
            "colorbar": bar,
        }
        dots = {
            "type": "scatter", "mode": "markers", "text": told, "hovertemplate": "%{text}<extra></extra>",
            "x": _shown(plane[0]) if plane else [0.0] * len(score),
            "y": _shown(plane[1]) if len(plane) > 1 else numbers(score),
            "marker": {**marker, "showscale": True, **_scale(settings)},
        }  # fmt: skip
        return {"data": [dots], "layout": layout}
    columns, rows = sheet.names
    texts = [
        ["" if np.isnan(value) else shown(settings.metric, float(value)) for value in row]
        for row in sheet.score
    ]
    where = f"{sheet.x.key}=%{{x}}<br>{sheet.y.key}=%{{y}}<br>%{{text}}<extra></extra>"
    heat = {
        "type": "heatmap", "x": columns, "y": rows, "z": [numbers(row) for row in sheet.score], "text": texts,
        "texttemplate": "%{text}", "xgap": 2, "ygap": 2, "colorbar": bar, "hovertemplate": where, **_scale(settings),
    }  # fmt: skip
    ring = {
        "type": "scatter", "mode": "markers", "text": told[:1], "hovertemplate": "best: %{text}<extra></extra>",
        "x": [sheet.x.name(sheet.x.places[0])], "y": [sheet.y.name(sheet.y.places[0])],
        "marker": {"symbol": "square-open", "size": 30, "line": {"width": 3}, "color": RED},
    }  # fmt: skip
    return {"data": [heat, ring], "layout": layout}


def _parallel(found: list[Line], score: FloatArray, metric: str, settings: SweepSettings) -> Chart:
    own = {
        "type": "parcoords",
        "line": {"color": numbers(score), **_scale(settings), "showscale": False},
        "dimensions": [*map(_dimension, found), {"label": metric, "values": numbers(score)}],
    }
    return {"data": [own], "layout": {"height": 380, "margin": {"l": 70, "r": 60, "t": 60, "b": 24}}}


def _shown(line: Line) -> Any:
    return numbers(line.places) if line.labels is None else [line.name(place) for place in line.places]


def _dimension(line: Line) -> dict[str, Any]:
    plain = {"label": line.key, "values": numbers(line.places)}
    if line.labels is None:
        return plain
    return {**plain, "tickvals": list(range(len(line.labels))), "ticktext": list(line.labels)}
