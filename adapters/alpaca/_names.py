"""What is an order called at Alpaca, so that its records alone tell every name of ours after a crash?

Alpaca names the exits of a bracket itself, and gives an order that was changed a new id; both would be strangers
after a restart. So the name that is sent carries what cannot be sent otherwise:

    ROOT[.t<n>-<tail>][.s<n>-<tail>][.r<k>]

`t` and `s` name the take-profit and the stop-loss: the first n letters of ROOT and then the tail. `r` counts changes.
An order without any of these is sent under its own name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from adapters.outcomes import NotSentError

LONGEST = 128
_FORM = re.compile(
    r"(?P<root>.+?)(\.t(?P<tn>\d+)-(?P<tt>[^.]*))?(\.s(?P<sn>\d+)-(?P<st>[^.]*))?(\.r(?P<revision>\d+))?"
)


@dataclass(frozen=True, slots=True)
class WireName:
    """A name as it is sent."""

    root: str
    """What the order is called here."""
    target: str | None = None
    """What its take-profit is called here, where the broker makes it with the order."""
    stop: str | None = None
    """The same for its stop-loss."""
    revision: int = 0
    """How often it was changed."""

    def __str__(self) -> str:
        """As sent. Raises NotSentError for names that cannot be."""
        text = self.root + self._child("t", self.target) + self._child("s", self.stop)
        if self.revision:
            text += f".r{self.revision}"
        if len(text) > LONGEST or read(text) != self:
            raise NotSentError(
                f"CLIENT_ORDER_ID: {self.root} cannot be sent: at most {LONGEST} letters with the names of its "
                "exits, and nothing in it that looks like .r1"
            )
        return text

    @property
    def next(self) -> WireName:
        """The name after one more change."""
        return replace(self, revision=self.revision + 1)

    def _child(self, letter: str, name: str | None) -> str:
        if name is None:
            return ""
        pairs = enumerate(zip(self.root, name, strict=False))
        same = next((at for at, (one, other) in pairs if one != other), min(len(self.root), len(name)))
        return f".{letter}{same}-{name[same:]}"


def read(text: str) -> WireName:
    """A name as Alpaca tells it; one that is not ours is all root."""
    found = _FORM.fullmatch(text)
    if found is None:
        return WireName(text)
    root = found["root"]

    def child(count: str | None, tail: str | None) -> str | None:
        return None if count is None else root[: int(count)] + (tail or "")

    return WireName(
        root, child(found["tn"], found["tt"]), child(found["sn"], found["st"]), int(found["revision"] or 0)
    )
