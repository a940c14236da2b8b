"""Which errors can past market data end in?

    DataError                what every caller may catch; `exit_code` 2: the input is wrong
    ├── SourceError          a source cannot give what was asked: symbol, bar length, window, missing package
    ├── FileError            a user's own file or folder cannot be read: path, column, row, stamp
    ├── QualityError         the rows were read and are wrong: order, NaN, high below low, crossed quotes
    └── CatalogError         the catalog's folder cannot be written, locked or trusted

`str(error)` is one line: what was asked, what was found, what to do.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 12


class DataError(Exception):
    """Past market data cannot be used as asked; the text is one line for the user."""

    exit_code = 2


class SourceError(DataError):
    """The source does not have what was asked for."""


class FileError(DataError):
    """A user's own file cannot be read; names file, row, column and remedy."""


class QualityError(DataError):
    """The rows contradict themselves; trading on them would be meaningless."""


class CatalogError(DataError):
    """The folder of prepared data cannot be written, locked or trusted."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Close match of `word` among `known` (any case) as a phrase; without one, the first names."""
    by_fold = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_fold, n=1)
    if close:
        return f"did you mean {by_fold[close[0]]!r}?"
    names = sorted(by_fold.values())
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"there are: {', '.join(names[:_LISTED])}{more}" if names else "there are none"
