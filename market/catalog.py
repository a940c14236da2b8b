"""How does a run get its market data: prepared once, checked once, and read from a catalog ever after?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nautilus_trader
from nautilus_trader.model import BarType
from nautilus_trader.persistence import ParquetDataCatalog

from market import _parquet
from market._manifest import Entry, Manifest, entry_label, key
from market._window import Moment, Window, day_text
from market.bar_length import BarLength
from market.errors import QualityError, SourceError
from market.market_data import MarketData
from market.source import DataSource, Instrument

__all__ = ["MarketData", "open_market"]


def open_market(
    source: DataSource,
    symbols: Sequence[str] | None = None,
    bar: str = "1d",
    start: Moment = None,
    end: Moment = None,
) -> MarketData:
    """Market data of a source, from its catalog; what is missing there is read, checked and written first.

    `symbols` None or empty: the source's own, or all it has. `start` and `end` are ISO dates (midnight in the
    source's zone), the end is not traded. Quotes have no bar length; `bar` is not looked at then.
    Raises DataError: unknown symbol, length or date, empty window, bad rows, a folder that cannot be written.
    """
    window = Window.parse(start, end, source.zone)
    length = _length(source, bar)
    wanted = _symbols(source, symbols)
    version = source.version()
    folder = _catalog_dir(source) / f"{source.name}-{version}"
    manifest = _ready(source, folder, version, wanted, length)
    entries = [manifest.entries[key(symbol, entry_label(length))] for symbol in wanted]
    doubts = tuple(doubt for entry in entries for doubt in entry.doubts)
    if doubts and not source.allow_doubts:
        more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
        raise QualityError(f"{doubts[0]}{more}; correct the data or set data.allow_doubts=true")
    start_ns, end_ns = _span(source, folder, entries, window)
    names = [entry.instrument_id for entry in entries]
    known = {str(one.id): one for one in ParquetDataCatalog(str(folder)).instruments(names)}
    instruments = tuple(known[name] for name in names)
    return MarketData(
        kind=source.kind,
        symbols=wanted,
        instruments=instruments,
        bar_types=tuple(_bar_types(length, instruments)),
        version=version,
        doubts=doubts,
        catalog_path=folder,
        files=tuple(folder / entry.data_file for entry in entries),
        start_ns=start_ns,
        end_ns=end_ns,
        zone=source.zone,
        days_per_year=source.days_per_year,
    )


def _length(source: DataSource, bar: str) -> BarLength | None:
    if source.kind == "quotes":
        return None
    length = BarLength.parse(bar)
    if source.lengths and bar not in source.lengths:
        raise SourceError(f"bar={bar}: data={source.name} has only bar={' or '.join(source.lengths)}")
    return length


def _symbols(source: DataSource, symbols: Sequence[str] | None) -> tuple[str, ...]:
    wanted = tuple(symbols or source.symbols or source.available())
    twice = next((symbol for symbol in wanted if wanted.count(symbol) > 1), None)
    if twice is not None:
        raise SourceError(f"instruments names {twice} twice; name each once")
    return wanted


def _catalog_dir(source: DataSource) -> Path:
    if source.catalog_dir is not None:
        return source.catalog_dir.expanduser().absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - reads the environment, so not at import

    return user_cache_path("keel") / "catalog"


def _ready(
    source: DataSource, folder: Path, version: str, wanted: tuple[str, ...], length: BarLength | None
) -> Manifest:
    """A manifest whose entries for these symbols are complete and undamaged; builds what is not."""
    manifest = Manifest.read(folder, nautilus_trader.__version__)
    labels = [key(symbol, entry_label(length)) for symbol in wanted]
    if manifest is not None and all(manifest.has(folder, label) for label in labels):
        return _shared(source, folder, manifest, labels)
    if source.catalog_s3 is not None:
        from market._build import brought  # noqa: PLC0415 - as below

        manifest = brought(source, folder, version, labels)
        if all(label in manifest.entries for label in labels):
            return manifest
    source.require(wanted)
    from market._build import build  # noqa: PLC0415 - brings pandas along, which a ready catalog does without

    return _shared(source, folder, build(source, folder, version, wanted, length), labels)


def _shared(source: DataSource, folder: Path, manifest: Manifest, labels: list[str]) -> Manifest:
    if source.catalog_s3 is not None:
        from market._mirror import share  # noqa: PLC0415 - only where a store is named

        share(source.catalog_s3, folder, manifest, labels)
    return manifest


def _span(source: DataSource, folder: Path, entries: list[Entry], window: Window) -> tuple[int, int]:
    """First and last stamp in the window over all symbols; every symbol must have rows there."""
    spans = []
    for entry in entries:
        span = _inside(folder, entry, window)
        if span is None:
            have = f"{day_text(entry.first_ns, source.zone)} to {day_text(entry.last_ns, source.zone)}"
            raise SourceError(f"{entry.symbol} has no {source.kind} for {window.text}; there are {have}")
        spans.append(span)
    return min(first for first, _ in spans), max(last for _, last in spans)


def _inside(folder: Path, entry: Entry, window: Window) -> tuple[int, int] | None:
    if window.from_ns <= entry.first_ns and entry.last_ns < window.until_ns:
        return entry.first_ns, entry.last_ns
    stamps = _parquet.read_stamps(folder / entry.data_file)
    low, high = stamps.searchsorted([window.from_ns, window.until_ns])
    return (int(stamps[low]), int(stamps[high - 1])) if low < high else None


def _bar_types(length: BarLength | None, instruments: Sequence[Instrument]) -> list[BarType]:
    return [] if length is None else [length.bar_type(one.id) for one in instruments]
