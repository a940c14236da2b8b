"""How do files on an S3-compatible store become files here, and how is a prepared catalog shared through one?

What lies there is copied once and again when its size or time of change differs; from then on it is read as any file
here, by the same code and under the same version. Of a catalog the manifest goes last, so a kill shares no half of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from market._manifest import FILE, Manifest
from market._progress import progress
from market._s3 import Place
from market.errors import CatalogError, FileError

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "{symbol}"


def mirrored(path: str, suffixes: tuple[str, ...]) -> str:
    """The path here of a file, a folder or a pattern there, after what is new there was copied.

    Raises FileError when it cannot be read, or holds nothing that ends in one of `suffixes`.
    """
    from platformdirs import user_cache_path  # noqa: PLC0415 - reads the environment, so not at import

    fixed, mark, rest = path.partition(PLACE)
    folder = fixed.rpartition("/")[0] if mark else path
    place = Place(folder)
    home = user_cache_path("keel") / "s3" / place.path
    found = place.files()
    own = [one for one in found if (one.name or place.path).lower().endswith(suffixes)]
    if not own:
        raise FileError(
            f"path {path}: there is no {suffixes[0]} file at {place.address} ({len(found)} others)"
        )
    late = [
        one for one in own if not _is_here(home / one.name if one.name else home, one.size, one.changed_ns)
    ]
    try:
        with progress(f"copying from {place.address}", len(late)) as step:
            for one in late:
                step(one.name or place.path)
                target = home / one.name if one.name else home
                place.bring(one.name, target)
                os.utime(target, ns=(one.changed_ns, one.changed_ns))
        _drop_others(home, {one.name for one in own})
    except OSError as error:
        raise FileError(f"{home}: cannot be written ({error.strerror}); {path} is copied there") from None
    return str(home / (fixed.rpartition("/")[2] + mark + rest)) if mark else str(home)


def share(address: str, folder: Path, manifest: Manifest, labels: list[str]) -> None:
    """Put entries of the catalog in `folder` there, where they are missing. Raises FileError."""
    place = Place(f"{address.rstrip('/')}/{folder.name}")
    there = shared(address, folder, manifest.engine)
    missing = [label for label in labels if there is None or label not in there.entries]
    if not missing:
        return
    both = Manifest(manifest.engine, manifest.version, manifest.source, manifest.raw_version)
    both.entries = dict(there.entries) if there is not None else {}
    both.files = dict(there.files) if there is not None else {}
    with progress(f"copying to {place.address}", len(missing)) as step:
        for label in missing:
            step(label)
            entry = manifest.entries[label]
            for name in (entry.data_file, entry.instrument_file):
                if name not in both.files:
                    place.put(name, folder / name)
                    both.files[name] = manifest.files[name]
            both.entries[label] = entry
    with TemporaryDirectory() as draft:
        both.write(Path(draft))
        place.put(FILE, Path(draft) / FILE)


def shared(address: str, folder: Path, engine: str) -> Manifest | None:
    """What lies there of this version; None for nothing, or for nothing that this engine can read. Raises FileError."""
    text = Place(f"{address.rstrip('/')}/{folder.name}").text(FILE)
    if text is None:
        return None
    with TemporaryDirectory() as draft:
        (Path(draft) / FILE).write_text(text, encoding="utf-8")
        return Manifest.read(Path(draft), engine)


def fetch(  # noqa: PLR0913 - from where, to where, and what
    address: str, folder: Path, stage: Path, there: Manifest, labels: list[str], placed: Callable[[str], None]
) -> None:
    """Copy entries from there into `stage`, checked by their hashes; `placed` is told each. Raises DataError."""
    place = Place(f"{address.rstrip('/')}/{folder.name}")
    with progress(f"copying from {place.address}", len(labels)) as step:
        for label in labels:
            step(label)
            entry = there.entries[label]
            for name in (entry.data_file, entry.instrument_file):
                if not (stage / name).is_file():
                    place.bring(name, stage / name)
            damaged = there.damage(stage, entry)
            if damaged is not None:
                raise CatalogError(
                    f"{place.address}/{damaged} is not what its manifest says; remove {place.address}: "
                    "it is prepared again"
                )
            placed(label)


def _is_here(file: Path, size: int, changed_ns: int) -> bool:
    try:
        found = file.stat()
    except OSError:
        return False
    return found.st_size == size and found.st_mtime_ns == changed_ns


def _drop_others(home: Path, names: set[str]) -> None:
    """Files that are no longer there are none of the data."""
    if home.is_dir():
        for file in home.rglob("*"):
            if file.is_file() and file.relative_to(home).as_posix() not in names:
                file.unlink()
