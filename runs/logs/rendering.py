"""How does one line of the log look, for a person and for a machine?"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runs.logs.events import COMMON, LEVELS

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, among them those that move a terminal's cursor or turn the direction of writing."""
_PROSE = ("reason",)  # said in words at the front of a line for people
_BLOCKS = ("traceback",)  # several lines, below the line
_WHO = ("strategy", "instrument")
_CONSTANT = ("run_id", "mode", "venue")
_LIKE = ("event", "limit", "breaker", "kind", "scope", "strategy", "instrument", "where", "component")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is ready to be written.

    like: what it is about; lines that are alike need not be shown again and again. quiet: nobody has to see it on
    stderr, where another line, or the engine itself, says the same.
    """

    level: int
    text: str
    like: tuple[str, ...]
    run_id: str
    quiet: bool = False


def as_line(row: dict[str, Any], *, as_json: bool) -> Line:
    """A row of the log, whose first keys are those every row has, as a line."""
    quiet = bool(row.pop("quiet", False))
    text = as_document(row) if as_json else as_text(row)
    like = tuple(str(row.get(key) or "") for key in _LIKE)
    return Line(LEVELS[row["level"]], text, like, str(row.get("run_id") or ""), quiet)


def as_document(row: dict[str, Any]) -> str:
    """One JSON object on one line: amounts are strings, what is unknown is null."""
    return json.dumps({key: _plain(value) for key, value in row.items()}, default=str, ensure_ascii=False)


def as_text(row: dict[str, Any]) -> str:
    """Time, level, event, whom it is about, the reason in words, then the rest as key=value."""
    stamp = row["ts"] or row["at"]
    parts = [stamp, f"{row['level'].upper():<7}", f"{row['event']:<18}"]
    parts += [str(row[key]) for key in _WHO if row.get(key)]
    parts += [str(row[key]) for key in _PROSE if row.get(key)]
    shown = (*COMMON, *_PROSE, *_BLOCKS, *_WHO)
    parts += [f"{key}={_word(value)}" for key, value in row.items() if key not in shown and value is not None]
    if row["ts"]:
        parts.append(f"at={row['at']}")
    blocks = [str(row[key]).rstrip("\n") for key in _BLOCKS if row.get(key)]
    below = [f"    {printable(line)}" for block in blocks for line in block.split("\n")]
    return "\n".join([printable(" ".join(parts)), *below])


def printable(text: str) -> str:
    """The text on one line, without anything that could do more to a terminal than be read."""
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value


def _word(value: Any) -> str:
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, default=str, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text and not text.startswith(("[", "{")) else text
