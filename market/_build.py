"""How is a catalog filled so that neither a second process nor a kill can leave a half of it behind?

Everything is written to a folder beside the catalog first. Files move into place one by one, the manifest
that names them last; what it does not name is not there. One lock a catalog keeps two builders apart, and
the system drops it when its holder dies. Finished files are never written again: a changed source has
another version, so another folder.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nautilus_trader
from nautilus_trader.persistence import ParquetDataCatalog

from market import _parquet
from market._manifest import FILE, Entry, Manifest, entry_label, key
from market._progress import progress
from market.bar_length import BarLength
from market.errors import CatalogError, QualityError
from market.quality import QualityRules, check
from market.source import DataSource, Instrument

if TYPE_CHECKING:
    import pandas as pd

_LOCK_SECS = 600.0
_STEPS = 3

_log = logging.getLogger(__name__)


def build(
    source: DataSource, folder: Path, version: str, symbols: tuple[str, ...], length: BarLength | None
) -> Manifest:
    """Add what the catalog in `folder` lacks of these symbols. Raises DataError; then nothing was added."""
    label = entry_label(length)
    with _writable(folder), _exclusive(folder), _staging(folder) as stage:
        manifest = _trusted(source, folder, version)
        _drop_damaged(manifest, folder)
        missing = [symbol for symbol in symbols if key(symbol, label) not in manifest.entries]
        with progress(f"preparing {source.name}", len(missing) * _STEPS) as step:
            added = [_stage(source, stage, symbol, length, step) for symbol in missing]
        for entry in added:
            _place(stage, folder, manifest, entry)
        manifest.write(folder)
        return manifest


def brought(source: DataSource, folder: Path, version: str, labels: list[str]) -> Manifest:
    """Add to the catalog in `folder` what it lacks and `data.catalog_s3` has. Raises DataError."""
    from market._mirror import fetch, shared  # noqa: PLC0415 - only where a store is named

    address = source.catalog_s3 or ""
    there = shared(address, folder, nautilus_trader.__version__)
    with _writable(folder), _exclusive(folder), _staging(folder) as stage:
        manifest = _trusted(source, folder, version)
        _drop_damaged(manifest, folder)
        found = there.entries if there is not None else {}
        missing = [label for label in labels if label not in manifest.entries and label in found]
        if there is not None:
            fetch(
                address,
                folder,
                stage,
                there,
                missing,
                lambda label: _place(stage, folder, manifest, found[label]),
            )
        manifest.write(folder)
        return manifest


def _stage(
    source: DataSource, stage: Path, symbol: str, length: BarLength | None, step: Callable[[str], None]
) -> Entry:
    """Read, check and write one symbol into the staging folder."""
    step(f"reading {symbol}")
    frame = source.frame(symbol, entry_label(length))
    instrument = source.instrument(symbol)
    step(f"checking {symbol}")
    doubts = _checked(source, symbol, frame, instrument, length)
    step(f"writing {symbol}")
    if length is None:
        data_file = _parquet.write_quotes(stage, frame, instrument)
    else:
        data_file = _parquet.write_bars(stage, frame, length.bar_type(instrument.id), instrument)
    (instrument_file,) = ParquetDataCatalog(str(stage)).write_instruments([instrument])
    stamps = _parquet.read_stamps(stage / data_file)
    return Entry(
        symbol=symbol,
        bar=entry_label(length),
        instrument_id=str(instrument.id),
        rows=len(frame),
        first_ns=int(stamps[0]),
        last_ns=int(stamps[-1]),
        data_file=data_file.as_posix(),
        instrument_file=instrument_file,
        doubts=doubts,
    )


def _checked(
    source: DataSource, symbol: str, frame: pd.DataFrame, instrument: Instrument, length: BarLength | None
) -> tuple[str, ...]:
    """Doubts about these rows. Raises QualityError, all errors in one line, when they cannot be used."""
    rules = QualityRules(
        length=length,
        zone=source.zone,
        calendar=source.calendar,
        price_precision=instrument.price_precision,
        size_precision=instrument.size_precision,
        jump=source.jump,
        known_jumps=source.known_jumps(symbol),
        rare=source.sure_of_length,
    )
    report = check(frame, source.kind, symbol, rules)
    if report.errors:
        lines = [line.removeprefix(f"{symbol}: ") for line in report.errors]
        raise QualityError(f"{symbol} ({source.origin(symbol)}): {' | '.join(lines)}")
    return tuple(report.doubts)


def _trusted(source: DataSource, folder: Path, version: str) -> Manifest:
    """The folder's manifest, or a new one for an empty folder: without a manifest nothing in it is kept."""
    manifest = Manifest.read(folder, nautilus_trader.__version__)
    if manifest is not None:
        return manifest
    if (folder / FILE).exists():
        _log.warning("catalog %s: its manifest cannot be used with this engine; preparing all again", folder)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    settings = source.model_dump(mode="json", exclude={"catalog_dir"})
    return Manifest(nautilus_trader.__version__, version, settings, source.raw_version())


def _drop_damaged(manifest: Manifest, folder: Path) -> None:
    for entry in list(manifest.entries.values()):
        name = manifest.damage(folder, entry)
        if name is not None:
            _log.warning("catalog %s: %s is damaged; preparing it again", folder, name)
            manifest.drop(name)


def _place(stage: Path, folder: Path, manifest: Manifest, entry: Entry) -> None:
    """Move an entry's files from the staging folder into the catalog, over leftovers of no manifest."""
    for name in (entry.data_file, entry.instrument_file):
        if name in manifest.files:
            continue  # the same instrument came with another bar length
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.iterdir():
            leftover.unlink()
        (stage / name).replace(target)
    manifest.add(folder, entry)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise CatalogError(
            f"the catalog {folder} cannot be written ({why}); set data.catalog_dir to a folder that can"
        ) from None


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only a build needs it

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder.parent / f".{folder.name}.lock", timeout=_LOCK_SECS):
            yield
    except Timeout:
        raise CatalogError(
            f"another process has been preparing {folder} for {_LOCK_SECS / 60:.0f} minutes; wait or stop it"
        ) from None


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A fresh folder beside the catalog; first goes what killed builders left (we hold the lock)."""
    for abandoned in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(abandoned, ignore_errors=True)
    stage = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
