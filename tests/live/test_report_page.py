"""Is the page of a report safe to open: does nothing in a journal become a part of it, and does it need nothing?"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import tables
from journal.config import JournalConfig
from live._report_markup import element, joined
from live._report_text import clean
from live.report import report
from tests.journal.filled import arguments
from tests.live.reported import Account, new_york

EVIL = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover='alert(3)' \x1b[31m\u202e"
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "footer", "div", "span", "p", "h1", "h2", "ul",
    "li", "section", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "i", "b", "svg", "g", "line",
    "polyline", "polygon", "rect", "circle", "text", "tspan",
}  # fmt: skip
ATTRIBUTES = {"href", "src", "srcset", "action", "xlink:href", "formaction", "data"}


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def evil_account(config: JournalConfig) -> None:
    """Every text that a strategy, a venue or a person can choose is hostile."""
    desk = Account(config, "2010-05-05 09:30", strategies=(EVIL,))
    desk.order(new_york("2010-05-05 10:00"), f"A{EVIL}.XNAS", "BUY", "10", "30", strategy=EVIL)
    desk.order(new_york("2010-05-05 11:00"), f"A{EVIL}.XNAS", "SELL", "10", "31", strategy=EVIL)
    desk.order(new_york("2010-05-05 12:00"), "AAPL.XNAS", "BUY", "10", "30", strategy=EVIL)
    desk.refuse(new_york("2010-05-05 13:00"), "AAPL.XNAS", EVIL, EVIL)
    desk.event(new_york("2010-05-05 13:30"), "TRIP", EVIL, EVIL)
    desk.event(new_york("2010-05-05 13:31"), "ALARM", EVIL)
    desk.alert(new_york("2010-05-05 13:32"), "critical", EVIL, EVIL)
    desk.command(EVIL, EVIL, {EVIL: EVIL}, answered=False)
    row = {
        **desk.base, "ts": new_york("2010-05-05 14:00"), "client_order_id": "O-1", "venue_order_id": None,
        "event": "REJECTED", "status": "REJECTED", "strategy": EVIL, "instrument": "AAPL.XNAS", "side": "BUY",
        "type": "MARKET", "quantity": desk.cash, "price": None, "trigger_price": None, "tif": "DAY",
        "reduce_only": False, "filled": desk.cash, "reason": EVIL, "limits_version": None, "source": "engine",
    }  # fmt: skip
    desk.writer.add(tables.orders, row)
    desk.see("2010-05-05 16:00")
    desk.close(new_york("2010-05-05 17:00"), EVIL)


@pytest.fixture(scope="module")
def evil_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("evil")
    config = JournalConfig(path=folder / "journal.db")
    evil_account(config)
    assert report([*arguments(config), f"to={folder / 'page.html'}", "date=2010-05-05"]) == 0
    return (folder / "page.html").read_text(encoding="utf-8")


def test_no_text_of_the_journal_becomes_markup(evil_page: str) -> None:
    found = Page(evil_page)
    assert found.names <= ALLOWED
    assert not [name for name in found.attributes if name.startswith("on")]
    assert found.open == []
    assert evil_page.count("<script") == 0
    assert "".join(found.text).count("<script>alert(1)</script>") >= 8  # told as what it is


def test_no_character_that_a_terminal_or_browser_acts_on_gets_through(
    evil_page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "\x1b" not in evil_page
    assert "\u202e" not in evil_page
    config = JournalConfig(path=tmp_path / "journal.db")
    evil_account(config)
    assert report([*arguments(config), f"to={tmp_path / 'page.html'}", "date=2010-05-05"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_the_page_needs_no_network_and_runs_nothing(evil_page: str) -> None:
    found = Page(evil_page)
    assert not found.attributes & ATTRIBUTES
    assert "url(" not in evil_page
    assert "@import" not in evil_page
    assert "default-src 'none'" in evil_page.replace("&#x27;", "'")
    assert len(evil_page) < 200_000


def test_a_dark_and_a_light_page_are_one_page(evil_page: str) -> None:
    assert "prefers-color-scheme: dark" in evil_page
    styled = evil_page[evil_page.index("<style>") : evil_page.index("</style>")]
    body = evil_page[evil_page.index("<body>") :]
    assert not re.findall(r"(?:fill|stroke|color)=", body)  # colours are the style sheet's
    for name in set(re.findall(r"var\((--[a-z-]+)\)", styled)):
        assert f"{name}:" in styled


@given(st.text())
def test_whatever_the_text_an_element_holds_just_it(text: str) -> None:
    made = element("p", text, title=text)
    found = Page(made)
    assert found.names == {"p"}
    assert found.attributes <= {"title"}
    assert "".join(found.text) == clean(text)


def test_markup_inside_markup_is_not_escaped_twice() -> None:
    assert joined(element("b", "a & b"), "<i>") == "<b>a &amp; b</b>&lt;i&gt;"
