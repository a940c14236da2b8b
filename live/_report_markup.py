"""How does text become part of a page without becoming a part of its markup?

Whatever is no `Markup` is escaped where an element is made, so that no caller can forget it.
"""

from __future__ import annotations

import html

from live._report_text import clean


class Markup(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


type Child = str | Markup | None
EMPTY = frozenset({"meta", "line", "path", "rect", "polyline", "polygon", "circle"})


def element(name: str, /, *children: Child, **attributes: object) -> Markup:
    """An element. Attributes end in _ where Python has the word (class_), and have _ for - (stroke_width).

    Children and values of attributes that are no Markup are escaped; None, False and empty text are left out.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(str(value)))}"'
        for key, value in attributes.items()
        if value is not None and value is not False and value != ""
    )
    if name in EMPTY:
        return Markup(f"<{name}{told}>") if name == "meta" else Markup(f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children beside each other."""
    return Markup("".join(_safe(child) for child in children if child is not None))


def document(head: Markup, body: Markup) -> Markup:
    """A whole page."""
    return Markup(f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n')


def style(css: str) -> Markup:
    """A style sheet of ours: it is not escaped."""
    return Markup(f"<style>{css}</style>")


def _safe(child: str) -> str:
    return child if isinstance(child, Markup) else html.escape(clean(child))
