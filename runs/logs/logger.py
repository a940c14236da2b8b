"""How does an entry become a line: stamped, scrubbed, in the form that was asked for?"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runs.logs.events import COMMON, EVENTS
from runs.logs.rendering import Line, as_line
from runs.times import iso

if TYPE_CHECKING:
    from runs.logs.scrub import Scrubber
    from runs.logs.writer import Entry

_SECOND_NS, _MICRO_NS = 1_000_000_000, 1_000


@dataclass(frozen=True, slots=True)
class Style:
    """What all lines of a run have in common. `zone`: in which market time is written; `least`: the lowest level."""

    run_id: str
    mode: str
    venue: str
    zone: str
    least: int
    as_json: bool


def line_maker(style: Style, scrubber: Scrubber) -> Callable[[Entry], Line | None]:
    """What makes lines: a structlog logger of this run alone. The process's own configuration is not touched."""
    import structlog  # noqa: PLC0415 - a tenth of a second, which a run that logs nothing does not pay

    def row(_: object, level: str, given: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        stamps: dict[str, Any] = {
            "ts": _market(given.pop("ts"), style.zone),
            "at": _wall(given.pop("at")),
            "level": level,
        }
        common = {**stamps, **{key: given.pop(key) for key in COMMON if key in given}}
        event = EVENTS[common["event"]]
        if "until" in given:
            given["until"] = _market(given["until"], style.zone)
        return {**common, **({} if event.open else dict.fromkeys(event.fields)), **given}

    def scrubbed(_: object, __: str, row: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: each if key in COMMON else scrubber.value(each, key) for key, each in row.items()}

    def rendered(_: object, __: str, row: MutableMapping[str, Any]) -> tuple[tuple[Line], dict[str, Any]]:
        return (as_line(dict(row), as_json=style.as_json),), {}

    bound = structlog.wrap_logger(
        _Answering(),
        processors=[row, scrubbed, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(style.least),
        context_class=dict,
    ).bind(run_id=style.run_id, mode=style.mode, venue=style.venue)

    def line(entry: Entry) -> Line | None:
        made: Line | None = getattr(bound, entry.level)(entry.event, ts=entry.ts, at=entry.at, **entry.fields)
        return made

    return line


class _Answering:
    """What structlog hands a finished line to; answers it instead of writing it."""

    @staticmethod
    def _answer(line: Line) -> Line:
        return line

    debug = info = warning = error = _answer


def _market(ts: int | None, zone: str) -> str | None:
    return None if ts is None else iso(ts, zone)


def _wall(at: int) -> str:
    seconds, rest = divmod(at, _SECOND_NS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // _MICRO_NS:06d}+00:00"
