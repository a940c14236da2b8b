"""Which files of a catalog are complete, and are they still what was written?

The manifest is written last and replaced as a whole: a file it does not name was never finished.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from market.bar_length import BarLength

LAYOUT = 1
FILE = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """Rows of one symbol at one bar length (or its quotes), and the instrument they belong to."""

    symbol: str
    bar: str
    instrument_id: str
    rows: int
    first_ns: int
    last_ns: int
    data_file: str
    instrument_file: str
    doubts: tuple[str, ...]


@dataclass
class Manifest:
    """What one catalog folder holds: `entries` by `SYMBOL BAR`; `files`: path -> bytes and SHA-256."""

    engine: str
    version: str
    source: dict[str, Any] = field(default_factory=dict)
    raw_version: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    layout: int = LAYOUT

    @classmethod
    def read(cls, folder: Path, engine: str) -> Manifest | None:
        """The manifest of a folder; None if there is none, or none that this program can trust."""
        try:
            raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if raw["layout"] != LAYOUT or raw["engine"] != engine:
                return None
            entries = {label: _entry(one) for label, one in raw["entries"].items()}
            files = {name: (int(size), str(digest)) for name, (size, digest) in raw["files"].items()}
            return cls(**(raw | {"entries": entries, "files": files}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # absent, half written by another program, or of another layout: all mean "build it"

    def write(self, folder: Path) -> None:
        """Replace the folder's manifest in one step."""
        draft = folder / f".{FILE}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(folder / FILE)

    def add(self, folder: Path, entry: Entry) -> None:
        """Enter finished files as they lie in `folder`."""
        self.entries[key(entry.symbol, entry.bar)] = entry
        for name in (entry.data_file, entry.instrument_file):
            self.files[name] = fingerprint(folder / name)

    def damage(self, folder: Path, entry: Entry) -> str | None:
        """Name of a file of this entry that is missing or no longer what was written; None if all is well."""
        for name in (entry.data_file, entry.instrument_file):
            try:
                sound = fingerprint(folder / name) == self.files.get(name)
            except OSError:
                sound = False
            if not sound:
                return name
        return None

    def has(self, folder: Path, label: str) -> bool:
        """Whether this entry is complete and undamaged."""
        entry = self.entries.get(label)
        return entry is not None and self.damage(folder, entry) is None

    def drop(self, name: str) -> None:
        """Forget a file and every entry that needs it."""
        self.files.pop(name, None)
        self.entries = {
            label: entry
            for label, entry in self.entries.items()
            if name not in (entry.data_file, entry.instrument_file)
        }


def entry_label(length: BarLength | None) -> str:
    """`1d`, or `quotes` where there is no length."""
    return "quotes" if length is None else length.text


def _entry(raw: dict[str, Any]) -> Entry:
    return Entry(**(raw | {"doubts": tuple(raw["doubts"])}))


def key(symbol: str, bar: str) -> str:
    """Label of an entry, as in `AAPL 1d`."""
    return f"{symbol} {bar}"


def fingerprint(file: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return stream.tell(), digest
