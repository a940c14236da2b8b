"""What surrounds every page: one file without a network, light or dark as the reader has it, wide or narrow?

plotly.js (MIT) is inside; a Content-Security-Policy keeps the page from loading anything.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.page.html import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runs.page.html import Charts

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)


def page(
    *,
    title: str,
    header: str,
    sections: Sequence[tuple[str, str, str]],
    charts: Charts,
    summary: Mapping[str, Any] | str,
) -> str:
    """The page as text. sections: (id, name in the list of links, HTML); summary: the figures as JSON, for scripts."""
    links = "".join(f'<a href="#{name}">{escaped(link)}</a>' for name, link, inside in sections if inside)
    figures = summary if isinstance(summary, str) else json.dumps(summary, default=str)
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escaped(title)}</title><style>{_beside('page.css')}</style></head><body>\n",
            f"<header>{header}</header><nav>{links}</nav>\n",
            "\n".join(inside for _, _, inside in sections),
            f'\n<script type="application/json" id="summary">{_embedded(figures)}</script>\n',
            f'<script type="application/json" id="charts">{_embedded(_compact(charts.specs))}</script>\n',
            f"<script>{_plotly()}</script>\n<script>{_beside('page.js')}</script>\n</body></html>\n",
        ]
    )


@cache
def _beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _compact(specs: Mapping[str, Any]) -> str:
    return json.dumps(specs, separators=(",", ":"), allow_nan=False)


def _embedded(text: str) -> str:
    """JSON that no text in it can end the script of."""
    return text.replace("<", "\\u003c")


@cache
def _plotly() -> str:
    """The plotly.js that the installed plotly brings; read as a file, since importing plotly takes longer."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("plotly is not installed, and the page of a run is drawn with it")
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
