"""Which file holds which symbol?"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

from market.errors import FileError, did_you_mean

PLACE = "{symbol}"


def find_files(path: str, suffixes: tuple[str, ...], only_symbol: str | None) -> dict[str, Path]:
    """Symbol -> file, sorted, for a file, a folder of `AAPL.csv` and the like, or a pattern with `{symbol}`.

    A single file is called by `only_symbol`, or by its own name. Raises FileError when nothing is there.
    """
    place = Path(path).expanduser()
    try:
        if PLACE in path:
            return _by_pattern(path)
        if place.is_dir():
            return _in_folder(place, suffixes)
        if place.is_file():
            return {only_symbol or _stem(place, suffixes): place}
    except OSError as error:
        raise FileError(f"path {path}: cannot be looked at ({error.strerror})") from None
    raise FileError(f"path {path}: there is no such file or folder{_near(place)}")


def digest(found: dict[str, Path]) -> str:
    """SHA-256 of all these files' bytes under their symbols."""
    total = hashlib.sha256()
    for symbol, file in found.items():
        try:
            with file.open("rb") as stream:
                total.update(f"{symbol} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise FileError(f"{file}: cannot be read ({error.strerror})") from None
    return total.hexdigest()


def _by_pattern(pattern: str) -> dict[str, Path]:
    path = Path(pattern).expanduser()
    fixed = Path(*(part for part in path.parts[: _first_place(path)]))
    rest = path.relative_to(fixed).as_posix()
    halves = [re.escape(part) for part in rest.split(PLACE)]
    wanted = re.compile(halves[0] + r"(?P<symbol>[^/]+)" + r"(?P=symbol)".join(halves[1:]))
    files = fixed.glob(rest.replace(PLACE, "*")) if fixed.is_dir() else ()
    matches = (
        (wanted.fullmatch(file.relative_to(fixed).as_posix()), file) for file in files if file.is_file()
    )
    found = {match["symbol"]: file for match, file in matches if match is not None}
    if not found:
        raise FileError(f"path {pattern}: no file fits this pattern under {fixed}")
    return dict(sorted(found.items()))


def _first_place(path: Path) -> int:
    return next(at for at, part in enumerate(path.parts) if PLACE in part)


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    found = {_stem(file, suffixes): file for file in files if file.name.lower().endswith(suffixes)}
    if found:
        return found
    others = Counter(file.suffix for file in files if file.suffix)
    seen = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(3)) or "nothing"
    raise FileError(
        f"path {folder}: the folder holds no {suffixes[0]} file ({seen}); name one file a symbol in it"
    )


def _stem(file: Path, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if file.name.lower().endswith(suffix):
            return file.name[: -len(suffix)]
    return file.stem


def _near(missing: Path) -> str:
    parent = missing.parent
    if not parent.is_dir():
        return f" (nor is there a folder {parent})"
    names = [entry.name for entry in parent.iterdir()]
    return f" in {parent.resolve()}: {did_you_mean(missing.name, names)}"
