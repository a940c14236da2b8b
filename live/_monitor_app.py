"""How is the monitor drawn on a full screen, renewed each second, and used with a few keys?

The journal is read on a thread of its own, so that one that is slow or away never stops the keys; what is drawn is in
live/_monitor_frame.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from live._monitor_frame import head, holdings, news
from live._monitor_halt import HaltDialog, halt_now
from live._show import WIDE

if TYPE_CHECKING:
    from live._monitor_feed import Feed, View
    from live._picture import Document

EVERY_SECS = 1.0
GAP = 2
KEYS = "q quit   h halt trading   arrows, page up and page down scroll"
SHOWN_SECS = 20.0


class Monitor(App[None]):
    """The full-screen view of one account. q ends it, h halts trading, the arrows scroll."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: black; color: white; }
    Toast { width: 90%; max-width: 100; }
    #head { height: auto; max-height: 60%; padding: 0 1; border-bottom: solid gray; }
    #body { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    #columns { height: auto; }
    #holdings, #news { height: auto; width: 1fr; margin-bottom: 1; }
    #keys { height: 1; padding: 0 1; background: $panel; }
    .wide #columns { layout: horizontal; }
    .wide #holdings { margin-right: 2; }
    .live #head { border-bottom: heavy red; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("h", "halt", "Halt trading"),
    ]

    def __init__(self, feed: Feed) -> None:
        """`feed` tells what there is; it is read once a second."""
        super().__init__()
        self._feed = feed
        self._view: View = feed.view
        self._reading = False

    def compose(self) -> ComposeResult:
        """Head, a part that scrolls, and the keys."""
        yield Static(id="head")
        with VerticalScroll(id="body"), Container(id="columns"):
            yield Static(id="holdings")
            yield Static(id="news")
        yield Static(KEYS, id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to read."""
        self.query_one("#body").focus()
        self._draw()
        self.set_interval(EVERY_SECS, self.read)
        self.read()

    def on_resize(self, _event: Resize) -> None:
        """Draw anew for another width."""
        self._draw()

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read the journal, unless the last time still lasts."""
        if not self._reading:
            self._reading = True
            self.run_worker(self._look, thread=True, group="feed")

    def _look(self) -> None:
        view = self._feed.look()
        self.call_from_thread(self._show, view)

    def _show(self, view: View) -> None:
        self._reading = False
        self._view = view
        self._draw()

    def _draw(self) -> None:
        width = self.size.width - GAP
        is_wide = self.size.width >= WIDE
        screen, picture = self.screen_stack[0], self._view.picture
        screen.set_class(is_wide, "wide")
        screen.set_class(picture is not None and picture.document["mode"] == "live", "live")
        column = (width - GAP) // 2 if is_wide else width
        for name, drawn in (
            ("#head", head(self._view, width)),
            ("#holdings", holdings(self._view, column)),
            ("#news", news(self._view)),
        ):
            screen.query_one(name, Static).update(drawn)

    # -- halting ------------------------------------------------------------------------------------------------------

    def action_halt(self) -> None:
        """Ask for the reason, then halt."""
        if isinstance(self.screen, HaltDialog):
            return
        picture = self._view.picture
        if picture is None:
            self.notify(
                "nothing was read yet, so nobody knows what to halt: python -m live halt", severity="error"
            )
            return
        self.push_screen(HaltDialog(picture.document), self._halt)

    def _halt(self, reason: str | None) -> None:
        picture = self._view.picture
        if reason is not None and picture is not None:
            self.notify("halting ...")
            document = picture.document
            self.run_worker(lambda: self._send_halt(document, reason), thread=True, group="halt")

    def _send_halt(self, document: Document, reason: str) -> None:
        halted, said = halt_now(self._feed.given, document, reason)
        self.call_from_thread(self._answered, said, halted=halted)

    def _answered(self, said: str, *, halted: bool) -> None:
        """Show what became of it, for long enough to be read."""
        if halted:
            self.notify(said, timeout=SHOWN_SECS, markup=False)
        else:
            self.notify(f"NOT HALTED: {said}", severity="error", timeout=SHOWN_SECS, markup=False)
        self.read()
