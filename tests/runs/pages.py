"""Takes the page of a run apart: its sections, its figures, its charts, and what a browser makes of it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = [
    "metrics", "equity", "months", "rolling", "exposure", "trades", "refusals", "costs", "parts", "honesty", "config",
]  # fmt: skip
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def own_part(page: str) -> str:
    """The page without plotly.js."""
    start = page.index("<script>/**")
    return page[:start] + page[page.index("</script>", start) :]


def embedded(page: str, name: str) -> dict[str, Any]:
    """The JSON that the page carries under an id."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def section(page: str, name: str) -> str:
    """The words of one section, each cell and sentence parted by a space."""
    found = re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)
    assert found, f"no section {name}"
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def traces(page: str, chart: str) -> dict[str, dict[str, Any]]:
    """The traces of a chart by name; of several with one name the last."""
    return {trace.get("name", ""): trace for trace in embedded(page, "charts")[chart]["data"]}


def opened(page: Path) -> str:
    """The page as a browser has it once its scripts have run."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
         f"--user-data-dir={page.parent / 'browser'}", "--dump-dom", page.absolute().as_uri()],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    return done.stdout


def assert_drawn(page: Path, charts: int) -> None:
    """Every chart of the page is drawn, and nothing was written to be seen that is no number."""
    dom = opened(page)
    assert f'data-drawn="{charts}"' in dom
    assert dom.count('class="plot-container plotly"') == charts
    assert ">NaN<" not in dom
